package outbox

import (
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

// receiptOf is a receipt that says into how many mailboxes a document went.
func receiptOf(rows uint32) []byte {
	d, _ := proto.Marshal(&axispb.Decision{Document: &axispb.DocumentDecision{Rows: rows}})
	r, _ := proto.Marshal(&axispb.Receipt{Version: 1, Decision: d})
	return r
}

func recipient(code string, s axispb.State, at time.Time) *axispb.RecipientEntry {
	return &axispb.RecipientEntry{Code: code, State: s, SinceMs: at.UnixMilli()}
}

// A submission's files are needed until every recipient has an end, or the deadline
// has passed.
func TestFinished(t *testing.T) {
	later, latest := start.Add(time.Hour), start.Add(2*time.Hour)
	rejection, _ := proto.Marshal(&axispb.Statement{TimeMs: later.UnixMilli()})
	rejection, _ = proto.Marshal(&axispb.Evidence{Statement: rejection})
	withdrawn, failed := axispb.State_STATE_WITHDRAWN, axispb.State_STATE_CONSIGNMENT_FAILED
	tests := map[string]struct {
		state      axispb.State
		grouped    bool
		rows       uint32
		recipients []*axispb.RecipientEntry
		deadline   time.Time
		since      time.Time // zero: not finished
	}{
		"queued":                {state: queued, deadline: start},
		"parked":                {state: parked, deadline: start},
		"refused":               {state: rejected, since: later},
		"nobody has it":         {state: accepted, recipients: []*axispb.RecipientEntry{recipient("a", accepted, start)}},
		"one has it":            {state: accepted, recipients: []*axispb.RecipientEntry{recipient("a", consigned, later), recipient("b", accepted, start)}},
		"all have it":           {state: accepted, recipients: []*axispb.RecipientEntry{recipient("a", consigned, latest), recipient("b", handed, later)}, since: latest},
		"one will never":        {state: accepted, recipients: []*axispb.RecipientEntry{recipient("a", consigned, later), recipient("b", failed, latest)}, since: latest},
		"one was refused":       {state: accepted, recipients: []*axispb.RecipientEntry{recipient("a", rejected, start), recipient("b", withdrawn, later)}, since: later},
		"deadline to come":      {state: accepted, recipients: []*axispb.RecipientEntry{recipient("a", accepted, start)}, deadline: latest.Add(time.Hour)},
		"deadline passed":       {state: accepted, recipients: []*axispb.RecipientEntry{recipient("a", accepted, start)}, deadline: later, since: later},
		"group of two, one did": {state: accepted, grouped: true, rows: 2, recipients: []*axispb.RecipientEntry{recipient("a", consigned, later)}},
		"group of two did":      {state: accepted, grouped: true, rows: 2, recipients: []*axispb.RecipientEntry{recipient("a", consigned, later), recipient("b", handed, latest)}, since: latest},
		"group, nobody yet":     {state: accepted, grouped: true, rows: 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			e := &axispb.OutboxEntry{Id: "x", State: tt.state, Grouped: tt.grouped, CreatedMs: start.UnixMilli(), Rejection: rejection, Receipt: receiptOf(tt.rows)}
			b.do(func(o Outbox) error {
				for _, r := range tt.recipients {
					raw, err := proto.Marshal(r)
					if err == nil {
						err = o.recipients.Put(pairKey("x", r.Code), raw)
					}
					if err != nil {
						return err
					}
				}
				since, ok, err := o.Finished(e, tt.deadline, latest)
				if ok == tt.since.IsZero() || ok && !since.Equal(tt.since) {
					t.Errorf("finished %t since %s, want %s", ok, since, tt.since)
				}
				for _, r := range tt.recipients {
					err = errors.Join(err, o.recipients.Delete(pairKey("x", r.Code)))
				}
				return err
			})
		})
	}
}

func TestReleaseOnlyWhatIsFinished(t *testing.T) {
	b := newBox(t)
	b.add("x")
	release := func() error {
		return b.try(func(o Outbox) error { return o.Release("x", start, start.Add(time.Hour)) })
	}
	if err := release(); !errors.Is(err, ErrState) {
		t.Errorf("before the axis answered: %v", err)
	}
	b.do(func(o Outbox) error { _, err := o.Reject("x", []byte("no"), nil, nil); return err })
	if err := errors.Join(release(), release()); err != nil {
		t.Error(err)
	}
	b.do(func(o Outbox) error {
		e, err := o.Get("x")
		if e.ReleasedMs != start.Add(time.Hour).UnixMilli() {
			t.Errorf("released at %d", e.ReleasedMs)
		}
		counts, err2 := o.Counts()
		if counts[rejected] != 1 || len(counts) != 1 {
			t.Errorf("counts %v", counts)
		}
		return errors.Join(err, err2)
	})
}
