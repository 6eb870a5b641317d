package endpoint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/directory"
	"docaxis/endpoint/files"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Sent gives a submission of this endpoint, or outbox.ErrNotFound.
func (a *Agent) Sent(id string) (e *axispb.OutboxEntry, err error) {
	err = a.db.View(func(tx *bbolt.Tx) (err error) {
		e, err = outbox.In(tx).Get(id)
		return err
	})
	return e, err
}

// Outbox lists submissions, newest first.
func (a *Agent) Outbox(f outbox.Filter) (all []*axispb.OutboxEntry, err error) {
	err = a.db.View(func(tx *bbolt.Tx) (err error) {
		all, err = outbox.In(tx).List(f)
		return err
	})
	return all, err
}

// Inbox lists what an agency received. What its DMS has still to take is in
// STATE_CONSIGNED, urgent first, then as it was journaled.
func (a *Agent) Inbox(f inbox.Filter) (all []*axispb.InboxEntry, err error) {
	err = a.db.View(func(tx *bbolt.Tx) (err error) {
		all, err = inbox.In(tx).List(f)
		return err
	})
	return all, err
}

// Quarantined lists items from the axis that failed a check, at most limit.
func (a *Agent) Quarantined(limit int) (all []*axispb.QuarantineEntry, err error) {
	err = a.db.View(func(tx *bbolt.Tx) (err error) {
		all, err = inbox.In(tx).Quarantined(limit)
		return err
	})
	return all, err
}

// Lookup finds an agency in the directory by its code, or another of its codes;
// nil where none is known. It works without the axis.
func (a *Agent) Lookup(code string) (e *axispb.AgencyEntry, err error) {
	err = a.db.View(func(tx *bbolt.Tx) (err error) {
		e, err = directory.In(tx).Lookup(code)
		return err
	})
	return e, err
}

// Agencies lists the directory.
func (a *Agent) Agencies(f directory.Filter) (all []*axispb.AgencyEntry, err error) {
	err = a.db.View(func(tx *bbolt.Tx) (err error) {
		all, err = directory.In(tx).List(f)
		return err
	})
	return all, err
}

// Codes lists what this endpoint serves, as the directory has it.
func (a *Agent) Codes() (codes []string, err error) {
	err = a.db.View(func(tx *bbolt.Tx) (err error) {
		codes, err = directory.In(tx).Codes(a.Name())
		return err
	})
	return codes, err
}

// Received is a document of the inbox, with its content.
type Received struct {
	Entry    *axispb.InboxEntry
	Envelope *envelope.Envelope
	agent    *Agent
}

// Document gives a received document to be read, or inbox.ErrNotFound. Its files
// are here once its state is past FETCHING.
func (a *Agent) Document(key inbox.Key) (*Received, error) {
	r := &Received{agent: a}
	err := a.db.View(func(tx *bbolt.Tx) (err error) {
		r.Entry, err = inbox.In(tx).Get(key)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.Envelope, err = a.envelope(r.Entry.EnvelopeDigest)
	return r, err
}

// File opens a file of the document by its place in document.json; the caller
// closes it. Its digest is verified again, so that a rotten disk gives nobody another
// document; a damaged or lost file is then fetched again in the background, and the
// error says so: ask again later. It is REASON_RELEASED where the files are kept no
// longer, REASON_FILES_UNCHECKED until they were looked at where a policy asks for that, and
// why that refused them.
func (r *Received) File(i int) (*os.File, error) {
	if err := withheld(r.Entry); err != nil {
		return nil, err
	}
	return r.Kept(i)
}

// Kept is File for whoever looks at what lies here without giving it to the agency: a
// policy about signatures keeps nothing from it.
func (r *Received) Kept(i int) (*os.File, error) {
	contents, err := contentsOf(r.Envelope)
	if err != nil {
		return nil, err
	}
	if ms := r.Entry.ReleasedMs; ms != 0 {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_RELEASED, r.Entry.Id, reason.Time(time.UnixMilli(ms)))
	}
	if i < 0 || i >= len(contents) {
		return nil, fmt.Errorf("the document has %d files", len(contents))
	}
	f, err := r.agent.files.OpenWhole(contents[i].Digest)
	if errors.Is(err, files.ErrDamaged) || errors.Is(err, files.ErrNotFound) {
		return nil, r.agent.mend(r.Entry.Record.GetLeafIndex(), contents[i], err)
	}
	return f, err
}

// MarkFetched records that the DMS or a clerk took the content to read. It states
// nothing to anybody; Confirm does.
func (a *Agent) MarkFetched(ctx context.Context, key inbox.Key) error {
	err := a.db.Update(ctx, func(tx *bbolt.Tx) error { return inbox.In(tx).MarkFetched(key) })
	if err == nil {
		a.watch.changed(key.ID)
	}
	return err
}

// Confirm records that the DMS took a document, or that it refused it and why, and
// states it to the sender. Confirming the same again is fine and states nothing. A
// document confirmed without having been fetched is taken as taken, and the
// statement says so. The error is inbox.ErrState where the content is not here yet
// or the document was taken already and is now refused.
func (a *Agent) Confirm(ctx context.Context, key inbox.Key, ok bool, why string) error {
	repeated := false
	err := a.db.Update(ctx, func(tx *bbolt.Tx) error {
		e, err := inbox.In(tx).Get(key)
		if err != nil {
			return err
		}
		if err := withheld(e); ok && err != nil {
			return err
		}
		c := confirmation(e, ok, why)
		if repeated = e.State == evidence.StateAfter(c.event); repeated && !ok {
			return inbox.In(tx).Unlist(key, &axispb.Trouble{TimeMs: a.cfg.Now().UnixMilli(), Reason: c.reason})
		}
		if repeated {
			return nil
		}
		return a.enter(tx, key, c)
	})
	if err != nil || repeated {
		return err
	}
	a.watch.changed(key.ID)
	ring(a.wake.evidence)
	return nil
}

func confirmation(e *axispb.InboxEntry, ok bool, why string) claim {
	if ok {
		return claim{event: axispb.Event_EVENT_CONTENT_HANDOVER, unread: !e.Fetched}
	}
	return claim{
		event:  axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE,
		reason: &axispb.Reason{Code: axispb.ReasonCode_REASON_REFUSED_BY_DMS, Args: []string{clip(why)}},
	}
}
