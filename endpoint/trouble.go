package endpoint

import (
	"context"
	"errors"
	"log/slog"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/store"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// trouble is a failure in the form in which it is kept and shown.
func (a *Agent) trouble(err error) *axispb.Trouble {
	t := &axispb.Trouble{TimeMs: a.cfg.Now().UnixMilli(), Reason: reason.Of(err), Detail: err.Error()}
	if cause := errors.Unwrap(err); t.Reason != nil && cause != nil {
		t.Detail = cause.Error()
	}
	t.Detail = clip(t.Detail)
	return t
}

// clip keeps what others wrote to a length that an evidence may carry.
func clip(s string) string {
	if len(s) <= evidence.MaxReasonArg {
		return s
	}
	// Cut between characters.
	cut := evidence.MaxReasonArg
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut]
}

func troubleAttr(t *axispb.Trouble) slog.Attr {
	why := t.GetDetail()
	if t.GetReason() != nil {
		why = reason.Sentence(t.Reason, reason.English) + " " + why
	}
	return slog.String("why", why)
}

// park makes the endpoint stay away from the axis until a person decides: what it
// met must not be passed over by trying again. Its error ends the conversation.
func (a *Agent) park(ctx context.Context, why error) error {
	t := a.trouble(why)
	a.log.Error("the endpoint parks itself", troubleAttr(t))
	err := a.db.Update(context.WithoutCancel(ctx), func(tx *bbolt.Tx) error { return store.Park(tx, t) })
	if err != nil {
		return err
	}
	return errParked
}

// Unpark lets a parked endpoint talk with the axis again: an operator's decision,
// after what Status said was looked into.
func (a *Agent) Unpark(ctx context.Context) error {
	if err := a.db.Update(ctx, store.Unpark); err != nil {
		return err
	}
	ring(a.wake.unparked)
	return nil
}

// Status is how the endpoint is.
type Status struct {
	Endpoint string
	// Connected reports whether the axis can be asked just now.
	Connected bool
	// Parked says why the endpoint stays away from the axis; nil where it does
	// not.
	Parked *axispb.Trouble
	// Progress is where it is: epoch, cursors, checkpoint, last counter.
	Progress *axispb.Progress
}

// Status says how the endpoint is.
func (a *Agent) Status() (Status, error) {
	s := Status{Endpoint: a.Name(), Connected: a.isConnected()}
	err := a.db.View(func(tx *bbolt.Tx) (err error) {
		if s.Parked, err = store.Parked(tx); err != nil {
			return err
		}
		s.Progress, err = store.Progress(tx)
		return err
	})
	return s, err
}

func (a *Agent) isConnected() bool {
	l := a.link.Load()
	return l != nil && l.Connected()
}
