package reason

import (
	"strings"

	"docaxis/proto/axispb"
)

// Language of a sentence for people.
type Language string

// The two languages of the project.
const (
	Vietnamese Language = "vi"
	English    Language = "en"
)

// Sentence says a reason to a person, with what to do about it.
func Sentence(r *axispb.Reason, lang Language) string {
	return r.GetCode().String() + " " + strings.Join(r.GetArgs(), ", ")
}
