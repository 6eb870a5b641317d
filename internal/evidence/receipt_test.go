package evidence

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

func TestReceiptProvesItsRecord(t *testing.T) {
	w := newWorld(t)
	r := record(t, 1, "an envelope")
	b := w.receipt(r)
	for name, body := range map[string][]byte{"with body": r.Body, "without": nil} {
		p, err := w.trust.Receipt(b, body)
		must(t, err)
		if p.LeafIndex != 5 || p.Commitment != Commitment(r.Header) || p.Checkpoint.Size != 9 {
			t.Errorf("%s: proven leaf %d at size %d, want 5 at 9", name, p.LeafIndex, p.Checkpoint.Size)
		}
		if p.Header.Kind != axispb.Kind_KIND_DOCUMENT || p.Decision.GetDocument().GetRows() != 3 {
			t.Errorf("%s: header %v, decision %v", name, p.Header, p.Decision)
		}
		if got := p.Ref(); got.Epoch != 1 || got.LeafIndex != 5 {
			t.Errorf("%s: record %v, want 1/5", name, got)
		}
	}
}

func TestReceiptOfOtherBodyIsRefused(t *testing.T) {
	w := newWorld(t)
	b := w.receipt(record(t, 1, "an envelope"))
	for _, body := range []string{"another envelope", ""} {
		if _, err := w.trust.Receipt(b, []byte(body)); err == nil {
			t.Errorf("body %q was accepted", body)
		}
	}
}

func TestEveryAlteredByteOfReceiptIsNoticed(t *testing.T) {
	w := newWorld(t)
	r := record(t, 1, "an envelope")
	b := w.receipt(r)
	for i := range b {
		for _, flip := range []byte{0x01, 0x02, 0x20, 0x80, 0xff} {
			altered := bytes.Clone(b)
			altered[i] ^= flip
			if _, err := w.trust.Receipt(altered, r.Body); err == nil {
				t.Errorf("byte %d of %d xor %#x was accepted", i, len(b), flip)
			}
		}
	}
	for n := range b {
		if _, err := w.trust.Receipt(b[:n], r.Body); err == nil {
			t.Errorf("the first %d bytes of %d were accepted", n, len(b))
		}
	}
}

func TestReceiptAgainstTheRulesIsRefused(t *testing.T) {
	w := newWorld(t)
	rec := record(t, 1, "an envelope")
	good := new(axispb.Receipt)
	must(t, proto.Unmarshal(w.receipt(rec), good))
	cases := map[string]func(*axispb.Receipt){
		"version":           func(r *axispb.Receipt) { r.Version = 2 },
		"another leaf":      func(r *axispb.Receipt) { r.LeafIndex++ },
		"leaf without end":  func(r *axispb.Receipt) { r.LeafIndex = 1<<64 - 1 },
		"no header":         func(r *axispb.Receipt) { r.Header = nil },
		"no decision":       func(r *axispb.Receipt) { r.Decision = nil },
		"no proof":          func(r *axispb.Receipt) { r.Inclusion = nil },
		"proof with more":   func(r *axispb.Receipt) { r.Inclusion = append(r.Inclusion, make([]byte, 32)) },
		"short hash":        func(r *axispb.Receipt) { r.Inclusion[0] = r.Inclusion[0][:31] },
		"endless proof":     func(r *axispb.Receipt) { r.Inclusion = make([][]byte, 10000) },
		"no checkpoint":     func(r *axispb.Receipt) { r.Checkpoint = nil },
		"earlier state":     func(r *axispb.Receipt) { r.Checkpoint = w.log.checkpoint(7) },
		"before the record": func(r *axispb.Receipt) { r.Checkpoint = w.log.checkpoint(5) },
		"unknown member":    func(r *axispb.Receipt) { r.ProtoReflect().SetUnknown([]byte{0xf8, 0x07, 0x01}) },
	}
	for name, edit := range cases {
		t.Run(name, func(t *testing.T) {
			r := proto.CloneOf(good)
			edit(r)
			if _, err := w.trust.Receipt(marshal(t, r), rec.Body); err == nil {
				t.Error("it was accepted")
			}
		})
	}
	if _, err := w.trust.Receipt(make([]byte, MaxReceipt+1), nil); err == nil || !strings.Contains(err.Error(), "over the limit") {
		t.Errorf("error %v, want one about the limit", err)
	}
}

// A header that says nonsense is refused even where the log has its leaf.
func TestReceiptOfOddHeaderIsRefused(t *testing.T) {
	cases := map[string]func(*axispb.RecordHeader){
		"version":         func(h *axispb.RecordHeader) { h.Version = 2 },
		"no epoch":        func(h *axispb.RecordHeader) { h.Epoch = 0 },
		"later epoch":     func(h *axispb.RecordHeader) { h.Epoch = 2 },
		"no kind":         func(h *axispb.RecordHeader) { h.Kind = 0 },
		"no time":         func(h *axispb.RecordHeader) { h.TimeMs = 0 },
		"short nonce":     func(h *axispb.RecordHeader) { h.Nonce = h.Nonce[:15] },
		"no body":         func(h *axispb.RecordHeader) { h.BodyDigest = nil },
		"short decision":  func(h *axispb.RecordHeader) { h.DecisionDigest = h.DecisionDigest[:8] },
		"unknown member":  func(h *axispb.RecordHeader) { h.ProtoReflect().SetUnknown([]byte{0xf8, 0x07, 0x01}) },
		"over the limits": func(h *axispb.RecordHeader) { h.Nonce = make([]byte, 2000) },
	}
	for name, edit := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r, h := record(t, 1, "an envelope"), new(axispb.RecordHeader)
			must(t, proto.Unmarshal(r.Header, h))
			edit(h)
			r.Header = marshal(t, h)
			if _, err := w.trust.Receipt(w.receipt(r), nil); err == nil {
				t.Error("it was accepted")
			}
			if _, _, err := OpenRecord(r); err == nil && name != "later epoch" {
				t.Error("its record was opened")
			}
		})
	}
}

// A receipt may lead to a checkpoint of a later epoch, as long as that epoch's
// tree still has the record.
func TestReceiptAcrossEpochs(t *testing.T) {
	w := newWorld(t)
	r := record(t, 1, "an envelope")
	w.log.fill(5)
	leaf := w.log.add(LeafHash(r.Header))
	w.log.fill(3)
	seen := Checkpoint{Epoch: 1, Size: w.log.size, Root: w.log.root(w.log.size)}
	later := w.reopen(2, log2Seed, 7, seen.Ref())
	later.fill(4)
	b, err := NewReceipt(r, leaf, later.inclusion(later.size, leaf), later.checkpoint(later.size))
	must(t, err)
	p, err := w.trust.Receipt(b, r.Body)
	must(t, err)
	if p.Checkpoint.Epoch != 2 || p.Header.Epoch != 1 {
		t.Errorf("record of epoch %d under epoch %d, want 1 under 2", p.Header.Epoch, p.Checkpoint.Epoch)
	}
}

func TestRecordOfOneEpochIsNotPassedOffAsAnothers(t *testing.T) {
	w := newWorld(t)
	w.log.fill(8)
	seen := Checkpoint{Epoch: 1, Size: 8, Root: w.log.root(8)}
	early := record(t, 2, "stands before its epoch")
	w.log.size, w.log.hashes = 5, w.log.hashes[:8]
	leafEarly := w.log.add(LeafHash(early.Header))
	later := w.reopen(2, log2Seed, 6, seen.Ref())
	late := record(t, 1, "stands after its epoch")
	leafLate := later.add(LeafHash(late.Header))
	for leaf, r := range map[uint64]*axispb.Record{leafEarly: early, leafLate: late} {
		b, err := NewReceipt(r, leaf, later.inclusion(later.size, leaf), later.checkpoint(later.size))
		must(t, err)
		if _, err := w.trust.Receipt(b, r.Body); err == nil || errors.Is(err, ErrNotProven) {
			t.Errorf("%s: error %v, want one about the epoch", r.Body, err)
		}
	}
}

// The log of an epoch signs nothing of the epochs after it.
func TestRecordOfALaterEpochIsRefused(t *testing.T) {
	w := newWorld(t)
	r := record(t, 2, "of the second epoch")
	b := w.receipt(r)
	w.reopen(2, log2Seed, 3, (Checkpoint{Epoch: 1, Size: 9, Root: w.log.root(9)}).Ref())
	if _, err := w.trust.Receipt(b, r.Body); err == nil {
		t.Error("it was accepted under a checkpoint of the first")
	}
}

func TestReceiptOfUnknownEpochSaysSo(t *testing.T) {
	w := newWorld(t)
	r := record(t, 1, "an envelope")
	b := w.receipt(r)
	if _, err := NewTrust(w.ca.cert).Receipt(b, r.Body); !errors.Is(err, ErrUnknownEpoch) {
		t.Errorf("error %v, want ErrUnknownEpoch", err)
	}
	// The same, where the checkpoint's epoch is known and the record's is not.
	r = record(t, 2, "an envelope")
	w.log.add(LeafHash(r.Header))
	third := w.reopen(3, log3Seed, w.log.size, previous(2, 9))
	leaf := w.log.size - 1
	b, err := NewReceipt(r, leaf, third.inclusion(third.size, leaf), third.checkpoint(third.size))
	must(t, err)
	if _, err := w.trust.Receipt(b, r.Body); !errors.Is(err, ErrUnknownEpoch) {
		t.Errorf("record of a lost epoch: error %v, want ErrUnknownEpoch", err)
	}
}

func TestOpenRecord(t *testing.T) {
	good := record(t, 1, "an envelope")
	h, d, err := OpenRecord(good)
	must(t, err)
	if h.Epoch != 1 || d.Endpoint != "h41" {
		t.Errorf("header %v, decision %v", h, d)
	}
	for name, edit := range map[string]func(*axispb.Record){
		"body":     func(r *axispb.Record) { r.Body[0]++ },
		"header":   func(r *axispb.Record) { r.Header[0]++ },
		"decision": func(r *axispb.Record) { r.Decision[0]++ },
		"no body":  func(r *axispb.Record) { r.Body = nil },
	} {
		r := proto.CloneOf(good)
		edit(r)
		if _, _, err := OpenRecord(r); err == nil {
			t.Errorf("a record with altered %s was opened", name)
		}
	}
	if _, _, err := OpenRecord(nil); err == nil {
		t.Error("no record was opened")
	}
}

// A later axis may decide more than this program knows; its record stays readable.
func TestDecisionWithUnknownMemberIsRead(t *testing.T) {
	r := record(t, 1, "an envelope")
	h := new(axispb.RecordHeader)
	must(t, proto.Unmarshal(r.Header, h))
	r.Decision = append(r.Decision, 0xf8, 0x07, 0x01)
	h.DecisionDigest = digest(string(r.Decision))
	r.Header = marshal(t, h)
	_, d, err := OpenRecord(r)
	must(t, err)
	if d.Endpoint != "h41" {
		t.Errorf("decision %v", d)
	}
}

func TestDecisionThatIsNoneIsRefused(t *testing.T) {
	r, h := record(t, 1, "an envelope"), new(axispb.RecordHeader)
	must(t, proto.Unmarshal(r.Header, h))
	r.Decision = []byte{0xff}
	h.DecisionDigest = digest(string(r.Decision))
	r.Header = marshal(t, h)
	if _, _, err := OpenRecord(r); err == nil {
		t.Error("it was opened")
	}
}

func TestMatches(t *testing.T) {
	w := newWorld(t)
	r := record(t, 1, "an envelope")
	good, err := w.trust.Receipt(w.receipt(r), r.Body)
	must(t, err)
	doc := Document{Sender: "G22.01", ID: "id-1", ManifestDigest: [32]byte{1}}
	about := func() *axispb.Statement {
		s := consignment()
		s.Document, s.Commitment = good.Ref(), good.Commitment[:]
		s.Sender, s.EnvelopeId, s.ManifestDigest = doc.Sender, doc.ID, doc.ManifestDigest[:]
		return s
	}
	if err := Matches(about(), good, doc); err != nil {
		t.Errorf("the right statement: %v", err)
	}
	recovered := good
	recovered.Header = proto.CloneOf(good.Header)
	recovered.Header.Kind = axispb.Kind_KIND_RECOVERED
	if err := Matches(about(), recovered, doc); err != nil {
		t.Errorf("a recovered document: %v", err)
	}
	for name, edit := range map[string]func(*axispb.Statement, *Proven){
		"epoch":          func(s *axispb.Statement, _ *Proven) { s.Document.Epoch = 2 },
		"leaf":           func(s *axispb.Statement, _ *Proven) { s.Document.LeafIndex++ },
		"no record":      func(s *axispb.Statement, _ *Proven) { s.Document = nil },
		"commitment":     func(s *axispb.Statement, _ *Proven) { s.Commitment = digest("other") },
		"no commitment":  func(s *axispb.Statement, _ *Proven) { s.Commitment = nil },
		"sender":         func(s *axispb.Statement, _ *Proven) { s.Sender = "G23" },
		"id":             func(s *axispb.Statement, _ *Proven) { s.EnvelopeId = "id-2" },
		"manifest":       func(s *axispb.Statement, _ *Proven) { s.ManifestDigest = digest("other") },
		"other kind":     func(_ *axispb.Statement, p *Proven) { p.Header.Kind = axispb.Kind_KIND_ACT },
		"nothing proven": func(_ *axispb.Statement, p *Proven) { *p = Proven{} },
	} {
		s, p := about(), good
		p.Header = proto.CloneOf(good.Header)
		edit(s, &p)
		if err := Matches(s, p, doc); err == nil {
			t.Errorf("%s: another statement matches", name)
		}
	}
}
