package files

import (
	"fmt"
	"os"
)

// Scratch makes a temporary file; whoever asked for it closes and removes it. One that
// a crash left behind goes at the next start.
func (s *Store) Scratch() (*os.File, error) {
	f, err := os.CreateTemp(s.temp(), "scratch-*")
	if err != nil {
		return nil, fmt.Errorf("create a temporary file: %w", err)
	}
	return f, nil
}
