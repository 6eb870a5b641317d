package envelope

import (
	"strings"
	"time"
	"unicode/utf8"

	"docaxis/edxml"
)

// oneLine makes any text one that document.json takes as a line: breaks and tabs become
// blanks, control characters go, and what is too long is cut.
func oneLine(s string, limit int) string {
	s = strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ", "\t", " ").Replace(s)
	return someLines(s, limit)
}

func someLines(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if isControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return cut(strings.TrimSpace(s), limit)
}

// cut leaves limit characters at most, the last of them … where some went.
func cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	n := 0
	for i := range s {
		if n++; n == limit {
			return strings.TrimSpace(s[:i]) + "…"
		}
	}
	return s
}

// shortName is a document's name in a reason.
func shortName(s string) string { return oneLine(s, MaxDocumentID) }

// isName reports whether a document can be referred to by a text as it is.
func isName(s string) bool {
	v := &validator{}
	v.line("", s, MaxDocumentID)
	return s != "" && v.err == nil
}

// isoDay is a day of a package as YYYY-MM-DD; empty where it is none.
func isoDay(d edxml.Date) string {
	t, err := d.Time()
	if err != nil {
		return ""
	}
	return t.Format(time.DateOnly)
}

func slashed(day string) string { return strings.ReplaceAll(day, "-", "/") }
