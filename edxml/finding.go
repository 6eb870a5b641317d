package edxml

import "strings"

// Finding is one thing that Check has to say of a package.
type Finding struct {
	// Path of the element, / for the file.
	Path string `json:"path"`
	// Rule is the id of one of Rules.
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	// Found is what stands there, shortened; Allowed what may, as "<= 35".
	Found   string `json:"found,omitempty"`
	Allowed string `json:"allowed,omitempty"`
	// Count is how often, where one finding stands for many.
	Count int `json:"count,omitempty"`
}

// Say says the finding in a language: what is wrong, where, what was found, and how it
// is mended.
func (f Finding) Say(l Language) string {
	var b strings.Builder
	what, mend := f.Texts(l)
	b.WriteString(f.Path + ": " + what)
	if f.Found != "" {
		b.WriteString(l.pick(" Đã thấy: ", " Found: ") + f.Found + ".")
	}
	if f.Allowed != "" {
		b.WriteString(l.pick(" Cho phép: ", " Allowed: ") + f.Allowed + ".")
	}
	b.WriteString(" " + mend)
	return b.String()
}

// Texts gives the rule's two sentences.
func (f Finding) Texts(l Language) (what, mend string) {
	for _, r := range Rules() {
		if r.ID == f.Rule {
			return l.pick(r.What[0], r.What[1]), l.pick(r.Mend[0], r.Mend[1])
		}
	}
	return f.Rule, ""
}
