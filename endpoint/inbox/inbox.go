// Package inbox owns what this endpoint received, one entry for each document and
// recipient code, the statements this endpoint made about it, and the pulled items
// that failed a check.
//
// Buckets: inbox (InboxEntry by Key), evidence (EvidenceEntry by counter) and
// quarantine (QuarantineEntry by row); and, following from these, inbox_due (class,
// lane, next attempt, key), inbox_code (code 0x00 state, lane, row: key), inbox_id
// (id 0x00 key), inbox_time (when it came, key), inbox_waiting (target 0x00 key),
// inbox_change (target 0x00 key), inbox_offer (what a DMS has to take, in its order),
// inbox_delivery (what a DMS calls it: key), inbox_name (sender, what it calls the
// document, key), inbox_handover (when it must be handed over, key), evidence_unsent
// (counter), quarantine_age (time, row) and quarantine_total.
// Every method works inside its caller's transaction, so that a state and the
// statement that proves it are one commit.
package inbox

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

const (
	entryBucket      = "inbox"
	dueBucket        = "inbox_due"
	codeBucket       = "inbox_code"
	idBucket         = "inbox_id"
	timeBucket       = "inbox_time"
	waitingBucket    = "inbox_waiting"
	changeBucket     = "inbox_change"
	offerBucket      = "inbox_offer"
	deliveryBucket   = "inbox_delivery"
	nameBucket       = "inbox_name"
	handoverBucket   = "inbox_handover"
	evidenceBucket   = "evidence"
	unsentBucket     = "evidence_unsent"
	quarantineBucket = "quarantine"
	ageBucket        = "quarantine_age"
	totalBucket      = "quarantine_total"
)

// BulkBytes is the content from which a document counts as large: it is fetched
// beside the small ones and holds up none of them.
const BulkBytes = 1 << 20

var (
	// ErrNotFound says that no such document was received.
	ErrNotFound = errors.New("no such document in the inbox")
	// ErrState says that the entry's state does not allow the step, most often
	// because the step was made already.
	ErrState = errors.New("the document's state does not allow this")
)

// Key names a document as one code received it.
type Key struct {
	Sender, ID string
	// Manifest is the SHA-256 of the manifest: another document under the same
	// id is another document.
	Manifest [32]byte
	Code     string
}

// KeyOf is the key of an entry.
func KeyOf(e *axispb.InboxEntry) Key {
	k := Key{Sender: e.Sender, ID: e.Id, Code: e.Code}
	copy(k.Manifest[:], e.ManifestDigest)
	return k
}

// String is the key for people and addresses: ID~CODE~SENDER~MANIFEST.
func (k Key) String() string {
	return strings.Join([]string{k.ID, k.Code, k.Sender, hex.EncodeToString(k.Manifest[:])}, "~")
}

// ParseKey reads what String wrote.
func ParseKey(s string) (Key, error) {
	parts := strings.Split(s, "~")
	if len(parts) != 4 {
		return Key{}, fmt.Errorf("%w: %q is no key", ErrNotFound, s)
	}
	manifest, err := hex.DecodeString(parts[3])
	if err != nil || len(manifest) != 32 {
		return Key{}, fmt.Errorf("%w: %q is no key", ErrNotFound, s)
	}
	return Key{ID: parts[0], Code: parts[1], Sender: parts[2], Manifest: [32]byte(manifest)}, nil
}

func (k Key) bytes() []byte {
	return slices.Concat(documentPrefix(k.Sender, k.ID), k.Manifest[:], []byte{0}, []byte(k.Code))
}

// documentPrefix begins the keys of every entry of a document, whatever its code.
func documentPrefix(sender, id string) []byte {
	return slices.Concat([]byte(sender), []byte{0}, []byte(id), []byte{0})
}

// valid refuses what would make one key look like another's.
func (k Key) valid() error {
	if k.Sender == "" || k.ID == "" || k.Code == "" || strings.ContainsAny(k.Sender+k.ID+k.Code, "\x00~") {
		return fmt.Errorf("unusable key %q", k)
	}
	return nil
}

// Init makes the buckets, and what follows from others in a store that was written
// before it existed. Where nothing is missing, it does not write.
func Init(tx *bbolt.Tx) error {
	unindexed := tx.Bucket([]byte(changeBucket)) == nil
	err := boltpb.Create(tx, entryBucket, dueBucket, codeBucket, idBucket, timeBucket, waitingBucket,
		changeBucket, offerBucket, deliveryBucket, nameBucket, handoverBucket, evidenceBucket, unsentBucket, quarantineBucket, ageBucket, totalBucket)
	if err != nil {
		return err
	}
	if unindexed {
		err = indexChanges(tx)
	}
	return errors.Join(err, indexTimes(tx), indexNames(tx), countQuarantine(tx))
}

// Inbox is the inbox as one transaction sees it.
type Inbox struct {
	entries, due, codes, ids, times, waiting, changes *boltpb.Lazy
	offers, deliveries, names, handovers              *boltpb.Lazy
	evidence, unsent, quarantine, age, totals         *boltpb.Lazy
}

// In gives the inbox in a transaction.
func In(tx *bbolt.Tx) Inbox {
	b := boltpb.Open(tx, entryBucket, dueBucket, codeBucket, idBucket, timeBucket, waitingBucket, changeBucket,
		offerBucket, deliveryBucket, nameBucket, handoverBucket,
		evidenceBucket, unsentBucket, quarantineBucket, ageBucket, totalBucket)
	return Inbox{
		entries: &b[0], due: &b[1], codes: &b[2], ids: &b[3], times: &b[4], waiting: &b[5], changes: &b[6],
		offers: &b[7], deliveries: &b[8], names: &b[9], handovers: &b[10],
		evidence: &b[11], unsent: &b[12], quarantine: &b[13], age: &b[14], totals: &b[15],
	}
}

// Add takes a received document, in the state that e names. A FETCHING one whose
// target has still to come becomes WAITING. A document that is here already is
// left as it is, and added is false: a row may come twice, a document does not. Only
// what was given up here is taken anew, when a later row brings it back.
func (b Inbox) Add(e *axispb.InboxEntry) (added bool, err error) {
	key := KeyOf(e)
	if err := key.valid(); err != nil {
		return false, err
	}
	was, err := boltpb.Get[axispb.InboxEntry](b.entries, key.bytes())
	if err != nil || was != nil && !again(was, e) {
		return false, err
	}
	var before []place
	if was != nil {
		before, e.Evidence = b.places(was), was.Evidence
		if e.Journaled, err = b.others(e); err != nil {
			return false, err
		}
	}
	e.Version = 1
	if e.State == axispb.State_STATE_FETCHING && e.Target == axispb.Target_TARGET_PRECEDES {
		settled, err := b.settled(e.TargetSender, e.TargetId)
		if err != nil {
			return false, err
		}
		if !settled {
			e.State = axispb.State_STATE_WAITING
		}
	}
	if e.DuplicateOf, err = b.twin(e); err != nil {
		return false, err
	}
	if err := b.put(before, e); err != nil {
		return false, err
	}
	if !pending(e.State) {
		return true, b.release(e.Sender, e.Id)
	}
	return true, nil
}

// Get gives an entry, or ErrNotFound.
func (b Inbox) Get(key Key) (*axispb.InboxEntry, error) {
	e, err := boltpb.Get[axispb.InboxEntry](b.entries, key.bytes())
	if e == nil && err == nil {
		err = fmt.Errorf("%w: %s", ErrNotFound, key)
	}
	return e, err
}

// Document lists the entries of a document, one for each code that received it.
func (b Inbox) Document(sender, id string) ([]*axispb.InboxEntry, error) {
	var all []*axispb.InboxEntry
	err := boltpb.Each[axispb.InboxEntry](b.entries, documentPrefix(sender, id),
		func(_ []byte, e *axispb.InboxEntry) (bool, error) {
			all = append(all, e)
			return true, nil
		})
	return all, err
}

// ByID lists the entries of every document with an id, whoever sent it.
func (b Inbox) ByID(id string) ([]*axispb.InboxEntry, error) {
	var all []*axispb.InboxEntry
	prefix := append([]byte(id), 0)
	for _, k := range boltpb.Keys(b.ids, prefix) {
		e, err := boltpb.Get[axispb.InboxEntry](b.entries, k[len(prefix):])
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// Attempt records that the files are about to be fetched, and when that is due
// again should nothing more be heard of this attempt.
func (b Inbox) Attempt(key Key, next time.Time) (*axispb.InboxEntry, error) {
	return b.change(key, func(e *axispb.InboxEntry) error {
		if e.State != axispb.State_STATE_FETCHING {
			return fmt.Errorf("%w: attempt in %s", ErrState, e.State)
		}
		e.Attempts++
		e.NextAttemptMs = next.UnixMilli()
		return nil
	})
}

// Fail records why an attempt failed and when the next is due; the zero time
// leaves it as the attempt recorded it. progressed says
// that something was fetched: the count of attempts begins anew.
func (b Inbox) Fail(key Key, why *axispb.Trouble, next time.Time, progressed bool) error {
	_, err := b.change(key, func(e *axispb.InboxEntry) error {
		if e.State != axispb.State_STATE_FETCHING {
			return fmt.Errorf("%w: failure in %s", ErrState, e.State)
		}
		e.Trouble = why
		if !next.IsZero() {
			e.NextAttemptMs = next.UnixMilli()
		}
		if progressed {
			e.Attempts = 0
		}
		return nil
	})
	return err
}

// MarkFetched records that the DMS or a clerk takes the content to read. It proves
// nothing to anybody and changes no state. The error is ErrState where the content is
// not here yet, or was withdrawn: nobody may be given it then.
func (b Inbox) MarkFetched(key Key) error {
	_, err := b.change(key, func(e *axispb.InboxEntry) error {
		if pending(e.State) {
			return fmt.Errorf("%w: the content is not here yet", ErrState)
		}
		if e.State == axispb.State_STATE_WITHDRAWN {
			return fmt.Errorf("%w: it was withdrawn", ErrState)
		}
		if Withheld(e) {
			return ErrWithheld
		}
		e.Fetched = true
		return nil
	})
	return err
}

// Move enters a state together with the statement that proves it, given by its
// counter, which must be stored in the same transaction. Where the state does not
// allow it the error is ErrState and nothing is changed.
func (b Inbox) Move(key Key, to axispb.State, counter uint64, at time.Time, why *axispb.Trouble) error {
	e, err := b.change(key, func(e *axispb.InboxEntry) error {
		if !Allowed(e.State, to) {
			return fmt.Errorf("%w: from %s to %s", ErrState, e.State, to)
		}
		if to == axispb.State_STATE_HANDED_OVER && Withheld(e) {
			return ErrWithheld
		}
		e.State, e.SinceMs, e.Trouble = to, at.UnixMilli(), why
		if to == axispb.State_STATE_HANDOVER_FAILED && !Overdue(e) {
			e.Handing = nil // else it would be offered again
		}
		e.Evidence = append(e.Evidence, counter)
		return nil
	})
	if err != nil {
		return err
	}
	return b.release(e.Sender, e.Id)
}

// Note adds a statement that changes no state, as a business state.
func (b Inbox) Note(key Key, counter uint64) error {
	_, err := b.change(key, func(e *axispb.InboxEntry) error {
		e.Evidence = append(e.Evidence, counter)
		return nil
	})
	return err
}

// Allowed is the one transition function of a received document, for the steps
// that need a statement.
func Allowed(from, to axispb.State) bool {
	switch from {
	case axispb.State_STATE_FETCHING:
		return to == axispb.State_STATE_CONSIGNED || to == axispb.State_STATE_CONSIGNMENT_FAILED ||
			to == axispb.State_STATE_WITHDRAWN
	case axispb.State_STATE_WAITING:
		return to == axispb.State_STATE_CONSIGNMENT_FAILED || to == axispb.State_STATE_WITHDRAWN
	case axispb.State_STATE_CONSIGNED:
		return to == axispb.State_STATE_HANDED_OVER || to == axispb.State_STATE_HANDOVER_FAILED ||
			to == axispb.State_STATE_WITHDRAWN
	case axispb.State_STATE_HANDOVER_FAILED:
		return to == axispb.State_STATE_HANDED_OVER || to == axispb.State_STATE_WITHDRAWN
	case axispb.State_STATE_CONSIGNMENT_FAILED:
		return to == axispb.State_STATE_WITHDRAWN
	}
	return false
}

// pending reports whether the content has still to come.
func pending(s axispb.State) bool {
	return s == axispb.State_STATE_FETCHING || s == axispb.State_STATE_WAITING
}

// change reads an entry, lets f change it, and stores it with its indexes.
func (b Inbox) change(key Key, f func(*axispb.InboxEntry) error) (*axispb.InboxEntry, error) {
	e, err := b.Get(key)
	if err != nil {
		return nil, err
	}
	before := b.places(e)
	if err := f(e); err != nil {
		return nil, err
	}
	return e, b.put(before, e)
}

// put stores an entry and moves its places in the indexes.
func (b Inbox) put(before []place, e *axispb.InboxEntry) error {
	for _, p := range before {
		if err := p.bucket.Delete(p.key); err != nil {
			return err
		}
	}
	for _, p := range b.places(e) {
		if err := p.bucket.Put(p.key, p.value); err != nil {
			return err
		}
	}
	return boltpb.Put(b.entries, KeyOf(e).bytes(), e)
}

func hasKey(b *boltpb.Lazy, key []byte) bool {
	k, _ := b.Cursor().Seek(key)
	return bytes.Equal(k, key)
}
