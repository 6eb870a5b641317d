package systems

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"time"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// Package names what a system sent for an agency.
type Package struct {
	System, Code string
	// Digest is the SHA-256 of its bytes.
	Digest [sha256.Size]byte
}

func (p Package) key() []byte {
	return slices.Concat([]byte(p.System), []byte{0}, []byte(p.Code), []byte{0}, p.Digest[:])
}

// Sent gives what was answered for a package since a time; nil where nothing was.
func (s Systems) Sent(p Package, since time.Time) (*axispb.SentEntry, error) {
	e, err := boltpb.Get[axispb.SentEntry](s.sent, p.key())
	if e != nil && e.TimeMs < since.UnixMilli() {
		return nil, err
	}
	return e, err
}

// Answer records what a package is answered from now on.
func (s Systems) Answer(p Package, id, docID string, now time.Time) error {
	return boltpb.Put(s.sent, p.key(), &axispb.SentEntry{Version: 1, Id: id, DocId: docID, TimeMs: now.UnixMilli()})
}

// Prune looks at no more than limit answers, from a key on (nil: the first), and forgets
// those that are older than a time. It says how many it forgot, and where to go on; nil
// when all was looked at.
func (s Systems) Prune(before time.Time, from []byte, limit int) (n int, next []byte, err error) {
	var old [][]byte
	c := s.sent.Cursor()
	k, v := c.Seek(from)
	for ; k != nil && limit > 0; k, v = c.Next() {
		limit--
		e, err := boltpb.Decode[axispb.SentEntry](v)
		if err != nil {
			return 0, nil, err
		}
		if e.TimeMs < before.UnixMilli() {
			old = append(old, bytes.Clone(k))
		}
	}
	next = bytes.Clone(k)
	for _, k := range old {
		if err := s.sent.Delete(k); err != nil {
			return 0, nil, err
		}
	}
	return len(old), next, nil
}
