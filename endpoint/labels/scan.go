package labels

import "errors"

// A search for documents that were never looked at goes page by page through what was
// received and what was sent: in a store that has no labels yet, and again when labels
// are to be made by another trust. Documents that come meanwhile are found without it.

var (
	basisKey = []byte("basis")
	doneKey  = []byte("done")
)

// Lists that are searched.
const (
	Received = "received"
	Sent     = "sent"
)

// Begin begins a search where labels were made by another basis, or none was; it
// reports whether it did. Where it did not, it does not write.
func (l Labels) Begin(basis string) (bool, error) {
	if string(l.scan.Get(basisKey)) == basis {
		return false, nil
	}
	return true, errors.Join(l.scan.Put(basisKey, []byte(basis)), l.scan.Delete(doneKey),
		l.scan.Delete([]byte(Received)), l.scan.Delete([]byte(Sent)))
}

// Basis is that of the labels, as far as the search has come.
func (l Labels) Basis() string { return string(l.scan.Get(basisKey)) }

// Searched reports whether everything was searched.
func (l Labels) Searched() bool { return l.scan.Get(doneKey) != nil }

// Place is where the search of a list goes on: after what was noted last; empty for its
// beginning.
func (l Labels) Place(list string) string { return string(l.scan.Get([]byte(list))) }

// Note records how far the search of a list has come; Finish that all are over.
func (l Labels) Note(list, place string) error { return l.scan.Put([]byte(list), []byte(place)) }

// Finish is explained with Note.
func (l Labels) Finish() error { return l.scan.Put(doneKey, []byte{1}) }
