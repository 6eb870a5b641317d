package revocation

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"docaxis/internal/sealtest"
)

// seeds are a list and an answer of a fixed shape.
func seeds(t testing.TB) (target, [][]byte) {
	t.Helper()
	root := sealtest.Issue(t, sealtest.Seal{}, "Root", sealtest.P256(t), func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid = true, true
		c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	})
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: sealtest.At, NextUpdate: sealtest.At.Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(3), RevocationTime: sealtest.At, ReasonCode: 1}},
	}, root.Certificate(), root.Key)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := ocsp.CreateResponse(root.Certificate(), root.Certificate(), ocsp.Response{
		SerialNumber: big.NewInt(3), ThisUpdate: sealtest.At, NextUpdate: sealtest.At.Add(time.Hour),
	}, root.Key)
	if err != nil {
		t.Fatal(err)
	}
	return target{issuer: root.Certificate(), serial: big.NewInt(3)}, [][]byte{list, reply}
}

// FuzzSplitCRL: whatever is found in a list that the standard library reads is what
// the library finds there.
func FuzzSplitCRL(f *testing.F) {
	of, all := seeds(f)
	for _, b := range all {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, _ = judgeOCSP(raw, of)
		_, _ = judgeCRL(raw, of)
		tbs, head, entries, err := splitCRL(raw)
		if err != nil || walkEntries(entries) != nil {
			return
		}
		ours, err := x509.ParseRevocationList(head)
		if err != nil {
			return
		}
		if len(ours.RevokedCertificateEntries) != 0 {
			t.Fatal("entries stayed in the head")
		}
		whole, err := x509.ParseRevocationList(raw)
		if err != nil {
			return
		}
		if string(whole.RawTBSRevocationList) != string(tbs) || string(whole.Signature) != string(ours.Signature) ||
			string(whole.RawIssuer) != string(ours.RawIssuer) || !whole.ThisUpdate.Equal(ours.ThisUpdate) ||
			!whole.NextUpdate.Equal(ours.NextUpdate) || len(whole.Extensions) != len(ours.Extensions) {
			t.Fatal("the head says something else than the whole")
		}
		for _, e := range whole.RevokedCertificateEntries {
			for _, x := range e.Extensions {
				if x.Critical {
					t.Fatal("a critical extension was walked over")
				}
			}
		}
	})
}

// FuzzFile: a damaged file is an error, never a panic.
func FuzzFile(f *testing.F) {
	f.Add([]byte(magic))
	f.Add(append(make([]byte, tailSize), magic...))
	path := filepath.Join(f.TempDir(), "file")
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, d, err := readFile(path, 1<<20)
		if err == nil {
			_, err = d.target()
		}
		if err != nil && !errors.Is(err, errDamaged) {
			t.Fatal(err)
		}
	})
}
