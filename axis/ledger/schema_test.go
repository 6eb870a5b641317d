package ledger

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Whoever updates reads there whether the ledger is built anew.
func TestTheFormatsNameTheSchemasVersion(t *testing.T) {
	page, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	if row := fmt.Sprintf("| ledger.db | `position.version`, %d |", SchemaVersion); !strings.Contains(string(page), row) {
		t.Errorf("docs/formats.md has no row %q", row)
	}
}
