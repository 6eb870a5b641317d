package hubtest_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/bus"
	"docaxis/proto/axispb"
)

// testPull asks for its mailbox with cursors from everywhere: no page holds
// anything but what is its own or public.
func testPull(t *testing.T, s *siege) {
	var cursors [][]*axispb.Cursor
	for _, lane := range []axispb.Lane{-1, 0, 1, 2, 3, 1 << 30} {
		for _, position := range []uint64{0, 1, s.crossed.item.LeafIndex, s.pending.item.LeafIndex, 1 << 40, 1<<63 - 1, 1 << 63, huge} {
			for _, ordinal := range []uint32{0, 1<<32 - 1} {
				cursors = append(cursors, []*axispb.Cursor{{Lane: lane, Position: position, Ordinal: ordinal}})
			}
		}
	}
	s.attack(t, nil, func() {
		for i, c := range cursors {
			req := &axispb.PullRequest{
				Cursors: c, Epoch: []uint64{0, 1, 2, 1 << 40, huge}[i%5],
				MaxBytes: []uint32{0, 1, 1<<32 - 1}[i%3], SeenSize: []uint64{0, 1, 1 << 40, 1 << 63, huge}[i%5],
				MaxContents: []uint32{0, 1 << 10, 1<<32 - 1}[i%3], ReceiptSize: []uint64{huge, 1 << 63, 0, 2}[i%4],
			}
			page := new(axispb.Page)
			mustBody(t, s.raw.ask(t, bus.Pull, req), page)
			s.ownItems(t, page)
		}
		all := s.raw.ask(t, bus.Pull, fromTheStart())
		page := new(axispb.Page)
		mustBody(t, all, page)
		if n := s.ownItems(t, page); n == 0 {
			t.Error("the attacker's own mailbox is empty: nothing was shown")
		}
		if len(page.GetContents()) == 0 {
			t.Error("no page brought contents: nothing was shown of them")
		}
		many := make([]*axispb.Cursor, 1000)
		expect(t, "1000 cursors", said(s.raw.ask(t, bus.Pull, &axispb.PullRequest{Cursors: many})), `MALFORMED ["more cursors than lanes"]`)
	})
}

// ownItems counts the documents of a page, each of which must name the attacker's
// code; registry records must be public, and contents those of these documents.
func (s *siege) ownItems(t *testing.T, page *axispb.Page) int {
	t.Helper()
	documents, chunks := 0, map[string]bool{}
	for _, item := range page.GetItems() {
		header := new(axispb.RecordHeader)
		if err := proto.Unmarshal(item.GetRecord().GetHeader(), header); err != nil {
			t.Fatal(err)
		}
		switch header.GetKind() {
		case axispb.Kind_KIND_EPOCH:
		case axispb.Kind_KIND_REGISTRY:
			s.publicChange(t, item.GetRecord().GetBody())
		case axispb.Kind_KIND_DOCUMENT, axispb.Kind_KIND_EVIDENCE:
			documents++
			if item.GetCode() != "H25" || item.GetServingCode() != "H25" {
				t.Errorf("item of %s", item.GetCode())
			}
			env := new(axispb.Envelope)
			if header.GetKind() == axispb.Kind_KIND_DOCUMENT && proto.Unmarshal(item.GetRecord().GetBody(), env) != nil {
				t.Error("a document that cannot be read")
			}
			for _, f := range env.GetContents() {
				for _, digest := range f.GetChunks() {
					chunks[string(digest)] = true
				}
			}
		default:
			t.Errorf("a record of kind %v", header.GetKind())
		}
	}
	for _, c := range page.GetContents() {
		if !chunks[string(c.GetDigest())] || !bytes.Equal(sum(c.GetData()), c.GetDigest()) {
			t.Errorf("chunk %x of no document of the page", c.GetDigest())
		}
	}
	return documents
}

func (s *siege) publicChange(t *testing.T, body []byte) {
	t.Helper()
	c := new(axispb.RegistryChange)
	if err := proto.Unmarshal(body, c); err != nil {
		t.Fatal(err)
	}
	for _, step := range c.GetChanges() {
		if step.GetInvite() != nil || step.GetUseInvitation() != nil {
			t.Errorf("an invitation is served: %v", step)
		}
	}
}

// testProof: proofs are hashes of hashes; sizes beyond the log get a reason.
func testProof(t *testing.T, s *siege) {
	size := s.checkpoint(t).GetSize()
	s.attack(t, nil, func() {
		for _, req := range []*axispb.ProofRequest{
			{FromSize: huge},
			{ToSize: huge},
			{FromSize: huge, ToSize: huge},
			{FromSize: 1 << 63, ToSize: 1 << 63},
			{ToSize: size + 1},
			{FromSize: 5, ToSize: 4},
			{FromSize: size + 1},
			{LeafIndexPlusOne: huge},
			{LeafIndexPlusOne: size + 1},
			{LeafIndexPlusOne: 5, ToSize: 4},
			{LeafIndexPlusOne: 1 << 63, ToSize: 1},
		} {
			expect(t, fmt.Sprint(req), said(s.raw.ask(t, bus.Proof, req)), `MALFORMED ["sizes beyond the log"]`)
		}
		for _, leaf := range []uint64{s.crossed.item.LeafIndex, s.pending.item.LeafIndex} {
			proof := new(axispb.ProofAnswer)
			mustBody(t, s.raw.ask(t, bus.Proof, &axispb.ProofRequest{FromSize: 1, LeafIndexPlusOne: leaf + 1}), proof)
			for _, h := range append(proof.GetInclusion(), proof.GetConsistency()...) {
				if len(h) != 32 {
					t.Errorf("a proof holds %x", h)
				}
			}
		}
	})
}

// testRenew asks for a certificate in another's name: it gets one in its own, and
// not without end.
func testRenew(t *testing.T, s *siege) {
	s.attack(t, traces{renewal: 1}, func() {
		answer := new(axispb.RenewAnswer)
		mustBody(t, s.raw.ask(t, bus.Renew, &axispb.RenewRequest{Csr: newRequest(t, s.receiver.Name)}), answer)
		cert, err := x509.ParseCertificate(answer.GetCertificate())
		if err != nil {
			t.Fatal(err)
		}
		expect(t, "name in the certificate", cert.Subject.String(), "CN="+s.attacker.Name)
		if len(cert.DNSNames) > 0 || cert.IsCA || len(cert.ExtKeyUsage) != 1 {
			t.Errorf("the certificate has more than its name: %+v", cert)
		}
	})
	s.attack(t, nil, func() {
		stolen := s.identity(t, s.receiver).Certificate.Leaf
		for what, csr := range map[string][]byte{
			"nothing": nil, "no request": []byte("CSR"), "cut": newRequest(t, "x")[:100],
			"a certificate":    stolen.Raw,
			"a key of Ed25519": requestOf(t, ed25519.NewKeyFromSeed(make([]byte, 32))),
			"another's key":    foreignRequest(t, stolen.PublicKey.(*ecdsa.PublicKey)),
		} {
			expect(t, what, said(s.raw.ask(t, bus.Renew, &axispb.RenewRequest{Csr: csr})), `MALFORMED ["certificate request"]`)
		}
	})
	granted := 0
	for range 30 {
		a := s.raw.ask(t, bus.Renew, &axispb.RenewRequest{Csr: newRequest(t, "x")})
		if a.GetError() == nil {
			granted++
			continue
		}
		expect(t, "one renewal too many", reasonText(&axispb.Reason{Code: a.GetError().GetCode(), Args: a.GetError().GetArgs()[:1]}), `QUOTA ["10 certificates a day"]`)
	}
	// Each is a public record, which every endpoint of the country has to take.
	if granted > 9 {
		t.Errorf("%d more certificates within a day", granted)
	}
	s.settle(t)
}

func newRequest(t *testing.T, name string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return requestOf(t, key, name)
}

func requestOf(t *testing.T, key crypto.Signer, name ...string) []byte {
	t.Helper()
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: fmt.Sprint(name)}, DNSNames: name}
	csr, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		t.Fatal(err)
	}
	return csr
}

// foreignRequest has another's public key and a signature by one's own.
func foreignRequest(t *testing.T, public *ecdsa.PublicKey) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr := requestOf(t, key)
	forged := bytes.Replace(csr, point(t, &key.PublicKey), point(t, public), 1)
	if bytes.Equal(csr, forged) {
		t.Fatal("the key was not replaced")
	}
	return forged
}

func point(t *testing.T, public *ecdsa.PublicKey) []byte {
	t.Helper()
	p, err := public.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return p
}
