package axis

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"os"
	"testing"
	"time"

	"docaxis/internal/signer"
	"docaxis/internal/signer/signertest"
	"docaxis/signing/signingtest"
)

func TestMain(m *testing.M) {
	signertest.Run()
	os.Exit(m.Run())
}

// The axis's seal signs in its token; while that is away the seal says so, and it signs
// again when it is back, without a person's doing.
func TestTheSealIsInAToken(t *testing.T) {
	now := time.Now()
	root, err := signingtest.NewRoot("Gốc thử", now.AddDate(-1, 0, 0), now.AddDate(9, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	id, err := root.Issue("Con dấu của trục", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	token := signertest.New(t, id.Key, id.Certificate())
	settings := SealSettings{Key: token.URI(), Signer: token.Program()}
	if err := settings.validate(); err != nil {
		t.Fatal(err)
	}
	h := &Hub{dir: t.TempDir(), cfg: Config{Now: time.Now, File: File{Seal: settings}}}
	defer func() {
		if err := h.token.Close(); err != nil {
			t.Error(err)
		}
	}()
	token.Behave(signertest.Away)
	if _, _, err := h.seal(); err == nil {
		t.Fatal("a token that was never seen gives a seal")
	}
	token.Behave(signertest.Good)
	key, chain, err := h.seal()
	if err != nil || len(chain) == 0 || !chain[0].Equal(id.Certificate()) {
		t.Fatalf("%d certificates, %v", len(chain), err)
	}
	digest := sha256.Sum256([]byte("checkpoint"))
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil || !ecdsa.VerifyASN1(chain[0].PublicKey.(*ecdsa.PublicKey), digest[:], signature) {
		t.Fatalf("%d bytes, %v", len(signature), err)
	}
	if _, _, err := h.seal(); err != nil || token.Starts() != 2 {
		t.Errorf("%d signers were started, %v", token.Starts(), err)
	}
}

func TestSettingsOfASeal(t *testing.T) {
	uri := signer.URI{Module: "/usr/lib/m.so", Token: "t", Object: "seal", PinFile: "pin"}.String()
	for _, s := range []SealSettings{{}, {Key: "seal.p12", PasswordFile: "p"}, {Key: uri}, {Key: uri, Signer: "signer", Certificate: "c"}} {
		if err := s.validate(); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
	for _, s := range []SealSettings{{Signer: "signer"}, {PasswordFile: "p"}, {Key: "seal.p12", Signer: "signer"}, {Key: uri, PasswordFile: "p"}, {Key: "pkcs11:nothing"}} {
		if s.validate() == nil {
			t.Errorf("%+v is taken", s)
		}
	}
}
