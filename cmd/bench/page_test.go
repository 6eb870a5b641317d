package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func sampleResult() *Result {
	r := &Result{Throughput: &Throughput{Senders: 8, Receivers: 8, PerSecond: one(213), CryptoPerSecond: one(4424)}}
	r.Rows = r.rows()
	r.Rows[0].What.EN += " <2 & more>" // as XML would not have it
	return r
}

// A newer run's table takes the place of the older one's, and what stands around it stays.
func TestATableTakesThePlaceOfTheLast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "figures.md")
	old := "# Figures\n" + tableBegins + "an older table\n" + tableEnds + "what it means\n"
	if err := os.WriteFile(path, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	r := sampleResult()
	if err := r.page(path); err != nil {
		t.Fatal(err)
	}
	first := readText(t, filepath.Dir(path), "figures.md")
	for _, want := range []string{"# Figures\n", "213/s", "4424/s", "(figures.svg)", "what it means\n"} {
		if !strings.Contains(first, want) {
			t.Errorf("the page does not have %q:\n%s", want, first)
		}
	}
	if strings.Contains(first, "an older table") {
		t.Error("the older table is still there")
	}
	if chart := readText(t, filepath.Dir(path), "figures.svg"); !strings.Contains(chart, "213/s") {
		t.Errorf("the chart does not have the figure: %s", chart)
	}
	if err := r.page(path); err != nil {
		t.Fatal(err)
	}
	if second := readText(t, filepath.Dir(path), "figures.md"); second != first {
		t.Errorf("the same table again makes another page:\n%s", second)
	}
}

func TestAPageWithoutAPlaceForTheTableStaysAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "figures.md")
	if err := os.WriteFile(path, []byte("# Figures\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sampleResult().page(path); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(tableBegins)) {
		t.Errorf("error %v does not say what to add", err)
	}
	if got := readText(t, filepath.Dir(path), "figures.md"); got != "# Figures\n" {
		t.Errorf("the page is now %q", got)
	}
}

// The page that users read has a place for the table.
func TestPerformancePageHasAPlaceForTheTable(t *testing.T) {
	page := readText(t, "../../docs", "performance.md")
	if strings.Count(page, tableBegins) != 1 || strings.Count(page, tableEnds) != 1 {
		t.Error("docs/performance.md has no place for the table, or several")
	}
}

// How a figure is judged: part of a limit, at least, at most, and at most of nothing.
func TestAimsAreJudged(t *testing.T) {
	limit := &Limit{Value: one(100)}
	for name, test := range map[string]struct {
		row     Row
		ofLimit float64
		ofAim   float64
	}{
		"half of a limit of which 0.4 is enough": {Row{Measured: one(50), Limit: limit, Aim: Aim{OfLimit: 0.4}}, 0.5, 1.25},
		"a tenth of it":                          {Row{Measured: one(10), Limit: limit, Aim: Aim{OfLimit: 0.4}}, 0.1, 0.25},
		"more than asked":                        {Row{Measured: one(300), Aim: Aim{AtLeast: 150}}, 0, 2},
		"slower than asked":                      {Row{Measured: one(30), Limit: limit, Aim: Aim{AtMost: 15}}, 0.3, 0.5},
		"nothing at all":                         {Row{Measured: one(0), Aim: Aim{AtMost: 15}}, 0, 1000},
		"no aim":                                 {Row{Measured: one(7), Limit: limit}, 0.07, 0},
	} {
		if got := test.row.judged(); got.OfLimit != test.ofLimit || got.OfAim != test.ofAim {
			t.Errorf("%s: %v of the limit, %v of the aim", name, got.OfLimit, got.OfAim)
		}
	}
}
