package tlog

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// testCA is a CA certificate and what the registry's CA does with its key.
func testCA(t *testing.T) (*x509.Certificate, func([]byte) ([]byte, error)) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test axis CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return cert, func(epoch []byte) ([]byte, error) {
		digest := sha256.Sum256(append([]byte("docaxis/epoch/v1\n"), epoch...))
		return ecdsa.SignASN1(rand.Reader, key, digest[:])
	}
}

func newSigner(t *testing.T, origin string) *Signer {
	t.Helper()
	skey, vkey, err := NewKey(origin, rand.Reader)
	must(t, err)
	s, err := OpenSigner(skey + "\n")
	must(t, err)
	if s.Origin() != origin || s.VerifierKey() != vkey {
		t.Fatalf("opened as %s with %s, made as %s with %s", s.Origin(), s.VerifierKey(), origin, vkey)
	}
	return s
}

func params(s *Signer, number uint64, base Tree, previous *axispb.CheckpointRef) EpochParams {
	return EpochParams{
		Number: number, Origin: s.Origin(), VerifierKey: s.VerifierKey(), Opened: time.UnixMilli(1_000_000),
		BaseSize: base.Size(), BaseRoot: base.Root(), Previous: previous, Reason: "restored from a backup",
	}
}

// From the first epoch over its checkpoints to the second, as an endpoint sees it.
func TestEpochsAndCheckpointsAreTrusted(t *testing.T) {
	ca, sign := testCA(t)
	trust := evidence.NewTrust(ca)
	first, second := newSigner(t, "axis.example/log/1"), newSigner(t, "axis.example/log/2")

	opened, err := OpenEpoch(params(first, 1, Tree{}, nil), sign)
	must(t, err)
	_, err = trust.AddEpoch(opened)
	must(t, err)
	tree, stored := grown(t, testLeaves(10))
	old := sawCheckpoint(t, trust, first, tree)

	base, _ := grown(t, testLeaves(8))
	opened, err = OpenEpoch(params(second, 2, base, old.Ref()), sign)
	must(t, err)
	e, err := trust.AddEpoch(opened)
	must(t, err)
	if e.BaseSize != 8 || e.Previous.Size != 10 || e.Reason != "restored from a backup" || e.OpenedMs != 1_000_000 {
		t.Errorf("announced as %v", e)
	}
	next, _, err := base.Extend([]Hash{{1}, {2}, {3}})
	must(t, err)
	now := sawCheckpoint(t, trust, second, next)
	var lost *evidence.LostRecordsError
	if err := trust.Extends(old, now, nil); !errors.As(err, &lost) || lost.From != 8 || lost.To != 10 {
		t.Errorf("error %v, want lost records 8 to 10", err)
	}
	p, err := Consistency(4, 8, stored)
	must(t, err)
	if err := trust.Extends(checkpointOf(1, 4, testLeaves(4)), checkpointOf(1, 8, testLeaves(8)), p); err != nil {
		t.Errorf("within the first epoch: %v", err)
	}
}

func checkpointOf(epoch, size uint64, leaves []Hash) evidence.Checkpoint {
	return evidence.Checkpoint{Epoch: epoch, Size: size, Root: rootOf(leaves)}
}

func sawCheckpoint(t *testing.T, trust *evidence.Trust, s *Signer, tree Tree) evidence.Checkpoint {
	t.Helper()
	b, err := s.Checkpoint(tree.Size(), tree.Root())
	must(t, err)
	c, err := trust.Checkpoint(b)
	must(t, err)
	if c.Size != tree.Size() || c.Root != tree.Root() {
		t.Fatalf("signed %d, read %d", tree.Size(), c.Size)
	}
	return c
}

func TestOpenEpochRefusesWhatNobodyWouldTrust(t *testing.T) {
	_, sign := testCA(t)
	s := newSigner(t, "axis.example/log/2")
	previous := &axispb.CheckpointRef{Epoch: 1, Size: 3, Root: make([]byte, 32)}
	for name, edit := range map[string]func(*EpochParams){
		"no number":      func(p *EpochParams) { p.Number = 0 },
		"other origin":   func(p *EpochParams) { p.Origin = "axis.example/log/3" },
		"no previous":    func(p *EpochParams) { p.Previous = nil },
		"wrong base":     func(p *EpochParams) { p.BaseRoot = Hash{1} },
		"endless reason": func(p *EpochParams) { p.Reason = strings.Repeat("x", evidence.MaxSignedEpoch) },
		"broken text":    func(p *EpochParams) { p.Reason = "\xff" },
	} {
		p := params(s, 2, Tree{}, previous)
		edit(&p)
		if _, err := OpenEpoch(p, sign); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	broken := errors.New("no key")
	_, err := OpenEpoch(params(s, 2, Tree{}, previous), func([]byte) ([]byte, error) { return nil, broken })
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want the CA's", err)
	}
}

func TestKeysInNoFormAreRefused(t *testing.T) {
	for _, origin := range []string{"", "two words", "one+two", "line\n", "\xff"} {
		if _, _, err := NewKey(origin, rand.Reader); err == nil {
			t.Errorf("a key for origin %q was made", origin)
		}
	}
	skey, _, err := NewKey("axis.example/log/1", rand.Reader)
	must(t, err)
	for _, key := range []string{"", "PRIVATE+KEY", skey[:len(skey)-4], "x" + skey} {
		_, err := OpenSigner(key)
		if err == nil {
			t.Errorf("key %q was opened", key)
		} else if len(key) > 20 && strings.Contains(err.Error(), key[30:]) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
	s := newSigner(t, "axis.example/log/1")
	if _, err := s.Checkpoint(evidence.MaxTreeSize+1, Hash{}); err == nil {
		t.Error("a checkpoint over the limit was signed")
	}
}
