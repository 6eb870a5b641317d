package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Every ratio that a cut measures has a floor, and every floor is of one.
func TestFloorsAreOfTheRatios(t *testing.T) {
	least, err := readFloors()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(cutNames())), slices.Sorted(maps.Keys(least))); diff != "" {
		t.Error(diff)
	}
	for name, floor := range least {
		if floor <= 0 {
			t.Errorf("%s: a floor of %v lets everything pass", name, floor)
		}
	}
}

func TestWhatFallsBelowItsFloorIsRefused(t *testing.T) {
	least := ratios{"exchange": 0.02, "accept": 0.1}
	for name, test := range map[string]struct {
		measured ratios
		want     string
	}{
		"at its floor":  {ratios{"exchange": 0.02, "accept": 0.2}, ""},
		"below it":      {ratios{"exchange": 0.0199, "accept": 0.2}, "exchange: 0.0199"},
		"without a one": {ratios{"large": 0.5}, "no large"},
	} {
		err := judgeCut(test.measured, least)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A cut of very little has every ratio; how large they are is for make ratios.
func TestACutMeasuresEveryRatio(t *testing.T) {
	if _, ok := processorTime(os.Getpid()); !ok {
		// Systems that do not tell processor time are refused, with what to do.
		if _, err := fullCut().measure(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "Linux") {
			t.Fatalf("error %v does not say what to do", err)
		}
		return
	}
	small := cutPlan{
		Runs: 1, Documents: 20, AtOnce: 2, Accepted: 40, Rebuilt: 1200,
		FileBytes: 1 << 10, LargeBytes: 2 << 20, Bare: 20 * time.Millisecond,
	}
	measured, err := small.measure(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range cutNames() {
		if measured[name] <= 0 {
			t.Errorf("%s: %v", name, measured[name])
		}
	}
	path := filepath.Join(t.TempDir(), "floors.json")
	if err := writeFloors(path, ratios{"exchange": 0.0416, "accept": 0.3}); err != nil {
		t.Fatal(err)
	}
	if got, want := readText(t, filepath.Dir(path), filepath.Base(path)), "{\n  \"accept\": 0.15,\n  \"exchange\": 0.021\n}\n"; got != want {
		t.Errorf("floors are written as %s", got)
	}
}
