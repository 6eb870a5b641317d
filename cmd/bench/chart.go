package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"
)

// The chart's measures, in pixels. A bar's end says how far the aim is reached, on a
// scale of powers of ten: the aim is one line for all, a tenth and ten times as far to
// either side as each other.
const (
	chartLabel  = 470
	chartBars   = 420
	chartText   = 330
	chartLine   = 24
	chartTop    = 46
	chartBottom = 30
	// chartSpan is how many powers of ten there are on either side of the aim.
	chartSpan = 1.5
)

// chart writes the rows that have an aim as bars in SVG. Texts are English; a reader of
// the figures needs nothing but the chart.
func (r *Result) chart(w io.Writer) error {
	var rows []Row
	for _, row := range r.Rows {
		if row.OfAim > 0 {
			rows = append(rows, row)
		}
	}
	var b strings.Builder
	width, height := chartLabel+chartBars+chartText, chartTop+len(rows)*chartLine+chartBottom
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="sans-serif" font-size="13">`+"\n", width, height)
	fmt.Fprintf(&b, `<title>%s</title>`+"\n", escaped("How far each aim is reached"))
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", width, height)
	text(&b, 8, 20, "", "How far each aim is reached: the line is the aim, to the right of it is better; "+r.Environment.short())
	for i, row := range rows {
		row.bar(&b, chartTop+i*chartLine)
	}
	scale(&b, chartTop, height-chartBottom)
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (r Row) bar(b *strings.Builder, y int) {
	colour := "#2e7d32"
	if r.OfAim < 1 {
		colour = "#c62828"
	}
	x := place(r.OfAim)
	text(b, chartLabel-8, y+chartLine/2+4, "end", r.short())
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n", chartLabel, y+4, max(x-chartLabel, 2), chartLine-8, colour)
	text(b, chartLabel+chartBars+8, y+chartLine/2+4, "", r.measured()+", aim "+r.aim(func(_, en string) string { return en }))
}

// short is what the row is about, without where the measuring begins and ends.
func (r Row) short() string {
	if s, _, long := strings.Cut(r.What.EN, ", from Send"); long {
		_, seals, _ := strings.Cut(r.What.EN, "verified, ")
		return strings.TrimSuffix(s+", "+seals, ", ")
	}
	return r.What.EN
}

// place is where on the scale a part of the aim is.
func place(ofAim float64) int {
	at := math.Log10(ofAim) / chartSpan // -1 to 1
	return chartLabel + int(float64(chartBars)*(1+max(-1, min(1, at)))/2)
}

// scale draws the lines at the aim and at powers of ten.
func scale(b *strings.Builder, top, bottom int) {
	for _, v := range []float64{0.1, 1, 10} {
		dash, name := ` stroke-dasharray="3 3"`, fmt.Sprintf("× %v", v)
		if v == 1 {
			dash, name = "", "aim"
		}
		fmt.Fprintf(b, `<line x1="%[1]d" y1="%[2]d" x2="%[1]d" y2="%[3]d" stroke="#555555"%[4]s/>`+"\n", place(v), top, bottom, dash)
		text(b, place(v), bottom+16, "middle", name)
	}
}

func text(b *strings.Builder, x, y int, anchor, s string) {
	if anchor != "" {
		anchor = fmt.Sprintf(` text-anchor="%s"`, anchor)
	}
	fmt.Fprintf(b, `<text x="%d" y="%d"%s>%s</text>`+"\n", x, y, anchor, escaped(s))
}

func escaped(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) //nolint:errcheck // a builder takes everything
	return b.String()
}

// short is the machine in a few words.
func (e Environment) short() string {
	return fmt.Sprintf("%s, %d cores, %s", e.System, e.Cores, e.Go)
}
