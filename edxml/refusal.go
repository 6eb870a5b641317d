package edxml

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Reason says why a package, or a content in it, was refused. It is also the id of the
// rule that Check reports it under.
type Reason string

// The reasons. None of them is temporary: the package must be made anew. Rules says
// what each means and how it is mended.
const (
	TooLarge             Reason = "too-large"
	HeadTooLarge         Reason = "head-too-large"
	NotWellFormed        Reason = "not-well-formed"
	Doctype              Reason = "doctype"
	UnknownEntity        Reason = "unknown-entity"
	UnknownEncoding      Reason = "unknown-encoding"
	TooDeep              Reason = "too-deep"
	TooManyElements      Reason = "too-many-elements"
	TooManyAttachments   Reason = "too-many-attachments"
	FieldTooLong         Reason = "field-over-limit"
	NoEnvelope           Reason = "no-envelope"
	NoHeader             Reason = "no-header"
	RepeatedContentID    Reason = "content-id-repeated"
	NameLeavesFolder     Reason = "name-leaves-folder"
	NotInManifest        Reason = "attachment-not-in-manifest"
	NoContent            Reason = "attachment-without-content"
	MarkupInContent      Reason = "markup-in-content"
	BadBase64            Reason = "bad-base64"
	ContentTooLarge      Reason = "content-too-large"
	RatioTooHigh         Reason = "unpacks-too-large"
	SeveralEntries       Reason = "several-entries"
	BadArchive           Reason = "bad-archive"
	ForbiddenCharacter   Reason = "forbidden-character"
	SteeringNotANumber   Reason = "steering-type-not-a-number"
	AttachmentNameAbsent Reason = "attachment-name-missing"
)

// Refusal is the error of what cannot be taken. Of several, errors.As gives the
// first.
type Refusal struct {
	Reason Reason
	// Path of the element.
	Path string
	// Found is what stood there, shortened; it may be empty.
	Found string
	// Cause is for logs; people are not shown it.
	Cause error
}

// Error is the English sentence.
func (r *Refusal) Error() string { return r.Say(English) }

// Unwrap gives the cause.
func (r *Refusal) Unwrap() error { return r.Cause }

// Say says in a language what is wrong, where, and what to do.
func (r *Refusal) Say(l Language) string {
	return Finding{Rule: string(r.Reason), Path: r.Path, Found: r.Found}.Say(l)
}

func refuse(reason Reason, path, found string) *Refusal {
	return &Refusal{Reason: reason, Path: path, Found: shorten(found)}
}

func (r *Refusal) because(cause error) *Refusal {
	r.Cause = cause
	return r
}

// Refusals are several errors in one.
type Refusals []*Refusal

// Error is a line for each.
func (r Refusals) Error() string {
	all := make([]string, len(r))
	for i, one := range r {
		all[i] = one.Error()
	}
	return strings.Join(all, "\n")
}

// Unwrap gives them to errors.Is and errors.As.
func (r Refusals) Unwrap() []error {
	all := make([]error, len(r))
	for i, one := range r {
		all[i] = one
	}
	return all
}

// shorten cuts a text to what can be shown.
func shorten(s string) string {
	const most = 80
	if len(s) > most*utf8.UTFMax {
		s = s[:most*utf8.UTFMax]
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return fmt.Sprint(string([]rune(s)[:most]), "…")
}
