// Package doctor owns how a program says what is wrong with an installation and how
// to mend it: findings, in both languages, with a verdict each.
package doctor

import (
	"fmt"
	"slices"

	"docaxis/internal/lang"
)

// Verdict is what a finding comes to.
type Verdict string

// The verdicts, from good to bad. Only Wrong makes a command fail: something does
// not work, or will not after the next start. A Warning is to be seen to.
const (
	Well    Verdict = "well"
	Warning Verdict = "warning"
	Wrong   Verdict = "wrong"
)

// Text is said in both languages.
type Text struct {
	Vietnamese string `json:"vi"`
	English    string `json:"en"`
}

// Textf makes a Text of two formats over the same arguments; an error among them is
// said in the language of each.
func Textf(vietnamese, english string, args ...any) Text {
	e := lang.Errorf(vietnamese, english, args...)
	return Text{e.Vietnamese, e.English}
}

// In gives the text in a language.
func (t Text) In(l lang.Language) string { return l.Pick(t.Vietnamese, t.English) }

// Finding is one thing that was looked at.
type Finding struct {
	// Check is its name in scripts; it does not change.
	Check   string  `json:"check"`
	Looked  Text    `json:"looked"`
	Verdict Verdict `json:"verdict"`
	Found   Text    `json:"found"`
	// Do says how to mend it; empty where there is nothing to do.
	Do Text `json:"do"`
}

// Report gathers findings.
type Report struct {
	Findings []Finding
}

// Check begins a check: what it looks at.
func (r *Report) Check(name, vietnamese, english string) Check {
	return Check{r, name, Text{vietnamese, english}}
}

// Check is what is looked at.
type Check struct {
	report *Report
	name   string
	looked Text
}

// Well says that there is nothing to do.
func (c Check) Well(vietnamese, english string, args ...any) {
	c.add(Well, Textf(vietnamese, english, args...), Text{})
}

// Warn says what is to be seen to.
func (c Check) Warn(found, do Text) { c.add(Warning, found, do) }

// Wrong says what does not work.
func (c Check) Wrong(found, do Text) { c.add(Wrong, found, do) }

func (c Check) add(v Verdict, found, do Text) {
	c.report.Findings = append(c.report.Findings, Finding{c.name, c.looked, v, found, do})
}

// Worst is the verdict over all.
func (r *Report) Worst() Verdict {
	worst := Well
	order := []Verdict{Well, Warning, Wrong}
	for _, f := range r.Findings {
		if slices.Index(order, f.Verdict) > slices.Index(order, worst) {
			worst = f.Verdict
		}
	}
	return worst
}

// Said gives an error in both languages.
func Said(err error) Text {
	return Text{lang.Say(err, lang.Vietnamese), lang.Say(err, lang.English)}
}

// Bytes shows a size in MB.
func Bytes(n uint64) string { return fmt.Sprintf("%d MB", n>>20) }
