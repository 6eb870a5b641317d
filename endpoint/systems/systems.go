// Package systems owns the document-management systems that speak the national
// axis's protocol to this endpoint: which agencies each may act for, the secrets that
// its requests are signed with, and what each was answered for a package.
//
// Buckets: system (SystemEntry by name), system_sent (SentEntry by system 0x00 code
// 0x00 SHA-256 of the package), notice (NoticeEntry by what a DMS calls it) and, which
// follows from that, notice_offer. Every method works inside its caller's transaction,
// so that an answer and the submission that it names are one commit.
package systems

import (
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
	systemBucket = "system"
	sentBucket   = "system_sent"
	noticeBucket = "notice"
	offerBucket  = "notice_offer"
)

// MaxName is the longest name of a system, in bytes.
const MaxName = 64

var (
	// ErrNotFound says that there is no such system; ask List for those there are.
	ErrNotFound = errors.New("no such system")
	// ErrExists says that the name is taken; the system is as it was.
	ErrExists = errors.New("there is a system of this name already")
	// ErrName says that a text cannot be a system's name.
	ErrName = errors.New("a system's name has 1 to 64 letters, digits, dots, dashes and underscores")
)

// Init makes the buckets. Where nothing is missing, it does not write.
func Init(tx *bbolt.Tx) error {
	return boltpb.Create(tx, systemBucket, sentBucket, noticeBucket, offerBucket)
}

// Systems are the systems as one transaction sees them.
type Systems struct{ entries, sent, notices, offers *boltpb.Lazy }

// In gives the systems in a transaction.
func In(tx *bbolt.Tx) Systems {
	b := boltpb.Open(tx, systemBucket, sentBucket, noticeBucket, offerBucket)
	return Systems{entries: &b[0], sent: &b[1], notices: &b[2], offers: &b[3]}
}

// ValidName reports whether a text can be a system's name.
func ValidName(name string) bool {
	const others = "._-"
	return name != "" && len(name) <= MaxName && strings.IndexFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(others, r))
	}) < 0
}

// Get gives a system, or ErrNotFound.
func (s Systems) Get(name string) (*axispb.SystemEntry, error) {
	if name == "" {
		return nil, ErrNotFound
	}
	e, err := boltpb.Get[axispb.SystemEntry](s.entries, []byte(name))
	if e == nil && err == nil {
		err = fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	return e, err
}

// List gives all systems, by name.
func (s Systems) List() (all []*axispb.SystemEntry, err error) {
	err = boltpb.Each[axispb.SystemEntry](s.entries, nil, func(_ []byte, e *axispb.SystemEntry) (bool, error) {
		all = append(all, e)
		return true, nil
	})
	return all, err
}

// Add makes a system with its first secret, sealed.
func (s Systems) Add(name string, codes []string, secret []byte, now time.Time) error {
	switch {
	case !ValidName(name):
		return ErrName
	case s.entries.Get([]byte(name)) != nil:
		return fmt.Errorf("%w: %s", ErrExists, name)
	}
	return s.put(&axispb.SystemEntry{
		Version: 1, System: name, Codes: sorted(codes), CreatedMs: now.UnixMilli(),
		Secrets: []*axispb.SystemSecret{{Sealed: secret, CreatedMs: now.UnixMilli()}},
	})
}

// Rotate gives a system a further secret, sealed. The one before stays good until the
// time given; any older one ends now.
func (s Systems) Rotate(name string, secret []byte, now, until time.Time) error {
	return s.change(name, func(e *axispb.SystemEntry) {
		kept := slices.DeleteFunc(e.Secrets, func(o *axispb.SystemSecret) bool { return !good(o, now) })
		kept = kept[max(0, len(kept)-1):]
		for _, o := range kept {
			o.EndsMs = until.UnixMilli()
		}
		if !until.After(now) {
			kept = nil
		}
		e.Secrets = append(kept, &axispb.SystemSecret{Sealed: secret, CreatedMs: now.UnixMilli()})
	})
}

// Allow lets a system act for more codes, Disallow for fewer. What is so already
// stays so.
func (s Systems) Allow(name string, codes []string) error {
	return s.change(name, func(e *axispb.SystemEntry) { e.Codes = sorted(append(e.Codes, codes...)) })
}

// Disallow ends a system's right to act for codes.
func (s Systems) Disallow(name string, codes []string) error {
	return s.change(name, func(e *axispb.SystemEntry) {
		e.Codes = slices.DeleteFunc(e.Codes, func(c string) bool { return slices.Contains(codes, c) })
	})
}

// Remove ends a system and its secrets. What it was answered stays: should one of the
// same name come back, its packages are the same.
func (s Systems) Remove(name string) error {
	if _, err := s.Get(name); err != nil {
		return err
	}
	return s.entries.Delete([]byte(name))
}

// Good lists the sealed secrets of a system that are good at a time, newest first.
func Good(e *axispb.SystemEntry, now time.Time) (sealed [][]byte) {
	for _, s := range slices.Backward(e.GetSecrets()) {
		if good(s, now) {
			sealed = append(sealed, s.Sealed)
		}
	}
	return sealed
}

func good(s *axispb.SystemSecret, now time.Time) bool {
	return s.EndsMs == 0 || now.UnixMilli() < s.EndsMs
}

func (s Systems) change(name string, f func(*axispb.SystemEntry)) error {
	e, err := s.Get(name)
	if err != nil {
		return err
	}
	f(e)
	return s.put(e)
}

func (s Systems) put(e *axispb.SystemEntry) error { return boltpb.Put(s.entries, []byte(e.System), e) }

func sorted(codes []string) []string {
	codes = slices.Clone(codes)
	slices.Sort(codes)
	return slices.Compact(codes)
}
