package signing_test

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docaxis/signing"
)

func TestLoadRevocation(t *testing.T) {
	w := newWorld(t, nil)
	list := crlOf(w.root)
	answered := must(w.middle.OCSP(w.middle, w.seal.Certificate(), before, after, nil))
	dir := t.TempDir()
	put := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	armoured := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	both := append(armoured("X509 CRL", list), armoured("OCSP RESPONSE", answered)...)
	put("good/a.crl", list)
	put("good/b.OCSP", answered)
	put("good/c.pem", both)
	put("good/README.md", []byte("text"))
	put("bad/a.crl", list)
	put("bad/b.crl", []byte("text"))
	for _, tt := range []struct {
		paths          []string
		lists, answers int
		err            string
	}{
		{nil, 0, 0, ""},
		{[]string{put("x", list)}, 1, 0, ""},
		{[]string{put("y", answered), put("z", both)}, 1, 2, ""},
		{[]string{filepath.Join(dir, "good")}, 2, 2, ""},
		{[]string{filepath.Join(dir, "bad")}, 0, 0, "b.crl"},
		{[]string{put("cut", list[:len(list)-1])}, 0, 0, "cut"},
		{[]string{put("mixed", append(both, armoured("CERTIFICATE", w.root.Certificate().Raw)...))}, 0, 0, "mixed"},
		{[]string{put("armour", []byte("-----BEGIN X509 CRL-----\n"))}, 0, 0, "no PEM"},
		{[]string{filepath.Join(dir, "absent")}, 0, 0, "absent"},
		{[]string{os.DevNull}, 0, 0, "no regular file"},
	} {
		r, err := signing.LoadRevocation(tt.paths...)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%v: %v", tt.paths, err)
			}
			continue
		}
		if err != nil || len(r.CRLs) != tt.lists || len(r.OCSPs) != tt.answers {
			t.Errorf("%v: %+v, %v", tt.paths, r, err)
		}
	}
}
