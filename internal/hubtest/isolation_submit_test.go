package hubtest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/envelope"
	"docaxis/proto/axispb"
)

// rejection reads a SubmissionRejection, which must say of the envelope no more
// than whoever sent it knew.
func (s *siege) rejection(t *testing.T, raw []byte) string {
	t.Helper()
	a := s.submit(t, raw)
	if a.GetRejection() == nil || a.GetReceipt() != nil {
		t.Fatalf("not refused: %v", a)
	}
	st := statementOf(t, a.GetRejection())
	if !bytes.Equal(st.GetEnvelopeDigest(), sum(raw)) || st.GetIssuer() != "axis" || st.GetDocument() != nil || st.GetCommitment() != nil || st.GetCode() != "" {
		t.Errorf("the rejection is %v", st)
	}
	return reasonText(st.GetReason())
}

func statementOf(t *testing.T, raw []byte) *axispb.Statement {
	t.Helper()
	ev, st := new(axispb.Evidence), new(axispb.Statement)
	if err := proto.Unmarshal(raw, ev); err != nil {
		t.Fatal(err)
	}
	if err := proto.Unmarshal(ev.GetStatement(), st); err != nil {
		t.Fatal(err)
	}
	return st
}

// testSubmit sends what has a victim as its sender: what was accepted and what
// never was, whole and altered, under the victim's seal and its own. One answer.
func testSubmit(t *testing.T, s *siege) {
	asVictim := func(id string, contents ...[]byte) []byte {
		return s.compose(t, s.attacker, envelope.Document{Sender: "G22", ID: id, To: []string{"H25"}, Subject: "Giả"}, contents...)
	}
	known := s.crossed.envelope.Document.ID
	relisted := new(axispb.Envelope)
	if err := proto.Unmarshal(s.crossed.envelope.Raw, relisted); err != nil {
		t.Fatal(err)
	}
	relisted.Contents[0].Chunks[0] = sum([]byte("elsewhere"))
	unsigned := proto.CloneOf(relisted)
	unsigned.Signature = nil
	uploaded := []byte("tải lên thật")
	s.raw.upload(t, uploaded)
	tries := map[string][]byte{
		"accepted envelope":                    s.crossed.envelope.Raw,
		"pending envelope":                     s.pending.envelope.Raw,
		"envelope of which it is a recipient":  s.shared.envelope.Raw,
		"accepted envelope, other chunks":      wire(t, relisted),
		"accepted envelope without its seal":   wire(t, unsigned),
		"envelope of the victim's, never sent": s.compose(t, s.sender, envelope.Document{Sender: "G22", To: []string{"H41"}}, []byte("chưa gửi")),
		"accepted id, own seal":                asVictim(known),
		"accepted id, own seal, own content":   asVictim(known, uploaded),
		"unknown id, own seal":                 asVictim(""),
		"unknown id, own seal, own content":    asVictim("", uploaded),
		"victim's code by another name":        s.compose(t, s.attacker, envelope.Document{Sender: "000.00.00.G22", ID: known, To: []string{"H25"}}),
	}
	s.attack(t, traces{refusal: len(tries)}, func() {
		for what, raw := range tries {
			want := `SENDER_NOT_SERVED ["G22"]`
			if strings.Contains(what, "another name") {
				want = `SENDER_NOT_SERVED ["000.00.00.G22"]`
			}
			expect(t, what, s.rejection(t, raw), want)
		}
	})
}

// testChanges: a change of what it has no part in is told as if that did not
// exist; and who only received a document cannot recall it.
func testChanges(t *testing.T, s *siege) {
	change := func(kind envelope.Kind, sender, id string) []byte {
		doc := docTo("H25", "H41", "G22")
		doc.Kind = kind
		doc.References = []envelope.Reference{{Sender: sender, ID: id, Relation: envelope.RelationTarget}}
		if kind == envelope.KindStatus {
			doc.Status = "03"
		}
		return s.compose(t, s.attacker, doc)
	}
	every := []envelope.Kind{envelope.KindRecall, envelope.KindUpdate, envelope.KindReplacement, envelope.KindStatus, envelope.KindReply}
	ids := []string{s.crossed.envelope.Document.ID, s.pending.envelope.Document.ID, newID(t)}
	s.attack(t, traces{refusal: len(every) * len(ids)}, func() {
		for _, kind := range every {
			for _, id := range ids {
				expect(t, fmt.Sprintf("%s of %s", kind, id), s.rejection(t, change(kind, "G22", id)), fmt.Sprintf("UNKNOWN_TARGET [\"G22\" %q]", id))
			}
		}
	})
	shared := s.shared.envelope.Document.ID
	s.attack(t, traces{refusal: 3}, func() {
		for _, kind := range every[:3] {
			expect(t, string(kind)+" by a recipient", s.rejection(t, change(kind, "G22", shared)), fmt.Sprintf("NOT_ITS_SENDER [\"G22\" %q]", shared))
		}
	})
	for _, kind := range every[3:] {
		if a := s.submit(t, change(kind, "G22", shared)); a.GetReceipt() == nil {
			t.Errorf("a %s by a recipient is refused: %s", kind, reasonText(statementOf(t, a.GetRejection()).GetReason()))
		}
	}
	s.settle(t)
}

// testSeals: a document of its own code under a seal that is not its own, or is
// made to hurt, is refused with the reason.
func testSeals(t *testing.T, s *siege) {
	s.attack(t, traces{refusal: 3}, func() {
		expect(t, "seal of the victim", s.rejection(t, s.compose(t, s.sender, docTo("H41")))[:len("SEAL_NOT_ADMITTED")], "SEAL_NOT_ADMITTED")
		for _, subject := range []string{"Con dấu G22", strings.Repeat("dài", 30000)} {
			got := s.rejection(t, s.composeWith(t, newKey(t, subject), docTo("H41")))
			expect(t, "seal of nobody", got[:len("SEAL_NOT_ADMITTED")], "SEAL_NOT_ADMITTED")
		}
	})
}

// newKey makes a seal that nobody admitted.
func newKey(t *testing.T, subject string) envelope.Key {
	t.Helper()
	key, cert := selfSigned(t, subject)
	return envelope.Key{Signer: key, Chain: []*x509.Certificate{cert}}
}

func selfSigned(t *testing.T, subject string) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: subject},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, cert
}
