package edxml

// Language is one of the two in which the package speaks to people.
type Language string

// The languages.
const (
	Vietnamese Language = "vi"
	English    Language = "en"
)

func (l Language) pick(vietnamese, english string) string {
	if l == English {
		return english
	}
	return vietnamese
}
