package docs_test

import (
	"fmt"
	"strings"
	"testing"

	"docaxis/signing"
)

// TestSignaturesHasEveryAnswer: the page has a row for each answer, and none for
// others.
func TestSignaturesHasEveryAnswer(t *testing.T) {
	page := read(t, "signatures.md")
	for _, sub := range signing.SubIndications() {
		if row := fmt.Sprintf("\n| %s | %s |", sub, sub.Indication()); strings.Count(page, row) != 1 {
			t.Errorf("no row for %s, %s", sub, sub.Indication())
		}
	}
	rows := strings.Count(page, "| TOTAL-FAILED |") + strings.Count(page, "| INDETERMINATE |")
	if rows != len(signing.SubIndications()) {
		t.Errorf("%d rows for %d answers", rows, len(signing.SubIndications()))
	}
}
