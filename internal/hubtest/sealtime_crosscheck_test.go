//go:build crosscheck

package hubtest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"docaxis/endpoint/link"
	"docaxis/internal/hubtest"
	"docaxis/signing"
)

// openssl takes the seal of a real axis's checkpoint as CAdES, and its token as a
// time-stamp over the seal's value; and neither over anything else.
func TestOpenSSLTakesASealedCheckpoint(t *testing.T) {
	c := newClockmaker(t, time.Now)
	w := world(t, c.asks(hubtest.Config{}), "G22")
	cover(t, w)
	sealed := sealedOf(t, w)[0]
	verdicts, err := signing.Verify(sealed.Seal, sealed.Note, signing.Options{At: time.Now(), Timestamping: signing.NewTrust(nil, nil)})
	if err != nil || len(verdicts[0].Timestamps) != 1 {
		t.Fatal(verdicts, err)
	}
	id, err := link.LoadIdentity(w.Member("G22").Dir)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		put(t, dir, name, string(content))
		return filepath.Join(dir, name)
	}
	ca := file("ca.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: id.CA.Raw}))
	token, value := partsOf(t, sealed.Seal, verdicts[0].Timestamps[0].Token.Digest)
	other := file("other", []byte("x"))
	cms := []string{"cms", "-verify", "-binary", "-cades", "-purpose", "any", "-inform", "DER", "-in", file("seal", sealed.Seal), "-CAfile", ca, "-out", os.DevNull, "-content"}
	ts := []string{"ts", "-verify", "-token_in", "-in", file("token", token), "-CAfile", c.file, "-data"}
	for _, args := range [][]string{append(cms, file("checkpoint", sealed.Note)), append(ts, file("value", value))} {
		if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
			t.Errorf("openssl %v: %v\n%s", args, err, out)
		}
		args[len(args)-1] = other
		if err := exec.Command("openssl", args...).Run(); err == nil {
			t.Errorf("openssl takes another content: %v", args)
		}
	}
}

// partsOf finds the time-stamp in a seal, and the signature value that it is over.
func partsOf(t *testing.T, seal, digest []byte) (token, value []byte) {
	t.Helper()
	attribute, err := asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14})
	if err != nil {
		t.Fatal(err)
	}
	var walk func(der []byte)
	walk = func(der []byte) {
		for before := []byte(nil); len(der) > 0; {
			var v asn1.RawValue
			rest, err := asn1.Unmarshal(der, &v)
			if err != nil {
				return // the bytes of a string, not of a structure
			}
			if sum := sha256.Sum256(v.Bytes); v.Tag == asn1.TagOctetString && bytes.Equal(sum[:], digest) {
				value = v.Bytes
			}
			if bytes.Equal(before, attribute) {
				token = v.Bytes
			}
			if v.IsCompound {
				walk(v.Bytes)
			}
			before, der = v.FullBytes, rest
		}
	}
	walk(seal)
	if token == nil || value == nil {
		t.Fatal("no time-stamp in the seal")
	}
	return token, value
}
