package outbox

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// A document has other names than its id: what its agency calls it, its place in the
// agency's register, and what a DMS was told (doc_id). They never change.

// names lists under what an entry is found in the index of names.
func names(e *axispb.OutboxEntry) []string {
	all := []string{cmp.Or(e.DocumentId, e.Id)}
	if r := register(e.Issued, e.Number, e.Notation); r != "" {
		all = append(all, r)
	}
	return all
}

// register is a document's place in its agency's register: year, number and notation;
// empty where one is missing. No name looks like one, for it has control characters.
func register(issued, number, notation string) string {
	if len(issued) < 4 || number == "" || notation == "" {
		return ""
	}
	return strings.Join([]string{"", issued[:4], number, notation}, "\x01")
}

func namePrefix(sender, name string) []byte {
	return slices.Concat([]byte(sender), []byte{0}, []byte(name), []byte{0})
}

// enterNames puts an entry into the indexes of names.
func (o Outbox) enterNames(e *axispb.OutboxEntry) error {
	for _, name := range names(e) {
		if err := o.names.Put(append(namePrefix(e.Sender, name), e.Id...), nil); err != nil {
			return err
		}
	}
	if e.DocId == "" {
		return nil
	}
	return o.docs.Put([]byte(e.DocId), []byte(e.Id))
}

// indexNames makes the index for a store that was written before there was one.
func indexNames(tx *bbolt.Tx) error {
	o := In(tx)
	if k, _ := o.names.Cursor().First(); k != nil {
		return nil
	}
	return o.Each(o.enterNames)
}

// ByDocID finds a submission by what a DMS was told to call it, or ErrNotFound.
func (o Outbox) ByDocID(docID string) (*axispb.OutboxEntry, error) {
	if docID == "" {
		return nil, ErrNotFound
	}
	if id := o.docs.Get([]byte(docID)); id != nil {
		return o.Get(string(id))
	}
	e, err := o.Get(docID)
	if err == nil && e.DocId != "" {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, docID) // it is called otherwise
	}
	return e, err
}

// mostNamed bounds how many documents of one name are looked at: whoever calls
// everything the same must not make each further one dearer.
const mostNamed = 32

// Named lists what an agency sent from here under a name of its own, oldest first: the
// newest of them, where they are many.
func (o Outbox) Named(sender, name string) ([]*axispb.OutboxEntry, error) {
	prefix := namePrefix(sender, name)
	var all []*axispb.OutboxEntry
	for _, k := range boltpb.LastKeys(o.names, prefix, mostNamed) {
		e, err := o.Get(string(k[len(prefix):]))
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// kindDocument is document.json's kind of what is no change.
const kindDocument = "document"

func isDocument(kind string) bool { return kind == kindDocument || kind == "" }

// Twin finds another document that the agency of e calls the same, or that has the
// same place in its register: the newest that was not refused; empty for none. A
// change has its target's name and is nobody's twin.
func (o Outbox) Twin(e *axispb.OutboxEntry) (id string, err error) {
	if !isDocument(e.Kind) {
		return "", nil
	}
	for _, name := range names(e) {
		all, err := o.Named(e.Sender, name)
		if err != nil {
			return "", err
		}
		for _, other := range slices.Backward(all) {
			if other.Id != e.Id && isDocument(other.Kind) && other.State != axispb.State_STATE_REJECTED {
				return other.Id, nil
			}
		}
	}
	return "", nil
}

// Nobodys reports whether nobody has a document nor will get it: the axis refused it,
// or every recipient was refused or had it withdrawn. It may be sent anew.
func (o Outbox) Nobodys(e *axispb.OutboxEntry) (bool, error) {
	if e.State != axispb.State_STATE_ACCEPTED || e.Grouped {
		return e.State == axispb.State_STATE_REJECTED, nil
	}
	all, err := o.Recipients(e.Id)
	return len(all) > 0 && !slices.ContainsFunc(all, func(r *axispb.RecipientEntry) bool {
		return r.State != axispb.State_STATE_REJECTED && r.State != axispb.State_STATE_WITHDRAWN
	}), err
}
