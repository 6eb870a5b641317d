package hubtest_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/diskspace"
	"docaxis/internal/doctor"
	"docaxis/internal/hubtest"
	"docaxis/internal/sealtest"
)

// finding is what a check came to; nil where it was not made.
func finding(r *doctor.Report, check string, v doctor.Verdict) *doctor.Finding {
	for _, f := range r.Findings {
		if f.Check == check && f.Verdict == v {
			return &f
		}
	}
	return nil
}

func plenty(string) (diskspace.Space, error) {
	return diskspace.Space{Free: 90 << 30, Total: 100 << 30}, nil
}

// Each thing that may be wrong with an endpoint is found and named, with what to do,
// in both languages.
func TestEndpointDoctor(t *testing.T) {
	t.Parallel()
	w := world(t, hubtest.Config{})
	m, err := w.Join(t.Context(), "G22")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the directory is pulled", func() error {
		a, err := endpoint.Clerk(m.Agent()).Agencies(t.Context(), "G22")
		if err == nil && (len(a) == 0 || !a[0].Served) {
			err = errors.New("not yet")
		}
		return err
	})
	if _, err := endpoint.Clerk(m.Agent()).Send(t.Context(), clerk.Draft{To: []string{"H41"}, Subject: "a"}, []clerk.File{
		{FileInfo: clerk.FileInfo{Title: "a.txt", Bytes: 1}, Content: strings.NewReader("a")},
	}); err != nil {
		t.Fatal(err)
	}
	if err := m.Stop(); err != nil {
		t.Fatal(err)
	}
	sound := endpoint.DoctorConfig{Disk: plenty, Deep: true, Patience: 10 * time.Second}
	if r := endpoint.Doctor(t.Context(), m.Dir, sound); r.Worst() != doctor.Well || len(r.Findings) < 11 {
		t.Fatalf("a sound endpoint: %+v", r.Findings)
	}
	for _, c := range ailments(t, w) {
		dir := filepath.Join(t.TempDir(), "endpoint")
		cfg := sound
		if err := os.CopyFS(dir, os.DirFS(m.Dir)); err != nil {
			t.Fatal(err)
		}
		chmod(t, dir, 0o600)
		c.spoil(dir, &cfg)
		r := endpoint.Doctor(t.Context(), dir, cfg)
		f := finding(r, c.check, c.verdict)
		if f == nil || !strings.Contains(f.Found.English, c.found) {
			t.Errorf("%s: %s is not %s with %q: %+v", c.name, c.check, c.verdict, c.found, r.Findings)
			continue
		}
		if f.Found.Vietnamese == f.Found.English || f.Do.English == "" || f.Do.Vietnamese == f.Do.English || f.Looked.Vietnamese == f.Looked.English {
			t.Errorf("%s: not said in both languages, with what to do: %+v", c.name, f)
		}
	}
	revoked(t, w, m, sound)
}

// chmod gives a copy the modes that a copy loses.
func chmod(t *testing.T, dir string, mode os.FileMode) {
	t.Helper()
	for _, name := range []string{"identity/endpoint.pem", "endpoint.db"} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
}

func revoked(t *testing.T, w *hubtest.World, m *hubtest.Member, cfg endpoint.DoctorConfig) {
	t.Helper()
	if _, err := w.Hub().Revoke(t.Context(), operator.Revoke{Why: operator.Why{Actor: "test", Reason: "lost"}, Endpoint: m.Name}); err != nil {
		t.Fatal(err)
	}
	if f := finding(endpoint.Doctor(t.Context(), m.Dir, cfg), "login", doctor.Wrong); f == nil || !strings.Contains(f.Do.English, "revoked") {
		t.Errorf("a revoked endpoint: %+v", f)
	}
	cfg.Status = &clerk.Status{Connected: true}
	if f := finding(endpoint.Doctor(t.Context(), m.Dir, cfg), "login", doctor.Well); f == nil {
		t.Error("a running endpoint that is connected was asked to log in")
	}
}

// ailment is something that is wrong, and how it is to be found.
type ailment struct {
	name, check string
	verdict     doctor.Verdict
	found       string
	spoil       func(dir string, cfg *endpoint.DoctorConfig)
}

func ailments(t *testing.T, w *hubtest.World) []ailment {
	t.Helper()
	put := func(name, text string) func(string, *endpoint.DoctorConfig) {
		return func(dir string, _ *endpoint.DoctorConfig) {
			if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	address := func(to string) func(string, *endpoint.DoctorConfig) {
		return func(dir string, cfg *endpoint.DoctorConfig) {
			raw, err := os.ReadFile(filepath.Join(dir, "identity", "identity.toml"))
			if err != nil {
				t.Fatal(err)
			}
			put("identity/identity.toml", regexp.MustCompile(`(?m)^address = .*`).ReplaceAllString(string(raw), `address = "`+to+`"`))(dir, cfg)
		}
	}
	later := func(d time.Duration) func(string, *endpoint.DoctorConfig) {
		return func(_ string, cfg *endpoint.DoctorConfig) { cfg.Now = func() time.Time { return time.Now().Add(d) } }
	}
	free := func(n uint64) func(string, *endpoint.DoctorConfig) {
		return func(_ string, cfg *endpoint.DoctorConfig) {
			cfg.Disk = func(string) (diskspace.Space, error) { return diskspace.Space{Free: n, Total: 100 << 30}, nil }
		}
	}
	status := func(s clerk.Status) func(string, *endpoint.DoctorConfig) {
		return func(_ string, cfg *endpoint.DoctorConfig) { cfg.Status = &s }
	}
	const day = 24 * time.Hour
	return []ailment{
		{"a misspelt setting", "settings", doctor.Wrong, "lisen", put("endpoint.toml", "lisen = 1\n")},
		{"a key for all to read", "permissions", doctor.Wrong, "endpoint.pem", func(dir string, _ *endpoint.DoctorConfig) { chmod(t, dir, 0o644) }},
		{"no identity", "identity", doctor.Wrong, "endpoint.pem", put("identity/endpoint.pem", "x")},
		{"another CA", "identity", doctor.Wrong, "pinned CA", put("identity/ca.pem", otherCA(t))},
		{"an old certificate", "identity", doctor.Warning, "expired", later(400 * day)},
		{"a certificate not renewed", "identity", doctor.Warning, "ends soon", later(250 * day)},
		{"a clock far behind", "identity", doctor.Wrong, "not valid yet", later(-400 * day)},
		{"a damaged store", "store", doctor.Wrong, "damaged", put("endpoint.db", strings.Repeat("x", 1<<16))},
		{"no store yet", "store", doctor.Warning, "none", func(dir string, _ *endpoint.DoctorConfig) {
			if err := os.Remove(filepath.Join(dir, "endpoint.db")); err != nil {
				t.Fatal(err)
			}
		}},
		{"a document that waits long", "unsent", doctor.Warning, "the oldest is 01X", status(clerk.Status{OldestUnsent: &clerk.Unsent{ID: "01X", Subject: "s", SinceMS: time.Now().Add(-2 * time.Hour).UnixMilli()}})},
		{"a parked document", "unsent", doctor.Warning, "is parked", status(clerk.Status{OldestUnsent: &clerk.Unsent{ID: "01X", Parked: true}})},
		{"a slow clock, seen by a running endpoint", "clock", doctor.Wrong, "is slow", status(clerk.Status{JournalMS: time.Now().Add(time.Hour).UnixMilli()})},
		{"a slow clock", "clock", doctor.Wrong, "is slow", later(-time.Hour)},
		{"a seal that nobody admitted, seen by a running endpoint", "seals", doctor.Wrong, "does not have this certificate", func(dir string, cfg *endpoint.DoctorConfig) {
			cfg.Status = &clerk.Status{NotAdmitted: []string{sealDigest(t, dir)}}
		}},
		{"an envelope that is gone", "missing", doctor.Wrong, "lack a file", func(dir string, _ *endpoint.DoctorConfig) {
			if err := os.RemoveAll(filepath.Join(dir, "content", "files")); err != nil {
				t.Fatal(err)
			}
		}},
		{"parked", "parked", doctor.Wrong, "counter used twice", func(_ string, cfg *endpoint.DoctorConfig) {
			cfg.Status = &clerk.Status{Parked: &clerk.Trouble{English: "counter used twice", Vietnamese: "số đếm dùng hai lần"}}
		}},
		{"a seal that is gone", "seals", doctor.Wrong, "no file", func(dir string, _ *endpoint.DoctorConfig) {
			if err := os.Remove(filepath.Join(dir, "seal-G22.pem")); err != nil {
				t.Fatal(err)
			}
		}},
		{"no seal", "seals", doctor.Warning, "none", put("endpoint.toml", "listen = \"127.0.0.1:0\"\n")},
		{"a seal that nobody admitted", "seals", doctor.Wrong, "does not have this certificate", func(dir string, _ *endpoint.DoctorConfig) {
			if _, err := hubtest.NewSeal(filepath.Join(dir, "seal-G22.pem"), "G22"); err != nil {
				t.Fatal(err)
			}
		}},
		{"an old seal beside a new one", "seals", doctor.Warning, "another is used", func(dir string, cfg *endpoint.DoctorConfig) {
			later(1000*day)(dir, cfg)
			newSeal(t, filepath.Join(dir, "new.pem"), 1000)
			put("endpoint.toml", "[[seal]]\ncode = \"G22\"\nkey = \"seal-G22.pem\"\n[[seal]]\ncode = \"G22\"\nkey = \"new.pem\"\n")(dir, cfg)
		}},
		{"a seal that ends soon", "seals", doctor.Warning, "expires", later(700 * day)},
		{"a seal that ended", "seals", doctor.Wrong, "expired", later(5000 * day)},
		{"a rotten file", "files", doctor.Wrong, "do not have their digest", put("content/files/00/"+strings.Repeat("0", 64), "rot")},
		{"a full disk", "disk", doctor.Wrong, "nothing can be sent", free(1 << 20)},
		{"a disk that fills up", "disk", doctor.Warning, "left", free(3 << 30)},
		{"a name that is none", "name", doctor.Wrong, "no address", address("axis.invalid:7422")},
		{"an address that is none", "name", doctor.Wrong, "host:port", address("axis.example.vn")},
		{"nobody there", "reach", doctor.Wrong, "cannot be reached", address(closedPort(t))},
		{"an intercepted line", "tls", doctor.Wrong, "intercepts TLS", address(intercepted(t))},
		{"a name that the axis does not have", "tls", doctor.Wrong, "does not have the name", address(relay(t, "127.0.0.2:0", w.Address()))},
		{"a clock far ahead", "tls", doctor.Wrong, "clock", later(20_000 * day)},
		{"no TLS", "tls", doctor.Wrong, "handshake", address(silent(t))},
	}
}

// sealDigest is the SHA-256 of the certificate of an endpoint's seal.
func sealDigest(t *testing.T, dir string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "seal-G22.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			return fmt.Sprintf("%x", sha256.Sum256(block.Bytes))
		}
	}
	t.Fatal("the seal has no certificate")
	return ""
}

// newSeal makes a seal that is valid for a while around so many days from now.
func newSeal(t *testing.T, path string, days int) {
	t.Helper()
	at := time.Now().AddDate(0, 0, days)
	s := sealtest.Issue(t, sealtest.Seal{}, "mới", sealtest.P256(t), func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = at.AddDate(0, 0, -9), at.AddDate(1, 0, 0)
	})
	key, err := x509.MarshalPKCS8PrivateKey(s.Key)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})...)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func otherCA(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "other.pem")
	if _, err := hubtest.NewSeal(path, "G22"); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?s)-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n`).FindString(string(raw))
}

func closedPort(t *testing.T) string {
	t.Helper()
	address, err := hubtest.Port()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// listen serves connections until the test ends.
func listen(t *testing.T, address string, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return l.Addr().String()
}

// intercepted is a firewall that answers with a certificate of its own.
func intercepted(t *testing.T) string {
	t.Helper()
	ca := sealtest.Root(t, "Tường lửa")
	cert := tls.Certificate{Certificate: [][]byte{ca.Certificate().Raw}, PrivateKey: ca.Key}
	return listen(t, "127.0.0.1:0", func(c net.Conn) {
		tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}}).HandshakeContext(context.Background()) //nolint:errcheck // the other side hangs up
	})
}

// relay passes bytes on.
func relay(t *testing.T, at, to string) string {
	t.Helper()
	return listen(t, at, func(c net.Conn) {
		axis, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer axis.Close()
		go io.Copy(axis, c) //nolint:errcheck // ends with the connection
		io.Copy(c, axis)    //nolint:errcheck // ends with the connection
	})
}

// silent hangs up on whoever shakes hands.
func silent(t *testing.T) string {
	t.Helper()
	return listen(t, "127.0.0.1:0", func(c net.Conn) { c.Read(make([]byte, 1)) }) //nolint:errcheck // it hangs up
}
