package outbox

import (
	"errors"
	"fmt"
	"testing"

	"go.etcd.io/bbolt"

	"docaxis/proto/axispb"
)

func named(id, name string, edit ...func(*axispb.OutboxEntry)) *axispb.OutboxEntry {
	e := &axispb.OutboxEntry{Id: id, Sender: "H41", DocumentId: name, Kind: kindDocument}
	for _, f := range edit {
		f(e)
	}
	return e
}

func registered(year string) func(*axispb.OutboxEntry) {
	return func(e *axispb.OutboxEntry) { e.Number, e.Notation, e.Issued = "15", "UBND-VP", year+"-03-02" }
}

// A document's twin has its name, or its place in the year's register; a change has
// none, and what was refused is none.
func TestTwins(t *testing.T) {
	b := newBox(t)
	for _, e := range []*axispb.OutboxEntry{
		named("a", "one"),
		named("b", "two", registered("2026")),
		named("c", "one", func(e *axispb.OutboxEntry) { e.Kind = "update" }),
		named("d", "one", func(e *axispb.OutboxEntry) { e.Sender = "H42" }),
	} {
		b.do(func(o Outbox) error { return o.Add(e) })
	}
	for what, row := range map[string]struct {
		e    *axispb.OutboxEntry
		want string
	}{
		"of its name":       {named("x", "one"), "a"},
		"of its register":   {named("x", "three", registered("2026")), "b"},
		"of another year":   {named("x", "three", registered("2025")), ""},
		"a change":          {named("x", "one", func(e *axispb.OutboxEntry) { e.Kind = "recall" }), ""},
		"of its own":        {named("a", "one"), ""},
		"of another agency": {named("x", "one", func(e *axispb.OutboxEntry) { e.Sender = "H43" }), ""},
	} {
		b.do(func(o Outbox) error {
			got, err := o.Twin(row.e)
			if got != row.want {
				t.Errorf("%s: %q, not %q", what, got, row.want)
			}
			return err
		})
	}
	b.do(func(o Outbox) error {
		_, err := o.Reject("a", []byte("no"), nil, nil)
		return err
	})
	b.do(func(o Outbox) error {
		got, err := o.Twin(named("x", "one"))
		if got != "" {
			t.Errorf("what was refused is a twin: %s", got)
		}
		return err
	})
}

// What a DMS calls a submission finds it, and nothing else does.
func TestByDocID(t *testing.T) {
	b := newBox(t)
	b.do(func(o Outbox) error {
		return errors.Join(o.Add(named("a", "one")), o.Add(named("b", "two", func(e *axispb.OutboxEntry) { e.DocId = "doc" })))
	})
	for doc, want := range map[string]string{"a": "a", "doc": "b", "b": "", "": "", "x": ""} {
		b.do(func(o Outbox) error {
			e, err := o.ByDocID(doc)
			if e.GetId() != want || errors.Is(err, ErrNotFound) != (want == "") {
				t.Errorf("%q is %q: %v", doc, e.GetId(), err)
			}
			return nil
		})
	}
}

// A store that was written before there were names has them after the start.
func TestAnOlderStoreLearnsNames(t *testing.T) {
	b := newBox(t)
	b.do(func(o Outbox) error { return o.Add(named("a", "one")) })
	err := b.db.Update(func(tx *bbolt.Tx) error {
		return errors.Join(tx.DeleteBucket([]byte(nameBucket)), tx.DeleteBucket([]byte(docBucket)), Init(tx))
	})
	if err != nil {
		t.Fatal(err)
	}
	b.do(func(o Outbox) error {
		all, err := o.Named("H41", "one")
		if len(all) != 1 {
			t.Errorf("%d have the name", len(all))
		}
		return err
	})
}

// What waits for a seal is not retried but sealed, once.
func TestUnsealed(t *testing.T) {
	b := newBox(t)
	draft := func(e *axispb.OutboxEntry) { e.DraftDigest = make([]byte, 32) }
	b.do(func(o Outbox) error {
		return o.AddUnsealed(named("a", "one", draft), &axispb.Trouble{Detail: "no seal"})
	})
	if err := b.try(func(o Outbox) error { return o.AddUnsealed(named("b", "two"), nil) }); !errors.Is(err, ErrState) {
		t.Errorf("without a draft: %v", err)
	}
	if err := b.try(func(o Outbox) error { return o.Retry("a", start) }); !errors.Is(err, ErrState) {
		t.Errorf("retried: %v", err)
	}
	b.do(func(o Outbox) error { return o.Sealed("a", make([]byte, 32), make([]byte, 32), start) })
	if err := b.try(func(o Outbox) error { return o.Sealed("a", nil, nil, start) }); !errors.Is(err, ErrState) {
		t.Errorf("sealed twice: %v", err)
	}
	b.do(func(o Outbox) error {
		e, err := o.Get("a")
		if jobs, _ := o.Due(Small, start, 9); e.State != axispb.State_STATE_QUEUED || len(jobs) != 1 {
			t.Errorf("it is %s, %d are due", e.State, len(jobs))
		}
		return err
	})
}

// Of many documents of one name the newest count, so that one more costs no more.
func TestManyOfOneName(t *testing.T) {
	b := newBox(t)
	for i := range 3 * mostNamed {
		b.do(func(o Outbox) error { return o.Add(named(fmt.Sprintf("%03d", i), "one")) })
	}
	b.do(func(o Outbox) error { return o.Add(named("x", "onf")) })
	b.do(func(o Outbox) error {
		all, err := o.Named("H41", "one")
		if len(all) != mostNamed || all[0].Id != "064" || all[mostNamed-1].Id != "095" {
			t.Errorf("%d are looked at", len(all))
		}
		twin, err2 := o.Twin(named("y", "one"))
		if twin != "095" {
			t.Errorf("the twin is %s", twin)
		}
		return errors.Join(err, err2)
	})
}
