package xmldsig_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"docaxis/internal/sealtest"
	"docaxis/signing"
	"docaxis/signing/xmldsig"
	dsig "docaxis/signing/xmldsig/xmldsigtest"
)

// bench has what signatures are made with.
type bench struct {
	root, seal, other, rsa, stranger sealtest.Seal
}

func newBench(t testing.TB) *bench {
	root := sealtest.Root(t, "Root")
	return &bench{
		root: root, seal: sealtest.New(t, root, "Seal"), other: sealtest.New(t, root, "Other"),
		rsa:      sealtest.Issue(t, root, "RSA", must(rsa.GenerateKey(rand.Reader, 2048)), nil),
		stranger: sealtest.New(t, sealtest.Root(t, "Nobody"), "Stranger"),
	}
}

func (b *bench) options() signing.Options {
	return signing.Options{At: sealtest.At, Anchors: []*x509.Certificate{b.root.Certificate()}}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// document is one in canonical form.
const document = `<doc Id="root"><head Id="head">Kính gửi</head>` + dsig.Mark + `<body Id="body"><p>1</p><p>2</p></body></doc>`

// unsigned is the document without its signature.
var unsigned = without(document)

func without(doc string) string { return strings.ReplaceAll(doc, dsig.Mark, "") }

func with(doc, element string) string { return strings.Replace(doc, dsig.Mark, element, 1) }

func (b *bench) by(references ...dsig.Reference) *dsig.Signature {
	return dsig.By(b.seal.Key, b.seal.Chain[:1], references...)
}

func inspect(t testing.TB, file string, o signing.Options) *xmldsig.Document {
	t.Helper()
	d, err := xmldsig.Inspect(strings.NewReader(file), int64(len(file)), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range d.Signatures {
		for _, lang := range []string{"vi", "en"} {
			if say := s.Sentence(lang); say == "" || len(say) > 3000 {
				t.Errorf("%d bytes of sentence", len(say))
			}
		}
		if v := s.Verdict; v.Indication != v.SubIndication.Indication() || v.Passed() != (len(v.Chain) > 0) || !v.Passed() && v.Detail == "" {
			t.Errorf("%+v", v)
		}
		if s.Verdict.Passed() && !s.Whole {
			t.Errorf("passed, and covers %v", s.Covers)
		}
	}
	return d
}

// only is the one signature of a file.
func only(t testing.TB, file string, o signing.Options) xmldsig.Signature {
	t.Helper()
	d := inspect(t, file, o)
	if len(d.Signatures) != 1 || d.Left != 0 {
		t.Fatalf("%d signatures, %d left", len(d.Signatures), d.Left)
	}
	return d.Signatures[0]
}

// TestSigned: what is signed as it should be passes, in every way that is accepted.
func TestSigned(t *testing.T) {
	b := newBench(t)
	p384 := sealtest.Issue(t, b.root, "P-384", must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)), nil)
	more, more07 := "http://www.w3.org/2001/04/xmldsig-more#", "http://www.w3.org/2007/05/xmldsig-more#"
	for _, tt := range []struct {
		name string
		by   sealtest.Seal
		how  func(s *dsig.Signature)
	}{
		{"P-256", b.seal, nil},
		{"RSA", b.rsa, nil},
		{"RSA, SHA-512", b.rsa, func(s *dsig.Signature) { s.By, s.Hash = more+"rsa-sha512", crypto.SHA512 }},
		{"PSS", b.rsa, func(s *dsig.Signature) { s.By = more07 + "sha256-rsa-MGF1" }},
		{"PSS, SHA-384", b.rsa, func(s *dsig.Signature) { s.By, s.Hash = more07+"sha384-rsa-MGF1", crypto.SHA384 }},
		{"P-384", p384, func(s *dsig.Signature) { s.By, s.Hash = more+"ecdsa-sha384", crypto.SHA384 }},
		{"digest SHA-384", b.seal, func(s *dsig.Signature) { s.References[0].DigestBy, s.References[0].Hash = more+"sha384", crypto.SHA384 }},
		{"digest SHA-512", b.seal, func(s *dsig.Signature) {
			s.References[0].DigestBy, s.References[0].Hash = "http://www.w3.org/2001/04/xmlenc#sha512", crypto.SHA512
		}},
		{"Canonical XML", b.seal, func(s *dsig.Signature) { s.How = dsig.C14N }},
		{"no canonicalisation named", b.seal, func(s *dsig.Signature) { s.References[0].Transforms = dsig.Transform(dsig.Enveloped) }},
		{"by the root's Id", b.seal, func(s *dsig.Signature) { s.References[0].Attributes = ` URI="#root"` }},
		{"a second reference", b.seal, func(s *dsig.Signature) {
			s.References = append(s.References, dsig.ByID("head", `<head Id="head">Kính gửi</head>`))
		}},
		{"with its issuers", b.seal, func(s *dsig.Signature) { s.Chain = b.seal.Chain }},
		{"issuers first", b.seal, func(s *dsig.Signature) { s.Chain = []*x509.Certificate{b.root.Certificate(), b.seal.Certificate()} }},
		{"another's certificate beside", b.seal, func(s *dsig.Signature) {
			s.Chain = []*x509.Certificate{b.other.Certificate(), b.seal.Certificate()}
		}},
		{"a name beside the certificate", b.seal, func(s *dsig.Signature) {
			s.KeyInfo = "<KeyInfo><KeyName>x</KeyName><X509Data><X509SubjectName>CN=y</X509SubjectName>" + dsig.Certificates(s.Chain) + "</X509Data></KeyInfo>"
		}},
		{"another prefix", b.seal, func(s *dsig.Signature) {
			s.Info = func(t string) string { return prefixed(t) }
			s.Text = func(t string) string {
				return strings.NewReplacer("<ds:ds:", "<ds:", "</ds:ds:", "</ds:").Replace(prefixed(t))
			}
		}},
		{"blanks between elements", b.seal, func(s *dsig.Signature) {
			s.Info = func(t string) string { return strings.ReplaceAll(t, "><", ">\n  <") }
			s.Text = func(t string) string {
				return strings.NewReplacer("<SignedInfo", "\n<SignedInfo", "<KeyInfo>", "\n<KeyInfo>\n").Replace(t)
			}
		}},
		{"blanks in the value", b.seal, func(s *dsig.Signature) {
			s.Text = func(t string) string { return strings.Replace(t, "<SignatureValue>", "<SignatureValue>\n  ", 1) }
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := dsig.By(tt.by.Key, tt.by.Chain[:1], dsig.Whole(unsigned))
			if tt.how != nil {
				tt.how(s)
			}
			got := only(t, with(document, must(s.Element())), b.options())
			if !got.Verdict.Passed() || !got.Whole || !got.Verdict.Signer.Equal(tt.by.Certificate()) || len(got.Verdict.Chain) != 2 {
				t.Errorf("%s/%s: %s; covers %v", got.Verdict.Indication, got.Verdict.SubIndication, got.Verdict.Detail, got.Covers)
			}
			if got.Path != "/doc/Signature" && got.Path != "/doc/ds:Signature" || got.Placeholder {
				t.Errorf("%+v", got)
			}
		})
	}
}

// prefixed gives the elements of a signature a prefix.
func prefixed(text string) string {
	text = strings.NewReplacer("</", "</ds:", "<", "<ds:", `xmlns="`, `xmlns:ds="`).Replace(text)
	return text
}

// TestTimesAndTrust: who signed, and when, is judged as for any signature.
func TestTimesAndTrust(t *testing.T) {
	b := newBench(t)
	file := must(dsig.Sign(document, b.seal.Key, b.seal.Chain[:1]))
	revoked := revokedSeal(t)
	for _, tt := range []struct {
		name string
		o    func(*signing.Options)
		want signing.SubIndication
	}{
		{"pinned", func(o *signing.Options) { o.Anchors, o.Pinned = nil, []*x509.Certificate{b.seal.Certificate()} }, ""},
		{"remembered", func(o *signing.Options) { o.Trust, o.Anchors = signing.NewTrust(o.Anchors, nil), nil }, ""},
		{"nobody trusted", func(o *signing.Options) { o.Anchors = nil }, signing.NoCertificateChainFound},
		{"before the certificate", func(o *signing.Options) { o.At = sealtest.NotBefore.Add(-time.Hour) }, signing.OutOfBoundsNoPOE},
		{"proven to be later", func(o *signing.Options) {
			o.At = sealtest.NotAfter.Add(2 * time.Hour)
			o.NotBefore = sealtest.NotAfter.Add(time.Hour)
		}, signing.Expired},
		{"nothing known of revocation", func(o *signing.Options) { o.Revocation = new(signing.Revocation) }, signing.TryLater},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := b.options()
			tt.o(&o)
			if v := only(t, file, o).Verdict; v.SubIndication != tt.want {
				t.Errorf("%s: %s", v.SubIndication, v.Detail)
			}
		})
	}
	if v := only(t, revoked.file, revoked.options).Verdict; v.SubIndication != signing.RevokedNoPOE || len(v.Revocation) != 1 {
		t.Errorf("%s: %s", v.SubIndication, v.Detail)
	}
	o := b.options()
	o.Trust = signing.NewTrust(nil, nil)
	if _, err := xmldsig.Inspect(strings.NewReader(file), int64(len(file)), o); err != signing.ErrTwoTrusts {
		t.Error(err)
	}
	if _, err := xmldsig.Inspect(strings.NewReader(file), int64(len(file)), signing.Options{}); err != signing.ErrNoTime {
		t.Error(err)
	}
	if _, err := xmldsig.Inspect(strings.NewReader(file), int64(len(file))+1, b.options()); err == nil {
		t.Error("a file that is shorter than it is said to be")
	}
}

func inspectQuietly(t testing.TB, file string, o signing.Options) *xmldsig.Document {
	t.Helper()
	d, err := xmldsig.Inspect(strings.NewReader(file), int64(len(file)), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
