package signing_test

import (
	"math/big"

	"docaxis/signing"
)

func attributeDefects(b *bench) []defect {
	return []defect{
		{"no signed attributes", b.change(func(f *forgery) { f.attributes = nil }), nil, signing.FormatFailure},
		{"no content-type", b.without(atContentType), nil, signing.FormatFailure},
		{"content-type twice", b.twice(atContentType), nil, signing.FormatFailure},
		{"another content-type", b.with(atContentType, attribute(oidContentType, marshal(oidSignedData))), nil, signing.FormatFailure},
		{"no message-digest", b.without(atMessageDigest), nil, signing.FormatFailure},
		{"message-digest twice", b.twice(atMessageDigest), nil, signing.FormatFailure},
		{"message-digest of two values", b.with(atMessageDigest,
			attribute(oidMessageDigest, octets(make([]byte, 32)), octets(make([]byte, 32)))), nil, signing.FormatFailure},
		{"message-digest of no value", b.with(atMessageDigest, attribute(oidMessageDigest)), nil, signing.FormatFailure},
		{"signing-time twice", b.twice(atSigningTime), nil, signing.FormatFailure},
		{"signing-time is no time", b.with(atSigningTime, attribute(oidSigningTime, octets([]byte("noon")))), nil, signing.FormatFailure},
		{"signing-certificate-v2 twice", b.twice(atBound), nil, signing.FormatFailure},
		{"signing-certificate-v2 unreadable", b.with(atBound, attribute(oidSigningCertV2, octets([]byte("x")))), nil, signing.FormatFailure},
		{"signing-certificate in its older form", b.with(atBound, attribute(oidSigningCe, sequence(sequence(sequence(octets(make([]byte, 20))))))), nil, signing.SigConstraintsFailure},
		{"no signing-certificate-v2", b.without(atBound), nil, signing.SigConstraintsFailure},
		{"signing-certificate-v2 of another", b.with(atBound, attribute(oidSigningCertV2, boundTo(b.other.Certificate()))), nil, signing.NoSigningCertificateFound},
		{"signing-certificate-v2 with a wrong serial number", b.with(atBound, attribute(oidSigningCertV2,
			boundWithSerial(b.seal.Certificate(), big.NewInt(7)))), nil, signing.NoSigningCertificateFound},
		{"signing-certificate-v2 by SHA-1", b.with(atBound, attribute(oidSigningCertV2,
			sequence(sequence(sequence(algorithm(oidSHA1), octets(make([]byte, 20))))))), nil, signing.CryptoConstraintsFailure},
	}
}
