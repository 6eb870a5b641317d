package evidence

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

// Keys of the tests are made from fixed numbers, so that the inputs committed
// for fuzzing stay valid.
const (
	caSeed = iota + 1
	otherCASeed
	h41Seed
	axisSeed
	log1Seed
	log2Seed
	log3Seed
	thirdCASeed
)

var testTime = time.Date(2026, 11, 3, 8, 0, 0, 0, time.UTC)

func testKey(t testing.TB, seed byte) *ecdsa.PrivateKey {
	t.Helper()
	scalar := sha256.Sum256([]byte{'k', 'e', 'y', seed})
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
	must(t, err)
	return key
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// authority is a CA of the tests.
type authority struct {
	t    testing.TB
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t testing.TB, seed byte) *authority {
	t.Helper()
	key := testKey(t, seed)
	tmpl := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "Test axis CA"},
		NotBefore:             testTime.AddDate(-1, 0, 0),
		NotAfter:              testTime.AddDate(20, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return &authority{t: t, key: key, cert: cert}
}

func leafTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(7),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    testTime.AddDate(0, -1, 0),
		NotAfter:     testTime.AddDate(0, 12, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

func (a *authority) issue(tmpl *x509.Certificate, pub any) []byte {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, pub, a.key)
	must(a.t, err)
	return der
}

func (a *authority) signer(name string, seed byte) *Signer {
	a.t.Helper()
	key, tmpl := testKey(a.t, seed), leafTemplate(name)
	if name == AxisIssuer {
		tmpl.ExtKeyUsage = nil
	}
	s, err := NewSigner(key, a.issue(tmpl, key.Public()))
	must(a.t, err)
	return s
}

func (a *authority) sign(e *axispb.Epoch) []byte {
	a.t.Helper()
	return a.signRaw(marshal(a.t, e))
}

func (a *authority) signRaw(epoch []byte) []byte {
	a.t.Helper()
	digest := sha256.Sum256(append([]byte("docaxis/epoch/v1\n"), epoch...))
	sig, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	must(a.t, err)
	return marshal(a.t, &axispb.SignedEpoch{Epoch: epoch, Signature: sig})
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	must(t, err)
	return b
}

// sign makes an Evidence of bytes that Sign might refuse.
func signStatement(t testing.TB, s *Signer, statement []byte) []byte {
	t.Helper()
	digest := sha256.Sum256(append([]byte("docaxis/evidence/v1\n"), statement...))
	sig, err := s.key.Sign(rand.Reader, digest[:], nil)
	must(t, err)
	return marshal(t, &axispb.Evidence{Statement: statement, Signature: sig, Certificate: s.cert.Raw})
}

// testLog is a log with its key, over a tree held in memory.
type testLog struct {
	t      testing.TB
	origin string
	vkey   string
	signer note.Signer
	*testTree
}

type testTree struct {
	size   uint64
	hashes []tlog.Hash
}

func (tr *testTree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = tr.hashes[x]
	}
	return out, nil
}

func newLog(t testing.TB, number int, seed byte, tree *testTree) *testLog {
	t.Helper()
	origin := fmt.Sprintf("axis.example/log/%d", number)
	skey, vkey, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{seed}, 64)), origin)
	must(t, err)
	signer, err := note.NewSigner(skey)
	must(t, err)
	return &testLog{t: t, origin: origin, vkey: vkey, signer: signer, testTree: tree}
}

func (l *testLog) add(leaf tlog.Hash) uint64 {
	l.t.Helper()
	hs, err := tlog.StoredHashesForRecordHash(int64(l.size), leaf, l)
	must(l.t, err)
	l.hashes = append(l.hashes, hs...)
	l.size++
	return l.size - 1
}

// fill adds leaves whose content nobody asks for.
func (l *testLog) fill(n int) {
	for range n {
		l.add(tlog.RecordHash(fmt.Appendf(nil, "%s %d", l.origin, l.size)))
	}
}

func (l *testLog) root(size uint64) tlog.Hash {
	l.t.Helper()
	h, err := tlog.TreeHash(int64(size), l)
	must(l.t, err)
	return h
}

func (l *testLog) text(size uint64) string {
	return fmt.Sprintf("%s\n%d\n%s\n", l.origin, size, l.root(size))
}

func (l *testLog) note(text string) []byte {
	l.t.Helper()
	b, err := note.Sign(&note.Note{Text: text}, l.signer)
	must(l.t, err)
	return b
}

func (l *testLog) checkpoint(size uint64) []byte { return l.note(l.text(size)) }

func (l *testLog) inclusion(size, leaf uint64) [][]byte {
	l.t.Helper()
	p, err := tlog.ProveRecord(int64(size), int64(leaf), l)
	must(l.t, err)
	return raw(p)
}

func (l *testLog) consistency(from, to uint64) [][]byte {
	l.t.Helper()
	p, err := tlog.ProveTree(int64(to), int64(from), l)
	must(l.t, err)
	return raw(p)
}

func raw(hs []tlog.Hash) [][]byte {
	var out [][]byte
	for _, h := range hs {
		out = append(out, h[:])
	}
	return out
}

func (l *testLog) epoch(number uint64, base uint64, previous *axispb.CheckpointRef) *axispb.Epoch {
	root := l.root(base)
	return &axispb.Epoch{
		Version:     1,
		Number:      number,
		Origin:      l.origin,
		VerifierKey: l.vkey,
		OpenedMs:    testTime.UnixMilli(),
		BaseSize:    base,
		BaseRoot:    root[:],
		Previous:    previous,
		Reason:      "test",
	}
}

// world is a CA, one epoch with its log, and a party that trusts both.
type world struct {
	t     testing.TB
	ca    *authority
	log   *testLog
	trust *Trust
	h41   *Signer
	axis  *Signer
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, ca: newAuthority(t, caSeed), log: newLog(t, 1, log1Seed, &testTree{})}
	w.trust = NewTrust(w.ca.cert)
	w.h41 = w.ca.signer("h41", h41Seed)
	w.axis = w.ca.signer("axis", axisSeed)
	_, err := w.trust.AddEpoch(w.ca.sign(w.log.epoch(1, 0, nil)))
	must(t, err)
	return w
}

// reopen opens a further epoch whose tree goes on from base.
func (w *world) reopen(number uint64, seed byte, base uint64, previous *axispb.CheckpointRef) *testLog {
	w.t.Helper()
	count := tlog.StoredHashCount(int64(base))
	tree := &testTree{size: base, hashes: bytes2hashes(w.log.hashes[:count])}
	l := newLog(w.t, int(number), seed, tree)
	_, err := w.trust.AddEpoch(w.ca.sign(l.epoch(number, base, previous)))
	must(w.t, err)
	return l
}

func bytes2hashes(hs []tlog.Hash) []tlog.Hash { return append([]tlog.Hash(nil), hs...) }

// record is a document's record, accepted by the endpoint h41.
func record(t testing.TB, epoch uint64, body string) *axispb.Record {
	t.Helper()
	decision := marshal(t, &axispb.Decision{
		Endpoint: "h41",
		Document: &axispb.DocumentDecision{Lane: axispb.Lane_LANE_NORMAL, Rows: 3},
	})
	bodyDigest, decisionDigest := sha256.Sum256([]byte(body)), sha256.Sum256(decision)
	header := marshal(t, &axispb.RecordHeader{
		Version:        1,
		Epoch:          epoch,
		Kind:           axispb.Kind_KIND_DOCUMENT,
		TimeMs:         testTime.UnixMilli(),
		Nonce:          bytes.Repeat([]byte{9}, 16),
		BodyDigest:     bodyDigest[:],
		DecisionDigest: decisionDigest[:],
	})
	return &axispb.Record{Header: header, Body: []byte(body), Decision: decision}
}

// receipt journals a record between others and gives its receipt.
func (w *world) receipt(r *axispb.Record) []byte {
	w.t.Helper()
	w.log.fill(5)
	leaf := w.log.add(LeafHash(r.Header))
	w.log.fill(3)
	b, err := NewReceipt(r, leaf, w.log.inclusion(w.log.size, leaf), w.log.checkpoint(w.log.size))
	must(w.t, err)
	return b
}

func digest(s string) []byte {
	d := sha256.Sum256([]byte(s))
	return d[:]
}

// consignment is a statement that keeps every rule.
func consignment() *axispb.Statement {
	return &axispb.Statement{
		Version:        1,
		Event:          axispb.Event_EVENT_CONTENT_CONSIGNMENT,
		Issuer:         "h41",
		Counter:        12,
		TimeMs:         testTime.UnixMilli(),
		Document:       &axispb.RecordRef{Epoch: 1, LeafIndex: 5},
		Commitment:     digest("header"),
		Sender:         "G22.01",
		EnvelopeId:     "019a4e7c-0000-7000-8000-000000000001",
		ManifestDigest: digest("manifest"),
		Code:           "H41.11.05",
		Checkpoint:     &axispb.CheckpointRef{Epoch: 1, Size: 9, Root: digest("root")},
	}
}

// rejection is the axis's refusal of a submission, keeping every rule.
func rejection() *axispb.Statement {
	return &axispb.Statement{
		Version:        1,
		Event:          axispb.Event_EVENT_SUBMISSION_REJECTION,
		Issuer:         "axis",
		TimeMs:         testTime.UnixMilli(),
		Sender:         "G22.01",
		EnvelopeId:     "019a4e7c-0000-7000-8000-000000000001",
		Reason:         &axispb.Reason{Code: axispb.ReasonCode_REASON_NO_RECIPIENT},
		EnvelopeDigest: digest("envelope"),
	}
}
