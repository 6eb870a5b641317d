package outbox

import (
	"errors"
	"testing"

	"go.etcd.io/bbolt"

	"docaxis/proto/axispb"
)

func onOutbox(f func(Outbox) error) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error { return f(In(tx)) }
}

// What was refused goes again under its id, by a retry as it was or sealed anew; its
// refusals stay, and nothing else goes again.
func TestWhatWasRefusedGoesAgain(t *testing.T) {
	b := newBox(t)
	refuse := func(why string) {
		b.do(func(o Outbox) error { _, err := o.Reject("a", []byte(why), []byte("r "+why), nil); return err })
	}
	again := func(o Outbox) error {
		return o.Again(&axispb.OutboxEntry{Id: "a", EnvelopeDigest: []byte("new")}, start)
	}
	b.do(func(o Outbox) error { return o.Add(&axispb.OutboxEntry{Id: "a", EnvelopeDigest: []byte("old")}) })
	if err := b.db.Update(onOutbox(again)); !errors.Is(err, ErrState) {
		t.Errorf("one that was not refused: %v", err)
	}
	refuse("one")
	b.do(func(o Outbox) error { return o.Retry("a", start) })
	refuse("two")
	b.do(again)
	b.do(func(o Outbox) error {
		e, err := o.Get("a")
		if err != nil || e.State != queued || string(e.EnvelopeDigest) != "new" || len(e.Rejection) > 0 {
			t.Errorf("%v, %v", e, err)
		}
		if len(e.Refused) != 2 || string(e.Refused[0].Evidence) != "one" || string(e.Refused[1].Receipt) != "r two" {
			t.Errorf("refusals %v", e.Refused)
		}
		return nil
	})
	b.do(func(o Outbox) error { return o.Accept("a", []byte("r"), nil) })
	for _, f := range []func(Outbox) error{again, func(o Outbox) error { return o.Retry("a", start) }} {
		if err := b.db.Update(onOutbox(f)); !errors.Is(err, ErrState) {
			t.Errorf("one that was accepted: %v", err)
		}
	}
}
