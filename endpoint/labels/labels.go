// Package labels owns the labels of documents' files, one entry for each document that
// was sent from here or received, whichever codes received it, and what is to be looked
// at next.
//
// Buckets: labels (DocumentLabels by key), labels_due (class, when, key: what is looked
// at next) and labels_scan (how far a search for documents that were never looked at has
// come, and by which trust the labels were made). All of them can be removed while the
// endpoint does not run: what was lost is looked at again. Every method works inside its caller's
// transaction.
package labels

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

const (
	labelBucket = "labels"
	dueBucket   = "labels_due"
	scanBucket  = "labels_scan"
)

// Key names a document.
type Key struct {
	Sender, ID string
	// Manifest is the SHA-256 of the manifest.
	Manifest [32]byte
}

// KeyOf makes a key; a digest of another length is cut or filled up.
func KeyOf(sender, id string, manifest []byte) Key {
	k := Key{Sender: sender, ID: id}
	copy(k.Manifest[:], manifest)
	return k
}

func (k Key) bytes() []byte {
	return slices.Concat([]byte(k.Sender), []byte{0}, []byte(k.ID), []byte{0}, k.Manifest[:])
}

var errKey = errors.New("labels: unusable key")

func parseKey(raw []byte) (k Key, err error) {
	parts := bytes.SplitN(raw, []byte{0}, 3)
	if len(parts) != 3 || len(parts[2]) != len(k.Manifest) {
		return k, errKey
	}
	return KeyOf(string(parts[0]), string(parts[1]), parts[2]), nil
}

// Class is who waits for a look.
type Class byte

// The classes, those that come first before the others.
const (
	// Held documents are kept from their agency until then.
	Held Class = iota
	// Fresh ones were never looked at.
	Fresh
	// Again are those that are looked at once more, or late.
	Again
)

// Job is a document that is to be looked at.
type Job struct {
	Key Key
	// row is where it stands; nil where somebody asked in passing.
	row []byte
}

// JobFor is a job that stands nowhere.
func JobFor(k Key) Job { return Job{Key: k} }

// Init makes the buckets. Where nothing is missing, it does not write.
func Init(tx *bbolt.Tx) error { return boltpb.Create(tx, labelBucket, dueBucket, scanBucket) }

// Labels are the labels as one transaction sees them.
type Labels struct{ labels, due, scan *boltpb.Lazy }

// In gives the labels in a transaction.
func In(tx *bbolt.Tx) Labels {
	b := boltpb.Open(tx, labelBucket, dueBucket, scanBucket)
	return Labels{labels: &b[0], due: &b[1], scan: &b[2]}
}

func rowKey(c Class, at time.Time, k Key) []byte {
	return slices.Concat([]byte{byte(c)}, boltpb.Uint64(uint64(max(0, at.UnixMilli()))), k.bytes())
}

// Enqueue has a document looked at from a time on.
func (l Labels) Enqueue(k Key, c Class, at time.Time) error {
	if _, err := parseKey(k.bytes()); err != nil {
		return fmt.Errorf("%w: %q %q", err, k.Sender, k.ID)
	}
	return l.due.Put(rowKey(c, at, k), nil)
}

// Due lists what is to be looked at by now, at most limit. wake is when the first of
// the others is; zero where there is none.
func (l Labels) Due(now time.Time, limit int) (jobs []Job, wake time.Time, err error) {
	c := l.due.Cursor()
	for class := Held; class <= Again; class++ {
		prefix := []byte{byte(class)}
		for k, _ := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			if len(jobs) == limit {
				return jobs, wake, nil
			}
			if len(k) < 9 {
				return nil, wake, errKey
			}
			at := time.UnixMilli(int64(binary.BigEndian.Uint64(k[1:])))
			if at.After(now) {
				if wake.IsZero() || at.Before(wake) {
					wake = at
				}
				break
			}
			key, err := parseKey(k[9:])
			if err != nil {
				return nil, wake, err
			}
			jobs = append(jobs, Job{Key: key, row: bytes.Clone(k)})
		}
	}
	return jobs, wake, nil
}

// Waiting counts the documents that are kept from their agencies, at most limit.
func (l Labels) Waiting(limit int) (n int) {
	c := l.due.Cursor()
	for k, _ := c.Seek([]byte{byte(Held)}); k != nil && k[0] == byte(Held) && n < limit; k, _ = c.Next() {
		n++
	}
	return n
}

// Get gives the labels of a document; nil where it was never looked at.
func (l Labels) Get(k Key) (*axispb.DocumentLabels, error) {
	return boltpb.Get[axispb.DocumentLabels](l.labels, k.bytes())
}

// Done ends a job: with labels, which say when the document is looked at again, or
// without (nil), where there is nothing to look at any more; what is known stays then.
func (l Labels) Done(j Job, c Class, d *axispb.DocumentLabels) error {
	was, err := l.Get(j.Key)
	if err != nil {
		return err
	}
	for _, row := range l.rows(j, was) {
		if err := l.due.Delete(row); err != nil {
			return err
		}
	}
	if d == nil {
		if was.GetAgainMs() == 0 {
			return nil
		}
		was.AgainMs = 0
		d = was
	}
	d.Version = 1
	if d.AgainMs != 0 {
		if err := l.due.Put(rowKey(c, time.UnixMilli(d.AgainMs), j.Key), nil); err != nil {
			return err
		}
	}
	return boltpb.Put(l.labels, j.Key.bytes(), d)
}

// rows are where a document stands: as the job says, and as its labels do.
func (l Labels) rows(j Job, was *axispb.DocumentLabels) (all [][]byte) {
	if j.row != nil {
		all = append(all, j.row)
	}
	if ms := was.GetAgainMs(); ms != 0 {
		at := time.UnixMilli(ms)
		all = append(all, rowKey(Held, at, j.Key), rowKey(Again, at, j.Key))
	}
	return all
}

// Check lists every label that is to be made again and stands nowhere, and every row
// that names nothing.
func Check(tx *bbolt.Tx) error {
	l := In(tx)
	var found []error
	err := boltpb.Each[axispb.DocumentLabels](l.labels, nil, func(raw []byte, d *axispb.DocumentLabels) (bool, error) {
		k, err := parseKey(raw)
		if err != nil {
			found = append(found, fmt.Errorf("labels %x: %w", raw, err))
			return true, nil
		}
		at := time.UnixMilli(d.AgainMs)
		if d.AgainMs != 0 && !has(l.due, rowKey(Held, at, k)) && !has(l.due, rowKey(Again, at, k)) {
			found = append(found, fmt.Errorf("labels of %s: they are never made again", k.ID))
		}
		return true, nil
	})
	bad := l.due.ForEach(func(raw, _ []byte) error {
		if len(raw) < 9 || Class(raw[0]) > Again {
			return errKey
		}
		_, err := parseKey(raw[9:])
		return err
	})
	return errors.Join(append(found, err, bad)...)
}

func has(b *boltpb.Lazy, key []byte) bool {
	k, _ := b.Cursor().Seek(key)
	return bytes.Equal(k, key)
}
