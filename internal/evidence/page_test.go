package evidence

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"google.golang.org/protobuf/proto"

	"docaxis/internal/sealtest"
	"docaxis/proto/axispb"
	"docaxis/signing"
	"docaxis/signing/asic"
)

// The worked example of docs/evidence.md is real: its files lie in pageFolder and
// its values are computed from them.
//
//	go test -tags crosscheck ./internal/evidence -run Page -update
//
// makes new files and writes what the page's commands print into the page.
var (
	update = flag.Bool("update", false, "make the worked example of docs/evidence.md anew")
	once   sync.Once
)

const (
	pageFolder = "testdata/page"
	pagePath   = "../../docs/evidence.md"
	pageOrigin = "axis.example.vn/1"
)

// page is the worked example as the files have it.
type page struct {
	t testing.TB

	ca, seal           *x509.Certificate
	epoch, envelope    []byte
	receipt, evidence  []byte
	evidenceReceipt    []byte
	file               []byte
	trust              *Trust
	text               string // of docs/evidence.md
	document, reported Proven
}

func readPage(t testing.TB) *page {
	t.Helper()
	if *update {
		once.Do(func() { writePage(t) })
	}
	p := &page{t: t}
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(pageFolder, name))
		must(t, err)
		return b
	}
	cert := func(name string) *x509.Certificate {
		block, _ := pem.Decode(read(name))
		c, err := x509.ParseCertificate(block.Bytes)
		must(t, err)
		return c
	}
	p.ca, p.seal = cert("ca.crt"), cert("seal.crt")
	p.epoch, p.envelope, p.file = read("epoch"), read("envelope"), read("001.txt")
	p.receipt, p.evidence, p.evidenceReceipt = read("receipt"), read("evidence"), read("evidence.receipt")
	text, err := os.ReadFile(pagePath)
	must(t, err)
	p.text = string(text)
	p.trust = NewTrust(p.ca)
	_, err = p.trust.AddEpoch(p.epoch)
	must(t, err)
	p.document, err = p.trust.Receipt(p.receipt, p.envelope)
	must(t, err)
	p.reported, err = p.trust.Receipt(p.evidenceReceipt, p.evidence)
	must(t, err)
	return p
}

// The files of the example hold together in the eyes of the code that the endpoint
// and the auditor use.
func TestPageExampleHolds(t *testing.T) {
	p := readPage(t)
	st, _, err := p.trust.Statement(p.evidence)
	must(t, err)
	env := new(axispb.Envelope)
	must(t, proto.Unmarshal(p.envelope, env))
	err = Matches(st, p.document, Document{
		Sender: st.Sender, ID: st.EnvelopeId, ManifestDigest: sha256.Sum256(env.Manifest),
	})
	must(t, err)
	verdicts, err := signing.Verify(env.Signature, env.Manifest, signing.Options{
		At: time.UnixMilli(p.document.Header.TimeMs), Pinned: []*x509.Certificate{p.seal},
	})
	must(t, err)
	if len(verdicts) != 1 || !verdicts[0].Passed() {
		t.Errorf("the seal does not pass: %+v", verdicts)
	}
	for name, content := range map[string][]byte{"document.json": env.Document, "files/001.txt": p.file} {
		sum := sha256.Sum256(content)
		if !bytes.Contains(env.Manifest, []byte(base64.StdEncoding.EncodeToString(sum[:]))) {
			t.Errorf("the manifest has not the digest of %s", name)
		}
	}
}

// Every value that the page shows is the files'.
func TestPageShowsTheValuesOfItsFiles(t *testing.T) {
	p := readPage(t)
	leaf := LeafHash(mustReceipt(t, p.receipt).Header)
	values := map[string]string{
		"commitment":       hex.EncodeToString(p.document.Commitment[:]),
		"leaf hash":        hex.EncodeToString(leaf[:]),
		"digest of body":   hex.EncodeToString(p.document.Header.BodyDigest),
		"root":             hex.EncodeToString(p.document.Checkpoint.Root[:]),
		"checkpoint":       string(bytes.SplitAfter(p.document.Checkpoint.Note, []byte("\n\n"))[0]),
		"time of document": time.UnixMilli(p.document.Header.TimeMs).UTC().Format("2006-01-02 15:04:05"),
		"time of evidence": time.UnixMilli(p.reported.Header.TimeMs).UTC().Format("2006-01-02 15:04:05"),
	}
	for _, h := range mustReceipt(t, p.receipt).Inclusion {
		values["proof "+hex.EncodeToString(h[:4])] = hex.EncodeToString(h)
	}
	for name, v := range values {
		if !strings.Contains(p.text, strings.TrimSpace(v)) {
			t.Errorf("docs/evidence.md does not show the %s: %s", name, v)
		}
	}
}

func mustReceipt(t testing.TB, raw []byte) *axispb.Receipt {
	t.Helper()
	r := new(axispb.Receipt)
	must(t, proto.Unmarshal(raw, r))
	return r
}

// writePage makes the files: a log of eight records, of which number 3 is a
// document and number 6 the recipient's evidence of it.
func writePage(t testing.TB) {
	t.Helper()
	ca := newAuthority(t, caSeed)
	log := pageLog(t)
	endpoint := ca.signer("h41-11-05", h41Seed)
	seal := sealtest.Issue(t, sealtest.Seal{}, "Bộ Công Thương (con dấu thử)", sealtest.P256(t), nil)
	file := []byte("Về việc thử nghiệm trục liên thông văn bản.\n")

	epoch := ca.sign(log.epoch(1, 0, nil))
	envelope := pageEnvelope(t, seal, file)
	document := pageRecord(t, axispb.Kind_KIND_DOCUMENT, testTime.Add(3*time.Second), envelope, &axispb.Decision{
		Endpoint: "g02-01", Document: &axispb.DocumentDecision{Lane: axispb.Lane_LANE_NORMAL, Rows: 1},
	})
	log.add(LeafHash(pageRecord(t, axispb.Kind_KIND_EPOCH, testTime, epoch, &axispb.Decision{}).Header))
	log.fill(2)
	leaf := log.add(LeafHash(document.Header))
	log.fill(1)
	receipt, err := NewReceipt(document, leaf, log.inclusion(log.size, leaf), log.checkpoint(log.size))
	must(t, err)

	evidence, err := endpoint.Sign(pageStatement(t, log, document, envelope, leaf))
	must(t, err)
	log.fill(1)
	record := pageRecord(t, axispb.Kind_KIND_EVIDENCE, testTime.Add(74*time.Second), evidence, &axispb.Decision{
		Endpoint: "h41-11-05", Evidence: &axispb.EvidenceDecision{Standing: axispb.Standing_STANDING_FIRST},
	})
	place := log.add(LeafHash(record.Header))
	log.fill(1)
	proof, err := NewReceipt(record, place, log.inclusion(log.size, place), log.checkpoint(log.size))
	must(t, err)

	for name, b := range map[string][]byte{
		"ca.crt": pemCertificate(ca.cert), "seal.crt": pemCertificate(seal.Certificate()),
		"epoch": epoch, "envelope": envelope, "receipt": receipt, "001.txt": file,
		"evidence": evidence, "evidence.receipt": proof,
	} {
		must(t, os.WriteFile(filepath.Join(pageFolder, name), b, 0o644))
	}
}

func pageLog(t testing.TB) *testLog {
	t.Helper()
	key, vkey, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{log1Seed}, 64)), pageOrigin)
	must(t, err)
	signer, err := note.NewSigner(key)
	must(t, err)
	return &testLog{t: t, origin: pageOrigin, vkey: vkey, signer: signer, testTree: &testTree{}}
}

func pemCertificate(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func pageEnvelope(t testing.TB, seal sealtest.Seal, file []byte) []byte {
	t.Helper()
	document, err := os.ReadFile(filepath.Join(pageFolder, "document.json"))
	must(t, err)
	manifest := pageManifest(t, document, file)
	signature, err := signing.Sign(manifest, seal.Key, seal.Chain)
	must(t, err)
	chunk := sha256.Sum256(file)
	return marshal(t, &axispb.Envelope{
		Version: 1, Manifest: manifest, Document: document, Signature: signature,
		Contents: []*axispb.FileContent{{Name: "files/001.txt", Size: uint64(len(file)), Chunks: [][]byte{chunk[:]}}},
	})
}

func pageManifest(t testing.TB, document, file []byte) []byte {
	t.Helper()
	raw, err := asic.Compose(asic.Manifest{References: []asic.Reference{
		{URI: asic.DocumentName, MimeType: "application/json", Digest: sha256.Sum256(document)},
		{URI: "files/001.txt", MimeType: "text/plain", Digest: sha256.Sum256(file)},
	}})
	must(t, err)
	return raw
}

func pageRecord(t testing.TB, kind axispb.Kind, at time.Time, body []byte, d *axispb.Decision) *axispb.Record {
	t.Helper()
	decision := marshal(t, d)
	bodyDigest, decisionDigest := sha256.Sum256(body), sha256.Sum256(decision)
	nonce := sha256.Sum256(fmt.Appendf(nil, "nonce %d", at.Unix()))
	header := marshal(t, &axispb.RecordHeader{
		Version: 1, Epoch: 1, Kind: kind, TimeMs: at.UnixMilli(), Nonce: nonce[:16],
		BodyDigest: bodyDigest[:], DecisionDigest: decisionDigest[:],
	})
	return &axispb.Record{Header: header, Body: body, Decision: decision}
}

func pageStatement(t testing.TB, log *testLog, document *axispb.Record, envelope []byte, leaf uint64) *axispb.Statement {
	t.Helper()
	env := new(axispb.Envelope)
	must(t, proto.Unmarshal(envelope, env))
	manifest := sha256.Sum256(env.Manifest)
	commitment, root := Commitment(document.Header), log.root(log.size)
	return &axispb.Statement{
		Version: 1, Event: axispb.Event_EVENT_CONTENT_CONSIGNMENT, Issuer: "h41-11-05", Counter: 12,
		TimeMs:   testTime.Add(71 * time.Second).UnixMilli(),
		Document: &axispb.RecordRef{Epoch: 1, LeafIndex: leaf}, Commitment: commitment[:],
		Sender: "G02.01", EnvelopeId: "019a4e7c-6f5e-7c1a-8d3b-2f6a1e5b9c40", ManifestDigest: manifest[:],
		Code: "H41.11.05", Checkpoint: &axispb.CheckpointRef{Epoch: 1, Size: log.size, Root: root[:]},
	}
}
