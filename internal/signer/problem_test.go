package signer_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"docaxis/internal/signer"
	"docaxis/proto/axispb"
)

// Every fault, also one of a later release, is said in both languages with its detail.
func TestEveryFaultIsSaidInBothLanguages(t *testing.T) {
	const detail = "Sở Nội vụ"
	faults := map[axispb.SignerFault]bool{99: true}
	for f := range axispb.SignerFault_name {
		faults[axispb.SignerFault(f)] = true
	}
	for f := range faults {
		p := signer.Problemf(f, detail)
		said := p.Said()
		if said.English == said.Vietnamese || !strings.Contains(said.English, "; ") {
			t.Errorf("%v: %q, %q", f, said.English, said.Vietnamese)
		}
		if strings.Contains(said.English, detail) != strings.Contains(said.Vietnamese, detail) {
			t.Errorf("%v: the detail is in one language alone: %q, %q", f, said.English, said.Vietnamese)
		}
		if p := signer.Problemf(f, ""); p.Said().English == p.Said().Vietnamese {
			t.Errorf("%v without a detail: %q", f, p.Said().Vietnamese)
		}
	}
	if p := signer.Problemf(1, strings.Repeat("ắ", 500)); len(p.Detail) > 300 || !utf8.ValidString(p.Detail) {
		t.Errorf("a long detail has %d bytes", len(p.Detail))
	}
}
