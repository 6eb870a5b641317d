package endpoint

import (
	"bytes"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"docaxis/endpoint/axistest"
	"docaxis/endpoint/inbox"
	"docaxis/internal/bus"
	"docaxis/internal/chunk"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/internal/sealtest"
	"docaxis/proto/axispb"
)

// tamper changes the answers of one service to one endpoint.
func (w *world) tamper(endpoint string, s bus.Service, f func(proto.Message)) {
	w.axis.Lock()
	defer w.axis.Unlock()
	w.axis.Tamper = func(who string, service bus.Service, resp proto.Message) {
		if who == endpoint && service == s {
			f(resp)
		}
	}
}

func (w *world) honest() {
	w.axis.Lock()
	defer w.axis.Unlock()
	w.axis.Tamper = nil
}

func flip(b []byte) {
	if len(b) > 0 {
		b[len(b)/2] ^= 1
	}
}

// Whatever is wrong with a receipt, it proves nothing: the document stays where it
// is and is offered again.
func TestBadReceiptsAreNotBelieved(t *testing.T) {
	edit := func(f func(r *axispb.Receipt)) func(*axispb.SubmitAnswer) {
		return func(a *axispb.SubmitAnswer) {
			var r axispb.Receipt
			_ = proto.Unmarshal(a.Receipt, &r)
			f(&r)
			a.Receipt, _ = proto.Marshal(&r)
		}
	}
	for name, change := range map[string]func(*axispb.SubmitAnswer){
		"empty":          func(a *axispb.SubmitAnswer) { a.Receipt = nil },
		"both":           func(a *axispb.SubmitAnswer) { a.Rejection = []byte("x") },
		"garbage":        func(a *axispb.SubmitAnswer) { a.Receipt = []byte("receipt") },
		"header":         edit(func(r *axispb.Receipt) { flip(r.Header) }),
		"decision":       edit(func(r *axispb.Receipt) { r.Decision = append(r.Decision, 0x78, 1) }),
		"inclusion":      edit(func(r *axispb.Receipt) { flip(r.Inclusion[0]) }),
		"leaf":           edit(func(r *axispb.Receipt) { r.LeafIndex-- }),
		"checkpoint":     edit(func(r *axispb.Receipt) { flip(r.Checkpoint) }),
		"false refusal":  func(a *axispb.SubmitAnswer) { a.Receipt, a.Rejection = nil, a.Receipt },
		"another record": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, from, _ := pair(t)
			first := from.send(draft("H41", "H42"))
			from.wait(first, axispb.State_STATE_CONSIGNED)
			if change == nil {
				e, _ := from.agent.Sent(first)
				change = func(a *axispb.SubmitAnswer) { a.Receipt = e.Receipt }
			}
			lies := 0
			w.tamper("from", bus.Submit, func(m proto.Message) {
				change(m.(*axispb.SubmitAnswer))
				lies++
			})
			id := from.send(draft("H41", "H42"))
			from.until("three lies", func() bool {
				w.axis.Lock()
				defer w.axis.Unlock()
				return lies >= 3
			})
			e, err := from.agent.Sent(id)
			if err != nil || e.State != axispb.State_STATE_SUBMITTED || len(e.Receipt)+len(e.Rejection) > 0 {
				t.Fatalf("%v, %v", e, err)
			}
			w.honest()
			from.wait(id, axispb.State_STATE_CONSIGNED)
		})
	}
}

// A refusal counts only for the very envelope that it names.
func TestRefusalOfAnotherEnvelope(t *testing.T) {
	w, from, _ := pair(t)
	d := draft("H41", "H42").about("H42", "01940000-0000-7000-8000-00000000000f", envelope.KindReply)
	refused := from.send(d)
	if err := from.waitErr(refused, axispb.State_STATE_ACCEPTED); err != ErrStuck {
		t.Fatalf("got %v", err)
	}
	e, _ := from.agent.Sent(refused)
	if e.State != axispb.State_STATE_REJECTED {
		t.Fatalf("state %s", e.State)
	}
	line, err := from.agent.Show(refused)
	if err != nil || len(line.Steps) != 2 || !line.Steps[1].Verified ||
		line.Steps[1].Reason.GetCode() != axispb.ReasonCode_REASON_UNKNOWN_TARGET {
		t.Fatalf("steps %+v, %v", line.Steps, err)
	}
	for _, other := range [][]byte{e.Rejection, w.axis.Refuse([]byte("another envelope")), e.Receipt, []byte("x")} {
		w.tamper("from", bus.Submit, func(m proto.Message) {
			a := m.(*axispb.SubmitAnswer)
			a.Receipt, a.Rejection = nil, other
		})
		id := from.send(draft("H41", "H42"))
		from.until("an attempt failed", func() bool { e, _ := from.agent.Sent(id); return e.Trouble != nil })
		w.honest()
		from.wait(id, axispb.State_STATE_CONSIGNED)
	}
}

// A log that forgets what it signed is caught, and the endpoint stays away from it
// until a person decides, also over a restart.
func TestSplitViewParksTheEndpoint(t *testing.T) {
	w, from, _ := pair(t)
	w.axis.SetOnline("from", false)
	w.axis.Fork()
	w.axis.SetOnline("from", true)
	parked := func() bool { return from.status().Parked != nil }
	from.until("parked", parked)
	if code := from.status().Parked.Reason.GetCode(); code != axispb.ReasonCode_REASON_SPLIT_VIEW {
		t.Fatalf("parked for %s", code)
	}
	from.restart()
	id := from.send(draft("H41", "H42"))
	if !parked() || from.status().Connected {
		t.Fatal("a restart made it forget")
	}
	if e, _ := from.agent.Sent(id); e.State != axispb.State_STATE_QUEUED {
		t.Fatalf("sent to a log that lies: %s", e.State)
	}
	if err := from.agent.Unpark(t.Context()); err != nil {
		t.Fatal(err)
	}
	from.until("parked again", func() bool { return parked() })
}

// One page without the right proof may be an accident; a log that never proves
// itself is none.
func TestUnprovenCheckpoints(t *testing.T) {
	w, from, _ := pair(t)
	lies := 1
	spoil := func(m proto.Message) {
		p := m.(*axispb.Page)
		if lies > 0 && len(p.Consistency) > 0 {
			flip(p.Consistency[0])
			lies--
		}
	}
	w.tamper("from", bus.Pull, spoil)
	id := from.send(draft("H41", "H42"))
	from.wait(id, axispb.State_STATE_CONSIGNED)
	if from.status().Parked != nil {
		t.Fatal("parked for one bad proof")
	}
	w.axis.Lock()
	lies = 1000
	w.axis.Unlock()
	w.axis.AdmitSeal("H41", sealtest.New(t, sealtest.Seal{}, "more").Certificate())
	from.until("parked", func() bool { return from.status().Parked != nil })
}

// Receipts under another history than the one that the mailbox shows.
func TestReceiptsOfAnotherHistory(t *testing.T) {
	w, from, _ := pair(t)
	honest := from.send(draft("H41", "H42"))
	from.wait(honest, axispb.State_STATE_CONSIGNED)
	from.until("compared", func() bool { return from.agent.receipted.Load() == nil })
	w.axis.Lock()
	w.axis.ForkReceipts = true
	w.axis.Unlock()
	from.send(draft("H41", "H42"))
	from.until("parked", func() bool { return from.status().Parked != nil })
	if code := from.status().Parked.Reason.GetCode(); code != axispb.ReasonCode_REASON_SPLIT_VIEW {
		t.Fatalf("parked for %s", code)
	}
}

// A bad item is put aside with its reason; those behind it come through.
func TestBadItemsBlockNothing(t *testing.T) {
	for name, spoil := range map[string]func(*axispb.Item){
		"body":      func(i *axispb.Item) { flip(i.Record.Body) },
		"header":    func(i *axispb.Item) { flip(i.Record.Header) },
		"inclusion": func(i *axispb.Item) { flip(i.Inclusion[0]) },
		"leaf":      func(i *axispb.Item) { i.LeafIndex++ },
		"code":      func(i *axispb.Item) { i.Code = "H99" },
		"no code":   func(i *axispb.Item) { i.Code = "" },
		"NUL":       func(i *axispb.Item) { i.Code = "H42\x00" },
		"no record": func(i *axispb.Item) { i.Record = nil },
		"journaled": func(i *axispb.Item) { i.Journaled = [][]byte{[]byte("x")} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, from, to := pair(t)
			once := true
			w.tamper("to", bus.Pull, func(m proto.Message) {
				for _, i := range m.(*axispb.Page).Items {
					if i.Lane == axispb.Lane_LANE_NORMAL && once {
						spoil(i)
						once = false
					}
				}
			})
			bad := from.send(draft("H41", "H42"))
			from.wait(bad, axispb.State_STATE_ACCEPTED)
			to.until("put aside", func() bool { q, _ := to.agent.Quarantined(10); return len(q) == 1 })
			good := from.send(draft("H41", "H42"))
			from.wait(good, axispb.State_STATE_CONSIGNED)
			q, _ := to.agent.Quarantined(10)
			if len(q) != 1 || q[0].Reason == nil || q[0].Item == nil {
				t.Fatalf("put aside: %v", q)
			}
			if all, _ := to.agent.Inbox(inbox.Filter{Code: "H42"}); len(all) != 1 {
				t.Fatalf("%d entries", len(all))
			}
		})
	}
}

// Rows that come again behind newer ones do not lead the cursors back.
func TestCursorsNeverGoBack(t *testing.T) {
	w, from, to := pair(t)
	var old *axispb.Item
	w.tamper("to", bus.Pull, func(m proto.Message) {
		p := m.(*axispb.Page)
		for _, i := range p.Items {
			if i.Lane == axispb.Lane_LANE_NORMAL && old == nil {
				old = proto.Clone(i).(*axispb.Item)
			}
		}
		if old != nil {
			p.Items = append(p.Items, old)
		}
	})
	for range 3 {
		from.wait(from.send(draft("H41", "H42")), axispb.State_STATE_CONSIGNED)
	}
	c := cursor(to.status().Progress, axispb.Lane_LANE_NORMAL)
	if c.Position <= old.Position+1 {
		t.Fatalf("the cursor went back to %d", c.Position)
	}
}

// The axis checked the seal; the endpoint does not rely on it, and says so to the
// sender.
func TestDocumentsWithABadSealAreNotConsigned(t *testing.T) {
	w, from, to := pair(t)
	stranger := sealtest.New(t, sealtest.Seal{}, "stranger")
	for name, c := range map[string]struct {
		key  sealtest.Seal
		edit func(*axispb.Envelope)
		want axispb.ReasonCode
	}{
		"not admitted": {key: stranger, want: axispb.ReasonCode_REASON_SEAL_FAILED},
		"broken":       {key: from.seals["H41"], edit: func(e *axispb.Envelope) { e.Signature[len(e.Signature)-1] ^= 1 }, want: axispb.ReasonCode_REASON_SEAL_FAILED},
		"contents":     {key: from.seals["H41"], edit: func(e *axispb.Envelope) { e.Contents = nil }, want: axispb.ReasonCode_REASON_MALFORMED},
	} {
		doc := draft("H41", "H42").Document
		doc.Version = 1
		doc.Created = from.now()
		doc.ID, _ = from.agent.newID()
		file, _ := chunk.Read(bytes.NewReader([]byte("file")))
		raw, err := envelope.Seal(&doc, []envelope.File{{Title: "a.pdf", Content: file}},
			envelope.Key{Signer: c.key.Key, Chain: c.key.Chain})
		if err != nil {
			t.Fatal(err)
		}
		if c.edit != nil {
			var pb axispb.Envelope
			_ = proto.Unmarshal(raw, &pb)
			c.edit(&pb)
			raw, _ = proto.Marshal(&pb)
		}
		w.axis.InjectDocument(raw, "H42")
		if err := to.waitErr(doc.ID, axispb.State_STATE_CONSIGNED); err != ErrStuck {
			t.Fatalf("%s: %v", name, err)
		}
		e := to.received(doc.ID, "H42")
		if e.State != axispb.State_STATE_CONSIGNMENT_FAILED || e.Trouble.GetReason().GetCode() != c.want || len(e.Evidence) != 1 {
			t.Errorf("%s: %v", name, e)
		}
	}
	if q, _ := to.agent.Quarantined(10); len(q) != 0 {
		t.Errorf("put aside: %v", q)
	}
	// An envelope that does not even say who sent it cannot be answered.
	w.axis.InjectDocument([]byte("no envelope"), "H42")
	to.until("put aside", func() bool { q, _ := to.agent.Quarantined(10); return len(q) == 1 })
}

// The registry's record of a seal may come with the page after the document's.
func TestASealThatIsKnownALittleLate(t *testing.T) {
	w := newWorld(t)
	from, to := w.office("from", "H41"), w.office("to", "H42")
	once := true
	w.tamper("to", bus.Pull, func(m proto.Message) {
		p := m.(*axispb.Page)
		if !once || len(p.Items) == 0 || p.Items[len(p.Items)-1].Lane != axispb.Lane_LANE_NORMAL {
			return
		}
		once = false
		p.Items = p.Items[len(p.Items)-1:]
	})
	from.start().synced("H42")
	id := from.send(draft("H41", "H42"))
	from.wait(id, axispb.State_STATE_ACCEPTED)
	to.start()
	to.wait(id, axispb.State_STATE_CONSIGNED)
	if once {
		t.Fatal("the document came with its seal")
	}
}

// Chunks that do not make up the file can never be fetched: the sender is told.
func TestFileThatIsNotWhatWasSealed(t *testing.T) {
	for name, begin := range map[string]func(*testing.T) (*world, *office, *office){"asked for": pair, "with the page": carrying} {
		t.Run(name, func(t *testing.T) { notWhatWasSealed(t, begin) })
	}
}

func notWhatWasSealed(t *testing.T, begin func(*testing.T) (*world, *office, *office)) {
	w, from, to := begin(t)
	w.axis.SetOnline("to", false)
	id := from.send(draft("H41", "H42").with(noise(5000)))
	from.wait(id, axispb.State_STATE_ACCEPTED)
	e, _ := from.agent.Sent(id)
	env, err := from.agent.envelope(e.EnvelopeDigest)
	if err != nil {
		t.Fatal(err)
	}
	pb := proto.Clone(env.Pb).(*axispb.Envelope)
	other := noise(5001)[:5000]
	file, _ := chunk.Read(bytes.NewReader(other))
	pb.Contents[0].Chunks = [][]byte{file.Chunks[0][:]}
	raw, _ := proto.Marshal(pb)
	w.axis.Hold("from", other)
	w.axis.InjectDocument(raw, "H42")
	w.axis.Forget("H42", 0)
	w.axis.SetOnline("to", true)
	if err := to.waitErr(id, axispb.State_STATE_CONSIGNED); err != ErrStuck {
		t.Fatalf("got %v", err)
	}
	if r := to.received(id, "H42").Trouble.GetReason(); r.GetCode() != axispb.ReasonCode_REASON_DIGEST_MISMATCH {
		t.Fatalf("reason %v", r)
	}
}

// While the axis gives the wrong bytes the document waits; when it gives the right
// ones it arrives.
func TestWrongBytesAreAskedForAgain(t *testing.T) {
	w, from, to := pair(t)
	lies := 5
	w.tamper("to", bus.Get, func(m proto.Message) {
		if lies > 0 {
			flip(m.(*axispb.GetAnswer).Data)
			lies--
		}
	})
	body := noise(100_000)
	id := from.send(draft("H41", "H42").with(body))
	to.until("it is there", func() bool { l, err := to.agent.Show(id); return err == nil && len(l.Received) == 1 })
	to.wait(id, axispb.State_STATE_CONSIGNED)
	if !bytes.Equal(to.content(id, "H42", 0), body) {
		t.Error("the content is different")
	}
}

// Evidence changes a state only when it is about our document, by who may say it,
// and counts.
func TestEvidenceThatDoesNotCount(t *testing.T) {
	w, from, to := pair(t)
	third := w.office("third", "H43").start().synced("H43")
	id := from.send(draft("H41", "H42"))
	from.wait(id, axispb.State_STATE_CONSIGNED)
	to.wait(id, axispb.State_STATE_CONSIGNED)
	e, _ := from.agent.Sent(id)
	entry := proto.Clone(to.received(id, "H42")).(*axispb.InboxEntry)
	sign := func(by *office, edit func(*axispb.Statement)) []byte {
		t.Helper()
		own, err := from.agent.trust.Receipt(e.Receipt, nil)
		if err != nil {
			t.Fatal(err)
		}
		st := &axispb.Statement{
			Version: 1, Event: axispb.Event_EVENT_CONTENT_HANDOVER, Issuer: by.name, Counter: 77, TimeMs: by.now().UnixMilli(),
			Document: entry.Record, Commitment: own.Commitment[:], Sender: "H41", EnvelopeId: id,
			ManifestDigest: entry.ManifestDigest, Code: "H42", Checkpoint: to.status().Progress.Seen,
		}
		if edit != nil {
			edit(st)
		}
		raw, err := by.agent.signer.Load().Sign(st)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	first := axispb.Standing_STANDING_FIRST
	bad := [][]byte{
		sign(third, nil),
		sign(to, func(s *axispb.Statement) { s.Code = "H43" }),
		sign(to, func(s *axispb.Statement) { s.ManifestDigest = make([]byte, 32) }),
		sign(to, func(s *axispb.Statement) { s.Commitment = make([]byte, 32) }),
		sign(to, func(s *axispb.Statement) { s.EnvelopeId = "another" }),
		sign(to, func(s *axispb.Statement) { s.Checkpoint.Root = make([]byte, 32) }),
		slices.Concat(sign(to, nil), []byte("x")),
	}
	for i, raw := range bad {
		w.axis.Inject("H41", id, raw, first)
		from.until("put aside", func() bool { q, _ := from.agent.Quarantined(20); return len(q) == i+1 })
	}
	w.axis.Inject("H41", id, sign(to, nil), axispb.Standing_STANDING_CONTRARY)
	from.until("the contrary one is recorded", func() bool {
		line, err := from.agent.Show(id)
		return err == nil && len(line.Recipients[0].Steps) == 3
	})
	from.wait(id, axispb.State_STATE_CONSIGNED)
	line, _ := from.agent.Show(id)
	if s := line.Recipients[0].State; s != axispb.State_STATE_CONSIGNED {
		t.Fatalf("state %s", s)
	}
}

func TestDeadlineAndLateConsignment(t *testing.T) {
	w, from, to := pair(t)
	w.axis.SetOnline("to", false)
	id := from.send(draft("H41", "H42"))
	from.wait(id, axispb.State_STATE_ACCEPTED)
	w.axis.Expire("H41", id, "H42")
	from.wait(id, axispb.State_STATE_CONSIGNMENT_FAILED)
	w.axis.SetOnline("to", true)
	to.wait(id, axispb.State_STATE_CONSIGNED)
	from.until("the late consignment counts", func() bool { return from.waitErr(id, axispb.State_STATE_CONSIGNED) == nil })
}

// What only a person can mend waits for one, and says why.
func TestPermanentTroubleParksTheSubmission(t *testing.T) {
	w, from, _ := pair(t)
	w.axis.Lock()
	w.axis.Hook = func(_ string, s bus.Service, _ string) error {
		if s == bus.Submit {
			return reason.Permanent(axispb.ReasonCode_REASON_QUOTA, "documents")
		}
		return nil
	}
	w.axis.Unlock()
	id := from.send(draft("H41", "H42"))
	if err := from.waitErr(id, axispb.State_STATE_ACCEPTED); err != ErrStuck {
		t.Fatalf("got %v", err)
	}
	e, _ := from.agent.Sent(id)
	if e.State != axispb.State_STATE_PARKED || e.Trouble.GetReason().GetCode() != axispb.ReasonCode_REASON_QUOTA {
		t.Fatalf("got %v", e)
	}
	w.axis.Lock()
	w.axis.Hook = nil
	w.axis.Unlock()
	if err := from.agent.Retry(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	from.wait(id, axispb.State_STATE_CONSIGNED)
}

// Large content that does not get through holds up nothing else.
func TestLargeDocumentsHoldUpNothing(t *testing.T) {
	w, from, _ := pair(t)
	w.axis.Lock()
	stuck := true
	w.axis.Hook = func(_ string, s bus.Service, _ string) error {
		if s == bus.Put && stuck {
			return axistest.Away()
		}
		return nil
	}
	w.axis.Unlock()
	large := from.send(draft("H41", "H42").with(noise(2 << 20)))
	small := from.send(draft("H41", "H42"))
	from.wait(small, axispb.State_STATE_CONSIGNED)
	if e, _ := from.agent.Sent(large); e.State != axispb.State_STATE_QUEUED {
		t.Fatalf("the large one is %s", e.State)
	}
	w.axis.Lock()
	stuck = false
	w.axis.Unlock()
	from.wait(large, axispb.State_STATE_CONSIGNED)
}
