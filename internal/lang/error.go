package lang

import (
	"errors"
	"fmt"
	"strings"
)

// Error is an error that a person meets, in both languages: what is wrong, then
// what to do about it.
type Error struct {
	Vietnamese, English string
	// Cause is for logs and errors.Is; people are not shown it.
	Cause error
}

// Errorf makes an Error of two formats over the same arguments. An argument that
// is an error is said in the language of each.
func Errorf(vietnamese, english string, args ...any) *Error {
	return &Error{
		Vietnamese: fmt.Sprintf(vietnamese, in(Vietnamese, args)...),
		English:    fmt.Sprintf(english, in(English, args)...),
	}
}

func in(l Language, args []any) []any {
	said := make([]any, len(args))
	for i, a := range args {
		said[i] = a
		if err, ok := a.(error); ok {
			said[i] = strings.ReplaceAll(Say(err, l), "\n", "; ")
		}
	}
	return said
}

// Because keeps the technical cause.
func (e *Error) Because(cause error) *Error {
	return &Error{Vietnamese: e.Vietnamese, English: e.English, Cause: cause}
}

// Error is the English text, with the cause where there is one: it goes to logs.
func (e *Error) Error() string {
	if e.Cause != nil {
		return e.English + ": " + e.Cause.Error()
	}
	return e.English
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Say says an error in a language as far as it can be: an Error in it, several
// joined errors each in a line of its own, any other error in its own words.
func Say(err error, l Language) string {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var all []string
		for _, one := range many.Unwrap() {
			all = append(all, Say(one, l))
		}
		return strings.Join(all, "\n")
	}
	var e *Error
	if errors.As(err, &e) {
		return l.Pick(e.Vietnamese, e.English)
	}
	return err.Error()
}
