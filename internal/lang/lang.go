// Package lang owns the two languages in which the project speaks to people, and
// how a moment is shown to them.
package lang

import (
	"os"
	"strings"
	"time"
)

// Language is one of the two.
type Language string

// The languages.
const (
	Vietnamese Language = "vi"
	English    Language = "en"
)

// Pick gives the text in this language.
func (l Language) Pick(vietnamese, english string) string {
	if l == English {
		return english
	}
	return vietnamese
}

// Choose reads a --lang flag or, where it is empty, the locale: Vietnamese only
// where it says so.
func Choose(flag string) Language {
	if flag == "" {
		flag = os.Getenv("LC_ALL") + os.Getenv("LC_MESSAGES") + os.Getenv("LANG")
	}
	if strings.HasPrefix(flag, "vi") {
		return Vietnamese
	}
	return English
}

// VietNam is the zone in which times are shown: UTC+7 all year.
func VietNam() *time.Location { return time.FixedZone("+07", 7*60*60) }

// Time shows a moment in Viet Nam time, to the second.
func Time(t time.Time) string { return t.In(VietNam()).Format("2006-01-02 15:04:05") }

// Millis shows Unix milliseconds in Viet Nam time.
func Millis(ms int64) string { return Time(time.UnixMilli(ms)) }
