package reason

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	langs "docaxis/internal/lang"
	"docaxis/proto/axispb"
)

// Language of a sentence for people.
type Language = langs.Language

// The two languages of the project.
const (
	Vietnamese = langs.Vietnamese
	English    = langs.English
)

// Sentence says a reason to a person: what is wrong, then what to do about it.
// It always gives one, whatever the reason holds: the other side may have sent
// fewer arguments than its code asks for, or a code newer than this program.
func Sentence(r *axispb.Reason, lang Language) string {
	text, known := texts[r.GetCode()]
	if !known {
		return unknown(r, lang)
	}
	if lang == English {
		return fill(text.en, r.GetArgs(), lang)
	}
	return fill(text.vi, r.GetArgs(), Vietnamese)
}

// Time writes a time as an argument of a reason; Sentence shows it in the local
// time of Viet Nam.
func Time(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func unknown(r *axispb.Reason, lang Language) string {
	code := strconv.Itoa(int(r.GetCode()))
	args := words(strings.Join(r.GetArgs(), ", "))
	if lang == English {
		return fill(unknownText.en, []string{code, args}, lang)
	}
	return fill(unknownText.vi, []string{code, args}, lang)
}

// fill puts the arguments into a template. A place is {N} or {N:form}, where N
// counts from 1 and form is one of show's.
func fill(template string, args []string, lang Language) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		place, after, _ := strings.Cut(rest, "}")
		b.WriteString(argument(place, args, lang))
		template = after
	}
}

func argument(place string, args []string, lang Language) string {
	number, form, _ := strings.Cut(place, ":")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > len(args) {
		return missing(lang)
	}
	text := clean(args[n-1])
	if text == "" {
		return missing(lang)
	}
	return show(text, form, lang)
}

func missing(lang Language) string {
	if lang == English {
		return "(not stated)"
	}
	return "(không nêu rõ)"
}

// show writes an argument in a form: "time" a moment, "size" a number of bytes (more than N
// where it is "> N"),
// "state" and "security" a word of ours, "rule" a rule of package edxml by its id, with
// what was found behind a colon, "words" free words, which the template ends itself.
func show(text, form string, lang Language) string {
	switch form {
	case "time":
		return showTime(text, lang)
	case "size":
		return showSize(text, lang)
	case "words":
		return words(Phrase(text, lang))
	case "rule":
		return showRule(text, lang)
	case "state":
		return langs.State(text, lang)
	case "security":
		return showSecurity(text, lang)
	default:
		return text
	}
}

func showSecurity(level string, lang Language) string {
	vietnamese, known := map[string]string{
		"ordinary": "thường", "confidential": "mật", "secret": "tối mật", "top-secret": "tuyệt mật",
	}[level]
	if lang == English || !known {
		return level
	}
	return vietnamese
}

func words(text string) string { return strings.TrimRight(text, ". ") }

// showTime gives back what is no time as it is: an argument is another's text.
func showTime(text string, lang Language) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	t = t.In(time.FixedZone("UTC+7", 7*60*60))
	if lang == English {
		return t.Format("2006-01-02 15:04 (UTC+7)")
	}
	return t.Format("15:04 ngày 02/01/2006")
}

func showSize(text string, lang Language) string {
	if least, more := strings.CutPrefix(text, "> "); more {
		return map[Language]string{Vietnamese: "hơn ", English: "more than "}[lang] + showSize(least, lang)
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return text
	}
	return Size(n, lang)
}

// Size writes a number of bytes for people, as sentences do.
func Size(n uint64, lang Language) string {
	value, unit := float64(n), 0
	units := []string{" B", " KB", " MB", " GB"}
	for value >= 1024 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	precision := 0
	if unit > 0 && value < 100 {
		precision = 1
	}
	number := strings.TrimSuffix(strconv.FormatFloat(value, 'f', precision, 64), ".0")
	if lang == Vietnamese {
		number = strings.Replace(number, ".", ",", 1)
	}
	return number + units[unit]
}

// clean makes another's text safe to show on a page, in a terminal or in a log:
// one line, no control or direction characters, a bounded length.
func clean(text string) string {
	const most = 500
	if len(text) > 4*most {
		text = text[:4*most]
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return strings.TrimSpace(text)
}
