package signing_test

import (
	"bytes"
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"docaxis/signing"
)

// inBER writes an encoding as loosely as ITU-T X.690 allows: every constructed
// element with an indefinite length, every string in pieces within pieces, every
// other length with zeros in front.
func inBER(der []byte) []byte {
	var out []byte
	for len(der) > 0 {
		tag, head, body := der[0], 2, int(der[1])
		if der[1] >= 0x80 {
			n := int(der[1] & 0x7f)
			head, body = 2+n, 0
			for _, c := range der[2 : 2+n] {
				body = body<<8 | int(c)
			}
		}
		inside := der[head : head+body]
		der = der[head+body:]
		switch {
		case tag&0x20 != 0:
			out = append(append(append(out, tag, 0x80), inBER(inside)...), 0, 0)
		case tag == 0x04:
			half := len(inside) / 2
			second := append(append([]byte{0x24, 0x80}, longLengthOf(0x04, inside[half:])...), 0, 0)
			out = append(append(append(append(out, 0x24, 0x80), longLengthOf(0x04, inside[:half])...), second...), 0, 0)
		default:
			out = append(out, longLengthOf(tag, inside)...)
		}
	}
	return out
}

func longLengthOf(tag byte, body []byte) []byte {
	return append([]byte{tag, 0x84, 0, 0, byte(len(body) >> 8), byte(len(body))}, body...)
}

// outermostBER has no BER but around the whole.
func outermostBER(der []byte) []byte {
	return append(append([]byte{0x30, 0x80}, der[2+int(der[1]&0x7f):]...), 0, 0)
}

// TestBER: what others send with indefinite lengths says the same as in DER; who
// asks for DER does not get it read.
func TestBER(t *testing.T) {
	b := newBench(t)
	der := forge(b.seal, b.content).der(t)
	for name, signature := range map[string][]byte{
		"all of it":        inBER(der),
		"outermost length": outermostBER(der),
		"zero in front":    longLength(der),
	} {
		t.Run(name, func(t *testing.T) {
			o := anchoredAt(b.root)
			if v := judge(t, signature, b.content, o); !v.Passed() {
				t.Errorf("%s: %s", v.SubIndication, v.Detail)
			}
			if v := judge(t, signature, []byte("another"), o); v.SubIndication != signing.HashFailure {
				t.Errorf("another content: %s", v.SubIndication)
			}
			o.DER = true
			if v := judge(t, signature, b.content, o); v.SubIndication != signing.FormatFailure {
				t.Errorf("as DER: %s", v.SubIndication)
			}
		})
	}
	if got := inBER(der); !bytes.Contains(got, []byte{0x24, 0x80}) {
		t.Error("no string in pieces was tried")
	}
}

// TestBERCutAnywhere: no beginning of a signature is taken for the whole, and
// nothing may follow.
func TestBERCutAnywhere(t *testing.T) {
	b := newBench(t)
	signature := inBER(forge(b.seal, b.content).der(t))
	for i := range signature {
		if v := judge(t, signature[:i], b.content, anchoredAt(b.root)); v.SubIndication != signing.FormatFailure {
			t.Fatalf("%d of %d bytes: %s", i, len(signature), v.SubIndication)
		}
	}
	for _, more := range [][]byte{{0}, {0, 0}, {0x30, 0}, signature} {
		if v := judge(t, append(bytes.Clone(signature), more...), b.content, anchoredAt(b.root)); v.SubIndication != signing.FormatFailure {
			t.Errorf("%x behind the end: %s", more[:1], v.SubIndication)
		}
	}
}

// TestUnpad: zeros behind a signature in a PDF are cut off, and nothing else.
func TestUnpad(t *testing.T) {
	b := newBench(t)
	der := forge(b.seal, b.content).der(t)
	for name, signature := range map[string][]byte{"DER": der, "BER": inBER(der)} {
		padded := append(bytes.Clone(signature), make([]byte, 500)...)
		if got := signing.Unpad(padded); !bytes.Equal(got, signature) {
			t.Errorf("%s: %d bytes of %d", name, len(got), len(signature))
		}
		padded[len(padded)-1] = 1
		if got := signing.Unpad(padded); !bytes.Equal(got, padded) {
			t.Errorf("%s: cut what is no padding", name)
		}
	}
	if got := signing.Unpad([]byte{0x30, 0x80, 1}); len(got) != 3 {
		t.Errorf("%x", got)
	}
	if v := judge(t, signing.Unpad(append(der, 0, 0)), b.content, anchoredAt(b.root)); !v.Passed() {
		t.Errorf("unpadded: %s", v.Detail)
	}
}

// severalSigners puts the SignerInfos and certificates of several forgeries into
// one SignedData.
func severalSigners(t *testing.T, all ...*forgery) []byte {
	t.Helper()
	whole := *all[0]
	whole.certs, whole.infos = nil, nil
	for _, f := range all {
		whole.certs = append(whole.certs, f.certs...)
		whole.infos = append(whole.infos, f.info(t))
		whole.moreDigests = append(whole.moreDigests, f.digest)
	}
	return whole.der(t)
}

// TestSeveralSigners: each gets a verdict of its own, in the order of encoding.
func TestSeveralSigners(t *testing.T) {
	b := newBench(t)
	byRSA := forge(b.rsa, b.content)
	byRSA.signature = algorithm(oidSHA256WithRSA)
	wrong := forge(b.other, b.content)
	wrong.value = []byte("noise")
	signature := severalSigners(t, forge(b.seal, b.content), byRSA, wrong, forge(b.stranger, b.content), bySHA512(b))
	verdicts, err := signing.Verify(signature, b.content, anchoredAt(b.root))
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		cert *x509.Certificate
		sub  signing.SubIndication
	}{
		{b.seal.Certificate(), ""},
		{b.rsa.Certificate(), ""},
		{b.other.Certificate(), signing.SigCryptoFailure},
		{b.stranger.Certificate(), signing.NoCertificateChainFound},
		{b.seal.Certificate(), ""},
	}
	if len(verdicts) != len(want) {
		t.Fatalf("%d verdicts", len(verdicts))
	}
	for i, w := range want {
		if v := verdicts[i]; v.SubIndication != w.sub || !v.Signer.Equal(w.cert) {
			t.Errorf("signer %d: %s (%s)", i, v.SubIndication, v.Detail)
		}
	}
}

// TestBERFence: nesting is bounded in BER, too, before the number of elements is.
func TestBERFence(t *testing.T) {
	deep := slices.Concat(bytes.Repeat([]byte{0x30, 0x80}, 33), bytes.Repeat([]byte{0, 0}, 33))
	if v := judge(t, deep, nil, signing.Options{}); v.SubIndication != signing.FormatFailure || !strings.Contains(v.Detail, "nested more than 32 deep") {
		t.Errorf("%s (%s)", v.SubIndication, v.Detail)
	}
}
