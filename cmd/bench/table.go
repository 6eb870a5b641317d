package main

import (
	"fmt"
	"io"
	"strings"

	"docaxis/internal/cli"
)

// table writes the rows in columns, for people.
func (r *Result) table(w io.Writer, o *cli.IO) {
	header := []string{
		o.Say("ĐO GÌ", "WHAT"), o.Say("ĐO ĐƯỢC", "MEASURED"), o.Say("GIỚI HẠN CẠNH ĐÓ", "LIMIT BESIDE IT"),
		o.Say("MỤC TIÊU", "AIM"), o.Say("ĐẠT", "REACHED"), o.Say("CỠ", "SIZE"),
	}
	cells := make([][]string, len(r.Rows))
	for i, row := range r.Rows {
		cells[i] = row.cells(o.Say)
	}
	cli.Table(w, header, cells)
}

// cells are what a row says in each column.
func (r Row) cells(say func(vi, en string) string) []string {
	limit := "–"
	if r.Limit != nil {
		limit = fmt.Sprintf("%s (%s)", figure(r.Limit.Value.Median, r.Unit), say(r.Limit.What.VI, r.Limit.What.EN))
	}
	reached := "–"
	switch {
	case r.OfAim >= 1:
		reached = say("có", "yes")
	case r.OfAim > 0:
		reached = say("chưa", "no")
	}
	return []string{say(r.What.VI, r.What.EN), r.measured(), limit, r.aim(say), reached, say(r.Size.VI, r.Size.EN)}
}

// measured is the figure, with its spread where there were several runs, and what part
// of the limit it is.
func (r Row) measured() string {
	text := figure(r.Measured.Median, r.Unit)
	if len(r.Measured.Runs) > 1 {
		text += fmt.Sprintf(" (%s–%s)", number(r.Measured.Min), number(r.Measured.Max))
	}
	if r.Aim.OfLimit > 0 {
		text += " = " + number(r.OfLimit)
	}
	return text
}

func (r Row) aim(say func(vi, en string) string) string {
	switch a := r.Aim; {
	case a.OfLimit > 0:
		return number(a.OfLimit) + say(" của giới hạn", " of the limit")
	case a.AtLeast > 0:
		return "≥ " + figure(a.AtLeast, r.Unit)
	case a.AtMost > 0:
		return "≤ " + figure(a.AtMost, r.Unit)
	}
	return "–"
}

// number has three digits that count, at most.
func number(v float64) string {
	switch {
	case v >= 100 || v == 0:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
	case v >= 0.1:
		return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
	}
	return fmt.Sprintf("%.3f", v)
}

func figure(v float64, unit string) string {
	if unit == "/s" || unit == "×" {
		return number(v) + unit
	}
	return number(v) + " " + unit
}

// markdown is the table as docs/performance.md holds it.
func (r *Result) markdown(w io.Writer) {
	english := func(_, en string) string { return en }
	fmt.Fprint(w, "| what | measured | limit beside it | aim | reached | size |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, row := range r.Rows {
		fmt.Fprintf(w, "| %s |\n", strings.Join(row.cells(english), " | "))
	}
}
