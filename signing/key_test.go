package signing_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"docaxis/internal/sealtest"
	"docaxis/signing"
)

func TestLoadKey(t *testing.T) {
	root := sealtest.Root(t, "Root")
	seal := sealtest.New(t, root, "Seal")
	onRSA := sealtest.Issue(t, root, "RSA", rsaKey(t, 2048), nil)
	stranger := sealtest.New(t, sealtest.Root(t, "Nobody"), "Stranger")
	pkcs8 := pemBlock("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(seal.Key)))
	sec1 := pemBlock("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(seal.Key.(*ecdsa.PrivateKey))))
	pkcs1 := pemBlock("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(onRSA.Key.(*rsa.PrivateKey)))
	// The key's certificate stands neither first nor alone.
	chain := append(certificates(stranger.Chain[0], root.Chain[0]), certificates(seal.Chain[0])...)
	p12 := must(pkcs12.Modern2023.Encode(seal.Key, seal.Chain[0], seal.Chain[1:], "mật khẩu"))
	legacy := must(pkcs12.LegacyDES.Encode(seal.Key, seal.Chain[0], seal.Chain[1:], "secret"))
	tests := []struct {
		name     string
		file     []byte
		password string
		more     [][]byte
		want     sealtest.Seal
	}{
		{"PKCS#8, chain in the same file", append(pkcs8, chain...), "", nil, seal},
		{"SEC 1, chain in another file", sec1, "", [][]byte{chain}, seal},
		{"PKCS#1, chain in two files, one in DER", pkcs1, "", [][]byte{certificates(onRSA.Chain[0]), root.Chain[0].Raw}, onRSA},
		{"PKCS#12", p12, "mật khẩu", nil, seal},
		{"old PKCS#12", legacy, "secret", nil, seal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var more []string
			for _, m := range tt.more {
				more = append(more, writeFile(t, m))
			}
			key, certs, err := signing.LoadKey(writeFile(t, tt.file), tt.password, more...)
			if err != nil {
				t.Fatal(err)
			}
			if !key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(tt.want.Key.Public()) {
				t.Error("another key")
			}
			if len(certs) != 2 || !certs[0].Equal(tt.want.Chain[0]) || !certs[1].Equal(root.Certificate()) {
				t.Errorf("chain of %d", len(certs))
			}
		})
	}
}

func TestLoadKeyRefuses(t *testing.T) {
	root := sealtest.Root(t, "Root")
	seal, other := sealtest.New(t, root, "Seal"), sealtest.New(t, root, "Other")
	weak := sealtest.Issue(t, root, "Weak", rsaKey(t, 1024), nil)
	pkcs8 := pemBlock("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(seal.Key)))
	tests := []struct {
		name string
		file []byte
		want error
		says string
	}{
		{"no certificate", pkcs8, signing.ErrNoCertificate, ""},
		{"another's certificate", append(pkcs8, certificates(other.Chain...)...), signing.ErrNoCertificate, ""},
		{"no key", certificates(seal.Chain...), signing.ErrNoKey, ""},
		{"encrypted", pemBlock("ENCRYPTED PRIVATE KEY", []byte{1}), signing.ErrEncryptedPEM, ""},
		{"wrong password", must(pkcs12.Modern2023.Encode(seal.Key, seal.Chain[0], nil, "right")), signing.ErrPassword, ""},
		{"weak key", append(pemBlock("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(weak.Key))), certificates(weak.Chain...)...), nil, "1024 bits"},
		{"two keys", append(pkcs8, pkcs8...), nil, "more than one"},
		{"noise", []byte("noise"), nil, "PKCS#12"},
		{"too large", make([]byte, 1<<20+1), nil, "more than 1048576"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := signing.LoadKey(writeFile(t, tt.file), "wrong")
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func pemBlock(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func certificates(certs ...*x509.Certificate) (all []byte) {
	for _, c := range certs {
		all = append(all, pemBlock("CERTIFICATE", c.Raw)...)
	}
	return all
}

func writeFile(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func writeTo(t testing.TB, folder, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}
