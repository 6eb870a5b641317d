package link

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"google.golang.org/protobuf/proto"

	"docaxis/internal/bus"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/internal/sealtest"
	"docaxis/proto/axispb"
)

// authority is an axis as far as enrolment goes.
type authority struct {
	t  *testing.T
	ca sealtest.Seal
}

func newAuthority(t *testing.T) authority {
	return authority{t, sealtest.Root(t, "axis")}
}

func (a authority) invite() bus.Invite {
	return bus.Invite{Address: "axis.test:4222", Pin: sha256.Sum256(a.ca.Certificate().RawSubjectPublicKeyInfo)}
}

func (a authority) issue(csr []byte, name string, until time.Time) []byte {
	a.t.Helper()
	request, err := x509.ParseCertificateRequest(csr)
	if err != nil {
		a.t.Fatal(err)
	}
	template := sealtest.Issue(a.t, sealtest.Seal{}, name, sealtest.P256(a.t), func(c *x509.Certificate) {
		c.NotAfter = until
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}).Certificate()
	der, err := x509.CreateCertificate(rand.Reader, template, a.ca.Certificate(), request.PublicKey, a.ca.Key)
	if err != nil {
		a.t.Fatal(err)
	}
	return der
}

func (a authority) epoch() []byte {
	a.t.Helper()
	_, public, err := note.GenerateKey(rand.Reader, "axis.test/1")
	if err != nil {
		a.t.Fatal(err)
	}
	root := evidence.EmptyRoot()
	raw, _ := proto.Marshal(&axispb.Epoch{Version: 1, Number: 1, Origin: "axis.test/1", VerifierKey: public, OpenedMs: 1, BaseRoot: root[:]})
	digest := sha256.Sum256(append([]byte(evidence.EpochPrefix), raw...))
	sig, err := a.ca.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		a.t.Fatal(err)
	}
	signed, _ := proto.Marshal(&axispb.SignedEpoch{Epoch: raw, Signature: sig})
	return signed
}

func (a authority) answer(csr []byte) *axispb.EnrolAnswer {
	return &axispb.EnrolAnswer{
		Endpoint: "h41", Certificate: a.issue(csr, "h41", sealtest.NotAfter), Ca: a.ca.Certificate().Raw,
		Epochs: [][]byte{a.epoch()}, Codes: []string{"H41", "H41.01"},
	}
}

func (a authority) enrol(edit func(*axispb.EnrolAnswer)) Enroller {
	return func(_ context.Context, csr []byte, _ string) (*axispb.EnrolAnswer, error) {
		answer := a.answer(csr)
		if edit != nil {
			edit(answer)
		}
		return answer, nil
	}
}

func TestJoin(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	if _, err := LoadIdentity(dir); !errors.Is(err, ErrNotJoined) {
		t.Fatalf("before: %v", err)
	}
	id, err := JoinWith(t.Context(), dir, a.invite(), a.enrol(nil))
	if err != nil {
		t.Fatal(err)
	}
	if id.Endpoint != "h41" || id.Address != "axis.test:4222" || len(id.Codes) != 2 || len(id.Epochs) != 1 ||
		!id.CA.Equal(a.ca.Certificate()) || id.Certificate.Leaf.Subject.CommonName != "h41" {
		t.Fatalf("got %+v", id)
	}
	info, err := os.Stat(filepath.Join(dir, identityDir, keyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("key file: %v, %v", info, err)
	}
}

// What the axis, or another axis, says to a folder that has joined changes nothing in
// it, unless the axis re-issues the very endpoint.
func TestJoiningAgainIsForAReissueAlone(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	if _, err := JoinWith(t.Context(), dir, a.invite(), a.enrol(nil)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, identityDir, keyFile)
	key, _ := os.ReadFile(path)
	says := func(why error) Enroller {
		return func(_ context.Context, _ []byte, endpoint string) (*axispb.EnrolAnswer, error) {
			if endpoint != "h41" {
				t.Errorf("the axis is told that the folder is %q", endpoint)
			}
			return nil, why
		}
	}
	for what, enrol := range map[string]Enroller{
		"an invitation for another": says(reason.Permanent(axispb.ReasonCode_REASON_FORBIDDEN, "x")),
		"a used invitation":         says(reason.Permanent(axispb.ReasonCode_REASON_INVITATION_INVALID)),
		"an axis that does not ask": a.enrol(func(e *axispb.EnrolAnswer) { e.Endpoint = "h42" }),
	} {
		if _, err := JoinWith(t.Context(), dir, a.invite(), enrol); !errors.Is(err, ErrJoined) {
			t.Errorf("%s: %v", what, err)
		}
	}
	other := newAuthority(t)
	if _, err := JoinWith(t.Context(), dir, other.invite(), other.enrol(nil)); !errors.Is(err, ErrJoined) {
		t.Errorf("another axis: %v", err)
	}
	if _, err := JoinWith(t.Context(), dir, a.invite(), says(errors.New("no answer"))); err == nil || errors.Is(err, ErrJoined) {
		t.Errorf("no answer: %v", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(after, key) {
		t.Fatal("the key was overwritten")
	}

	again := a.enrol(func(e *axispb.EnrolAnswer) { e.Counter = 1007 })
	id, err := JoinWith(t.Context(), dir, a.invite(), again)
	if err != nil || id.Counter != 1007 || id.Endpoint != "h41" {
		t.Fatalf("re-issued: %+v, %v", id, err)
	}
	if after, _ := os.ReadFile(path); bytes.Equal(after, key) {
		t.Error("the key is the old one")
	}
	if old, _ := os.ReadFile(filepath.Join(dir, identityDir+".old", keyFile)); !bytes.Equal(old, key) {
		t.Error("the old identity is not kept")
	}

	// A crash after the old identity was put aside: the same invitation finishes it.
	if err := os.Rename(filepath.Join(dir, identityDir), filepath.Join(dir, joiningDir)); err != nil {
		t.Fatal(err)
	}
	finished, err := JoinWith(t.Context(), dir, a.invite(), again)
	if err != nil || finished.Counter != 1007 || !belongs(id.Certificate.Leaf, finished.Certificate.PrivateKey) {
		t.Errorf("finished: %+v, %v", finished, err)
	}
}

func TestJoinBelievesNobody(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	for name, edit := range map[string]func(*axispb.EnrolAnswer){
		"another CA":        func(e *axispb.EnrolAnswer) { e.Ca = other.ca.Certificate().Raw },
		"no CA":             func(e *axispb.EnrolAnswer) { e.Ca = nil },
		"another key":       func(e *axispb.EnrolAnswer) { e.Certificate = sealtest.New(t, a.ca, "h41").Certificate().Raw },
		"another issuer":    func(e *axispb.EnrolAnswer) { e.Certificate = sealtest.New(t, other.ca, "h41").Certificate().Raw },
		"another name":      func(e *axispb.EnrolAnswer) { e.Endpoint = "h42" },
		"hostile name":      func(e *axispb.EnrolAnswer) { e.Endpoint = "h41.>" },
		"no epoch":          func(e *axispb.EnrolAnswer) { e.Epochs = nil },
		"epoch of no axis":  func(e *axispb.EnrolAnswer) { e.Epochs = [][]byte{other.epoch()} },
		"garbage for epoch": func(e *axispb.EnrolAnswer) { e.Epochs = [][]byte{[]byte("x")} },
	} {
		dir := t.TempDir()
		if _, err := JoinWith(t.Context(), dir, a.invite(), a.enrol(edit)); err == nil {
			t.Errorf("%s was believed", name)
		}
		if _, err := LoadIdentity(dir); !errors.Is(err, ErrNotJoined) {
			t.Errorf("%s left an identity: %v", name, err)
		}
	}
	// All of it holds together, but is not the axis that the invitation names.
	if _, err := JoinWith(t.Context(), t.TempDir(), a.invite(), other.enrol(nil)); !errors.Is(err, bus.ErrPin) {
		t.Errorf("another axis: %v", err)
	}
	if _, err := Join(t.Context(), t.TempDir(), "docaxis1nonsense"); err == nil {
		t.Error("nonsense was an invitation")
	}
}

// The answer was lost, or the machine went down: the next try asks for the same key.
func TestJoinAgainAsksForTheSameKey(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	var keys []any
	for i := range 3 {
		_, err := JoinWith(t.Context(), dir, a.invite(), func(_ context.Context, csr []byte, _ string) (*axispb.EnrolAnswer, error) {
			r, err := x509.ParseCertificateRequest(csr)
			if err != nil {
				return nil, err
			}
			keys = append(keys, r.PublicKey)
			if i < 2 {
				return nil, errors.New("no answer")
			}
			return a.answer(csr), nil
		})
		if (err == nil) != (i == 2) {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	same := keys[0].(interface{ Equal(crypto.PublicKey) bool })
	if !same.Equal(keys[1]) || !same.Equal(keys[2]) {
		t.Fatal("another key was asked for")
	}
}

func TestDamagedIdentityIsNotUsed(t *testing.T) {
	a := newAuthority(t)
	for name, damage := range map[string]func(dir string) error{
		"unknown key":   func(d string) error { return appendTo(filepath.Join(d, nameFile), "adress = \"x\"\n") },
		"version":       func(d string) error { return os.WriteFile(filepath.Join(d, nameFile), []byte("version = 2\n"), 0o600) },
		"no CA":         func(d string) error { return os.Remove(filepath.Join(d, caFile)) },
		"CA is no PEM":  func(d string) error { return os.WriteFile(filepath.Join(d, caFile), []byte("x"), 0o600) },
		"epochs":        func(d string) error { return os.WriteFile(filepath.Join(d, epochsFile), []byte("x"), 0o600) },
		"no key":        func(d string) error { return os.WriteFile(filepath.Join(d, keyFile), nil, 0o600) },
		"another's key": func(d string) error { return otherKey(t, filepath.Join(d, keyFile)) },
	} {
		dir := t.TempDir()
		if _, err := JoinWith(t.Context(), dir, a.invite(), a.enrol(nil)); err != nil {
			t.Fatal(err)
		}
		if err := damage(filepath.Join(dir, identityDir)); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadIdentity(dir); err == nil || errors.Is(err, ErrNotJoined) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func appendTo(path, text string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, text...), 0o600)
}

func otherKey(t *testing.T, path string) error {
	pair, err := loadPair(path)
	if err != nil {
		return err
	}
	pair.PrivateKey = sealtest.P256(t)
	return storePair(path, pair)
}

// renewals answers renew requests.
type renewals struct {
	authority
	until time.Time
	fail  error
	keys  []any
}

func (r *renewals) Call(_ context.Context, _ bus.Service, req, resp proto.Message) error {
	csr := req.(*axispb.RenewRequest).Csr
	request, err := x509.ParseCertificateRequest(csr)
	if err != nil {
		return err
	}
	r.keys = append(r.keys, request.PublicKey)
	if r.fail != nil {
		return r.fail
	}
	resp.(*axispb.RenewAnswer).Certificate = r.issue(csr, "h41", r.until)
	return nil
}

func TestRenewal(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	id, err := JoinWith(t.Context(), dir, a.invite(), a.enrol(nil))
	if err != nil {
		t.Fatal(err)
	}
	end := id.Certificate.Leaf.NotAfter
	if RenewalDue(id, end.Add(-renewWithin-time.Hour)) || !RenewalDue(id, end.Add(-renewWithin+time.Hour)) || !RenewalDue(id, end.Add(time.Hour)) {
		t.Fatal("due at the wrong time")
	}
	axis := &renewals{authority: a, until: end.Add(24 * time.Hour), fail: errors.New("no answer")}
	if _, err := Renew(t.Context(), dir, id, axis); err == nil {
		t.Fatal("renewed without an answer")
	}
	axis.fail = nil
	next, err := Renew(t.Context(), dir, id, axis)
	if err != nil {
		t.Fatal(err)
	}
	if !axis.keys[0].(interface{ Equal(crypto.PublicKey) bool }).Equal(axis.keys[1]) {
		t.Error("a second key was made after a lost answer")
	}
	// Until it is promoted the old one is who we are; a crash loses neither.
	if now, err := LoadIdentity(dir); err != nil || !now.Certificate.Leaf.Equal(id.Certificate.Leaf) {
		t.Fatalf("before promotion: %v", err)
	}
	again, err := Renew(t.Context(), dir, id, axis)
	if err != nil || !again.Leaf.Equal(next.Leaf) || len(axis.keys) != 2 {
		t.Fatalf("after a crash it asked again: %v", err)
	}
	for range 2 {
		if err := Promote(dir); err != nil {
			t.Fatal(err)
		}
	}
	if now, err := LoadIdentity(dir); err != nil || !now.Certificate.Leaf.Equal(next.Leaf) {
		t.Fatalf("after promotion: %v", err)
	}
}

func TestRenewalBelievesNobody(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	id, err := JoinWith(t.Context(), dir, a.invite(), a.enrol(nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Renew(t.Context(), dir, id, &renewals{authority: newAuthority(t), until: sealtest.NotAfter}); err == nil {
		t.Fatal("a certificate of another CA was taken")
	}
}
