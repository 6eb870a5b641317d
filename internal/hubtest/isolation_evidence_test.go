package hubtest_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/bus"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// about is a true statement about a document and a code: whoever wrote it has
// stolen all that can be known of it.
func (s *siege) about(t *testing.T, p parcel, code string) *axispb.Statement {
	t.Helper()
	header := new(axispb.RecordHeader)
	if err := proto.Unmarshal(p.item.GetRecord().GetHeader(), header); err != nil {
		t.Fatal(err)
	}
	commitment := evidence.Commitment(p.item.GetRecord().GetHeader())
	d := p.envelope.Document
	return &axispb.Statement{
		Version: 1, Event: axispb.Event_EVENT_CONTENT_CONSIGNMENT, Issuer: s.attacker.Name, Counter: s.counter(), TimeMs: time.Now().UnixMilli(),
		Document: &axispb.RecordRef{Epoch: header.GetEpoch(), LeafIndex: p.item.GetLeafIndex()}, Commitment: commitment[:],
		Sender: d.Sender, EnvelopeId: d.ID, ManifestDigest: p.envelope.ManifestDigest[:], Code: code, Checkpoint: s.checkpoint(t),
	}
}

// counter is one that the attacker has not used.
func (s *siege) counter() uint64 {
	s.counted++
	return s.counted
}

// checkpoint is the newest that the axis signed.
func (s *siege) checkpoint(t *testing.T) *axispb.CheckpointRef {
	t.Helper()
	page := new(axispb.Page)
	mustBody(t, s.raw.ask(t, bus.Pull, &axispb.PullRequest{}), page)
	trust := evidence.NewTrust(s.identity(t, s.attacker).CA)
	for _, signed := range page.GetEpochs() {
		if _, err := trust.AddEpoch(signed); err != nil {
			t.Fatal(err)
		}
	}
	cp, err := trust.Checkpoint(page.GetCheckpoint())
	if err != nil {
		t.Fatal(err)
	}
	return cp.Ref()
}

// sign signs a statement with the attacker's key, whatever it says.
func (s *siege) sign(t testing.TB, st *axispb.Statement) []byte {
	t.Helper()
	cert := s.me.Certificate
	return signWith(t, cert.PrivateKey.(*ecdsa.PrivateKey), cert.Certificate[0], st)
}

func signWith(t testing.TB, key *ecdsa.PrivateKey, cert []byte, st *axispb.Statement) []byte {
	t.Helper()
	statement := wire(t, st)
	digest := sha256.Sum256(append([]byte(evidence.StatementPrefix), statement...))
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return wire(t, &axispb.Evidence{Statement: statement, Signature: signature, Certificate: cert})
}

// outcome offers one evidence.
func (s *siege) outcome(t *testing.T, raw []byte) string {
	t.Helper()
	answer := new(axispb.EvidenceAnswer)
	mustBody(t, s.raw.ask(t, bus.Evidence, &axispb.EvidenceRequest{Evidence: [][]byte{raw}}), answer)
	if len(answer.GetOutcomes()) != 1 {
		t.Fatalf("%d outcomes", len(answer.GetOutcomes()))
	}
	if o := answer.GetOutcomes()[0]; o.GetRefused() != nil && o.GetReceipt() == nil {
		return reasonText(o.GetRefused())
	}
	return "a receipt"
}

// testEvidence states what it has no part in. About what exists and what does not
// there is one answer.
func testEvidence(t *testing.T, s *siege) {
	cases := map[string]struct {
		of   parcel
		edit func(*axispb.Statement)
		want string
	}{
		"document of others":           {s.crossed, nil, `NOT_RECIPIENT ["H41"]`},
		"pending document":             {s.pending, nil, `NOT_RECIPIENT ["H41"]`},
		"document of others, own code": {s.crossed, func(st *axispb.Statement) { st.Code = "H25" }, `NOT_RECIPIENT ["H25"]`},
		"no document":                  {s.crossed, func(st *axispb.Statement) { st.Document.LeafIndex = 0 }, `NOT_RECIPIENT ["H41"]`},
		"no record":                    {s.crossed, func(st *axispb.Statement) { st.Document = &axispb.RecordRef{Epoch: 9, LeafIndex: 1 << 40} }, `NOT_RECIPIENT ["H41"]`},
		"no record, own code":          {s.crossed, func(st *axispb.Statement) { st.Document.Epoch, st.Document.LeafIndex, st.Code = 9, 1<<40, "H25" }, `NOT_RECIPIENT ["H25"]`},
		"shared, other recipient":      {s.shared, nil, `NOT_RECIPIENT ["H41"]`},
		"shared, no recipient":         {s.shared, func(st *axispb.Statement) { st.Code = "G22" }, `NOT_RECIPIENT ["G22"]`},
		"unknown epoch":                {s.shared, own(func(st *axispb.Statement) { st.Document.Epoch = 99 }), unknownRecord},
		"wrong commitment":             {s.shared, own(func(st *axispb.Statement) { st.Commitment = sum(nil) }), unknownRecord},
		"wrong manifest":               {s.shared, own(func(st *axispb.Statement) { st.ManifestDigest = sum(nil) }), unknownRecord},
		"wrong sender":                 {s.shared, own(func(st *axispb.Statement) { st.Sender = "H41" }), unknownRecord},
		"wrong id":                     {s.shared, own(func(st *axispb.Statement) { st.EnvelopeId = s.crossed.envelope.Document.ID }), unknownRecord},
		"checkpoint never signed":      {s.shared, own(func(st *axispb.Statement) { st.Checkpoint.Root = sum(nil) }), "SPLIT_VIEW []"},
		"checkpoint beyond the log":    {s.shared, own(func(st *axispb.Statement) { st.Checkpoint.Size = 1 << 40 }), "SPLIT_VIEW []"},
		"checkpoint of no epoch":       {s.shared, own(func(st *axispb.Statement) { st.Checkpoint.Epoch = 99 }), "SPLIT_VIEW []"},
		"checkpoint of any epoch":      {s.shared, own(func(st *axispb.Statement) { st.Checkpoint.Epoch = math.MaxUint64 }), "SPLIT_VIEW []"},
	}
	s.attack(t, nil, func() {
		for what, c := range cases {
			st := s.about(t, c.of, "H41")
			if c.edit != nil {
				c.edit(st)
			}
			expect(t, what, s.outcome(t, s.sign(t, st)), c.want)
		}
	})
}

const unknownRecord = `UNKNOWN_RECORD ["the statement names another record than the journal has there"]`

// own makes a statement one that the attacker may make, but for the edit.
func own(edit func(*axispb.Statement)) func(*axispb.Statement) {
	return func(st *axispb.Statement) {
		st.Code = "H25"
		edit(st)
	}
}

// testForgedEvidence puts another's name, certificate or bytes in place of its own,
// and a counter to two uses.
func testForgedEvidence(t *testing.T, s *siege) {
	victim := s.identity(t, s.receiver).Certificate.Certificate[0]
	theirs := s.journaled(t)
	forger, forged := selfSigned(t, s.attacker.Name)
	mine := s.about(t, s.shared, "H25")
	s.attack(t, nil, func() {
		inTheirName := s.about(t, s.crossed, "H41")
		inTheirName.Issuer = s.receiver.Name
		for what, raw := range map[string][]byte{
			"another's name":                        s.sign(t, inTheirName),
			"another's name and certificate":        signWith(t, s.me.Certificate.PrivateKey.(*ecdsa.PrivateKey), victim, inTheirName),
			"another's certificate":                 signWith(t, s.me.Certificate.PrivateKey.(*ecdsa.PrivateKey), victim, mine),
			"a certificate of its own making":       signWith(t, forger, forged.Raw, mine),
			"another's name, own making":            signWith(t, forger, forged.Raw, inTheirName),
			"another's evidence, already journaled": theirs,
		} {
			expect(t, what, s.outcome(t, raw)[:len("EVIDENCE_SIGNATURE")], "EVIDENCE_SIGNATURE")
		}
		for what, edit := range map[string]func(*axispb.Statement){
			"the axis's refusal":  func(st *axispb.Statement) { st.Event = axispb.Event_EVENT_SUBMISSION_REJECTION },
			"acceptance":          func(st *axispb.Statement) { st.Event = axispb.Event_EVENT_SUBMISSION_ACCEPTANCE },
			"no counter":          func(st *axispb.Statement) { st.Counter = 0 },
			"a counter too large": func(st *axispb.Statement) { st.Counter = huge },
			"a leaf too large":    func(st *axispb.Statement) { st.Document.LeafIndex = huge },
			"no checkpoint":       func(st *axispb.Statement) { st.Checkpoint = nil },
		} {
			st := proto.CloneOf(mine)
			edit(st)
			expect(t, what, s.outcome(t, s.sign(t, st))[:len("MALFORMED")], "MALFORMED")
		}
		expect(t, "the axis's name", s.outcome(t, s.sign(t, &axispb.Statement{
			Version: 1, Event: axispb.Event_EVENT_SUBMISSION_REJECTION, Issuer: "axis", TimeMs: time.Now().UnixMilli(),
			EnvelopeDigest: sum(nil), Reason: &axispb.Reason{Code: axispb.ReasonCode_REASON_BUSY},
		}))[:len("EVIDENCE_SIGNATURE")], "EVIDENCE_SIGNATURE")
		expect(t, "101 statements", said(s.raw.ask(t, bus.Evidence, &axispb.EvidenceRequest{Evidence: make([][]byte, 101)})),
			`MALFORMED ["more than 100 statements"]`)
		expect(t, "nothing", s.outcome(t, nil), `EVIDENCE_SIGNATURE ["certificate cannot be parsed: x509: malformed certificate"]`)
	})
	expect(t, "its own evidence", s.outcome(t, s.sign(t, mine)), "a receipt")
	s.settle(t)
	s.attack(t, nil, func() {
		other := proto.CloneOf(mine)
		other.TimeMs++
		reused := fmt.Sprintf("COUNTER_REUSED [%q]", fmt.Sprint(mine.GetCounter()))
		expect(t, "its counter again", s.outcome(t, s.sign(t, other)), reused)
		other = s.about(t, s.crossed, "H41")
		other.Counter = mine.GetCounter()
		expect(t, "its counter for another's document", s.outcome(t, s.sign(t, other)), reused)
		expect(t, "the same event again", s.outcome(t, s.sign(t, s.about(t, s.shared, "H25"))), "a receipt")
	})
}

// journaled gives the bytes of the evidence by which the receiver consigned.
func (s *siege) journaled(t *testing.T) []byte {
	t.Helper()
	page := new(axispb.Page)
	mustBody(t, s.connect(t, s.receiver).ask(t, bus.Pull, fromTheStart()), page)
	for _, item := range page.GetItems() {
		if e, err := envelope.Parse(item.GetRecord().GetBody()); err == nil && e.Document.ID == s.crossed.envelope.Document.ID && len(item.GetJournaled()) > 0 {
			return item.GetJournaled()[0]
		}
	}
	t.Fatal("no evidence is journaled")
	return nil
}
