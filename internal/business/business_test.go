package business_test

import (
	"slices"
	"strings"
	"testing"

	"docaxis/internal/business"
	"docaxis/internal/lang"
)

// Every state and request has a name of its own in each language.
func TestEveryStateHasItsName(t *testing.T) {
	for _, l := range []lang.Language{lang.Vietnamese, lang.English} {
		seen := map[string]string{}
		for _, s := range append(business.States(), business.Recall, business.Update, business.Replacement) {
			name := business.Name(s, l)
			if name == "" || name == s && len(s) == 2 || seen[name] != "" {
				t.Errorf("%s in %s: %q, as %q", s, l, name, seen[name])
			}
			seen[name] = s
		}
	}
	if got := business.Name("14", lang.English); got != "14" {
		t.Errorf("no state: %q", got)
	}
}

// Every flag has its words, and is read as it was written.
func TestEveryFlagHasItsWords(t *testing.T) {
	seen := map[string]bool{}
	for f := business.NoState; f <= business.AnsweredAgain; f++ {
		vi, en := f.Say(lang.Vietnamese), f.Say(lang.English)
		if vi == "" || en == "" || vi == en || seen[vi] || seen[en] {
			t.Errorf("%s: %q, %q", f, vi, en)
		}
		seen[vi], seen[en] = true, true
		if got := business.ParseFlag(f.String()); got != f {
			t.Errorf("%s read as %s", f, got)
		}
	}
	if f := business.Usual; f.String()+f.Say(lang.English) != "" || business.ParseFlag("") != f || business.Flag(99).String() != "no-state" {
		t.Error("the absence of a flag says something")
	}
}

func TestFlags(t *testing.T) {
	tests := []struct{ name, states, want string }{
		{"as the rules have it", "01 03 04 05 06", "- - - - -"},
		{"steps left out", "03 05", "- -"},
		{"refused", "01 02", "- -"},
		{"refused at once", "02", "-"},
		{"repeats", "01 01 03 03", "- repeated - repeated"},
		{"backwards", "03 05 04", "- - backwards"},
		{"arrived late", "03 01", "- backwards"},
		{"handled at once", "01 05", "- unregistered"},
		{"refused after it was registered", "03 02", "- refused-late"},
		{"registered after it was refused", "02 03", "- after-refusal"},
		{"taken back", "01 13 15", "- - -"},
		{"recalled, refused, recalled again", "recall 16 recall 15", "- - - -"},
		{"asked twice", "13 13 15", "- repeated -"},
		{"two ways of asking, one answer", "13 recall 15", "- - -"},
		{"goes on although it was taken back", "03 13 15 05", "- - - after-withdrawal"},
		{"asked for again although it was taken back", "13 15 recall", "- - after-withdrawal"},
		{"an agreed update takes nothing back", "03 update 15 05", "- - - -"},
		{"an agreed replacement takes nothing back", "replacement 15 03", "- - -"},
		{"answers without a question", "15 16", "unasked unasked"},
		{"answers again", "13 15 16", "- - answered-again"},
		{"answers the same again", "13 16 16", "- - repeated"},
		{"no state at all", "14 99 ", "no-state no-state"},
	}
	for _, tt := range tests {
		flags := business.Flags(strings.Fields(tt.states))
		words := make([]string, len(flags))
		for i, f := range flags {
			if words[i] = f.String(); f == business.Usual {
				words[i] = "-"
			}
		}
		if got := strings.Join(words, " "); got != tt.want {
			t.Errorf("%s: %s: got %s, want %s", tt.name, tt.states, got, tt.want)
		}
	}
}

// A copy that its endpoint withdrew is not got on with.
func TestAWithdrawnCopy(t *testing.T) {
	var h business.History
	h.Withdraw()
	if got := h.Next(business.Registered); got != business.AfterWithdrawal {
		t.Errorf("registered after the withdrawal: %q", got)
	}
}

func TestWhoSays(t *testing.T) {
	requests := []string{business.TakeBack, business.Recall, business.Update, business.Replacement}
	for _, s := range append(business.States(), requests...) {
		if got, want := business.BySender(s), slices.Contains(requests, s); got != want {
			t.Errorf("%s by the sender: %t", s, got)
		}
	}
}
