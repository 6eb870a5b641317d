package revocation

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/iotest"
	"time"

	"docaxis/internal/sealtest"
)

// What is made of a long list beside its own bytes does not grow with it.
func TestAListIsReadWhereItLies(t *testing.T) {
	of, _ := seeds(t)
	root := sealtest.Issue(t, sealtest.Seal{}, "Root", sealtest.P256(t), func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid = true, true
		c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	})
	of.issuer = root.Certificate()
	taken := func(entries int) uint64 {
		list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: sealtest.At, NextUpdate: sealtest.At.Add(time.Hour)}
		for i := range entries {
			list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{
				SerialNumber: big.NewInt(int64(i + 1)), RevocationTime: sealtest.At, ReasonCode: 1,
			})
		}
		raw, err := x509.CreateRevocationList(rand.Reader, list, root.Certificate(), root.Key)
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := judgeCRL(raw, of); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	if one, many := taken(1), taken(20_000); many > one+64<<10 {
		t.Errorf("%d bytes for one entry, %d for 20,000", one, many)
	}
}

// A disk that takes nothing is not the authority's failure; a body that breaks off
// is.
func TestWhoseFailureItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	readOnly, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := readOnly.Close(); err != nil {
			t.Error(err)
		}
	}()
	r := &received{file: readOnly, sum: sha256.New()}
	err = r.fill(bytes.NewReader([]byte("body")), 100)
	if down := (unreachable{}); err == nil || errors.As(err, &down) {
		t.Errorf("a disk that takes nothing: %v", err)
	}
	err = r.fill(iotest.ErrReader(errors.New("reset")), 100)
	if down := (unreachable{}); !errors.As(err, &down) {
		t.Errorf("a body that breaks off: %v", err)
	}
}
