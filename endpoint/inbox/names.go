package inbox

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// DeliveryID is what a DMS calls a document that was received for a code, where
// nothing else was decided: a UUIDv8 (RFC 9562 section 5.8) from the SHA-256 of its
// key, so that a store that was lost gives it the same again, and the sender knows it
// as well.
func DeliveryID(key Key) string {
	sum := sha256.Sum256(key.bytes())
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}

// DeliveryOf is what a DMS calls an entry.
func DeliveryOf(e *axispb.InboxEntry) string { return cmp.Or(e.DeliveryId, DeliveryID(KeyOf(e))) }

// Delivery finds an entry by what a DMS calls it, or ErrNotFound.
func (b Inbox) Delivery(id string) (*axispb.InboxEntry, error) {
	var e *axispb.InboxEntry
	var err error
	if id != "" {
		if key := b.deliveries.Get([]byte(id)); key != nil {
			e, err = boltpb.Get[axispb.InboxEntry](b.entries, key)
		}
	}
	if e == nil && err == nil {
		err = fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	return e, err
}

// names lists under what an entry is found in the index of names: what its sender
// calls it, and its place in the sender's register (year, number, notation).
func names(e *axispb.InboxEntry) []string {
	all := []string{cmp.Or(e.DocumentId, e.Id)}
	if len(e.Issued) >= 4 && e.Number != "" && e.Notation != "" {
		all = append(all, strings.Join([]string{"", e.Issued[:4], e.Number, e.Notation}, "\x01"))
	}
	return all
}

// namePrefix begins the keys of what is known under a name to an agency; to any, where
// the code is empty.
func namePrefix(sender, name, code string) []byte {
	prefix := slices.Concat([]byte(sender), []byte{0}, []byte(name), []byte{0})
	if code == "" {
		return prefix
	}
	return slices.Concat(prefix, []byte(code), []byte{0})
}

// mostNamed bounds how many documents of one name are looked at: whoever calls
// everything the same must not make each further one dearer.
const mostNamed = 32

func (b Inbox) namePlaces(e *axispb.InboxEntry, key []byte) []place {
	all := []place{{b.deliveries, []byte(DeliveryOf(e)), key}}
	for _, name := range names(e) {
		all = append(all, place{b.names, append(namePrefix(e.Sender, name, ServingOf(e)), key...), nil})
	}
	return all
}

// Named lists what an agency received of another under a name of the sender's, by id:
// oldest first, and the newest of them where they are many. With an empty code it lists
// what any agency here received, by code.
func (b Inbox) Named(sender, name, code string) ([]*axispb.InboxEntry, error) {
	short := len(namePrefix(sender, name, ""))
	var all []*axispb.InboxEntry
	for _, k := range boltpb.LastKeys(b.names, namePrefix(sender, name, code), mostNamed) {
		_, key, _ := bytes.Cut(k[short:], []byte{0})
		e, err := boltpb.Get[axispb.InboxEntry](b.entries, key)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

const kindDocument = "document"

func isDocument(kind string) bool { return kind == kindDocument || kind == "" }

// twin finds another document received for the code of e that its agency calls the
// same, or that has the same place in its register: what a DMS calls it; empty for
// none. A change has its target's name and is nobody's twin.
func (b Inbox) twin(e *axispb.InboxEntry) (string, error) {
	if !isDocument(e.Kind) {
		return "", nil
	}
	for _, name := range names(e) {
		all, err := b.Named(e.Sender, name, ServingOf(e))
		if err != nil {
			return "", err
		}
		for _, other := range slices.Backward(all) {
			if other.Id != e.Id && isDocument(other.Kind) {
				return DeliveryOf(other), nil
			}
		}
	}
	return "", nil
}

// indexNames makes what a store lacks that was written before a DMS could ask for it.
func indexNames(tx *bbolt.Tx) error {
	b := In(tx)
	if k, _ := b.deliveries.Cursor().First(); k != nil {
		return nil
	}
	return b.Each(func(e *axispb.InboxEntry) error {
		key := KeyOf(e).bytes()
		for _, p := range slices.Concat(b.namePlaces(e, key), b.offerPlaces(e, key)) {
			if err := p.bucket.Put(p.key, p.value); err != nil {
				return err
			}
		}
		return nil
	})
}
