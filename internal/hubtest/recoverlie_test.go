package hubtest_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"fmt"
	"log/slog"
	"math"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/endpoint/link"
	"docaxis/endpoint/outbox"
	"docaxis/internal/bus"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// loot is what an endpoint could know of the records of a gap: bodies as they were
// journaled, and the receipts that senders were given.
type loot struct {
	records  []*axispb.Record
	receipts map[uint64][]byte // by leaf index
	byID     map[string]uint64
}

func gather(t *testing.T, w *hubtest.World, of ...string) loot {
	t.Helper()
	l := loot{receipts: map[uint64][]byte{}, byID: map[string]uint64{}}
	for _, raw := range journalBytes(t, w) {
		l.records = append(l.records, blockOf(raw).Records...)
	}
	for _, code := range of {
		sent, err := w.Member(code).Agent().Outbox(outbox.Filter{Limit: math.MaxInt})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range sent {
			if len(o.Receipt) == 0 {
				continue
			}
			r := receiptOf(t, o.Receipt)
			l.receipts[r.LeafIndex], l.byID[o.Id] = o.Receipt, r.LeafIndex
		}
	}
	return l
}

func receiptOf(t *testing.T, raw []byte) *axispb.Receipt {
	t.Helper()
	r := new(axispb.Receipt)
	if err := proto.Unmarshal(raw, r); err != nil {
		t.Fatal(err)
	}
	return r
}

// liar is an endpoint's connection and key with none of its manners.
type liar struct {
	t    *testing.T
	conn *bus.Conn
	id   link.Identity
}

func lying(t *testing.T, m *hubtest.Member) liar {
	t.Helper()
	id, err := link.LoadIdentity(m.Dir)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := bus.Dial(t.Context(), bus.DialConfig{
		Address: id.Address, Endpoint: id.Endpoint, Certificate: id.Certificate, CA: id.CA,
		Log: slog.New(slog.DiscardHandler), Wait: 10 * time.Millisecond, MaxWait: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	eventually(t, "the liar is connected", func() error {
		if !conn.Connected() {
			return fmt.Errorf("not yet")
		}
		return nil
	})
	return liar{t, conn, id}
}

func (l liar) ask(req *axispb.RecoverRequest) (*axispb.RecoverAnswer, error) {
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	answer := new(axispb.RecoverAnswer)
	return answer, l.conn.Call(ctx, bus.Recover, req, answer)
}

// offer offers records of an earlier epoch and gives what was said of each.
func (l liar) offer(epoch uint64, records ...[]byte) []*axispb.RecoverOutcome {
	l.t.Helper()
	answer, err := l.ask(&axispb.RecoverRequest{Epoch: epoch, Records: records})
	if err != nil || len(answer.Outcomes) != len(records) {
		l.t.Fatalf("%d outcomes for %d records (%v)", len(answer.GetOutcomes()), len(records), err)
	}
	return answer.Outcomes
}

func pastOf(t *testing.T, body, receipt []byte, hints ...evidence.Hint) []byte {
	t.Helper()
	raw, err := evidence.NewRecovered(body, receipt, hints...)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// changed is a receipt with something else in it.
func changed(t *testing.T, raw []byte, change func(*axispb.Receipt)) []byte {
	t.Helper()
	r := receiptOf(t, raw)
	change(r)
	return wire(t, r)
}

// claim is a statement of the liar that it holds the copy of another.
func (l liar) claim(body, receipt []byte, code string) []byte {
	l.t.Helper()
	r := receiptOf(l.t, receipt)
	commitment := evidence.Commitment(r.Header)
	e, err := envelope.Parse(body)
	if err != nil {
		l.t.Fatal(err)
	}
	signer, err := evidence.NewSigner(l.id.Certificate.PrivateKey.(crypto.Signer), l.id.Certificate.Certificate[0])
	if err != nil {
		l.t.Fatal(err)
	}
	raw, err := signer.Sign(&axispb.Statement{
		Version: 1, Issuer: l.id.Endpoint, Counter: 1 << 40, TimeMs: time.Now().UnixMilli(), Code: code,
		Event: axispb.Event_EVENT_CONTENT_CONSIGNMENT, Commitment: commitment[:],
		Sender: e.Document.Sender, EnvelopeId: e.Document.ID, ManifestDigest: e.ManifestDigest[:],
		Checkpoint: &axispb.CheckpointRef{Epoch: 1, Size: r.LeafIndex + 1, Root: emptyRoot()},
		Document:   &axispb.RecordRef{Epoch: 1, LeafIndex: r.LeafIndex},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return raw
}

// Promise 8 against an endpoint that lies when it gives back: whatever was not
// journaled as it says, or is not its to give, is refused with a reason; nothing
// changes by it, and what honest endpoints give back comes all the same.
func TestALyingEndpointInARecovery(t *testing.T) {
	t.Parallel()
	g := newGap(t, hubtest.Config{})
	l := gather(t, g.w, "G22", "H41.11", lateCode)
	for _, m := range g.w.Members() {
		if err := m.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	g.setBack(marked)
	epoch := status(t, g.w).Epoch
	a := lying(t, g.w.Member("H41.11"))

	mine := l.byID[g.pending.id] // H41.11 is a recipient, and H41 another
	body, receipt := l.records[mine].Body, l.receipts[mine]
	var others, registry, old uint64
	for leaf := range uint64(len(l.records)) {
		switch h := headerOf(l.records[leaf]); {
		case leaf >= g.old.Size && h.Kind == axispb.Kind_KIND_REGISTRY:
			registry = leaf
		case h.Kind == axispb.Kind_KIND_DOCUMENT && l.receipts[leaf] != nil && leaf < g.old.Size:
			old = leaf
		}
	}
	for id, leaf := range l.byID {
		if leaf >= g.old.Size && id != g.pending.id && !bytes.Contains(l.records[leaf].Body, []byte("H41.11")) {
			others = leaf
		}
	}
	if mine < g.old.Size || others == 0 || registry == 0 || old == 0 {
		t.Fatalf("the gap lacks something: %d, %d, %d, %d", mine, others, registry, old)
	}
	garbage := make([]byte, 400<<10)
	_, _ = rand.Read(garbage)

	before := dump(t, g.w)
	for _, c := range []struct {
		name, want string
		record     []byte
	}{
		{"a signature of nobody", "UNKNOWN_RECORD", pastOf(t, body, changed(t, receipt, func(r *axispb.Receipt) {
			at := bytes.LastIndexByte(r.Checkpoint[:len(r.Checkpoint)-1], ' ')
			r.Checkpoint[at+20] ^= 1 // within the base64 of the signature
		}))},
		{"a proof of another tree", "UNKNOWN_RECORD", pastOf(t, body, changed(t, receipt, func(r *axispb.Receipt) {
			r.Inclusion[0][0] ^= 1
		}))},
		{"another decision", "UNKNOWN_RECORD", pastOf(t, body, changed(t, receipt, func(r *axispb.Receipt) {
			r.Decision = wire(t, &axispb.Decision{Endpoint: a.id.Endpoint, Document: &axispb.DocumentDecision{}})
		}))},
		{"another decision, in a header that has it", "UNKNOWN_RECORD", pastOf(t, body, changed(t, receipt, func(r *axispb.Receipt) {
			r.Decision = wire(t, &axispb.Decision{Endpoint: a.id.Endpoint, Document: &axispb.DocumentDecision{}})
			h := headerOf(&axispb.Record{Header: r.Header})
			digest := evidence.Commitment(r.Decision) // SHA-256
			h.DecisionDigest = digest[:]
			r.Header = wire(t, h)
		}))},
		{"another body", "UNKNOWN_RECORD", pastOf(t, append(bytes.Clone(body), 0), receipt)},
		{"the receipt of another record", "UNKNOWN_RECORD", pastOf(t, l.records[others].Body, receipt)},
		{"another leaf", "UNKNOWN_RECORD", pastOf(t, body, changed(t, receipt, func(r *axispb.Receipt) { r.LeafIndex++ }))},
		{"a registry change that was never journaled", "UNKNOWN_RECORD", pastOf(t, wire(t, &axispb.RegistryChange{
			Version: 1, Actor: "x", Changes: []*axispb.Change{{Change: &axispb.Change_ServeCode{
				ServeCode: &axispb.ServeCode{Code: "G22", Endpoint: a.id.Endpoint},
			}}},
		}), receipt)},
		{"a registry change under a document's receipt", "UNKNOWN_RECORD", pastOf(t, l.records[registry].Body, receipt)},
		{"a document of others", "FORBIDDEN", pastOf(t, l.records[others].Body, l.receipts[others])},
		{"a document, claimed for the code of another", "UNKNOWN_RECORD", pastOf(t, body, receipt,
			evidence.Hint{Evidence: a.claim(body, receipt, "H41"), Receipt: receipt})},
		{"a document of others, claimed", "FORBIDDEN", pastOf(t, l.records[others].Body, l.receipts[others],
			evidence.Hint{Evidence: a.claim(l.records[others].Body, l.receipts[others], "H41")})},
		{"garbage", "UNKNOWN_RECORD", garbage},
		{"nothing", "UNKNOWN_RECORD", nil},
	} {
		o := a.offer(epoch, c.record)[0]
		if got := o.GetRefused().GetCode().String(); got != "REASON_"+c.want {
			t.Errorf("%s: %v, not %s", c.name, o, c.want)
		}
		if after := dump(t, g.w); after != before {
			t.Fatalf("%s changed the ledger", c.name)
		}
	}

	// What is here already is answered with the record that has it.
	for _, o := range a.offer(epoch, pastOf(t, l.records[old].Body, l.receipts[old])) {
		if o.GetRecord().GetLeafIndex() != old || o.GetRecord().GetEpoch() != 1 {
			t.Errorf("a record before the base: %v", o)
		}
	}
	// More than a request may have.
	for name, req := range map[string]*axispb.RecoverRequest{
		"1 MiB":               {Epoch: epoch, Records: [][]byte{garbage, garbage, garbage}},
		"too many records":    {Epoch: epoch, Records: make([][]byte, 1001)},
		"a forged epoch":      {Epoch: epoch, Epochs: [][]byte{garbage[:100]}},
		"a forged checkpoint": {Epoch: epoch, Checkpoint: changedNote(receiptOf(t, receipt).Checkpoint)},
	} {
		if answer, err := a.ask(req); err == nil {
			t.Errorf("%s: %v", name, answer)
		}
	}
	if after := dump(t, g.w); after != before {
		t.Fatal("nothing was taken, and the ledger changed")
	}
	if now := status(t, g.w).Epoch; now != epoch {
		t.Fatalf("a lie opened epoch %d", now)
	}

	// The same twice is one record, and nobody's copy is the liar's by its own word.
	both := a.offer(epoch,
		pastOf(t, body, receipt, evidence.Hint{Evidence: a.claim(body, receipt, "H41")}), pastOf(t, body, receipt))
	if both[0].Record == nil || !proto.Equal(both[0].Record, both[1].Record) {
		t.Errorf("the same twice: %v", both)
	}
	a.conn.Close()
	for _, m := range g.w.Members() {
		if m.Code != "H41" {
			if err := m.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	g.cameBack()

	// A record of the present is nobody's to give back.
	now := gather(t, g.w, "G22", "H41.11", lateCode)
	var present uint64
	for leaf := range now.receipts {
		if receiptEpoch(t, now.receipts[leaf]) == epoch {
			present = leaf
		}
	}
	if err := g.w.Member("H41.11").Stop(); err != nil || present == 0 {
		t.Fatal(present, err)
	}
	a = lying(t, g.w.Member("H41.11"))
	o := a.offer(epoch, pastOf(t, now.records[present].Body, now.receipts[present]))[0]
	if o.GetRefused().GetCode() != axispb.ReasonCode_REASON_UNKNOWN_RECORD {
		t.Errorf("a record of the present epoch: %v", o)
	}
}

func receiptEpoch(t *testing.T, raw []byte) uint64 {
	t.Helper()
	return headerOf(&axispb.Record{Header: receiptOf(t, raw).Header}).Epoch
}

// changedNote is a checkpoint that shows more than was signed.
func changedNote(note []byte) []byte {
	lines := bytes.SplitN(bytes.Clone(note), []byte("\n"), 3)
	return bytes.Join([][]byte{lines[0], append(lines[1], '9'), lines[2]}, []byte("\n"))
}
