package signing_test

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"testing"
	"time"

	"docaxis/internal/sealtest"
	"docaxis/signing"
	"docaxis/signing/signingtest"
)

var (
	oidRevocationValues = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 24}
	oidArchival         = asn1.ObjectIdentifier{1, 2, 840, 113583, 1, 1, 8}
	oidOCSPInfo         = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 16, 2}
)

func crlOf(by signingtest.Identity, revoked ...signingtest.Identity) []byte {
	var all []signingtest.Revoked
	for _, r := range revoked {
		all = append(all, signingtest.Revoked{Certificate: r.Certificate(), At: before})
	}
	return must(by.CRL(before, after, all, nil))
}

// basicOf is the BasicOCSPResponse within an OCSPResponse.
func basicOf(der []byte) []byte {
	var r struct {
		Status asn1.Enumerated
		Bytes  struct {
			Type asn1.ObjectIdentifier
			Body []byte
		} `asn1:"explicit,tag:0"`
	}
	if _, err := asn1.Unmarshal(der, &r); err != nil {
		panic(err)
	}
	return r.Bytes.Body
}

func values(lists, answers [][]byte) []byte {
	var parts [][]byte
	if lists != nil {
		parts = append(parts, tlv(0xa0, sequence(lists...)))
	}
	if answers != nil {
		parts = append(parts, tlv(0xa1, sequence(answers...)))
	}
	return sequence(parts...)
}

// TestEmbeddedRevocation: what a signature brings along counts as what the caller
// knows, and where nobody asks it counts for nothing.
func TestEmbeddedRevocation(t *testing.T) {
	w := newWorld(t, []byte("content"))
	root, middle := crlOf(w.root), crlOf(w.middle)
	answer := must(w.middle.OCSP(w.middle, w.seal.Certificate(), before, after, nil))
	unsigned := func(oid asn1.ObjectIdentifier, v []byte) func(*forgery) {
		return func(f *forgery) { f.unsigned = tlv(0xa1, attribute(oid, v)) }
	}
	for _, tt := range []struct {
		name string
		put  func(*forgery)
		want signing.SubIndication
	}{
		{"nothing", func(*forgery) {}, signing.TryLater},
		{"lists beside the certificates", func(f *forgery) { f.crls = tlv(0xa1, root, middle) }, ""},
		{"an answer beside the certificates", func(f *forgery) {
			f.crls = tlv(0xa1, root, tlv(0xa1, marshal(oidOCSPInfo), answer))
		}, ""},
		{"lists among revocation values", unsigned(oidRevocationValues, values([][]byte{root, middle}, nil)), ""},
		{"an answer among revocation values", unsigned(oidRevocationValues, values([][]byte{root}, [][]byte{basicOf(answer)})), ""},
		{"in PDF files", func(f *forgery) {
			f.attributes = append(f.attributes, attribute(oidArchival, values([][]byte{root}, [][]byte{answer})))
		}, ""},
		{"in both places", func(f *forgery) {
			f.crls = tlv(0xa1, root)
			f.unsigned = tlv(0xa1, attribute(oidRevocationValues, values([][]byte{middle}, nil)))
		}, ""},
		{"a list for one of two", func(f *forgery) { f.crls = tlv(0xa1, middle) }, signing.TryLater},
		{"revoked", func(f *forgery) { f.crls = tlv(0xa1, root, crlOf(w.middle, w.seal)) }, signing.RevokedNoPOE},
		{"an issuer revoked", func(f *forgery) { f.crls = tlv(0xa1, middle, crlOf(w.root, w.middle)) }, signing.RevokedCANoPOE},
		{"lists of a stranger", func(f *forgery) { f.crls = tlv(0xa1, root, crlOf(w.stranger)) }, signing.TryLater},
		{"an old list", func(f *forgery) {
			f.crls = tlv(0xa1, root, must(w.middle.CRL(sealtest.At.Add(-3*time.Hour), sealtest.At.Add(-2*time.Hour), nil, nil)))
		}, signing.TryLater},
		{"an answer of another form", func(f *forgery) {
			f.crls = tlv(0xa1, root, tlv(0xa1, marshal(oidData), answer))
		}, signing.TryLater},
		{"noise", func(f *forgery) {
			f.crls = tlv(0xa1, octets(nil), root, sequence(), tlv(0xa1), middle)
			f.unsigned = tlv(0xa1, attribute(oidRevocationValues, octets(nil), sequence(octets(nil), tlv(0xa0), tlv(0xa1, sequence(octets(nil))))))
		}, ""},
		{"more than is read", func(f *forgery) {
			f.crls = tlv(0xa1, append(slices.Repeat([][]byte{sequence()}, 31), root, middle)...)
		}, signing.TryLater},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := w.signature(t)
			tt.put(f)
			o := signing.Options{Anchors: []*x509.Certificate{w.root.Certificate()}}
			der := f.der(t)
			if v := judge(t, der, w.content, o); !v.Passed() || len(v.Revocation) > 0 {
				t.Errorf("nobody asked: %s: %s, %d", v.SubIndication, v.Detail, len(v.Revocation))
			}
			o.Revocation = new(signing.Revocation)
			if v := judge(t, der, w.content, o); v.SubIndication != tt.want || v.Passed() && len(v.Revocation) != 2 {
				t.Errorf("%s: %s, %d", v.SubIndication, v.Detail, len(v.Revocation))
			}
			if len(o.Revocation.CRLs)+len(o.Revocation.OCSPs) > 0 {
				t.Error("the caller's knowledge grew")
			}
			ber := judge(t, inBER(der), w.content, o)
			if ber.SubIndication != tt.want {
				t.Errorf("in BER: %s: %s", ber.SubIndication, ber.Detail)
			}
		})
	}
	t.Run("the caller knows better", func(t *testing.T) {
		f := w.signature(t)
		f.crls = tlv(0xa1, root, middle)
		o := signing.Options{Anchors: []*x509.Certificate{w.root.Certificate()}, Revocation: &signing.Revocation{CRLs: []*signing.CRL{must(signing.ParseCRL(crlOf(w.middle, w.seal)))}}}
		if v := judge(t, f.der(t), w.content, o); v.SubIndication != signing.RevokedNoPOE {
			t.Errorf("%s: %s", v.SubIndication, v.Detail)
		}
	})
}

// TestEmbeddedInTimestamps: a token brings along what is known of its authority.
func TestEmbeddedInTimestamps(t *testing.T) {
	root, tsa := authorityOf(t)
	content := []byte("a value")
	o := signing.TimestampOptions{At: sealtest.At, Trust: signing.NewTrust([]*x509.Certificate{root.Certificate()}, nil), Revocation: new(signing.Revocation)}
	for want, crls := range map[signing.SubIndication][]byte{signing.TryLater: nil, "": tlv(0xa1, crlOf(root))} {
		token := forgeToken(tsa.Identity, content, nil, func(f *forgery) { f.crls = crls }).der(t)
		v := must(signing.VerifyTimestamp(token, bytes.NewReader(content), o))
		if v.SubIndication != want {
			t.Errorf("%s: %s", v.SubIndication, v.Detail)
		}
	}
}
