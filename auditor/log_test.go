package auditor_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"google.golang.org/protobuf/proto"

	"docaxis/auditor"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
	"docaxis/signing"
	"docaxis/signing/signingtest"
)

// axis is an axis that says whatever a test wants: its log has two records, a
// document and an evidence.
type axis struct {
	*world
	ca     signingtest.Identity
	signer note.Signer
	vkey   string
}

const origin = "axis.example.vn/9"

func newAxis(w *world) *axis {
	w.t.Helper()
	ca, err := signingtest.NewRoot("CA của trục", from, until)
	w.must(err)
	skey, vkey, err := note.GenerateKey(rand.Reader, origin)
	w.must(err)
	signer, err := note.NewSigner(skey)
	w.must(err)
	return &axis{w, ca, signer, vkey}
}

func (a *axis) marshal(m proto.Message) []byte {
	a.t.Helper()
	b, err := proto.Marshal(m)
	a.must(err)
	return b
}

// epoch announces the log's key, opened at some time.
func (a *axis) epoch(opened int64) []byte {
	a.t.Helper()
	root := evidence.EmptyRoot()
	raw := a.marshal(&axispb.Epoch{Version: 1, Number: 1, Origin: origin, VerifierKey: a.vkey, OpenedMs: opened, BaseRoot: root[:]})
	digest := sha256.Sum256(append([]byte(evidence.EpochPrefix), raw...))
	sig, err := a.ca.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
	a.must(err)
	return a.marshal(&axispb.SignedEpoch{Epoch: raw, Signature: sig})
}

func (a *axis) record(kind axispb.Kind, body []byte, d *axispb.Decision) *axispb.Record {
	a.t.Helper()
	decision := a.marshal(d)
	b, c := sha256.Sum256(body), sha256.Sum256(decision)
	header := a.marshal(&axispb.RecordHeader{
		Version: 1, Epoch: 1, Kind: kind, TimeMs: at.UnixMilli(), Nonce: make([]byte, 16), BodyDigest: b[:], DecisionDigest: c[:],
	})
	return &axispb.Record{Header: header, Body: body, Decision: decision}
}

// statement is one that holds, by an endpoint, about the record of the example's
// envelope.
func (a *axis) statement(document *axispb.Record) *axispb.Statement {
	a.t.Helper()
	e, err := envelope.Parse(document.Body)
	a.must(err)
	commitment := evidence.Commitment(document.Header)
	return &axispb.Statement{
		Version: 1, Event: axispb.Event_EVENT_CONTENT_CONSIGNMENT, Issuer: "h41-11-05", Counter: 1, TimeMs: at.UnixMilli(),
		Document: &axispb.RecordRef{Epoch: 1}, Commitment: commitment[:], Sender: e.Document.Sender, EnvelopeId: e.Document.ID,
		ManifestDigest: e.ManifestDigest[:], Code: "H41.11.05", Checkpoint: &axispb.CheckpointRef{Epoch: 1, Size: 1, Root: make([]byte, 32)},
	}
}

// evidence signs a statement as the axis's endpoint, or as somebody else.
func (a *axis) evidence(st *axispb.Statement, by signingtest.Identity) []byte {
	a.t.Helper()
	raw := a.marshal(st)
	digest := sha256.Sum256(append([]byte(evidence.StatementPrefix), raw...))
	sig, err := by.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
	a.must(err)
	return a.marshal(&axispb.Evidence{Statement: raw, Signature: sig, Certificate: by.Certificate().Raw})
}

func (a *axis) endpoint(by signingtest.Identity, name string) signingtest.Identity {
	a.t.Helper()
	i, err := by.Issue(name, nil, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	a.must(err)
	return i
}

// write puts the two records and their receipts into a folder.
func (a *axis) write(folder string, first, second *axispb.Record) string {
	a.t.Helper()
	leaves := [2]tlog.Hash{evidence.LeafHash(first.Header), evidence.LeafHash(second.Header)}
	text := fmt.Sprintf("%s\n2\n%s\n", origin, tlog.NodeHash(leaves[0], leaves[1]))
	checkpoint, err := note.Sign(&note.Note{Text: text}, a.signer)
	a.must(err)
	for i, r := range []*axispb.Record{first, second} {
		receipt, err := evidence.NewReceipt(r, uint64(i), [][]byte{leaves[1-i][:]}, checkpoint)
		a.must(err)
		a.put(filepath.Join(folder, fmt.Sprint(i)), r.Body)
		a.put(filepath.Join(folder, fmt.Sprint(i)+".receipt"), receipt)
	}
	a.put(filepath.Join(folder, "epoch-1"), a.epoch(at.UnixMilli()))
	return filepath.Join(a.dir, folder)
}

// TestStatementsAreHeldToTheirDocument: who may state what, about which document.
func TestStatementsAreHeldToTheirDocument(t *testing.T) {
	a := newAxis(newWorld(t))
	sent := a.record(axispb.Kind_KIND_DOCUMENT, a.example("envelope"), &axispb.Decision{Endpoint: "g02", Document: &axispb.DocumentDecision{Rows: 1}})
	h41, other := a.endpoint(a.ca, "h41-11-05"), a.endpoint(a.ca, "h41-11-06")
	stranger := a.endpoint(a.root, "h41-11-05")
	o := a.options()
	o.Anchors = []*x509.Certificate{a.ca.Certificate(), a.certificate("seal.crt")}
	for i, tt := range []struct {
		name   string
		by     signingtest.Identity
		kind   axispb.Kind
		change func(st *axispb.Statement)
		result auditor.Result
		sub    signing.SubIndication
	}{
		{"it holds", h41, axispb.Kind_KIND_EVIDENCE, func(*axispb.Statement) {}, auditor.Passed, ""},
		{"of another's certificate", other, axispb.Kind_KIND_EVIDENCE, func(*axispb.Statement) {}, auditor.Indeterminate, signing.ChainConstraintsFailure},
		{"of another CA's", stranger, axispb.Kind_KIND_EVIDENCE, func(*axispb.Statement) {}, auditor.Indeterminate, signing.NoCertificateChainFound},
		{"about another sender's", h41, axispb.Kind_KIND_EVIDENCE, func(st *axispb.Statement) { st.Sender = "G03" }, auditor.Failed, signing.HashFailure},
		{"about another manifest", h41, axispb.Kind_KIND_EVIDENCE, func(st *axispb.Statement) { st.ManifestDigest = make([]byte, 32) }, auditor.Failed, signing.HashFailure},
		{"about another place", h41, axispb.Kind_KIND_EVIDENCE, func(st *axispb.Statement) { st.Document.LeafIndex, st.Checkpoint.Size = 1, 2 }, auditor.Failed, signing.HashFailure},
		{"without a counter", h41, axispb.Kind_KIND_EVIDENCE, func(st *axispb.Statement) { st.Counter = 0 }, auditor.Failed, signing.FormatFailure},
		{"recorded as an act", h41, axispb.Kind_KIND_ACT, func(*axispb.Statement) {}, auditor.Failed, signing.FormatFailure},
	} {
		st := a.statement(sent)
		tt.change(st)
		stated := a.record(tt.kind, a.evidence(st, tt.by), &axispb.Decision{Endpoint: "h41-11-05", Evidence: &axispb.EvidenceDecision{Standing: axispb.Standing_STANDING_FIRST}})
		f := a.verify(a.write(fmt.Sprint("case", i), sent, stated), o)
		if s := named(f)["1 statement"]; f.Result != tt.result || s.SubIndication != tt.sub || s.Sentence == "" {
			t.Errorf("%s: %s, %+v", tt.name, f.Result, s)
		}
	}
}

// TestTwoEpochsUnderOneNumber are a contradiction of the log that its CA signed.
func TestTwoEpochsUnderOneNumber(t *testing.T) {
	a := newAxis(newWorld(t))
	a.put("p/epoch-1", a.epoch(at.UnixMilli()))
	a.put("p/epoch-1b", a.epoch(at.UnixMilli()+1))
	o := a.options()
	o.Anchors = []*x509.Certificate{a.root.Certificate(), a.ca.Certificate()}
	f := a.verify(filepath.Join(a.dir, "p"), o)
	s := named(f)["epoch-1b epoch"]
	if f.Result != auditor.Failed || s.SubIndication != signing.HashFailure || !bytes.Contains([]byte(s.Sentence), []byte("contradicts itself")) {
		t.Errorf("%s: %+v", f.Result, s)
	}
}

// TestRecoveredRecords are judged with what they carry from an earlier epoch.
func TestRecoveredRecords(t *testing.T) {
	a := newAxis(newWorld(t))
	past, err := evidence.NewRecovered(a.example("envelope"), a.example("receipt"))
	a.must(err)
	filler := a.record(axispb.Kind_KIND_ACT, []byte("x"), &axispb.Decision{})
	dir := a.write("p", a.record(axispb.Kind_KIND_RECOVERED, past, &axispb.Decision{}), filler)
	o := a.options()
	o.Anchors = []*x509.Certificate{a.ca.Certificate(), a.certificate("seal.crt")}
	f := a.verify(filepath.Join(dir, "0"), o)
	if len(f.Signatures) != 3 || f.Signatures[0].Indication != signing.TotalPassed || f.Signatures[1].SubIndication != signing.NoCertificateChainFound || f.Signatures[2].For != auditor.ForSeal {
		t.Errorf("%+v", f)
	}
	if f.Result != auditor.Indeterminate {
		t.Errorf("an epoch that is not known: %s", f.Result)
	}
}
