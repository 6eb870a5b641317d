package pades

import "fmt"

// ChangeKind is what a later revision did to a document.
type ChangeKind string

// The kinds of change. The first four leave untouched what a signer saw; the others
// are shown, and count against the signature unless its signer permitted them.
const (
	// ChangeSignature: another signature, or a field for one, was added.
	ChangeSignature ChangeKind = "signature"
	// ChangeTimestamp: a document timestamp was added.
	ChangeTimestamp ChangeKind = "timestamp"
	// ChangeValidation: certificates and revocation data were added (DSS).
	ChangeValidation ChangeKind = "validation"
	// ChangeMetadata: title, producer, dates of the file; nothing on a page.
	ChangeMetadata ChangeKind = "metadata"
	// ChangeForm: a form field was filled or added.
	ChangeForm ChangeKind = "form"
	// ChangeAnnotation: a comment, stamp or link was added, altered or removed.
	ChangeAnnotation ChangeKind = "annotation"
	// ChangeStructure: what programs that read aloud are told was altered.
	ChangeStructure ChangeKind = "structure"
	// ChangeAppended: bytes stand behind the end of the file.
	ChangeAppended ChangeKind = "appended"
	// ChangeContent: pages, fonts, images, actions or anything else was altered.
	ChangeContent ChangeKind = "content"
)

// Change is one thing that a later revision did.
type Change struct {
	Kind ChangeKind
	// Revision is the one that did it, counted from 1.
	Revision int
	// Object is the number of the object concerned, 0 where there is none.
	Object int64
	// Detail says in English what it was, for experts.
	Detail string
}

// harmless reports whether any signer must expect the change: a document is signed
// by several, and kept valid, by adding to it (ETSI EN 319 142-1 clause 5.5).
func (k ChangeKind) harmless() bool {
	switch k {
	case ChangeSignature, ChangeTimestamp, ChangeValidation, ChangeMetadata:
		return true
	}
	return false
}

// permitted reports whether a certification with the permission P of DocMDP (ISO
// 32000-1 table 254) accepts the change; 0 is a signature that certifies nothing.
func (k ChangeKind) permitted(p int) bool {
	switch {
	case p == 1:
		return k == ChangeTimestamp || k == ChangeValidation || k == ChangeMetadata
	case p == 2 && k == ChangeForm, p == 3 && (k == ChangeForm || k == ChangeAnnotation):
		return true
	}
	return k.harmless()
}

func (c Change) String() string {
	s := fmt.Sprintf("revision %d: %s", c.Revision, c.Detail)
	if c.Object > 0 {
		s += fmt.Sprintf(" (object %d)", c.Object)
	}
	return s
}
