package reason

import (
	"strings"
	"sync"

	"docaxis/edxml"
)

// rules are those of packages, by their ids.
var rules = sync.OnceValue(func() map[string]edxml.Rule {
	all := make(map[string]edxml.Rule)
	for _, r := range edxml.Rules() {
		all[r.ID] = r
	}
	return all
})

// showRule says what rule a package breaks; what names none is shown as free words.
func showRule(text string, lang Language) string {
	id, found, _ := strings.Cut(text, ": ")
	r, known := rules()[id]
	if !known {
		return words(Phrase(text, lang))
	}
	what := words(r.What[0])
	if lang == English {
		what = words(r.What[1])
	}
	if found != "" {
		what += " (" + found + ")"
	}
	return what
}
