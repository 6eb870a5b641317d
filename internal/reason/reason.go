// Package reason owns every reason a person can be given for a refusal or a
// failure, and its sentence in Vietnamese and English.
package reason

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"docaxis/proto/axispb"
)

// Error is a refusal or a failure with its reason. Temporary ones may be tried
// again unchanged; permanent ones need something to change first.
type Error struct {
	Reason *axispb.Reason
	temp   bool
	cause  error
}

// maxArg is the most bytes of an argument; signed statements take no longer ones.
const maxArg = 2 << 10

// Permanent says that the same request will never succeed. Arguments may hold what
// the other side sent: they are cut short and made UTF-8, without which no message
// could carry them.
func Permanent(code axispb.ReasonCode, args ...string) *Error {
	return &Error{Reason: &axispb.Reason{Code: code, Args: presentable(args)}}
}

// Temporary says that the same request may succeed later. For arguments, see
// Permanent.
func Temporary(code axispb.ReasonCode, args ...string) *Error {
	return &Error{Reason: &axispb.Reason{Code: code, Args: presentable(args)}, temp: true}
}

func presentable(args []string) []string {
	for i, a := range args {
		if len(a) > maxArg || !utf8.ValidString(a) {
			args = slices.Clone(args)
			args[i] = strings.ToValidUTF8(a[:min(len(a), maxArg)], "")
		}
	}
	return args
}

// Because keeps the technical cause beside the reason: it goes to logs, never to
// the other side.
func (e *Error) Because(cause error) *Error {
	return &Error{Reason: e.Reason, temp: e.temp, cause: cause}
}

// Error is the sentence in English, with the cause where there is one.
func (e *Error) Error() string {
	if e.cause != nil {
		return Sentence(e.Reason, English) + ": " + e.cause.Error()
	}
	return Sentence(e.Reason, English)
}

// Unwrap gives the technical cause.
func (e *Error) Unwrap() error { return e.cause }

// Temporary reports whether the same request may succeed later.
func (e *Error) Temporary() bool { return e.temp }

// IsTemporary reports whether err may pass by itself. An error without a reason
// counts as temporary: nobody decided that it is final.
func IsTemporary(err error) bool {
	var e *Error
	if errors.As(err, &e) {
		return e.temp
	}
	return true
}

// Of finds the reason of an error; nil where it has none.
func Of(err error) *axispb.Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return nil
}

// Is reports whether err carries the given reason code.
func Is(err error, code axispb.ReasonCode) bool {
	r := Of(err)
	return r != nil && r.Code == code
}
