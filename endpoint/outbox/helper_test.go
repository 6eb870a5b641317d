package outbox

import (
	"os"

	"pgregory.net/rapid"
)

// rapidDir is a folder for one run of a property; rapid has no TempDir.
func rapidDir(t *rapid.T) string {
	dir, err := os.MkdirTemp("", "outbox")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
