package signing_test

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"testing"
	"time"

	"docaxis/internal/sealtest"
	"docaxis/signing"
)

// Object identifiers, as forged signatures name them.
var (
	oidData            = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidEnvelopedData   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 3}
	oidContentType     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningTime     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	oidSigningCertV2   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidMD5             = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 5}
	oidSHA1            = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256          = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA512          = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
	oidMGF1            = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
	oidRSA             = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidSHA1WithRSA     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}
	oidPSS             = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidSHA256WithRSA   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidSHA384WithRSA   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}
	oidECDSAWithSHA512 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}
	oidECDSAWithSHA2   = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
)

// tlv is an element of DER.
func tlv(tag byte, parts ...[]byte) []byte {
	var body []byte
	for _, p := range parts {
		body = append(body, p...)
	}
	head := []byte{tag, byte(len(body))}
	if n := len(body); n >= 1<<16 {
		head = []byte{tag, 0x83, byte(n >> 16), byte(n >> 8), byte(n)}
	} else if n >= 256 {
		head = []byte{tag, 0x82, byte(n >> 8), byte(n)}
	} else if n >= 128 {
		head = []byte{tag, 0x81, byte(n)}
	}
	return append(head, body...)
}

func marshal(v any) []byte {
	der, err := asn1.Marshal(v)
	if err != nil {
		panic(err)
	}
	return der
}

func sequence(parts ...[]byte) []byte { return tlv(0x30, parts...) }
func set(parts ...[]byte) []byte      { return tlv(0x31, parts...) }
func octets(b []byte) []byte          { return tlv(0x04, b) }

func algorithm(oid asn1.ObjectIdentifier, parameters ...[]byte) []byte {
	return sequence(append([][]byte{marshal(oid)}, parameters...)...)
}

func attribute(oid asn1.ObjectIdentifier, values ...[]byte) []byte {
	return sequence(marshal(oid), set(values...))
}

// forgery is a signature in its parts, each of which a test may spoil before it
// is put together. The zero values of a new one make a good signature.
type forgery struct {
	seal        sealtest.Seal
	outer       asn1.ObjectIdentifier
	encap       []byte
	certs       []*x509.Certificate
	sid         []byte
	digest      []byte
	hash        crypto.Hash
	attributes  [][]byte
	signature   []byte
	signer      crypto.Signer
	signOptions crypto.SignerOpts
	value       []byte
	unsigned    []byte
	crls        []byte // [1], behind the certificates
	copies      int
	// infos stand for the SignerInfo where there are several.
	infos, moreDigests [][]byte
	spoil              func([]byte) []byte
}

func forge(seal sealtest.Seal, content []byte) *forgery {
	cert := seal.Certificate()
	sum := sha256.Sum256(content)
	f := &forgery{
		seal:  seal,
		outer: oidSignedData,
		encap: sequence(marshal(oidData)),
		certs: []*x509.Certificate{cert},
		sid:   sequence(cert.RawIssuer, marshal(cert.SerialNumber)),

		hash:      crypto.SHA256,
		digest:    algorithm(oidSHA256),
		signature: algorithm(oidECDSAWithSHA2),
		signer:    seal.Key,
		copies:    1,
	}
	f.attributes = [][]byte{
		attribute(oidContentType, marshal(oidData)),
		attribute(oidMessageDigest, octets(sum[:])),
		attribute(oidSigningTime, marshal(sealtest.At)),
		attribute(oidSigningCertV2, boundTo(cert)),
	}
	return f
}

// bySHA512 is a good signature that uses SHA-512 throughout.
func bySHA512(b *bench) *forgery {
	f := forge(b.seal, b.content)
	sum := sha512.Sum512(b.content)
	f.hash, f.digest, f.signature = crypto.SHA512, algorithm(oidSHA512), algorithm(oidECDSAWithSHA512)
	f.attributes[1] = attribute(oidMessageDigest, octets(sum[:]))
	return f
}

// boundTo is SigningCertificateV2 for a certificate, by SHA-256.
func boundTo(cert *x509.Certificate) []byte {
	sum := sha256.Sum256(cert.Raw)
	return sequence(sequence(sequence(octets(sum[:]))))
}

// info is the SignerInfo.
func (f *forgery) info(t testing.TB) []byte {
	t.Helper()
	info := [][]byte{marshal(1), f.sid, f.digest}
	if f.attributes != nil {
		info = append(info, tlv(0xa0, f.attributes...))
	}
	info = append(info, f.signature, octets(f.sign(t)))
	if f.unsigned != nil {
		info = append(info, f.unsigned)
	}
	return sequence(info...)
}

func (f *forgery) der(t testing.TB) []byte {
	t.Helper()
	var certs [][]byte
	for _, c := range f.certs {
		certs = append(certs, c.Raw)
	}
	infos := f.infos
	if infos == nil && f.copies > 0 {
		infos = slices.Repeat([][]byte{f.info(t)}, f.copies)
	}
	der := sequence(marshal(f.outer), tlv(0xa0, sequence(
		marshal(1), set(append(f.moreDigests, f.digest)...), f.encap, tlv(0xa0, certs...), f.crls, set(infos...))))
	if f.spoil != nil {
		der = f.spoil(der)
	}
	return der
}

func (f *forgery) sign(t testing.TB) []byte {
	t.Helper()
	if f.value != nil {
		return f.value
	}
	opts := f.signOptions
	if opts == nil {
		opts = f.hash
	}
	h := f.hash.New()
	h.Write(set(f.attributes...))
	value, err := f.signer.Sign(rand.Reader, h.Sum(nil), opts)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// judge verifies a signature and wants a single verdict.
func judge(t testing.TB, signature, content []byte, o signing.Options) signing.Verdict {
	t.Helper()
	if o.At.IsZero() {
		o.At = sealtest.At
	}
	verdicts, err := signing.Verify(signature, content, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(verdicts) == 0 {
		t.Fatal("no verdict")
	}
	return verdicts[0]
}

func anchoredAt(seals ...sealtest.Seal) signing.Options {
	o := signing.Options{At: sealtest.At}
	for _, s := range seals {
		o.Anchors = append(o.Anchors, s.Certificate())
	}
	return o
}

func pinned(seals ...sealtest.Seal) signing.Options {
	o := signing.Options{At: sealtest.At}
	for _, s := range seals {
		o.Pinned = append(o.Pinned, s.Certificate())
	}
	return o
}

func mustEqualTime(t testing.TB, got, want time.Time) {
	t.Helper()
	if !got.Equal(want) {
		t.Errorf("time %v, want %v", got, want)
	}
}
