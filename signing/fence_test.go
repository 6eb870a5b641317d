package signing_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"

	"docaxis/internal/sealtest"
	"docaxis/signing"
)

// TestFence: what would make reading expensive is refused before it is read, and
// for that reason.
func TestFence(t *testing.T) {
	tests := []struct {
		name, want string
		signature  []byte
	}{
		{"size", "at most 1048576", octets(make([]byte, signing.MaxSize))},
		{"depth", "nested more than 32 deep", nested(33)},
		{"elements", "more than 100000 elements", tlv(0x30, bytes.Repeat([]byte{5, 0}, 100_000))},
		{"long tag", "tag of several bytes", []byte{0x3f, 0x01, 0}},
		{"string in pieces", "does not occur in DER", tlv(0x24)},
		{"flat sequence", "does not occur in DER", tlv(0x10)},
		{"indefinite", "indefinite", []byte{0x30, 0x80, 0, 0}},
		{"6 MB of open sequences", "at most 1048576", bytes.Repeat([]byte{0x30, 0x80}, 3_000_000)},
		{"length not in its shortest form", "shortest form", longLength(tlv(0x30, make([]byte, 200)))},
		{"length of 5 bytes", "too early", []byte{0x30, 0x85, 1, 1, 1, 1, 1}},
		{"length over its parent", "too early", []byte{0x30, 2, 4, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := judge(t, tt.signature, nil, signing.Options{DER: true})
			if v.SubIndication != signing.FormatFailure || !strings.Contains(v.Detail, tt.want) {
				t.Errorf("%s: %s", v.SubIndication, v.Detail)
			}
		})
	}
}

// authority is a template of an intermediate authority.
func authority(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
}

// longLength writes the outermost length with a zero in front.
func longLength(der []byte) []byte {
	return append([]byte{0x30, der[1] + 1, 0}, der[2:]...)
}

func nested(depth int) []byte {
	var der []byte
	for range depth {
		der = tlv(0x30, der)
	}
	return der
}

func boundWithSerial(cert *x509.Certificate, serial *big.Int) []byte {
	bound := boundTo(cert)[6:] // inside the three sequences
	issuer := sequence(tlv(0xa4, cert.RawIssuer))
	return sequence(sequence(sequence(bound, sequence(issuer, marshal(serial)))))
}

func pss(hash, mask asn1.ObjectIdentifier, salt int) []byte {
	return algorithm(oidPSS, sequence(
		tlv(0xa0, algorithm(hash)),
		tlv(0xa1, algorithm(oidMGF1, algorithm(mask))),
		tlv(0xa2, marshal(salt))))
}

// hugeKey names a certificate whose key would take very long to compute with.
func hugeKey(t testing.TB, b *bench) *forgery {
	n := new(big.Int).Lsh(big.NewInt(1), 16383)
	n.SetBit(n, 0, 1)
	f := forge(sealtest.IssuePublic(t, b.root, "Huge", &rsa.PublicKey{N: n, E: 1<<31 - 1}), b.content)
	f.signature = algorithm(oidSHA256WithRSA)
	f.value = make([]byte, 16384/8)
	return f
}

// TestHugeIntermediate: a certificate that costs much must not be computed with
// either where it only offers to vouch for the signer.
func TestHugeIntermediate(t *testing.T) {
	b := newBench(t)
	n := new(big.Int).Lsh(big.NewInt(1), 16383)
	n.SetBit(n, 0, 1)
	huge := sealtest.IssuePublic(t, b.root, "Nobody", &rsa.PublicKey{N: n, E: 1<<31 - 1})
	f := forge(b.stranger, b.content)
	f.certs = append(f.certs, huge.Certificate())
	v := judge(t, f.der(t), b.content, anchoredAt(b.root))
	if v.SubIndication != signing.CryptoConstraintsFailure {
		t.Errorf("got %s (%s)", v.SubIndication, v.Detail)
	}
}
