package broker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A stream's folder is there before the server knows the stream: one that has nothing
// yet is being made, one that has something was lost.
func TestAStreamThatIsBeingMadeIsNoIllness(t *testing.T) {
	dir := t.TempDir()
	b := startIn(t, newAuthority(t), dir)
	defer stop(t, b)
	if err := b.Health(); err != nil {
		t.Fatal(err)
	}
	msgs := filepath.Join(dir, "jetstream", "JOURNAL", "streams", "JOURNAL-000034", "msgs")
	if err := os.MkdirAll(msgs, 0o700); err != nil {
		t.Fatal(err)
	}
	block := filepath.Join(msgs, "1.blk")
	for _, text := range []string{"", "something"} {
		if err := os.WriteFile(block, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := b.Health()
		if lost := err != nil && strings.Contains(err.Error(), "JOURNAL-000034"); lost != (text != "") {
			t.Errorf("a block of %q: %v", text, err)
		}
	}
}
