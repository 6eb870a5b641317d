package signing_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"runtime"
	"slices"
	"testing"

	"docaxis/internal/sealtest"
	"docaxis/signing"
	"docaxis/signing/signingtest"
)

// worst is the worst known input of a kind for its parser, of about a given size.
type worst struct {
	name string
	// make gives the input and how many elements are in it.
	make func(size int) (input []byte, elements int)
	read func(input []byte) signing.SubIndication
	want signing.SubIndication
}

// elementsIn counts the elements of an encoding, those within others, too.
func elementsIn(der []byte) (n int) {
	for len(der) > 0 {
		var e asn1.RawValue
		rest, err := asn1.Unmarshal(der, &e)
		if err != nil {
			return n
		}
		if n++; e.IsCompound {
			n += elementsIn(e.Bytes)
		}
		der = rest
	}
	return n
}

func counted(der []byte) ([]byte, int) { return der, elementsIn(der) }

// TestWorstCases: an input of 1 MiB, whatever it is, costs at most 64 MiB in all,
// and one of four times the size at most four times as much.
func TestWorstCases(t *testing.T) {
	b := newBench(t)
	for _, w := range slices.Concat(worstEncodings(), worstSignatures(t, b), worstAnswers(t)) {
		t.Run(w.name, func(t *testing.T) {
			small, big := w.cost(t, 240<<10), w.cost(t, 960<<10)
			if big > 64<<20 {
				t.Errorf("%d bytes allocated", big)
			}
			if big > 5*small+1<<20 {
				t.Errorf("%d bytes allocated for four times what took %d", big, small)
			}
		})
	}
}

// cost is what reading an input allocates, in bytes.
func (w worst) cost(t *testing.T, size int) uint64 {
	t.Helper()
	input, elements := w.make(size)
	if len(input) < size/2 || len(input) > 1<<20 {
		t.Fatalf("%d bytes instead of %d", len(input), size)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := w.read(input)
	runtime.ReadMemStats(&after)
	cost := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d bytes, %d elements: %d bytes allocated", len(input), elements, cost)
	if got != w.want {
		t.Errorf("%s, want %s", got, w.want)
	}
	return cost
}

func verdictOn(b *bench, content []byte) func([]byte) signing.SubIndication {
	return func(signature []byte) signing.SubIndication {
		o := anchoredAt(b.root)
		o.Timestamping = signing.NewTrust([]*x509.Certificate{b.root.Certificate()}, nil)
		verdicts, err := signing.Verify(signature, content, o)
		if err != nil {
			return "ERROR"
		}
		return verdicts[len(verdicts)-1].SubIndication
	}
}

// worstEncodings are none of anything.
func worstEncodings() []worst {
	read := verdictOn(&bench{root: sealtest.Seal{Chain: []*x509.Certificate{{}}}}, nil)
	row := func(name string, make func(size int) ([]byte, int)) worst {
		return worst{name, make, read, signing.FormatFailure}
	}
	repeat := func(each ...byte) func(int) ([]byte, int) {
		return func(size int) ([]byte, int) {
			return bytes.Repeat(each, size/len(each)), size / len(each)
		}
	}
	return []worst{
		row("nested indefinite lengths", repeat(0x30, 0x80)),
		row("nested strings in pieces", repeat(0x24, 0x80)),
		row("nested definite lengths", func(size int) ([]byte, int) {
			// From the inside: each level has the header that its size needs.
			var headers [][]byte
			n, body := 0, 0
			for ; body < size; n++ {
				h := tlvHeader(body)
				headers, body = append(headers, h), body+len(h)
			}
			slices.Reverse(headers)
			return bytes.Join(headers, nil), n
		}),
		row("small elements", func(size int) ([]byte, int) { return tlv(0x30, bytes.Repeat([]byte{5, 0}, size/2)), size / 2 }),
		row("small elements of indefinite length", func(size int) ([]byte, int) {
			return slices.Concat([]byte{0x30, 0x80}, bytes.Repeat([]byte{0x30, 0x80, 0, 0}, size/4), []byte{0, 0}), size / 4
		}),
		row("string in many pieces", func(size int) ([]byte, int) {
			return slices.Concat([]byte{0x24, 0x80}, bytes.Repeat([]byte{4, 1, 0}, size/3), []byte{0, 0}), size / 3
		}),
		row("zeros", func(size int) ([]byte, int) { return make([]byte, size), 0 }),
		row("one large string", func(size int) ([]byte, int) { return octets(make([]byte, size)), 1 }),
	}
}

func tlvHeader(body int) []byte {
	switch {
	case body >= 1<<16:
		return []byte{0x30, 0x83, byte(body >> 16), byte(body >> 8), byte(body)}
	case body >= 256:
		return []byte{0x30, 0x82, byte(body >> 8), byte(body)}
	case body >= 128:
		return []byte{0x30, 0x81, byte(body)}
	}
	return []byte{0x30, byte(body)}
}

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
			f.attributes = append(f.attributes, fill(attribute(oidSignTime, []byte{5, 0}), size, 1<<20)...)
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
	return []worst{
		{"CRL of short entries", func(size int) ([]byte, int) { return counted(entries(t, w.middle, size, nil)) }, crl, ""},
		{"CRL of entries with extensions", func(size int) ([]byte, int) {
			more := []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 999}}}
			return counted(entries(t, w.middle, size, more))
		}, crl, ""},
		{"CRL of zeros", func(size int) ([]byte, int) { return make([]byte, size), 0 }, crl, signing.FormatFailure},
		{"OCSP of many answers", func(size int) ([]byte, int) { return counted(manyAnswers(answerOf, size)) }, ocsp, signing.FormatFailure},
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
