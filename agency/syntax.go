package agency

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Forms is the sentence that names both grammars, for messages to people.
const Forms = "a code looks like H41.11.05 (QĐ 20/2020/QĐ-TTg) or 000.05.11.H41 (QCVN 102:2016)"

// SyntaxError says why a text is no agency code and how to mend it.
type SyntaxError struct {
	// Text as it was given, cut to a length that can be shown.
	Text string
	// What is wrong.
	What string
	// Mend is what to do about it.
	Mend string
	// Meant is the code that was most likely meant; empty where none is near.
	Meant Code
}

// Error says all of it in one sentence.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%q is no agency code: %s; %s", e.Text, e.What, e.Mend)
}

func explain(s string) *SyntaxError {
	e := &SyntaxError{Text: shorten(s), What: problem(s), Mend: Forms}
	if meant, ok := guess(s); ok {
		e.Meant = meant
		e.Mend = fmt.Sprintf("write %s", meant)
	}
	return e
}

func problem(s string) string {
	switch {
	case s == "":
		return "it is empty"
	case len(s) > MaxLength && utf8.RuneCountInString(s) > MaxLength:
		return fmt.Sprintf("it is longer than %d characters", MaxLength)
	case strings.ContainsFunc(s, unicode.IsLower):
		return "letters are capitals"
	case strings.Contains(s, "..") || s[0] == '.' || s[len(s)-1] == '.':
		return "a group between the dots is empty"
	}
	if i := strings.IndexFunc(s, isForeign); i >= 0 {
		r, _ := utf8.DecodeRuneInString(s[i:])
		return fmt.Sprintf("%q cannot stand in a code", r)
	}
	if isDigit(s[0]) {
		return "in the older form the groups have 3, 2, 2 and 3 characters, the last a letter and two digits"
	}
	return "the first group must be a letter from A to Y and two digits"
}

func isForeign(r rune) bool {
	return r != '.' && (r > 'Z' || !isDigitOrCapital(byte(r)))
}

// guess tries what people get wrong most: case, spaces around, another separator.
func guess(s string) (Code, bool) {
	if len(s) > 2*MaxLength {
		return "", false
	}
	s = strings.ToUpper(strings.TrimSpace(s))
	s = strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == ' ' || r == ',' || r == '/' {
			return '.'
		}
		return r
	}, s)
	return parse(s)
}

func shorten(s string) string {
	const most = 60
	s = strings.ToValidUTF8(s, "\uFFFD")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
