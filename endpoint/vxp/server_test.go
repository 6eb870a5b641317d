package vxp_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docaxis/endpoint/vxp"
	"docaxis/endpoint/vxp/vxptest"
	"docaxis/internal/lang"
)

// issue writes a certificate of 127.0.0.1 under a name, and its key.
func issue(t *testing.T, dir, name string) (certificate, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(dir, "vxp.crt"), filepath.Join(dir, "vxp.key")
	for path, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return certificate, key, pool
}

func TestHTTPS(t *testing.T) {
	certificate, key, pool := issue(t, t.TempDir(), "vxp")
	address := serveWith(t, newFake(vxptest.IDs{}), vxp.Options{}, vxp.ServerConfig{Address: "127.0.0.1:0", Certificate: certificate, Key: key})
	c := vxptest.New("https://"+address+"/vxp/", vxptest.SystemA, vxptest.SecretA)
	c.TLS = &tls.Config{RootCAs: pool}
	if a, err := c.SendEdoc(t.Context(), "000.00.00.X90", "edoc", package101()); err != nil || !a.OK() {
		t.Fatalf("%v: %s", err, a.Body)
	}
	b := vxptest.New("https://"+address, vxptest.SystemB, vxptest.SecretB)
	b.TLS = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS12}
	if a, err := b.Received(t.Context(), "edoc"); err != nil || len(a.List) != 1 {
		t.Fatalf("%v: %s", err, a.Body)
	}
	b.TLS.MaxVersion = tls.VersionTLS11
	if a, err := b.Received(t.Context(), "edoc"); err == nil {
		t.Errorf("by TLS 1.1: %s", a.Body)
	}
	// A control character: the whole way of a refusal, in TLS.
	for op, code := range map[string]string{"getReceivedEdocList": "400", "downloadEdoc": "400"} {
		b.TLS.MaxVersion = tls.VersionTLS13
		a, err := b.Call(t.Context(), op, []p{{"filePath", "Đ"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, sound(t, op, a), code)
	}
	// http spoken to it.
	for _, op := range []string{"getReceivedEdocList", "sendEdoc", "downloadEdoc"} {
		a := vxptest.Send(t, address, wire(method(op), "/"+op, vxptest.SecretB, fromB(), "", ""))
		wantCode(t, sound(t, op, a), "400")
	}
}

func TestAListenerForOthersNeedsACertificate(t *testing.T) {
	dir := t.TempDir()
	certificate, key, _ := issue(t, dir, "vxp")
	none := filepath.Join(dir, "none")
	for name, c := range map[string]struct {
		config vxp.ServerConfig
		vi, en string
	}{
		"all":            {vxp.ServerConfig{Address: "0.0.0.0:0"}, "chưa có vxp.certificate", "there is no vxp.certificate"},
		"all by IPv6":    {vxp.ServerConfig{Address: "[::]:0"}, "chưa có vxp.certificate", "there is no vxp.certificate"},
		"no host":        {vxp.ServerConfig{Address: ":0"}, "chưa có vxp.certificate", "there is no vxp.certificate"},
		"a name":         {vxp.ServerConfig{Address: "axis.example:0"}, "chưa có vxp.certificate", "there is no vxp.certificate"},
		"no port":        {vxp.ServerConfig{Address: "127.0.0.1"}, "máy:cổng", "host:port"},
		"no key":         {vxp.ServerConfig{Address: "127.0.0.1:0", Certificate: certificate}, "đi cùng nhau", "belong together"},
		"no certificate": {vxp.ServerConfig{Address: "127.0.0.1:0", Key: key}, "đi cùng nhau", "belong together"},
		"no files":       {vxp.ServerConfig{Address: "0.0.0.0:0", Certificate: none, Key: none}, "Không đọc được", "cannot be read"},
		"taken":          {vxp.ServerConfig{Address: serve(t, newFake(vxptest.IDs{}), vxp.Options{})}, "Không mở được", "cannot be opened"},
	} {
		_, err := vxp.Listen(c.config, http.NotFoundHandler())
		if err == nil || !strings.Contains(lang.Say(err, lang.Vietnamese), c.vi) || !strings.Contains(lang.Say(err, lang.English), c.en) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, address := range []string{"localhost:0", "127.0.0.2:0"} {
		s, err := vxp.Listen(vxp.ServerConfig{Address: address}, http.NotFoundHandler())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestAPackageUnderWayIsFinishedBeforeTheEnd of the server.
func TestAPackageUnderWayIsFinishedBeforeTheEnd(t *testing.T) {
	f := newFake(vxptest.IDs{})
	inside, leave := make(chan bool), make(chan bool)
	f.hook = func(string) error { inside <- true; <-leave; return nil }
	s, err := vxp.Listen(vxp.ServerConfig{Address: "127.0.0.1:0"}, vxp.Handler(f, vxp.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done, answer := make(chan error, 1), make(chan vxptest.Answer, 1)
	go func() { done <- s.Run(ctx) }()
	file := package101()
	go func() {
		answer <- vxptest.Send(t, s.Addr().String(), wire("POST", "/sendEdoc", vxptest.SecretA, sendParams(file), "", string(file)+"\r\n"))
	}()
	<-inside
	stop()
	leave <- true
	wantCode(t, sound(t, "sendEdoc", <-answer), "0")
	if err := <-done; err != nil {
		t.Error(err)
	}
}
