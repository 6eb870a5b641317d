package registry_test

import (
	"crypto/rand"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"google.golang.org/protobuf/proto"

	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// TestEvidenceTrustsWhatTheCAIssued holds the CA to what those who pinned it
// check: epochs, and statements by the axis and by endpoints.
func TestEvidenceTrustsWhatTheCAIssued(t *testing.T) {
	ca, _, _ := newCA(t)
	trust := evidence.NewTrust(ca.Certificate())
	axisKey, axisCert, err := ca.IssueAxis()
	if err != nil {
		t.Fatal(err)
	}
	axis, err := evidence.NewSigner(axisKey, axisCert)
	if err != nil {
		t.Fatal(err)
	}
	key := p256(t)
	endpoint, err := evidence.NewSigner(key, issued(t, ca, key, "vinh").Raw)
	if err != nil {
		t.Fatal(err)
	}
	rejection := &axispb.Statement{
		Version: 1, Event: axispb.Event_EVENT_SUBMISSION_REJECTION, Issuer: "axis", TimeMs: noon.UnixMilli(),
		EnvelopeDigest: hash("envelope"), Reason: &axispb.Reason{Code: axispb.ReasonCode_REASON_NO_RECIPIENT},
	}
	consignment := &axispb.Statement{
		Version: 1, Event: axispb.Event_EVENT_CONTENT_CONSIGNMENT, Issuer: "vinh", Counter: 1, TimeMs: noon.UnixMilli(),
		Document: &axispb.RecordRef{Epoch: 1, LeafIndex: 1}, Commitment: hash("header"), ManifestDigest: hash("manifest"),
		Sender: "H41", EnvelopeId: "01958a2e-0000-7000-8000-000000000001", Code: "H41.11",
		Checkpoint: &axispb.CheckpointRef{Epoch: 1, Size: 2, Root: hash("root")},
	}
	for st, signer := range map[*axispb.Statement]*evidence.Signer{rejection: axis, consignment: endpoint} {
		raw, err := signer.Sign(st)
		if err != nil {
			t.Fatal(err)
		}
		if _, cert, err := trust.Statement(raw); err != nil || cert.Subject.CommonName != st.GetIssuer() {
			t.Errorf("%v by %s: %v", st.GetEvent(), st.GetIssuer(), err)
		}
	}
}

func TestEvidenceTrustsASignedEpoch(t *testing.T) {
	ca, _, _ := newCA(t)
	_, verifier, err := note.GenerateKey(rand.Reader, "axis.example/1")
	if err != nil {
		t.Fatal(err)
	}
	epoch, err := proto.Marshal(&axispb.Epoch{Version: 1, Number: 1, Origin: "axis.example/1", VerifierKey: verifier, OpenedMs: noon.UnixMilli(), BaseRoot: hash("")})
	if err != nil {
		t.Fatal(err)
	}
	sig, err := ca.SignEpoch(epoch)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := proto.Marshal(&axispb.SignedEpoch{Epoch: epoch, Signature: sig})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := evidence.NewTrust(ca.Certificate()).AddEpoch(signed); err != nil || got.GetNumber() != 1 {
		t.Errorf("by the CA: %v, %v", got, err)
	}
	other, _, _ := newCA(t)
	if _, err := evidence.NewTrust(other.Certificate()).AddEpoch(signed); err == nil {
		t.Error("another CA's epoch is trusted")
	}
}
