package systems

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// Check lists every invariant that does not hold:
//   - a system stands under its name, with one secret or two, the newest without end;
//   - its codes are in order, each once;
//   - an answer stands under system, code and digest, and names a submission;
//   - a notice stands under its id and, while nobody took it, once in its index.
func Check(tx *bbolt.Tx) error {
	s := In(tx)
	var found []error
	complain := func(key []byte, format string, args ...any) {
		found = append(found, fmt.Errorf("system %q: %s", key, fmt.Sprintf(format, args...)))
	}
	systems := boltpb.Each[axispb.SystemEntry](s.entries, nil, func(k []byte, e *axispb.SystemEntry) (bool, error) {
		n := len(e.Secrets)
		switch {
		case e.System != string(k) || !ValidName(e.System):
			complain(k, "it calls itself %q", e.System)
		case n < 1 || n > 2:
			complain(k, "it has %d secrets", n)
		case e.Secrets[n-1].EndsMs != 0:
			complain(k, "its newest secret ends")
		case !slices.Equal(e.Codes, sorted(e.Codes)):
			complain(k, "its codes are not in order")
		}
		return true, nil
	})
	answers := boltpb.Each[axispb.SentEntry](s.sent, nil, func(k []byte, e *axispb.SentEntry) (bool, error) {
		parts := bytes.SplitN(k, []byte{0}, 3)
		if len(parts) != 3 || len(parts[2]) != 32 {
			complain(k, "an answer stands under a strange key")
		} else if e.Id == "" || e.DocId == "" {
			complain(parts[0], "an answer names no submission")
		}
		return true, nil
	})
	return errors.Join(append(found, systems, answers, s.checkNotices())...)
}

func (s Systems) checkNotices() error {
	var found []error
	offered := 0
	err := boltpb.Each[axispb.NoticeEntry](s.notices, nil, func(k []byte, n *axispb.NoticeEntry) (bool, error) {
		if n.DeliveryId != string(k) || n.DeliveryId != NoticeID(n) {
			found = append(found, fmt.Errorf("notice %q: it is called %q", k, n.DeliveryId))
		}
		key := noticeKey(n)
		if key == nil {
			return true, nil
		}
		offered++
		if at, _ := s.offers.Cursor().Seek(key); !bytes.Equal(at, key) {
			found = append(found, fmt.Errorf("notice %q: missing in its index", k))
		}
		return true, nil
	})
	if n := s.offers.Stats().KeyN; n != offered {
		found = append(found, fmt.Errorf("notices: %d are offered, not %d", n, offered))
	}
	return errors.Join(append(found, err)...)
}
