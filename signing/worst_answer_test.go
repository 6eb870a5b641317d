package signing_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"

	"docaxis/signing"
	"docaxis/signing/signingtest"
)

// worstAnswers are of those whom others ask.
func worstAnswers(t *testing.T) []worst {
	w := newWorld(t, nil)
	crl := func(input []byte) signing.SubIndication {
		if _, err := signing.ParseCRL(input); err != nil {
			return signing.FormatFailure
		}
		return ""
	}
	ocsp := func(input []byte) signing.SubIndication {
		if _, err := signing.ParseOCSP(input); err != nil {
			return signing.FormatFailure
		}
		return ""
	}
	response := func(input []byte) signing.SubIndication {
		token, err := signing.ReadTimestampResponse(input)
		if err == nil {
			_, err = signing.ParseTimestamp(token)
		}
		if err != nil {
			return signing.FormatFailure
		}
		return ""
	}
	answerOf := must(w.middle.OCSP(w.middle, w.seal.Certificate(), before, after, nil))
	file := func(input []byte) signing.SubIndication {
		if _, err := signing.LoadCertificates(writeFile(t, input)); err != nil {
			return signing.FormatFailure
		}
		return ""
	}
	cert := w.seal.Certificate().Raw
	return []worst{
		{"file of many certificates", func(size int) ([]byte, int) {
			return counted(bytes.Repeat(cert, size/len(cert)))
		}, file, ""},
		{"PEM file of many certificates", func(size int) ([]byte, int) {
			block := pemBlock("CERTIFICATE", cert)
			return bytes.Repeat(block, size/len(block)), size / len(block)
		}, file, ""},
		{"PEM file of beginnings", func(size int) ([]byte, int) {
			return bytes.Repeat([]byte("-----BEGIN A-----\n"), size/18), size / 18
		}, file, signing.FormatFailure},
		{"CRL of short entries", func(size int) ([]byte, int) { return counted(entries(t, w.middle, size, nil)) }, crl, ""},
		{"CRL of entries with extensions", func(size int) ([]byte, int) {
			more := []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 999}}}
			return counted(entries(t, w.middle, size, more))
		}, crl, ""},
		{"CRL of zeros", func(size int) ([]byte, int) { return make([]byte, size), 0 }, crl, signing.FormatFailure},
		{"OCSP of many answers", func(size int) ([]byte, int) { return counted(manyAnswers(answerOf, min(size, 490<<10))) }, ocsp, ""},
		{"OCSP nested", func(size int) ([]byte, int) { return bytes.Repeat([]byte{0x30, 0x80}, size/2), size / 2 }, ocsp, signing.FormatFailure},
		{"response nested", func(size int) ([]byte, int) { return bytes.Repeat([]byte{0x30, 0x80}, size/2), size / 2 }, response, signing.FormatFailure},
		{"response with a long refusal", func(size int) ([]byte, int) {
			return counted(sequence(sequence(marshal(2), sequence(tlv(0x0c, bytes.Repeat([]byte("x"), size))))))
		}, response, signing.FormatFailure},
	}
}

// entries is a list with as many entries as fit a size.
func entries(t *testing.T, by signingtest.Identity, size int, more []pkix.Extension) []byte {
	t.Helper()
	each := 22
	if more != nil {
		each = 36
	}
	return must(by.CRL(before, after, nil, func(l *x509.RevocationList) {
		for i := range size / each {
			l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{
				SerialNumber: big.NewInt(int64(i)), RevocationTime: before, ExtraExtensions: more,
			})
		}
	}))
}

// manyAnswers repeats the one answer in an OCSP response; its signature is spoilt
// by that, which parsing does not look at.
func manyAnswers(one []byte, size int) []byte {
	basic := children2(children2(children2(one)[1])[0])[1]
	var inner asn1.RawValue
	if _, err := asn1.Unmarshal(basic, &inner); err != nil {
		panic(err)
	}
	parts := children2(inner.Bytes)
	data := children2(parts[0])
	last := len(data) - 1
	single := children2(data[last])[0]
	data[last] = sequence(slices.Repeat([][]byte{single}, size/len(single))...)
	parts[0] = sequence(data...)
	return sequence([]byte{0x0a, 1, 0}, tlv(0xa0, sequence(marshal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}), octets(sequence(parts...)))))
}
