package inbox

import (
	"fmt"
	"time"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// Each calls f for every received document, until it returns an error.
func (b Inbox) Each(f func(*axispb.InboxEntry) error) error {
	return boltpb.Each[axispb.InboxEntry](b.entries, nil, func(_ []byte, e *axispb.InboxEntry) (bool, error) {
		err := f(e)
		return err == nil, err
	})
}

// Pending reports whether the content of a document has still to come, or to be
// completed.
func Pending(e *axispb.InboxEntry) bool { return pending(e.State) }

// Finished says whether nobody needs the files of a received document any more, and
// since when: the agency took or refused it, or it will never be complete.
func Finished(e *axispb.InboxEntry) (since time.Time, ok bool) {
	if pending(e.State) || Offered(e) || Looking(e) {
		return since, false
	}
	return time.UnixMilli(max(e.SinceMs, e.ReceivedMs)), true
}

// Release records that a document's files are not needed here any more, before they
// are removed. The error is ErrState where somebody may still need them. Releasing
// again changes nothing.
func (b Inbox) Release(key Key, now time.Time) error {
	_, err := b.change(key, func(e *axispb.InboxEntry) error {
		if _, finished := Finished(e); !finished {
			return fmt.Errorf("%w: release in %s", ErrState, e.State)
		}
		if e.ReleasedMs == 0 {
			e.ReleasedMs = now.UnixMilli()
		}
		return nil
	})
	return err
}
