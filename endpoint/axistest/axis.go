// Package axistest owns an axis made for tests of the endpoint: its services over
// state in memory, with a real log, real evidence and real certificates. It can be
// told to fail before or after any service did its work, and to lie.
package axistest

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"google.golang.org/protobuf/proto"

	"docaxis/internal/bus"
	"docaxis/internal/chunk"
	"docaxis/internal/evidence"
	"docaxis/internal/sealtest"
	"docaxis/proto/axispb"
)

// Hook is called around every call of an endpoint: before (the request is not
// carried out where it fails) and after (the answer is lost).
type Hook func(endpoint string, s bus.Service, when string) error

// Tamper may change an answer before it leaves.
type Tamper func(endpoint string, s bus.Service, resp proto.Message)

// Axis is the axis. Its exported fields may be set before it is used, or under
// Lock.
type Axis struct {
	sync.Mutex
	// Hook and Tamper, where they are set, are called under the lock.
	Hook   Hook
	Tamper Tamper
	// MaxItems bounds a page; 0 means 50.
	MaxItems int
	// ForkReceipts gives receipts under a history that no pull will ever show.
	ForkReceipts bool
	// HoldRequests has requests about agencies wait for an operator.
	HoldRequests bool
	// CutPut is how many bytes of a range are taken; 0 means all.
	CutPut int
	// Older is of a version that passes over chunks inside a submission, and over what
	// the endpoint says of a receipt when it pulls.
	Older bool
	// Carries has pages bring the contents of small documents. Without it the axis is
	// one that does not know of it.
	Carries bool

	t      testing.TB
	ca     sealtest.Seal
	signer *evidence.Signer
	trust  *evidence.Trust
	number uint64
	epoch  *axispb.Epoch
	log    note.Signer
	epochs [][]byte
	clock  int64

	records []*axispb.Record
	hashes  []tlog.Hash

	serving   map[string]string // endpoint by code
	documents map[string]*document
	byLeaf    map[uint64]*document
	rows      map[string][]row
	chunks    map[string]map[chunk.ID][]byte // by endpoint, whole or begun
	counters  map[string]map[uint64][32]byte // statement digest by issuer and counter
	conns     map[string][]*Conn
	requests  map[string]int
	agencies  map[string]*agency // by code, as endpoints registered them
	held      map[string]string  // id by what was asked
}

// document is an accepted document.
type document struct {
	leaf     uint64
	lane     axispb.Lane
	sender   string
	endpoint string
	id       string
	manifest [32]byte
	codes    map[string]string // serving code by code
	chunks   map[chunk.ID]bool
	stated   map[string]*stated      // by code and event
	states   map[string]axispb.State // by code
}

// stated is the first evidence of an event at a code.
type stated struct {
	leaf uint64
	raw  []byte
	st   *axispb.Statement
}

// row is a mailbox row.
type row struct {
	lane          axispb.Lane
	position      uint64
	ordinal       uint32
	leaf          uint64
	code, serving string
	target        axispb.Target
}

// New makes an axis with nobody on it.
func New(t testing.TB) *Axis {
	t.Helper()
	a := &Axis{
		t: t, ca: sealtest.Root(t, "axis CA"),
		serving: map[string]string{}, documents: map[string]*document{}, byLeaf: map[uint64]*document{},
		rows: map[string][]row{}, chunks: map[string]map[chunk.ID][]byte{},
		counters: map[string]map[uint64][32]byte{}, conns: map[string][]*Conn{}, requests: map[string]int{},
		agencies: map[string]*agency{}, held: map[string]string{},
	}
	a.trust = evidence.NewTrust(a.ca.Certificate())
	key := sealtest.P256(t)
	signer, err := evidence.NewSigner(key, a.issue(evidence.AxisIssuer, key.Public(), sealtest.NotAfter))
	if err != nil {
		t.Fatal(err)
	}
	a.signer = signer
	a.openEpoch(0, evidence.EmptyRoot(), nil)
	return a
}

// CA is the axis's certificate authority.
func (a *Axis) CA() *x509.Certificate { return a.ca.Certificate() }

// Pin is what an invitation names.
func (a *Axis) Pin() [32]byte { return sha256.Sum256(a.CA().RawSubjectPublicKeyInfo) }

func (a *Axis) issue(name string, key any, until time.Time) []byte {
	a.t.Helper()
	cert := sealtest.Issue(a.t, a.ca, name, public{key}, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		c.NotAfter = until
	})
	return cert.Certificate().Raw
}

// Enrol makes an endpoint that serves the codes, in the directory of every
// endpoint, and gives what an enrolment answers for its key.
func (a *Axis) Enrol(name string, csrDER []byte, until time.Time, codes ...string) *axispb.EnrolAnswer {
	a.t.Helper()
	a.Lock()
	defer a.Unlock()
	csr, err := x509.ParseCertificateRequest(csrDER)
	if err != nil {
		a.t.Fatal(err)
	}
	der := a.issue(name, csr.PublicKey, until)
	changes := []*axispb.Change{{Change: &axispb.Change_PutEndpoint{PutEndpoint: &axispb.Endpoint{Name: name, Certificate: der}}}}
	for _, code := range codes {
		a.serving[code] = name
		changes = append(changes,
			&axispb.Change{Change: &axispb.Change_PutAgency{PutAgency: &axispb.Agency{Code: code, Name: "Cơ quan " + code}}},
			&axispb.Change{Change: &axispb.Change_ServeCode{ServeCode: &axispb.ServeCode{Code: code, Endpoint: name}}})
	}
	if a.rows[name] == nil {
		a.rows[name] = a.publicRows()
	}
	a.change(changes...)
	return &axispb.EnrolAnswer{Endpoint: name, Certificate: der, Ca: a.CA().Raw, Epochs: a.epochs, Codes: codes}
}

// publicRows are the registry rows that every endpoint has.
func (a *Axis) publicRows() (rows []row) {
	for i, r := range a.records {
		h, _, err := evidence.OpenRecord(r)
		if err == nil && h.Kind == axispb.Kind_KIND_REGISTRY {
			rows = append(rows, row{lane: axispb.Lane_LANE_REGISTRY, position: uint64(i), leaf: uint64(i)})
		}
	}
	return rows
}

// Change journals a change of the registry.
func (a *Axis) Change(changes ...*axispb.Change) {
	a.Lock()
	defer a.Unlock()
	a.change(changes...)
}

func (a *Axis) change(changes ...*axispb.Change) (leaf uint64) {
	body, _ := proto.Marshal(&axispb.RegistryChange{Version: 1, Actor: "test", Changes: changes})
	leaf = a.journal(axispb.Kind_KIND_REGISTRY, body, &axispb.Decision{})
	for name := range a.rows {
		a.addRow(name, row{lane: axispb.Lane_LANE_REGISTRY, position: leaf, leaf: leaf})
	}
	return leaf
}

// Advance lets journal time go on.
func (a *Axis) Advance(d time.Duration) {
	a.Lock()
	defer a.Unlock()
	a.clock += d.Milliseconds()
}

// AdmitSeal makes a certificate a seal of an agency.
func (a *Axis) AdmitSeal(code string, cert *x509.Certificate) {
	a.Change(&axispb.Change{Change: &axispb.Change_AdmitSeal{AdmitSeal: &axispb.Seal{Code: code, Certificate: cert.Raw}}})
}

func (a *Axis) addRow(endpoint string, r row) {
	a.rows[endpoint] = append(a.rows[endpoint], r)
	for _, c := range a.conns[endpoint] {
		c.ring()
	}
}

// journal appends a record and gives its leaf index.
func (a *Axis) journal(kind axispb.Kind, body []byte, d *axispb.Decision) uint64 {
	a.t.Helper()
	decision, _ := proto.Marshal(d)
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce)
	bd, dd := sha256.Sum256(body), sha256.Sum256(decision)
	a.clock = max(a.clock+1, time.Now().UnixMilli())
	header, _ := proto.Marshal(&axispb.RecordHeader{
		Version: 1, Epoch: a.number, Kind: kind, TimeMs: a.clock, Nonce: nonce, BodyDigest: bd[:], DecisionDigest: dd[:],
	})
	leaf := uint64(len(a.records))
	a.records = append(a.records, &axispb.Record{Header: header, Body: body, Decision: decision})
	hashes, err := tlog.StoredHashesForRecordHash(int64(leaf), evidence.LeafHash(header), a.reader())
	if err != nil {
		a.t.Fatal(err)
	}
	a.hashes = append(a.hashes, hashes...)
	return leaf
}

func (a *Axis) reader() tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, n := range indexes {
			out[i] = a.hashes[n]
		}
		return out, nil
	}
}

func (a *Axis) root(size uint64) tlog.Hash {
	if size == 0 {
		return evidence.EmptyRoot()
	}
	h, err := tlog.TreeHash(int64(size), a.reader())
	if err != nil {
		a.t.Fatal(err)
	}
	return h
}

func (a *Axis) size() uint64 { return uint64(len(a.records)) }

// Size is the number of records.
func (a *Axis) Size() uint64 {
	a.Lock()
	defer a.Unlock()
	return a.size()
}

func (a *Axis) checkpoint() []byte {
	root := a.root(a.size())
	text := fmt.Sprintf("%s\n%d\n%s\n", a.epoch.Origin, a.size(), base64.StdEncoding.EncodeToString(root[:]))
	signed, err := note.Sign(&note.Note{Text: text}, a.log)
	if err != nil {
		a.t.Fatal(err)
	}
	return signed
}

func (a *Axis) inclusion(leaf uint64) [][]byte {
	p, err := tlog.ProveRecord(int64(a.size()), int64(leaf), a.reader())
	if err != nil {
		a.t.Fatal(err)
	}
	return bytesOf(p)
}

// consistency proves that the tree extends the one of a size; empty where there is
// nothing to prove or it never had that size.
func (a *Axis) consistency(from uint64) [][]byte {
	return a.between(from, a.size())
}

func (a *Axis) between(from, to uint64) [][]byte {
	if from == 0 || from > to || to > a.size() {
		return nil
	}
	p, err := tlog.ProveTree(int64(to), int64(from), a.reader())
	if err != nil {
		a.t.Fatal(err)
	}
	return bytesOf(p)
}

func bytesOf[H ~[32]byte](hashes []H) [][]byte {
	out := make([][]byte, len(hashes))
	for i, h := range hashes {
		out[i] = append([]byte(nil), h[:]...)
	}
	return out
}

// receipt proves a record under the newest checkpoint.
func (a *Axis) receipt(leaf uint64) []byte {
	r, err := evidence.NewReceipt(a.records[leaf], leaf, a.inclusion(leaf), a.checkpoint())
	if err != nil {
		a.t.Fatal(err)
	}
	return r
}

// forkedReceipt proves a record in a tree that has another record behind it than
// the log will have.
func (a *Axis) forkedReceipt(leaf uint64) []byte {
	size := a.size()
	a.journal(axispb.Kind_KIND_ACT, []byte("never shown"), &axispb.Decision{})
	r := a.receipt(leaf)
	a.records = a.records[:size]
	a.hashes = a.hashes[:tlog.StoredHashCount(int64(size))]
	return r
}

// NewEpoch opens a new epoch whose journal has only the first base records of the
// old one, as after a restore.
func (a *Axis) NewEpoch(base uint64) {
	a.Lock()
	defer a.Unlock()
	root := a.root(a.size())
	previous := &axispb.CheckpointRef{Epoch: a.number, Size: a.size(), Root: root[:]}
	a.records = a.records[:base]
	a.hashes = a.hashes[:tlog.StoredHashCount(int64(base))]
	for name, rows := range a.rows {
		var kept []row
		for _, r := range rows {
			if r.position < base {
				kept = append(kept, r)
			}
		}
		a.rows[name] = kept
	}
	for id, d := range a.documents {
		if d.leaf >= base {
			delete(a.documents, id)
			delete(a.byLeaf, d.leaf)
		}
	}
	a.openEpoch(base, a.root(base), previous)
}

func (a *Axis) openEpoch(base uint64, root tlog.Hash, previous *axispb.CheckpointRef) {
	a.number++
	origin := fmt.Sprintf("axis.test/%d", a.number)
	secret, public, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		a.t.Fatal(err)
	}
	if a.log, err = note.NewSigner(secret); err != nil {
		a.t.Fatal(err)
	}
	a.epoch = &axispb.Epoch{
		Version: 1, Number: a.number, Origin: origin, VerifierKey: public, OpenedMs: 1,
		BaseSize: base, BaseRoot: root[:], Previous: previous, Reason: "test",
	}
	signed := a.sign(a.epoch)
	if _, err := a.trust.AddEpoch(signed); err != nil {
		a.t.Fatal(err)
	}
	a.epochs = append(a.epochs, signed)
	a.journal(axispb.Kind_KIND_EPOCH, signed, &axispb.Decision{})
}

func (a *Axis) sign(e *axispb.Epoch) []byte {
	raw, _ := proto.Marshal(e)
	digest := sha256.Sum256(append([]byte(evidence.EpochPrefix), raw...))
	sig, err := a.ca.Key.Sign(rand.Reader, digest[:], tlsHash)
	if err != nil {
		a.t.Fatal(err)
	}
	signed, _ := proto.Marshal(&axispb.SignedEpoch{Epoch: raw, Signature: sig})
	return signed
}

// Fork makes the axis show another history of the same length: its last record is
// replaced.
func (a *Axis) Fork() {
	a.Lock()
	defer a.Unlock()
	last := a.size() - 1
	a.records = a.records[:last]
	a.hashes = a.hashes[:tlog.StoredHashCount(int64(last))]
	a.journal(axispb.Kind_KIND_ACT, []byte("another history"), &axispb.Decision{})
}

// Requests is how often an endpoint asked a service.
func (a *Axis) Requests(endpoint string, s bus.Service) int {
	a.Lock()
	defer a.Unlock()
	return a.requests[endpoint+" "+string(s)]
}

// certificateOf is for renewals.
func (a *Axis) certificateOf(name string, csrDER []byte) ([]byte, error) {
	csr, err := x509.ParseCertificateRequest(csrDER)
	if err != nil {
		return nil, err
	}
	der := a.issue(name, csr.PublicKey, sealtest.NotAfter)
	a.change(&axispb.Change{Change: &axispb.Change_PutEndpoint{PutEndpoint: &axispb.Endpoint{Name: name, Certificate: der}}})
	return der, nil
}

// Conn is an endpoint's connection. It implements link.Conn.
type Conn struct {
	axis *Axis
	name string

	mu        sync.Mutex
	off       bool
	bell      func()
	onConnect func()
	cert      *tls.Certificate
}
