package signing_test

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"testing"

	"docaxis/internal/sealtest"
	"docaxis/signing"
)

// worstSignatures are signatures that are as large as they may be.
func worstSignatures(t *testing.T, b *bench) []worst {
	read := verdictOn(b, b.content)
	row := func(name string, want signing.SubIndication, make func(f *forgery, size int)) worst {
		return worst{name, func(size int) ([]byte, int) {
			f := forge(b.seal, b.content)
			make(f, size)
			return counted(f.der(t))
		}, read, want}
	}
	fill := func(attr []byte, size, most int) [][]byte {
		return slices.Repeat([][]byte{attr}, min(size/len(attr), most))
	}
	_, tsa := authorityOf(t)
	return []worst{
		row("duplicate attributes", signing.FormatFailure, func(f *forgery, size int) {
			f.attributes = append(f.attributes, fill(attribute(oidMessageDigest, octets(make([]byte, 230))), size, 4800)...)
		}),
		row("more attributes than are read", signing.FormatFailure, func(f *forgery, size int) {
			f.attributes = append(f.attributes, fill(attribute(asn1.ObjectIdentifier{1, 2}, []byte{5, 0}), size, 1<<20)...)
		}),
		row("as many attributes as are read", "", func(f *forgery, size int) {
			f.attributes = append(f.attributes, fill(attribute(asn1.ObjectIdentifier{1, 2}, octets(make([]byte, 20))), size, 24_800)...)
		}),
		row("unknown attributes", "", func(f *forgery, size int) {
			f.attributes = append(f.attributes, fill(attribute(asn1.ObjectIdentifier{2, 999, 1}, octets(make([]byte, 240))), size, 4800)...)
		}),
		row("one large attribute", "", func(f *forgery, size int) {
			f.attributes = append(f.attributes, attribute(asn1.ObjectIdentifier{2, 999, 1}, octets(make([]byte, size))))
		}),
		row("large object identifier", signing.FormatFailure, func(f *forgery, size int) {
			f.attributes = append(f.attributes, sequence(tlv(6, bytes.Repeat([]byte{1}, size)), set()))
		}),
		row("time-stamps", "", func(f *forgery, size int) {
			token := forgeToken(tsa.Identity, []byte("a value"), nil, func(f *forgery) {
				f.unsigned = tlv(0xa1, attribute(asn1.ObjectIdentifier{2, 999, 1}, octets(make([]byte, size/150))))
			}).der(t)
			f.unsigned = tlv(0xa1, fill(attribute(oidSignTime, token), size, 150)...)
		}),
		row("large time-stamps", "", func(f *forgery, size int) {
			each := attribute(oidSignTime, octets(make([]byte, size/8)))
			f.unsigned = tlv(0xa1, slices.Repeat([][]byte{each}, 8)...)
		}),
		row("large certificates beside", "", func(f *forgery, size int) {
			for range 31 {
				f.certs = append(f.certs, stuffed(b.seal.Certificate(), size/32))
			}
		}),
		row("large serial number and name", signing.NoSigningCertificateFound, func(f *forgery, size int) {
			f.sid = sequence(sequence(octets(make([]byte, size/2))), tlv(2, bytes.Repeat([]byte{1}, size/2)))
		}),
		row("truncated", signing.FormatFailure, func(f *forgery, size int) {
			f.attributes = append(f.attributes, attribute(asn1.ObjectIdentifier{2, 999, 1}, octets(make([]byte, size))))
			f.spoil = func(der []byte) []byte { return der[:len(der)-1] }
		}),
		row("extended", signing.FormatFailure, func(f *forgery, size int) {
			f.spoil = func(der []byte) []byte { return append(der, make([]byte, size)...) }
		}),
		{"lists of revoked certificates", func(size int) ([]byte, int) {
			f := forge(b.seal, b.content)
			f.crls = tlv(0xa1, manyRevoked(b.root, size/3), manyRevoked(b.root, size/3))
			f.unsigned = tlv(0xa1, attribute(oidRevocationValues, values([][]byte{manyRevoked(b.root, size/3)}, nil)))
			return counted(f.der(t))
		}, asking(b), signing.TryLater},
		{"signers with lists of revoked certificates", func(size int) ([]byte, int) {
			var all []*forgery
			for range 8 {
				f := forge(b.seal, b.content)
				f.unsigned = tlv(0xa1, attribute(oidRevocationValues, values([][]byte{manyRevoked(b.root, size/9)}, nil)))
				all = append(all, f)
			}
			return counted(severalSigners(t, all...))
		}, asking(b), signing.TryLater},
		{"signers with large attributes", func(size int) ([]byte, int) {
			var all []*forgery
			for range 8 {
				f := forge(b.seal, b.content)
				f.attributes = append(f.attributes, attribute(asn1.ObjectIdentifier{2, 999, 1}, octets(make([]byte, size/8))))
				all = append(all, f)
			}
			return counted(severalSigners(t, all...))
		}, read, ""},
		{"in BER", func(size int) ([]byte, int) {
			f := forge(b.seal, b.content)
			f.attributes = append(f.attributes, fill(attribute(asn1.ObjectIdentifier{2, 999, 1}, octets(make([]byte, 600))), size, 1500)...)
			return inBER(f.der(t)), elementsIn(f.der(t))
		}, read, ""},
	}
}

// manyRevoked is a list with as many entries as go into a size. Its signature is none:
// what it costs is to read it.
func manyRevoked(by sealtest.Seal, size int) []byte {
	entry := sequence(tlv(2, bytes.Repeat([]byte{1}, 16)), marshal(sealtest.NotBefore))
	return sequence(sequence(marshal(1), algorithm(oidECDSAWithSHA2), by.Certificate().RawSubject, marshal(sealtest.NotBefore), marshal(sealtest.NotAfter),
		sequence(slices.Repeat([][]byte{entry}, size/len(entry))...)), algorithm(oidECDSAWithSHA2), tlv(3, []byte{0, 1}))
}

// asking is verdictOn where revocation is asked about.
func asking(b *bench) func([]byte) signing.SubIndication {
	return func(signature []byte) signing.SubIndication {
		o := anchoredAt(b.root)
		o.Revocation = new(signing.Revocation)
		verdicts, err := signing.Verify(signature, b.content, o)
		if err != nil {
			return "ERROR"
		}
		return verdicts[0].SubIndication
	}
}

// stuffed is a certificate with the names of one, and with extensions to fill a
// size.
func stuffed(like *x509.Certificate, size int) *x509.Certificate {
	head := children2(like.RawTBSCertificate)
	var extensions [][]byte
	for i := range 150 {
		extensions = append(extensions, sequence(marshal(asn1.ObjectIdentifier{2, 999, i}), octets(make([]byte, size/150-12))))
	}
	head[len(head)-1] = tlv(0xa3, sequence(extensions...))
	return &x509.Certificate{Raw: sequence(sequence(head...), algorithm(oidECDSAWithSHA2), tlv(3, []byte{0, 1}))}
}

func children2(der []byte) (all [][]byte) {
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		panic(err)
	}
	for rest := outer.Bytes; len(rest) > 0; {
		var e asn1.RawValue
		rest, _ = asn1.Unmarshal(rest, &e)
		all = append(all, e.FullBytes)
	}
	return all
}
