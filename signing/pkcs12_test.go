package signing_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"docaxis/internal/sealtest"
	"docaxis/signing"
)

// loadPKCS12 reads a key as an endpoint does.
func loadPKCS12(t testing.TB, der []byte) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seal.p12")
	if err := os.WriteFile(path, der, 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := signing.LoadKey(path, "1")
	return err
}

// encoded is a seal as programs write it, with a count of iterations of three bytes.
func encoded(t testing.TB, e *pkcs12.Encoder, seal sealtest.Seal, iterations int) []byte {
	t.Helper()
	der, err := e.WithIterations(iterations).Encode(seal.Key, seal.Chain[0], seal.Chain[1:], "1")
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// Each of the counts in a file, of its code and of what is encrypted, is bounded before
// anything is hashed.
func TestAPasswordIsHashedABoundedNumberOfTimes(t *testing.T) {
	seal := sealtest.New(t, sealtest.Root(t, "Root"), "Seal")
	few, many := []byte{2, 3, 1, 0x11, 0x70}, []byte{2, 3, 0x7f, 0xff, 0xff} // 70,000 and 8,388,607
	for name, e := range map[string]*pkcs12.Encoder{"modern": pkcs12.Modern2023, "PBMAC1": pkcs12.Modern2026, "DES": pkcs12.LegacyDES} {
		der := encoded(t, e, seal, 70_000)
		if err := loadPKCS12(t, der); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		found := 0
		for at := 0; ; found++ {
			i := bytes.Index(der[at:], few)
			if i < 0 {
				break
			}
			at += i
			costly := bytes.Clone(der)
			copy(costly[at:], many)
			if err := loadPKCS12(t, costly); !errors.Is(err, signing.ErrIterations) {
				t.Errorf("%s, count %d at byte %d: %v", name, found+1, at, err)
			}
			at += len(few)
		}
		if found < 3 {
			t.Errorf("%s: %d counts were found", name, found)
		}
	}
	// Many that are allowed each are not, together.
	der := encoded(t, pkcs12.Modern2023, seal, 70_000)
	if err := loadPKCS12(t, bytes.ReplaceAll(der, few, []byte{2, 3, 0x1f, 0xff, 0xff})); !errors.Is(err, signing.ErrIterations) {
		t.Errorf("three times two million: %v", err)
	}
	large := append(der, make([]byte, 1<<20)...)
	if err := loadPKCS12(t, large); err == nil {
		t.Error("a file of more than 1 MiB was read")
	}
}

// FuzzPKCS12: whatever is in a file, it is refused or opened, and never for long.
func FuzzPKCS12(f *testing.F) {
	seal := sealtest.New(f, sealtest.Root(f, "Root"), "Seal")
	for _, e := range []*pkcs12.Encoder{pkcs12.Modern2023, pkcs12.Modern2026, pkcs12.LegacyDES, pkcs12.LegacyRC2} {
		f.Add(encoded(f, e, seal, 1), "1")
	}
	bare, err := pkcs12.Passwordless.Encode(seal.Key, seal.Chain[0], nil, "")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bare, "")
	f.Add([]byte{0x30, 0x80}, "")
	f.Add(nested(40), "1")
	f.Fuzz(func(t *testing.T, der []byte, password string) {
		key, certs, err := signing.ReadPKCS12(der, password)
		if err == nil && (key == nil || len(certs) == 0) {
			t.Errorf("key %v with %d certificates", key != nil, len(certs))
		}
	})
}
