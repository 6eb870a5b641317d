package inbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// place is where an entry stands in an index.
type place struct {
	bucket     *boltpb.Lazy
	key, value []byte
}

// places lists every index key of an entry in its present state.
func (b Inbox) places(e *axispb.InboxEntry) []place {
	key := KeyOf(e).bytes()
	all := []place{
		{b.codes, codeKey(e), key},
		{b.ids, slices.Concat([]byte(e.Id), []byte{0}, key), nil},
		{b.times, timeKey(e, key), nil},
	}
	all = slices.Concat(all, b.namePlaces(e, key), b.offerPlaces(e, key), b.handoverPlaces(e, key))
	if e.TargetId != "" {
		all = append(all, place{b.changes, append(documentPrefix(e.TargetSender, e.TargetId), key...), nil})
	}
	switch e.State {
	case axispb.State_STATE_FETCHING:
		all = append(all, place{b.due, dueKey(e, key), nil})
	case axispb.State_STATE_WAITING:
		all = append(all, place{b.waiting, append(documentPrefix(e.TargetSender, e.TargetId), key...), nil})
	}
	return all
}

// codeKey orders the documents of a code and state by lane, then as they were
// journaled.
func codeKey(e *axispb.InboxEntry) []byte {
	key := append(codePrefix(e.Code, e.State), byte(e.Lane))
	key = binary.BigEndian.AppendUint64(key, e.Position)
	key = binary.BigEndian.AppendUint32(key, e.Ordinal)
	// A new epoch may give a position a second time.
	return append(key, KeyOf(e).bytes()...)
}

func codePrefix(code string, s axispb.State) []byte {
	return append([]byte(code), 0, byte(s))
}

// Class separates large documents from small ones.
type Class byte

// The classes.
const (
	Small Class = iota
	Bulk
)

var lanes = [...]axispb.Lane{axispb.Lane_LANE_REGISTRY, axispb.Lane_LANE_URGENT, axispb.Lane_LANE_NORMAL}

// ClassOf says how a document is handled.
func ClassOf(e *axispb.InboxEntry) Class {
	if e.Bytes > BulkBytes {
		return Bulk
	}
	return Small
}

func dueKey(e *axispb.InboxEntry, key []byte) []byte {
	return slices.Concat([]byte{byte(ClassOf(e)), byte(e.Lane)}, boltpb.Uint64(uint64(e.NextAttemptMs)), key)
}

// entryKey is the key of the entry that a key of inbox_due or inbox_waiting ends
// with.
func (b Inbox) entryKey(index *boltpb.Lazy, k []byte) []byte {
	if index == b.due {
		return k[10:]
	}
	return bytes.SplitN(k, []byte{0}, 3)[2]
}

// Job is a document whose files are to be fetched.
type Job struct {
	Key  Key
	Lane axispb.Lane
}

// Due lists what is to be fetched in a class, most urgent first and within a lane
// the longest due first, at most limit. Of what is not yet due, wake is the
// earliest; zero where there is none.
func (b Inbox) Due(c Class, now time.Time, limit int) (jobs []Job, wake time.Time, err error) {
	for _, lane := range lanes {
		prefix := []byte{byte(c), byte(lane)}
		cur := b.due.Cursor()
		for k, _ := cur.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = cur.Next() {
			at := time.UnixMilli(int64(binary.BigEndian.Uint64(k[2:10])))
			if at.After(now) {
				if wake.IsZero() || at.Before(wake) {
					wake = at
				}
				break
			}
			if len(jobs) == limit {
				return jobs, wake, nil
			}
			key, err := b.keyFrom(k[10:])
			if err != nil {
				return nil, wake, err
			}
			jobs = append(jobs, Job{Key: key, Lane: lane})
		}
	}
	return jobs, wake, nil
}

// keyFrom reads what Key.bytes wrote, and makes sure that there is such an entry.
func (b Inbox) keyFrom(k []byte) (Key, error) {
	parts := bytes.SplitN(k, []byte{0}, 3)
	if b.entries.Get(k) == nil || len(parts) != 3 || len(parts[2]) <= manifestEnd {
		return Key{}, fmt.Errorf("%w: %q is due and not there", ErrNotFound, k)
	}
	rest := parts[2]
	return Key{
		Sender: string(parts[0]), ID: string(parts[1]),
		Manifest: [sha256.Size]byte(rest[:sha256.Size]), Code: string(rest[manifestEnd:]),
	}, nil
}

// manifestEnd is where the code begins, behind the manifest and a zero.
const manifestEnd = sha256.Size + 1

// settled reports whether every copy of a document that this endpoint gets is here
// or will never be.
func (b Inbox) settled(sender, id string) (bool, error) {
	copies, err := b.Document(sender, id)
	if err != nil || len(copies) == 0 {
		return false, err
	}
	return !slices.ContainsFunc(copies, func(e *axispb.InboxEntry) bool { return pending(e.State) }), nil
}

// release lets the changes of a document go on, once it is settled.
func (b Inbox) release(sender, id string) error {
	prefix := documentPrefix(sender, id)
	waiters := boltpb.Keys(b.waiting, prefix)
	if len(waiters) == 0 {
		return nil
	}
	if settled, err := b.settled(sender, id); err != nil || !settled {
		return err
	}
	for _, k := range waiters {
		if err := b.wakeUp(k[len(prefix):]); err != nil {
			return err
		}
	}
	return nil
}

// ReleaseOrphans lets changes go on whose target never came and never will: it
// failed a check so badly that not even its name was known. To be called when
// everything before the newest row was pulled.
func (b Inbox) ReleaseOrphans() error {
	for _, k := range boltpb.Keys(b.waiting, nil) {
		parts := bytes.SplitN(k, []byte{0}, 3)
		copies, err := b.Document(string(parts[0]), string(parts[1]))
		if err != nil {
			return err
		}
		if len(copies) > 0 {
			continue
		}
		if err := b.wakeUp(parts[2]); err != nil {
			return err
		}
	}
	return nil
}

// wakeUp makes a waiting entry one to be fetched.
func (b Inbox) wakeUp(key []byte) error {
	e, err := boltpb.Get[axispb.InboxEntry](b.entries, key)
	if err != nil {
		return err
	}
	before := b.places(e)
	e.State = axispb.State_STATE_FETCHING
	return b.put(before, e)
}

// Filter narrows a list; zero values do not narrow. A State without a Code does
// not either.
type Filter struct {
	Code  string
	State axispb.State
	// After is the last entry of the page before.
	After *axispb.InboxEntry
	// Limit is the length of the page; 0 means 100.
	Limit int
}

// List gives the documents code by code, state by state, urgent ones first, then as
// they were journaled.
func (b Inbox) List(f Filter) ([]*axispb.InboxEntry, error) {
	if f.Limit == 0 {
		f.Limit = 100
	}
	var prefix []byte
	switch {
	case f.Code != "" && f.State != axispb.State_STATE_UNSPECIFIED:
		prefix = codePrefix(f.Code, f.State)
	case f.Code != "":
		prefix = append([]byte(f.Code), 0)
	}
	c := b.codes.Cursor()
	k, v := c.Seek(prefix)
	if f.After != nil {
		last := codeKey(f.After)
		if k, v = c.Seek(last); bytes.Equal(k, last) {
			k, v = c.Next()
		}
	}
	var all []*axispb.InboxEntry
	for ; k != nil && bytes.HasPrefix(k, prefix) && len(all) < f.Limit; k, v = c.Next() {
		e, err := boltpb.Get[axispb.InboxEntry](b.entries, v)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// EachEvidence calls f for every statement of this endpoint until it returns an
// error.
func (b Inbox) EachEvidence(f func(*axispb.EvidenceEntry) error) error {
	return boltpb.Each[axispb.EvidenceEntry](b.evidence, nil, func(_ []byte, e *axispb.EvidenceEntry) (bool, error) {
		return true, f(e)
	})
}
