package registry_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"docaxis/axis/registry"
	"docaxis/proto/axispb"
)

// What waits for a closed agency goes to its one heir, whenever that has an endpoint
// of its own.
func TestAnHeirTakesWhatWaits(t *testing.T) {
	w := nghean(t)
	tests := []struct {
		name  string
		steps []*axispb.Change
		want  []registry.Move
	}{
		{"nobody took over", []*axispb.Change{closing("H41.11.06")}, nil},
		{"several did", []*axispb.Change{closing("H41.11.06", "H41", "H41.11")}, nil},
		{"by another endpoint", []*axispb.Change{closing("H41.11", "H41")}, []registry.Move{
			{Code: "H41.11", Serving: "H41", From: "ndan", To: "vinh"},
		}},
		{"again", []*axispb.Change{closing("H41.11", "H41")}, nil},
		{"the heir moves", []*axispb.Change{serve("H41", "ndan")}, []registry.Move{
			{Code: "H41", Serving: "H41", From: "vinh", To: "ndan"},
			{Code: "H41.11", Serving: "H41", From: "ndan", To: "ndan"},
		}},
		{"the heir is closed in turn, for one that nobody serves", []*axispb.Change{closing("H41", "H41.12")}, nil},
		{"which is served at last", []*axispb.Change{serve("H41.12", "vinh")}, []registry.Move{
			{Code: "H41.12", Serving: "H41.12", To: "vinh"},
			{Code: "H41", Serving: "H41.12", From: "ndan", To: "vinh"},
			{Code: "H41.11", Serving: "H41.12", From: "ndan", To: "vinh"},
		}},
	}
	for _, tt := range tests {
		if got := w.do(noon, tt.steps...).Moved; !cmp.Equal(got, tt.want) {
			t.Errorf("%s: %s", tt.name, cmp.Diff(tt.want, got))
		}
	}
	if diff := cmp.Diff([]string{"H41", "H41.11"}, w.Predecessors("H41.12")); diff != "" {
		t.Errorf("predecessors (-want +got):\n%s", diff)
	}
	if got := w.Predecessors("H42"); got != nil {
		t.Errorf("an agency that took over from nobody has predecessors %v", got)
	}
}

// An agency is meant by every code that it or an agency before it ever had.
func TestNamesOfAnAgency(t *testing.T) {
	w := nghean(t)
	w.do(noon, closing("H41.11", "H41"))
	w.do(noon, closing("H41", "H41.12"))
	for code, want := range map[string][]string{
		"H41.12": nil, "H41": nil, "000.00.00.H41": nil, "H99": {"H99"},
	} {
		got := w.Names(code)
		if want == nil {
			a, _ := w.Agency(code)
			want = append([]string{a.Code}, a.Aliases...)
			for _, before := range w.Predecessors(code) {
				b, _ := w.Agency(before)
				want = append(append(want, b.Code), b.Aliases...)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", code, diff)
		}
	}
	if got := w.Names("H41.12"); len(got) < 3 {
		t.Errorf("only %v", got)
	}
}
