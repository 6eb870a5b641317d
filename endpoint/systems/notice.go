package systems

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// A system that sent a document is told what became of it at each recipient by status
// messages, as the recipients' own systems send them. Those that this endpoint makes,
// of statements, are notices: they are listed, fetched and confirmed like any delivery.
// notice_offer has those that were not taken, by the agency that is told, the time from
// which on they are listed, and when they were made.

// NoticeID is what a DMS calls a notice: a UUIDv8 (RFC 9562 section 5.8) that follows
// from what it tells.
func NoticeID(n *axispb.NoticeEntry) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{"notice", n.Id, n.Code, n.Status}, "\x00")))
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}

// Tell keeps a notice until the system has taken it. What was told already is not told
// again; told reports whether it is new.
func (s Systems) Tell(n *axispb.NoticeEntry) (told bool, err error) {
	n.Version, n.DeliveryId = 1, NoticeID(n)
	if s.notices.Get([]byte(n.DeliveryId)) != nil {
		return false, nil
	}
	return true, s.putNotice(nil, n)
}

// Notice gives a notice, or ErrNotFound.
func (s Systems) Notice(id string) (*axispb.NoticeEntry, error) {
	if id == "" {
		return nil, ErrNotFound
	}
	n, err := boltpb.Get[axispb.NoticeEntry](s.notices, []byte(id))
	if n == nil && err == nil {
		err = fmt.Errorf("%w: notice %s", ErrNotFound, id)
	}
	return n, err
}

// noticeKey is where a notice stands in notice_offer; nil once it was taken.
func noticeKey(n *axispb.NoticeEntry) []byte {
	if n.DoneMs != 0 {
		return nil
	}
	key := append([]byte(n.Sender), 0)
	key = binary.BigEndian.AppendUint64(key, uint64(n.Handing.GetNotBeforeMs()))
	key = binary.BigEndian.AppendUint64(key, uint64(n.TimeMs))
	return append(key, n.DeliveryId...)
}

// offered lists the ids of what is listed for an agency, at most limit.
func (s Systems) offered(code string, now time.Time, limit int) (ids []string) {
	prefix := append([]byte(code), 0)
	c := s.offers.Cursor()
	for k, _ := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix) && len(ids) < limit; k, _ = c.Next() {
		rest := k[len(prefix):]
		if binary.BigEndian.Uint64(rest) > uint64(now.UnixMilli()) {
			break
		}
		ids = append(ids, string(rest[16:]))
	}
	return ids
}

// Notices lists what the agencies are to be told now, at most limit.
func (s Systems) Notices(codes []string, now time.Time, limit int) (all []*axispb.NoticeEntry, err error) {
	for _, code := range codes {
		for _, id := range s.offered(code, now, max(0, limit-len(all))) {
			n, err := s.Notice(id)
			if err != nil {
				return nil, err
			}
			all = append(all, n)
		}
	}
	return all, nil
}

// CountNotices counts what Notices would list without a limit, reading none.
func (s Systems) CountNotices(codes []string, now time.Time) (n int) {
	const all = 1 << 30
	for _, code := range codes {
		n += len(s.offered(code, now, all))
	}
	return n
}

// MarkFetched records that a system took a notice to read; Lease that it works on it,
// so that it is not listed until then; Fail that it could not take it, with the same
// rest; Taken that it has. What is late changes nothing.
func (s Systems) MarkFetched(id string) error {
	return s.changeNotice(id, func(n *axispb.NoticeEntry) { n.Fetched = true })
}

// Lease is explained with MarkFetched.
func (s Systems) Lease(id string, until time.Time) error {
	return s.changeNotice(id, func(n *axispb.NoticeEntry) {
		handing(n).Leased, n.Handing.NotBeforeMs = true, until.UnixMilli()
	})
}

// Fail is explained with MarkFetched. wait says how long it rests after so many.
func (s Systems) Fail(id string, now time.Time, wait func(failures uint32) time.Duration) error {
	return s.changeNotice(id, func(n *axispb.NoticeEntry) {
		h := handing(n)
		h.Failures++
		h.Leased, h.NotBeforeMs = false, now.Add(wait(h.Failures)).UnixMilli()
	})
}

// Taken is explained with MarkFetched.
func (s Systems) Taken(id string, now time.Time) error {
	return s.changeNotice(id, func(n *axispb.NoticeEntry) { n.DoneMs = now.UnixMilli() })
}

func handing(n *axispb.NoticeEntry) *axispb.Handing {
	if n.Handing == nil {
		n.Handing = &axispb.Handing{}
	}
	return n.Handing
}

func (s Systems) changeNotice(id string, f func(*axispb.NoticeEntry)) error {
	n, err := s.Notice(id)
	if err != nil || n.DoneMs != 0 {
		return err
	}
	before := noticeKey(n)
	f(n)
	return s.putNotice(before, n)
}

func (s Systems) putNotice(before []byte, n *axispb.NoticeEntry) error {
	if before != nil {
		if err := s.offers.Delete(before); err != nil {
			return err
		}
	}
	if key := noticeKey(n); key != nil {
		if err := s.offers.Put(key, nil); err != nil {
			return err
		}
	}
	return boltpb.Put(s.notices, []byte(n.DeliveryId), n)
}

// PruneNotices is Prune for notices that were taken before a time.
func (s Systems) PruneNotices(before time.Time, from []byte, limit int) (n int, next []byte, err error) {
	var old [][]byte
	c := s.notices.Cursor()
	k, v := c.Seek(from)
	for ; k != nil && limit > 0; k, v = c.Next() {
		limit--
		e, err := boltpb.Decode[axispb.NoticeEntry](v)
		if err != nil {
			return 0, nil, err
		}
		if e.DoneMs != 0 && e.DoneMs < before.UnixMilli() {
			old = append(old, slices.Clone(k))
		}
	}
	next = slices.Clone(k)
	for _, k := range old {
		if err := s.notices.Delete(k); err != nil {
			return 0, nil, err
		}
	}
	return len(old), next, nil
}
