package signing_test

import (
	"bytes"

	"docaxis/signing"
)

func formDefects(b *bench) []defect {
	return []defect{
		{"empty", b.spoil(func([]byte) []byte { return nil }), nil, signing.FormatFailure},
		{"cut", b.spoil(func(d []byte) []byte { return d[:len(d)-1] }), nil, signing.FormatFailure},
		{"bytes behind the end", b.spoil(func(d []byte) []byte { return append(d, 0) }), nil, signing.FormatFailure},
		{"two signatures in a row", b.spoil(func(d []byte) []byte { return append(d, d...) }), nil, signing.FormatFailure},
		{"over 1 MiB", b.spoil(func([]byte) []byte { return octets(make([]byte, signing.MaxSize)) }), nil, signing.FormatFailure},
		{"nested too deep", b.spoil(func([]byte) []byte { return nested(40) }), nil, signing.FormatFailure},
		{"too many elements", b.spoil(func([]byte) []byte { return tlv(0x30, bytes.Repeat([]byte{5, 0}, 20_001)) }), nil, signing.FormatFailure},
		{"tag of several bytes", b.spoil(func([]byte) []byte { return []byte{0x3f, 0x01, 0} }), nil, signing.FormatFailure},
		{"string in pieces", b.change(func(f *forgery) { f.sid = tlv(0x24, octets([]byte("a"))) }), nil, signing.FormatFailure},
		{"sequence not constructed", b.change(func(f *forgery) { f.sid = tlv(0x10) }), nil, signing.FormatFailure},
		{"not SignedData", b.change(func(f *forgery) { f.outer = oidEnvelopedData }), nil, signing.FormatFailure},
		{"content inside", b.change(func(f *forgery) {
			f.encap = sequence(marshal(oidData), tlv(0xa0, octets(b.content)))
		}), nil, signing.FormatFailure},
		{"content is no data", b.change(func(f *forgery) { f.encap = sequence(marshal(oidSignedData)) }), nil, signing.FormatFailure},
		{"nobody signed", b.change(func(f *forgery) { f.copies = 0 }), nil, signing.FormatFailure},
		{"too many signers", b.change(func(f *forgery) { f.copies = 17 }), nil, signing.FormatFailure},
		{"too many certificates", b.change(func(f *forgery) {
			for range 40 {
				f.certs = append(f.certs, b.seal.Certificate())
			}
		}), nil, signing.FormatFailure},
	}
}
