package registry_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"docaxis/axis/registry"
)

// clock is a time that a test moves.
type clock struct{ now time.Time }

func (c *clock) read() time.Time { return c.now }

func newCA(t testing.TB) (*registry.CA, *clock, string) {
	t.Helper()
	c, dir := &clock{noon}, filepath.Join(t.TempDir(), "ca")
	ca, err := registry.CreateCA(dir, registry.CAConfig{Name: "Thử nghiệm", Now: c.read})
	if err != nil {
		t.Fatal(err)
	}
	return ca, c, dir
}

func request(t testing.TB, key crypto.Signer, subject string) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: subject}, DNSNames: []string{"evil.example"},
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func p256(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func issued(t testing.TB, ca *registry.CA, key crypto.Signer, name string) *x509.Certificate {
	t.Helper()
	der, err := ca.IssueEndpoint(request(t, key, "axis"), name)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, der)
}

func parsed(t testing.TB, der []byte) *x509.Certificate {
	t.Helper()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestCAIsTheSameWhenOpenedAgain(t *testing.T) {
	ca, c, dir := newCA(t)
	cert := issued(t, ca, p256(t), "vinh")
	again, err := registry.OpenCA(dir, registry.CAConfig{Now: c.read})
	if err != nil {
		t.Fatal(err)
	}
	if !again.Certificate().Equal(ca.Certificate()) || again.Verify(cert, noon) != nil {
		t.Error("the CA opened again does not know what it issued")
	}
	if _, err := registry.CreateCA(dir, registry.CAConfig{}); !errors.Is(err, registry.ErrExists) {
		t.Errorf("made over another: %v", err)
	}
	root := ca.Certificate()
	if root.CheckSignatureFrom(root) != nil || !root.IsCA || root.MaxPathLen != -1 || root.PublicKey.(*ecdsa.PublicKey).Curve != elliptic.P256() {
		t.Errorf("the root is no self-signed P-256 CA: %+v", root.Subject)
	}
	if info, err := os.Stat(filepath.Join(dir, "ca.key")); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info.Mode(), err)
	}
}

func TestCASurvivesACrashWhileItIsMade(t *testing.T) {
	for _, point := range []string{"ca.key.before", "ca.crt.before"} {
		dir := t.TempDir()
		crash := errors.New("power cut")
		hook := func(p string) error {
			if p == point {
				return crash
			}
			return nil
		}
		if _, err := registry.CreateCA(dir, registry.CAConfig{Faults: hook}); !errors.Is(err, crash) {
			t.Fatalf("%s: %v", point, err)
		}
		key, _ := os.ReadFile(filepath.Join(dir, "ca.key"))
		if _, err := registry.OpenCA(dir, registry.CAConfig{}); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: half a CA opens: %v", point, err)
		}
		if _, err := registry.CreateCA(dir, registry.CAConfig{}); err != nil {
			t.Errorf("%s: %v", point, err)
		}
		if again, _ := os.ReadFile(filepath.Join(dir, "ca.key")); key != nil && string(again) != string(key) {
			t.Errorf("%s: the key was replaced", point)
		}
	}
}

func TestOpenCARefusesWhatIsNoPair(t *testing.T) {
	_, _, dir := newCA(t)
	_, _, other := newCA(t)
	for name, content := range map[string][]byte{
		"of another CA": readFile(t, filepath.Join(other, "ca.crt")),
		"empty":         nil,
		"no PEM":        []byte("x"),
		"a key":         readFile(t, filepath.Join(dir, "ca.key")),
		"broken":        pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}),
	} {
		if err := os.WriteFile(filepath.Join(dir, "ca.crt"), content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := registry.OpenCA(dir, registry.CAConfig{}); err == nil {
			t.Errorf("a certificate %s is taken", name)
		}
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestIssueEndpoint(t *testing.T) {
	ca, _, _ := newCA(t)
	key := p256(t)
	cert := issued(t, ca, key, "vinh")
	if cert.Subject.CommonName != "vinh" || len(cert.DNSNames) != 0 || !key.PublicKey.Equal(cert.PublicKey) {
		t.Errorf("more than the key is taken from the request: %v %v", cert.Subject, cert.DNSNames)
	}
	if !cert.NotAfter.Equal(noon.Add(registry.CertificateLife)) || cert.IsCA {
		t.Errorf("valid until %s", cert.NotAfter)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	forged := request(t, key, "vinh")
	forged[len(forged)-1] ^= 1
	for name, csr := range map[string][]byte{
		"nothing": nil, "no request": []byte("x"), "huge": make([]byte, 1<<20), "RSA": request(t, rsaKey, "vinh"),
		"P-384": request(t, p384, "vinh"), "forged": forged,
	} {
		if _, err := ca.IssueEndpoint(csr, "vinh"); !errors.Is(err, registry.ErrRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "axis", "Vinh", "a.b", "*"} {
		if _, err := ca.IssueEndpoint(request(t, key, "vinh"), name); err == nil {
			t.Errorf("a certificate was made out to %q", name)
		}
	}
}

func TestVerify(t *testing.T) {
	ca, _, dir := newCA(t)
	other, _, _ := newCA(t)
	cert := issued(t, ca, p256(t), "vinh")
	_, axisDER, err := ca.IssueAxis()
	if err != nil {
		t.Fatal(err)
	}
	server, err := ca.IssueServer([]string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	end, begin := cert.NotAfter, cert.NotBefore
	tests := []struct {
		name string
		cert *x509.Certificate
		at   time.Time
		want error
	}{
		{"now", cert, noon, nil},
		{"a day late", cert, end.Add(24 * time.Hour), nil},
		{"more than a day late", cert, end.Add(24*time.Hour + time.Second), registry.ErrExpired},
		{"years late", cert, end.AddDate(5, 0, 0), registry.ErrExpired},
		{"a day early", cert, begin.Add(-24 * time.Hour), nil},
		{"more than a day early", cert, begin.Add(-24*time.Hour - time.Second), registry.ErrNotYetValid},
		{"another CA's", issued(t, other, p256(t), "vinh"), noon, registry.ErrNotIssued},
		{"another CA's, expired", issued(t, other, p256(t), "vinh"), end.AddDate(1, 0, 0), registry.ErrNotIssued},
		{"the axis's own", parsed(t, axisDER), noon, registry.ErrNotIssued},
		{"the server's", server.Leaf, noon, registry.ErrNotIssued},
		{"the CA's", ca.Certificate(), noon, registry.ErrNotIssued},
		{"self-signed", parsed(t, certificate(t, "vinh")), noon, registry.ErrNotIssued},
		{"signed by an endpoint", signedByEndpoint(t, ca), noon, registry.ErrNotIssued},
		{"for a server", signedByHand(t, ca, dir, false, x509.ExtKeyUsageServerAuth), noon, registry.ErrNotIssued},
		{"for both", signedByHand(t, ca, dir, false, x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth), noon, registry.ErrNotIssued},
		{"for a lower CA", signedByHand(t, ca, dir, true, x509.ExtKeyUsageClientAuth), noon, registry.ErrNotIssued},
	}
	for _, tt := range tests {
		if err := ca.Verify(tt.cert, tt.at); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v; want %v", tt.name, err, tt.want)
		}
	}
}

// signedByEndpoint is a certificate that names the CA as its issuer and was signed
// by an endpoint's key.
func signedByEndpoint(t testing.TB, ca *registry.CA) *x509.Certificate {
	key := p256(t)
	template := &x509.Certificate{
		SerialNumber: ca.Certificate().SerialNumber, Subject: pkix.Name{CommonName: "hue"},
		NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, &x509.Certificate{Subject: ca.Certificate().Subject}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, der)
}

// signedByHand is a certificate by the CA's own key that the CA never would issue.
func signedByHand(t testing.TB, ca *registry.CA, dir string, lower bool, usage ...x509.ExtKeyUsage) *x509.Certificate {
	block, _ := pem.Decode(readFile(t, filepath.Join(dir, "ca.key")))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: ca.Certificate().SerialNumber, Subject: pkix.Name{CommonName: "hue"},
		NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour),
		ExtKeyUsage: usage, IsCA: lower, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.Certificate(), &p256(t).PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, der)
}

func TestAxisKeyIsKeptAndItsCertificateRenewed(t *testing.T) {
	ca, c, dir := newCA(t)
	key, first, err := ca.IssueAxis()
	if err != nil {
		t.Fatal(err)
	}
	cert := parsed(t, first)
	if cert.Subject.CommonName != "axis" || cert.CheckSignatureFrom(ca.Certificate()) != nil {
		t.Errorf("%v", cert.Subject)
	}
	ca, err = registry.OpenCA(dir, registry.CAConfig{Now: c.read})
	if err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		at      time.Time
		renewed bool
	}{
		{noon.Add(time.Hour), false},
		{cert.NotAfter.Add(-registry.RenewWithin), false},
		{cert.NotAfter.Add(-registry.RenewWithin + time.Second), true},
	}
	for _, step := range steps {
		c.now = step.at
		again, der, err := ca.IssueAxis()
		if err != nil {
			t.Fatal(err)
		}
		if !again.(*ecdsa.PrivateKey).Equal(key) || (string(der) != string(first)) != step.renewed {
			t.Errorf("at %s: renewed %v, or another key", step.at, string(der) != string(first))
		}
	}
}

func TestAxisCertificateSurvivesACrash(t *testing.T) {
	_, c, dir := newCA(t)
	crash := errors.New("power cut")
	for _, point := range []string{"axis.key.before", "axis.crt.before"} {
		hook := func(p string) error {
			if p == point {
				return crash
			}
			return nil
		}
		broken, err := registry.OpenCA(dir, registry.CAConfig{Now: c.read, Faults: hook})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := broken.IssueAxis(); !errors.Is(err, crash) {
			t.Fatalf("%s: %v", point, err)
		}
	}
	ca, err := registry.OpenCA(dir, registry.CAConfig{Now: c.read})
	if err != nil {
		t.Fatal(err)
	}
	key, der, err := ca.IssueAxis()
	if err != nil || !key.Public().(*ecdsa.PublicKey).Equal(parsed(t, der).PublicKey) {
		t.Errorf("after the crash: %v", err)
	}
}

func TestSignEpoch(t *testing.T) {
	ca, _, _ := newCA(t)
	epoch := []byte("an epoch")
	sig, err := ca.SignEpoch(epoch)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("docaxis/epoch/v1\nan epoch"))
	if !ecdsa.VerifyASN1(ca.Certificate().PublicKey.(*ecdsa.PublicKey), digest[:], sig) {
		t.Error("the signature is not over the label and the epoch")
	}
}

// TestHandshake has an endpoint and the axis meet over TLS, each knowing no more
// than the CA.
func TestHandshake(t *testing.T) {
	ca, c, _ := newCA(t)
	key := p256(t)
	cert := issued(t, ca, key, "vinh")
	roots := x509.NewCertPool()
	roots.AddCert(ca.Certificate())
	get := ca.ServerCertificate([]string{"localhost", "127.0.0.1"})

	client := &tls.Config{
		RootCAs: roots, Time: c.read, ServerName: "127.0.0.1",
		Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}},
	}
	server := &tls.Config{GetCertificate: get, ClientAuth: tls.RequestClientCert, Time: c.read}
	first := handshake(t, client, server, func(peer *x509.Certificate) {
		if err := ca.Verify(peer, c.now); err != nil {
			t.Error(err)
		}
	})
	c.now = c.now.Add(registry.CertificateLife - registry.RenewWithin)
	if again := handshake(t, client, server, nil); !again.Equal(first) {
		t.Error("renewed too early")
	}
	c.now = c.now.Add(time.Hour)
	if again := handshake(t, client, server, nil); again.Equal(first) {
		t.Error("not renewed")
	}
}

func handshake(t *testing.T, client, server *tls.Config, peer func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	near, far := net.Pipe()
	done := make(chan error, 1)
	go func() {
		conn := tls.Server(far, server)
		defer far.Close()
		err := conn.Handshake()
		if err == nil && peer != nil {
			peer(conn.ConnectionState().PeerCertificates[0])
		}
		_, _ = conn.Write([]byte{1})
		done <- err
	}()
	conn := tls.Client(near, client)
	defer near.Close()
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return conn.ConnectionState().PeerCertificates[0]
}
