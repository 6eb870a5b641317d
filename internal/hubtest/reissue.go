package hubtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	operator "docaxis/axis/admin"
	"docaxis/endpoint"
	"docaxis/endpoint/link"
)

// Reissue has an endpoint re-issued into a folder: its own, or another in which only
// settings and seals are put. The endpoint that comes back is not started; that of the
// old folder, if it runs, goes on to.
func (w *World) Reissue(ctx context.Context, m *Member, dir string) (*Member, error) {
	invited, err := w.Hub().Reissue(ctx, operator.Reissue{Why: why, Endpoint: m.Name})
	if err != nil {
		return nil, fmt.Errorf("invite %s again: %w", m.Name, err)
	}
	if _, err := link.Join(ctx, dir, invited.Invitation); err != nil {
		return nil, fmt.Errorf("join as %s again: %w", m.Name, err)
	}
	again := &Member{Name: m.Name, Code: m.Code, Dir: dir, world: w}
	if dir != m.Dir {
		if err := copySettings(m.Dir, dir); err != nil {
			return nil, err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.members[m.Code] = again
	return again, nil
}

// copySettings takes what people keep apart from the store: settings and seals.
func copySettings(from, to string) error {
	files, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, f := range files {
		if f.Name() != endpoint.SettingsFile && !strings.HasPrefix(f.Name(), "seal-") {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, f.Name()), raw, 0o600); err != nil {
			return err
		}
	}
	return nil
}
