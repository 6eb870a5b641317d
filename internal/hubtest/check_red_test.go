package hubtest_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"
	"google.golang.org/protobuf/proto"

	"docaxis/endpoint"
	"docaxis/endpoint/link"
	"docaxis/internal/evidence"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// A checker that cannot complain proves nothing: here every property is broken, one
// at a time, and the checker must say so.
func TestTheCheckerComplains(t *testing.T) {
	w := world(t, hubtest.Config{})
	joinAll(t, w)
	x := newExchange(t, w, 7)
	x.play()
	if err := hubtest.Check(t.Context(), w); err != nil {
		t.Fatalf("an honest world: %v", err)
	}
	for _, c := range tampers(t, w, x) {
		t.Run(c.name, func(t *testing.T) {
			s, err := hubtest.Look(t.Context(), w)
			if err != nil {
				t.Fatal(err)
			}
			c.tamper(s)
			if err := s.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("no complaint of %q, but\n%v", c.want, err)
			}
		})
	}
	if err := hubtest.Check(t.Context(), w); err != nil {
		t.Fatalf("the honest world again: %v", err)
	}
}

// tamper breaks something of what was seen; want is said about it.
type tamper struct {
	name, want string
	tamper     func(s *hubtest.Seen)
}

func tampers(t *testing.T, w *hubtest.World, x *exchange) []tamper {
	return slices.Concat(heldTampers(), journalTampers(), forgeries(t, w, x), senderTampers(x), receiverTampers(x), axisTampers(t, x))
}

// heldTampers are receipts that somebody says to have been shown.
func heldTampers() []tamper {
	held := func(body []byte) func(s *hubtest.Seen) {
		return func(s *hubtest.Seen) {
			for _, e := range s.Endpoints {
				for _, o := range e.Outbox {
					s.Held = append(s.Held, hubtest.Held{Who: "somebody was shown " + o.Id, Receipt: o.Receipt[:len(o.Receipt)/2], Body: body})
				}
			}
		}
	}
	return []tamper{
		{"a receipt that was shown proves nothing", "somebody was shown", held(nil)},
		{"a receipt that was shown is of another body", "somebody was shown", held([]byte("x"))},
	}
}

func journalTampers() []tamper {
	alter := func(kind axispb.Kind, f func(*axispb.RecordHeader, *axispb.Record)) func(*hubtest.Seen) {
		return func(s *hubtest.Seen) { rewrite(s, kind, f) }
	}
	return []tamper{
		{"the last block is gone", "the axis tells of", func(s *hubtest.Seen) { s.Blocks = s.Blocks[:len(s.Blocks)-1] }},
		{"a receipt's record is gone", "it was lost", func(s *hubtest.Seen) { s.Blocks = s.Blocks[:len(s.Blocks)/2] }},
		{"a block in the middle is gone", "it has number", func(s *hubtest.Seen) { s.Blocks = slices.Delete(s.Blocks, 5, 6) }},
		{"a block is no block", "block 5:", func(s *hubtest.Seen) { s.Blocks[5] = []byte("x") }},
		{"a block names another before it", "names another block before it", func(s *hubtest.Seen) {
			reblock(s, 5, func(b *axispb.Block) { b.PreviousDigest = make([]byte, 32) })
		}},
		{"a block begins elsewhere", "it begins at leaf", func(s *hubtest.Seen) {
			reblock(s, 5, func(b *axispb.Block) { b.FirstLeaf++ })
		}},
		{"a block was made on another tree", "made on another tree", func(s *hubtest.Seen) {
			reblock(s, 5, func(b *axispb.Block) { b.RootBefore = make([]byte, 32) })
		}},
		{"a body is not what its header commits to", "not what its header committed to", func(s *hubtest.Seen) {
			reblock(s, 5, func(b *axispb.Block) { b.Records[0].Body = append(b.Records[0].Body, 0) })
		}},
		{"another history, well chained", "the journal has another record at", alter(
			axispb.Kind_KIND_DOCUMENT, func(h *axispb.RecordHeader, _ *axispb.Record) { h.Nonce[0]++ })},
		{"another history under a checkpoint that was seen", "saw another root", alter(
			axispb.Kind_KIND_REGISTRY, func(h *axispb.RecordHeader, _ *axispb.Record) { h.Nonce[0]++ })},
		{"recipients were decided otherwise", "its recipients were decided as", alter(
			axispb.Kind_KIND_DOCUMENT, func(_ *axispb.RecordHeader, r *axispb.Record) {
				redecide(r, func(d *axispb.Decision) { d.Document.Rows++ })
			})},
		{"submitted by who does not act for the sender", "does not act for", alter(
			axispb.Kind_KIND_DOCUMENT, func(_ *axispb.RecordHeader, r *axispb.Record) {
				redecide(r, func(d *axispb.Decision) { d.Endpoint = "nobody" })
			})},
		{"a standing that does not follow", "was given the standing", alter(
			axispb.Kind_KIND_EVIDENCE, func(_ *axispb.RecordHeader, r *axispb.Record) {
				redecide(r, func(d *axispb.Decision) { d.Evidence.Standing = axispb.Standing_STANDING_SUPERSEDES })
			})},
		{"time goes back", "its time goes back", alter(
			axispb.Kind_KIND_EVIDENCE, func(h *axispb.RecordHeader, _ *axispb.Record) { h.TimeMs = 1 })},
		{"a record of another epoch", "epoch 9 in a block of epoch 1", alter(
			axispb.Kind_KIND_EVIDENCE, func(h *axispb.RecordHeader, _ *axispb.Record) { h.Epoch = 9 })},
	}
}

// forgeries are blocks that an axis with everybody's keys could append.
func forgeries(t *testing.T, w *hubtest.World, x *exchange) []tamper {
	repeat := func(kind axispb.Kind) func(s *hubtest.Seen) {
		return func(s *hubtest.Seen) { forge(s, find(s, kind)) }
	}
	state := func(change func(*axispb.Statement)) func(s *hubtest.Seen) {
		return func(s *hubtest.Seen) { forge(s, restate(t, w, s, change)) }
	}
	return []tamper{
		{"a document twice", "is journaled a second time", repeat(axispb.Kind_KIND_DOCUMENT)},
		{"the same evidence twice", "the same evidence is journaled twice", repeat(axispb.Kind_KIND_EVIDENCE)},
		{"a counter used again", "used counter", state(func(*axispb.Statement) {})},
		{"an event twice", "is journaled a second time", state(func(st *axispb.Statement) { st.Counter = 1000 })},
		{"evidence about a code that it never had", "which it never had for", state(func(st *axispb.Statement) {
			st.Counter, st.Code = 1000, "H41"
		})},
		{"evidence about no document", "the statement is about record 1/0", state(func(st *axispb.Statement) {
			st.Counter, st.Document = 1000, &axispb.RecordRef{Epoch: 1, LeafIndex: 0}
		})},
		{"evidence that names another document", "names another document", state(func(st *axispb.Statement) {
			st.Counter, st.EnvelopeId = 1000, x.sent[0].id+"0"
		})},
		{"more said than the endpoint knows of", "and it counts only to", state(func(st *axispb.Statement) {
			st.Counter, st.ConfirmedUnread = 1000, false
			st.Event, st.BusinessState = axispb.Event_EVENT_BUSINESS_STATE, "01"
		})},
	}
}

func senderTampers(x *exchange) []tamper {
	outbox := func(f func(*axispb.OutboxEntry)) func(*hubtest.Seen) {
		return func(s *hubtest.Seen) { f(sentEntry(s, x.sent[0].id)) }
	}
	lines := func(n int, f func([]endpoint.Line) []endpoint.Line) func(*hubtest.Seen) {
		return func(s *hubtest.Seen) {
			e := seenBy(s, "g22")
			t := e.Stories[x.sent[n].id]
			t.Recipients = f(t.Recipients)
			e.Stories[x.sent[n].id] = t
		}
	}
	line := func(f func(*endpoint.Line)) func(*hubtest.Seen) {
		return lines(0, func(all []endpoint.Line) []endpoint.Line { f(&all[0]); return all })
	}
	rejection := func(f func(*axispb.OutboxEntry)) func(*hubtest.Seen) {
		return func(s *hubtest.Seen) { f(sentEntry(s, x.sent[4].id)) }
	}
	return []tamper{
		{"a receipt that is none", "receipt", outbox(func(o *axispb.OutboxEntry) { o.Receipt = o.Receipt[1:] })},
		{"a receipt of another document", "its receipt is of another record", func(s *hubtest.Seen) {
			sentEntry(s, x.sent[0].id).Receipt = sentEntry(s, x.sent[1].id).Receipt
		}},
		{"a submission that is not settled", "not settled", outbox(func(o *axispb.OutboxEntry) { o.State = axispb.State_STATE_SUBMITTED })},
		{"a submission in no state", "impossible state", outbox(func(o *axispb.OutboxEntry) { o.State = handedOver })},
		{"another endpoint's submission", "the journal has it from", func(s *hubtest.Seen) {
			from, to := seenBy(s, "g22"), seenBy(s, "h41-")
			to.Outbox = append(to.Outbox, from.Outbox[len(from.Outbox)-1])
			to.Stories[x.sent[0].id] = from.Stories[x.sent[0].id]
		}},
		{"a refusal that is none", "its refusal:", rejection(func(o *axispb.OutboxEntry) { o.Rejection = o.Rejection[1:] })},
		{"a refusal of another envelope", "about something else", rejection(func(o *axispb.OutboxEntry) { o.EnvelopeDigest[0]++ })},
		{"a state that nothing proves", "nothing proves", line(func(l *endpoint.Line) { l.State = axispb.State_STATE_WITHDRAWN })},
		{"a state that the journal does not give", "is shown, the journal's evidence gives", line(func(l *endpoint.Line) { l.State = consigned })},
		{"a state without its evidence", "nothing proves", line(func(l *endpoint.Line) {
			l.Steps = slices.DeleteFunc(l.Steps, func(s endpoint.Step) bool { return s.State == l.State })
		})},
		{"a status message that nobody sent", "which the journal has otherwise", line(func(l *endpoint.Line) {
			i := slices.IndexFunc(l.Steps, func(s endpoint.Step) bool { return len(s.Evidence) == 0 && s.Business != "" })
			l.Steps[i].Business = "06"
		})},
		{"an evidence that is none", "sent ", line(func(l *endpoint.Line) {
			l.Steps[1].Evidence = append([]byte{1}, l.Steps[1].Evidence...)
		})},
		{"an evidence with another's receipt", "sent ", line(func(l *endpoint.Line) { l.Steps[1].Receipt = l.Steps[2].Receipt })},
		{"another standing", "standing that the journal did not give", line(func(l *endpoint.Line) {
			l.Steps[1].Standing = axispb.Standing_STANDING_SUPERSEDES
		})},
		{"evidence about another code", "evidence about", lines(0, func(all []endpoint.Line) []endpoint.Line {
			all[0].Steps, all[1].Steps = all[1].Steps, all[0].Steps
			return all
		})},
		{"a missing recipient", "is missing", lines(0, func(all []endpoint.Line) []endpoint.Line { return all[1:] })},
		{"a recipient twice", "is shown twice", lines(0, func(all []endpoint.Line) []endpoint.Line { return append(all, all[0]) })},
		{"an extra recipient", "no recipient of it", line(func(l *endpoint.Line) { l.Code = "G03" })},
		{"a missing refused recipient", "refused recipient G01 is missing", lines(2, func(all []endpoint.Line) []endpoint.Line {
			return slices.DeleteFunc(all, func(l endpoint.Line) bool { return l.Code == "G01" })
		})},
		{"a refused recipient in another state", "but it was refused", lines(2, func(all []endpoint.Line) []endpoint.Line {
			for i := range all {
				all[i].State = consigned
			}
			return all
		})},
	}
}

func receiverTampers(x *exchange) []tamper {
	id := x.sent[0].id
	entry := func(f func(*axispb.InboxEntry)) func(*hubtest.Seen) {
		return func(s *hubtest.Seen) { f(receivedEntry(s, id)) }
	}
	progress := func(f func(*axispb.Progress)) func(*hubtest.Seen) {
		return func(s *hubtest.Seen) { f(seenBy(s, "h41-").Progress) }
	}
	steps := func(f func([]endpoint.Step) []endpoint.Step) func(*hubtest.Seen) {
		return func(s *hubtest.Seen) {
			l := &seenBy(s, "h41-").Stories[id].Received[0]
			l.Steps = f(l.Steps)
		}
	}
	// Of a document that still has some: what was given back has none.
	files := func(s *hubtest.Seen) [][sha256.Size]byte {
		for _, all := range seenBy(s, "h41-").Files {
			if len(all) > 0 {
				return all
			}
		}
		return nil
	}
	return []tamper{
		{"a document twice in an inbox", "has 2 copies", func(s *hubtest.Seen) {
			e := seenBy(s, "h41-")
			e.Inbox = append(e.Inbox, proto.Clone(receivedEntry(s, id)).(*axispb.InboxEntry))
		}},
		{"a document missing in an inbox", "has 0 copies", func(s *hubtest.Seen) { seenBy(s, "h41-").Inbox = nil }},
		{"a document that nobody sent there", "which nobody sent there", entry(func(i *axispb.InboxEntry) { i.Code = "H41.13" })},
		{"a document that another record brought", "is of something else", entry(func(i *axispb.InboxEntry) { i.ManifestDigest[0]++ })},
		{"an arrival that is not proven", "receipt", entry(func(i *axispb.InboxEntry) { i.Receipt = i.Receipt[1:] })},
		{"a received state that nothing proves", "nothing proves", entry(func(i *axispb.InboxEntry) { i.State = sentBack })},
		{"a received state that the journal does not give", "is shown, the journal's evidence gives", entry(func(i *axispb.InboxEntry) { i.State = consigned })},
		{"a statement without a receipt", "a statement without a receipt", steps(func(all []endpoint.Step) []endpoint.Step {
			all[1].Receipt = nil
			return all
		})},
		{"a statement with a document's receipt", "the receipt of a statement is of something else", steps(func(all []endpoint.Step) []endpoint.Step {
			all[1].Receipt = all[0].Receipt
			return all
		})},
		{"a statement that is none", "received ", steps(func(all []endpoint.Step) []endpoint.Step {
			all[1].Evidence = []byte("x")
			return all
		})},
		{"a received state without its statement", "nothing proves", steps(func(all []endpoint.Step) []endpoint.Step { return all[:len(all)-1] })},
		{"a file that is not what was sealed", "is not what was sealed", func(s *hubtest.Seen) {
			files(s)[0][0]++
		}},
		{"a file is missing", "files are here, not", func(s *hubtest.Seen) {
			e := seenBy(s, "h41-")
			for k, all := range e.Files {
				if len(all) > 0 {
					e.Files[k] = all[1:]
				}
			}
		}},
		{"a counter that was skipped", "is not in the journal", progress(func(p *axispb.Progress) { p.Counter++ })},
		{"a counter that was forgotten", "and it counts only to", progress(func(p *axispb.Progress) { p.Counter-- })},
		{"a checkpoint of another log", "saw another root", progress(func(p *axispb.Progress) { p.Seen.Root[0]++ })},
		{"a checkpoint of a longer log", "the journal has only", progress(func(p *axispb.Progress) { p.Seen.Size += 1000 })},
		{"something is left to do", "left", func(s *hubtest.Seen) {
			e := seenBy(s, "h41-")
			e.Unsettled = append(e.Unsettled, errors.New("left"))
		}},
	}
}

func axisTampers(t *testing.T, x *exchange) []tamper {
	id := x.sent[0].id
	return []tamper{
		{"the axis shows another root", "the axis saw another root", func(s *hubtest.Seen) { s.Root[0]++ }},
		{"a part's own check complains", "broken", func(s *hubtest.Seen) { s.Problems = append(s.Problems, errors.New("broken")) }},
		{"a chunk is gone", "content of", func(s *hubtest.Seen) { s.Chunks = t.TempDir() }},
		{"a chunk is damaged", "does not have its digest", func(s *hubtest.Seen) {
			id := sha256.Sum256(x.sent[1].files[0])
			name := hex.EncodeToString(id[:])
			s.Chunks = t.TempDir()
			err := os.MkdirAll(filepath.Join(s.Chunks, name[:2]), 0o700)
			if err = errors.Join(err, os.WriteFile(filepath.Join(s.Chunks, name[:2], name), []byte("x"), 0o600)); err != nil {
				t.Error(err)
			}
		}},
		{"the ledger forgot a document", "the ledger does not know", func(s *hubtest.Seen) { delete(s.Stories, id) }},
		{"the ledger has a document elsewhere", "the ledger has " + id, func(s *hubtest.Seen) { s.Stories[id][0].LeafIndex++ }},
		{"the ledger shows another state", "the ledger shows", func(s *hubtest.Seen) { s.Stories[id][0].Recipients[0].State = "CONSIGNED" }},
		{"the ledger shows another recipient", "as recipient of", func(s *hubtest.Seen) { s.Stories[id][0].Recipients[0].Code = "G03" }},
		{"the ledger lacks a recipient", "recipients of", func(s *hubtest.Seen) { s.Stories[id][0].Recipients = s.Stories[id][0].Recipients[1:] }},
		{"the ledger lacks an evidence", "evidence about", func(s *hubtest.Seen) { s.Stories[id][0].Evidence = s.Stories[id][0].Evidence[1:] }},
		{"the ledger is not what the journal gives", "the ledger is not what the journal gives", func(s *hubtest.Seen) { s.Ledger += "mailbox 1\n" }},
	}
}

// seenBy finds what an endpoint shows by the beginning of its name, sharing nothing
// that another look would see.
func seenBy(s *hubtest.Seen, name string) *hubtest.SeenEndpoint {
	i := slices.IndexFunc(s.Endpoints, func(e *hubtest.SeenEndpoint) bool { return strings.HasPrefix(e.Name, name) })
	return s.Endpoints[i]
}

func sentEntry(s *hubtest.Seen, id string) *axispb.OutboxEntry {
	for _, o := range seenBy(s, "g22").Outbox {
		if o.Id == id {
			return o
		}
	}
	return nil
}

func receivedEntry(s *hubtest.Seen, id string) *axispb.InboxEntry {
	for _, i := range seenBy(s, "h41-").Inbox {
		if i.Id == id && i.Code == "H41" {
			return i
		}
	}
	return nil
}

func blockOf(raw []byte) *axispb.Block {
	b := new(axispb.Block)
	if err := proto.Unmarshal(raw, b); err != nil {
		panic(err)
	}
	return b
}

func marshal(m proto.Message) []byte {
	raw, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return raw
}

// reblock changes one block and nothing that follows from it.
func reblock(s *hubtest.Seen, n int, change func(*axispb.Block)) {
	b := blockOf(s.Blocks[n])
	change(b)
	s.Blocks[n] = marshal(b)
}

// find gives the last record of a kind.
func find(s *hubtest.Seen, kind axispb.Kind) *axispb.Record {
	var found *axispb.Record
	for _, raw := range s.Blocks {
		for _, r := range blockOf(raw).Records {
			if headerOf(r).Kind == kind {
				found = r
			}
		}
	}
	return found
}

func headerOf(r *axispb.Record) *axispb.RecordHeader {
	h := new(axispb.RecordHeader)
	if err := proto.Unmarshal(r.Header, h); err != nil {
		panic(err)
	}
	return h
}

func redecide(r *axispb.Record, change func(*axispb.Decision)) {
	d := new(axispb.Decision)
	if err := proto.Unmarshal(r.Decision, d); err != nil {
		panic(err)
	}
	change(d)
	r.Decision = marshal(d)
}

// rewrite changes the last record of a kind, and everything that follows from it,
// as one who wrote the whole journal anew would.
func rewrite(s *hubtest.Seen, kind axispb.Kind, change func(*axispb.RecordHeader, *axispb.Record)) {
	target := find(s, kind)
	c := &rechain{}
	for i, raw := range s.Blocks {
		b := blockOf(raw)
		for _, r := range b.Records {
			if bytes.Equal(r.Header, target.Header) {
				h := headerOf(r)
				change(h, r)
				seal(h, r)
			}
		}
		s.Blocks[i] = c.next(b)
	}
}

// seal makes the header bear out body and decision.
func seal(h *axispb.RecordHeader, r *axispb.Record) {
	body, decision := sha256.Sum256(r.Body), sha256.Sum256(r.Decision)
	h.BodyDigest, h.DecisionDigest = body[:], decision[:]
	r.Header = marshal(h)
}

// forge appends a block with a record.
func forge(s *hubtest.Seen, r *axispb.Record) {
	c := &rechain{}
	last := &axispb.Block{}
	for _, raw := range s.Blocks {
		last = blockOf(raw)
		c.next(last)
	}
	h := headerOf(r)
	h.TimeMs, h.Nonce = headerOf(last.Records[len(last.Records)-1]).TimeMs, bytes.Repeat([]byte{7}, 16)
	r = proto.Clone(r).(*axispb.Record)
	seal(h, r)
	s.Blocks = append(s.Blocks, c.next(&axispb.Block{Version: 1, Epoch: last.Epoch, Number: last.Number + 1, Records: []*axispb.Record{r}}))
}

// restate signs an endpoint's last statement anew, changed.
func restate(t *testing.T, w *hubtest.World, s *hubtest.Seen, change func(*axispb.Statement)) *axispb.Record {
	r := find(s, axispb.Kind_KIND_EVIDENCE)
	var ev axispb.Evidence
	var st axispb.Statement
	if err := errors.Join(proto.Unmarshal(r.Body, &ev), proto.Unmarshal(ev.Statement, &st)); err != nil {
		t.Fatal(err)
	}
	for _, m := range w.Members() {
		if m.Name != st.Issuer {
			continue
		}
		id, err := link.LoadIdentity(m.Dir)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := evidence.NewSigner(id.Certificate.PrivateKey.(crypto.Signer), id.Certificate.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		change(&st)
		if r.Body, err = signer.Sign(&st); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// rechain makes blocks follow each other.
type rechain struct {
	previous []byte
	leaves   uint64
	hashes   hashes
}

type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, n := range indexes {
		out[i] = h[n]
	}
	return out, nil
}

func (c *rechain) next(b *axispb.Block) []byte {
	root, err := tlog.TreeHash(int64(c.leaves), c.hashes)
	if err != nil {
		panic(err)
	}
	b.PreviousDigest, b.FirstLeaf, b.RootBefore = c.previous, c.leaves, root[:]
	for _, r := range b.Records {
		more, err := tlog.StoredHashesForRecordHash(int64(c.leaves), evidence.LeafHash(r.Header), c.hashes)
		if err != nil {
			panic(err)
		}
		c.hashes = append(c.hashes, more...)
		c.leaves++
	}
	raw := marshal(b)
	digest := sha256.Sum256(raw)
	c.previous = digest[:]
	return raw
}

// What is altered on the disk is seen by whoever looks.
func TestTheCheckerSeesAlteredStores(t *testing.T) {
	w := world(t, hubtest.Config{})
	joinAll(t, w)
	x := newExchange(t, w, 8)
	x.play()

	restore := alterStore(t, w.Member("G22"), func(tx *bbolt.Tx) error {
		return alterEntry(tx.Bucket([]byte("recipient")), []byte(x.sent[2].id+"\x00H41.11"), func(r *axispb.RecipientEntry) {
			r.State = handedOver
		})
	})
	complains(t, w, "nothing proves STATE_HANDED_OVER", "nothing proves")
	restore()

	if err := w.StopAxis(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(w.AxisDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(`INSERT INTO mailbox SELECT endpoint, lane, position, ordinal + 7, record, code, serving, target FROM mailbox LIMIT 1`)
	if err := errors.Join(err, db.Close(), w.StartAxis(t.Context())); err != nil {
		t.Fatal(err)
	}
	complains(t, w, "the ledger is not what the journal gives")
}

func complains(t *testing.T, w *hubtest.World, wants ...string) {
	t.Helper()
	err := hubtest.Check(t.Context(), w)
	for _, want := range wants {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no complaint of %q, but\n%v", want, err)
		}
	}
}

// alterStore changes an endpoint's store behind its back; restore puts it back.
func alterStore(t *testing.T, m *hubtest.Member, change func(*bbolt.Tx) error) (restore func()) {
	t.Helper()
	path := filepath.Join(m.Dir, "endpoint.db")
	var before []byte
	around := func(f func() error) {
		t.Helper()
		if err := errors.Join(m.Stop(), f(), m.Start(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	around(func() (err error) {
		if before, err = os.ReadFile(path); err != nil {
			return err
		}
		db, err := bbolt.Open(path, 0o600, nil)
		if err != nil {
			return err
		}
		return errors.Join(db.Update(change), db.Close())
	})
	return func() { around(func() error { return os.WriteFile(path, before, 0o600) }) }
}

func alterEntry[T any, M interface {
	*T
	proto.Message
}](b *bbolt.Bucket, key []byte, change func(M)) error {
	m := M(new(T))
	if err := proto.Unmarshal(b.Get(key), m); err != nil {
		return err
	}
	change(m)
	return b.Put(key, marshal(m))
}
