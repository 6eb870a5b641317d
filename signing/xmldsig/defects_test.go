package xmldsig_test

import (
	"crypto"
	_ "crypto/md5" // weak digests are made, to be refused
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" // the same
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"docaxis/internal/sealtest"
	"docaxis/signing"
	"docaxis/signing/signingtest"
	dsig "docaxis/signing/xmldsig/xmldsigtest"
)

// defect is one mistake in a file that is good otherwise, and the answer to it. says is
// part of the detail.
type defect struct {
	name string
	file func(b *bench) string
	want signing.SubIndication
	says string
}

// signed is the document with a signature that was changed.
func signed(change func(b *bench, s *dsig.Signature)) func(*bench) string {
	return func(b *bench) string {
		s := b.by(dsig.Whole(unsigned))
		change(b, s)
		return with(document, must(s.Element()))
	}
}

// changed is the signed document, changed afterwards.
func changed(old, new string) func(*bench) string {
	return func(b *bench) string {
		file := with(document, must(b.by(dsig.Whole(unsigned)).Element()))
		if strings.Count(file, old) != 1 {
			panic(old)
		}
		return strings.Replace(file, old, new, 1)
	}
}

func text(old, new string) func(*bench) string {
	return signed(func(_ *bench, s *dsig.Signature) {
		s.Text = func(t string) string { return strings.Replace(t, old, new, 1) }
	})
}

func info(old, new string) func(*bench) string {
	return signed(func(_ *bench, s *dsig.Signature) {
		s.Info = func(t string) string { return strings.Replace(t, old, new, 1) }
	})
}

func byRSA(change func(*dsig.Signature)) func(*bench) string {
	return signed(func(b *bench, s *dsig.Signature) {
		*s = *dsig.By(b.rsa.Key, b.rsa.Chain[:1], dsig.Whole(unsigned))
		change(s)
	})
}

func contentDefects() []defect {
	return []defect{
		{"a changed text", changed("<p>2</p>", "<p>3</p>"), signing.HashFailure, "digest"},
		{"a changed text before it", changed("Kính gửi", "Kính thưa"), signing.HashFailure, "digest"},
		{"an added element", changed("<p>2</p>", "<p>2</p><p></p>"), signing.HashFailure, "digest"},
		{"a removed element", changed("<p>2</p>", ""), signing.HashFailure, "digest"},
		{"another order", changed("<p>1</p><p>2</p>", "<p>2</p><p>1</p>"), signing.HashFailure, "digest"},
		{"an added attribute", changed("<p>1</p>", `<p a="">1</p>`), signing.HashFailure, "digest"},
		{"another namespace", changed("<p>1</p>", `<p xmlns="urn:x">1</p>`), signing.HashFailure, "digest"},
		{"an instruction", changed("<p>1</p>", `<?x y?><p>1</p>`), signing.HashFailure, "digest"},
		{"an instruction behind the end", changed("</doc>", `</doc><?x y?>`), signing.HashFailure, "digest"},
		{"blanks", changed("<p>1</p>", ` <p>1</p>`), signing.HashFailure, "digest"},
		{"a decomposed letter", changed("Kính", "Ki\u0301nh"), signing.HashFailure, "digest"},
		{"no enveloped transform", signed(func(_ *bench, s *dsig.Signature) { s.References[0].Transforms = dsig.Transform(dsig.Exclusive) }), signing.HashFailure, "digest"},
		{"a second signature afterwards", func(b *bench) string {
			first := must(b.by(dsig.Whole(unsigned)).Element())
			return with(document, first+"<Signature></Signature>")
		}, signing.HashFailure, "digest"},
		{"a wrong second reference", signed(func(_ *bench, s *dsig.Signature) {
			s.References = append(s.References, dsig.ByID("head", "<head></head>"))
		}), signing.HashFailure, "/doc/head"},
		{"an external reference before a wrong one", signed(func(_ *bench, s *dsig.Signature) {
			s.References = append([]dsig.Reference{{Attributes: ` URI="http://x/"`, DigestBy: dsig.SHA256, Hash: crypto.SHA256}}, s.References...)
			s.References[1].Content = "x"
		}), signing.HashFailure, "digest"},
	}
}

func valueDefects() []defect {
	return []defect{
		{"a flipped bit", signed(func(_ *bench, s *dsig.Signature) { s.Value = func(v []byte) []byte { v[9] ^= 1; return v } }), signing.SigCryptoFailure, "value"},
		{"a shorter value", signed(func(_ *bench, s *dsig.Signature) { s.Value = func(v []byte) []byte { return v[1:] } }), signing.SigCryptoFailure, "value"},
		{"a longer value", signed(func(_ *bench, s *dsig.Signature) { s.Value = func(v []byte) []byte { return append(v, 0) } }), signing.SigCryptoFailure, "value"},
		{"a zero between r and s", signed(func(_ *bench, s *dsig.Signature) {
			s.Value = func(v []byte) []byte { return append(append(v[:32:32], 0), v[32:]...) }
		}), signing.SigCryptoFailure, "value"},
		{"zeros", signed(func(_ *bench, s *dsig.Signature) { s.Value = func(v []byte) []byte { return make([]byte, len(v)) } }), signing.SigCryptoFailure, "value"},
		{"another's key", signed(func(b *bench, s *dsig.Signature) { s.Chain = b.other.Chain[:1] }), signing.SigCryptoFailure, "value"},
		{"a key of another kind", signed(func(b *bench, s *dsig.Signature) { s.Chain = b.rsa.Chain[:1] }), signing.SigCryptoFailure, "value"},
		{"SignedInfo changed afterwards", signed(func(_ *bench, s *dsig.Signature) {
			s.Text = func(t string) string { return strings.Replace(t, `<Reference URI=""`, `<Reference Id="x" URI=""`, 1) }
		}), signing.SigCryptoFailure, "value"},
		{"a comment in SignedInfo that counts", signed(func(_ *bench, s *dsig.Signature) {
			s.How += "WithComments"
			s.Text = func(t string) string { return strings.Replace(t, "<Reference", "<!-- x --><Reference", 1) }
		}), signing.SigCryptoFailure, "value"},
		{"blanks in SignedInfo", text("<Reference", " <Reference"), signing.SigCryptoFailure, "value"},
		{"PSS under another name", byRSA(func(s *dsig.Signature) {
			s.By = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
			s.Text = func(t string) string { return strings.Replace(t, s.By, dsig.RSA256, 1) }
		}), signing.SigCryptoFailure, "value"},
	}
}

func cryptoDefects() []defect {
	const more = "http://www.w3.org/2001/04/xmldsig-more#"
	named := func(by string) func(*bench) string { return byRSA(func(s *dsig.Signature) { s.By = by }) }
	digested := func(by string, h crypto.Hash) func(*bench) string {
		return signed(func(_ *bench, s *dsig.Signature) { s.References[0].DigestBy, s.References[0].Hash = by, h })
	}
	return []defect{
		{"digest by SHA-1", digested(dsig.Space+"sha1", crypto.SHA1), signing.CryptoConstraintsFailure, "SHA-1) is too weak"},
		{"digest by MD5", digested(more+"md5", crypto.MD5), signing.CryptoConstraintsFailure, "MD5) is too weak"},
		{"digest by SHA-224", digested(more+"sha224", crypto.SHA224), signing.CryptoConstraintsFailure, "SHA-224) is too weak"},
		{"digest by nothing known", digested("urn:x", crypto.SHA256), signing.CryptoConstraintsFailure, "not accepted"},
		{"no digest named", digested("", crypto.SHA256), signing.CryptoConstraintsFailure, "not accepted"},
		{"RSA with SHA-1", byRSA(func(s *dsig.Signature) { s.By, s.Hash = dsig.Space+"rsa-sha1", crypto.SHA1 }), signing.CryptoConstraintsFailure, "SHA-1) is too weak"},
		{"RSA with MD5", byRSA(func(s *dsig.Signature) { s.By, s.Hash = more+"rsa-md5", crypto.MD5 }), signing.CryptoConstraintsFailure, "MD5) is too weak"},
		{"DSA", named(dsig.Space + "dsa-sha1"), signing.CryptoConstraintsFailure, "too weak"},
		{"ECDSA with SHA-1", named(more + "ecdsa-sha1"), signing.CryptoConstraintsFailure, "SHA-1) is too weak"},
		{"a shared secret", named(more + "hmac-sha256"), signing.CryptoConstraintsFailure, "proves nobody"},
		{"PSS with parameters", named("http://www.w3.org/2007/05/xmldsig-more#rsa-pss"), signing.CryptoConstraintsFailure, "not accepted"},
		{"RSA of 1024 bits", signed(func(b *bench, s *dsig.Signature) {
			s.Key, s.By = must(rsa.GenerateKey(rand.Reader, 1024)), dsig.RSA256
			s.Chain = sealtest.Issue(panicking{}, b.root, "Weak", s.Key, nil).Chain[:1]
		}), signing.CryptoConstraintsFailure, "RSA key of 1024 bits"},
	}
}

// panicking stands for a test where there is none at hand.
type panicking struct{ testing.TB }

func (panicking) Helper()                           {}
func (panicking) Fatal(args ...any)                 { panic(fmt.Sprint(args...)) }
func (panicking) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func keyDefects() []defect {
	keys := func(text func(b *bench) string) func(*bench) string {
		return signed(func(b *bench, s *dsig.Signature) { s.KeyInfo = "<KeyInfo>" + text(b) + "</KeyInfo>" })
	}
	return []defect{
		{"no KeyInfo", signed(func(_ *bench, s *dsig.Signature) {
			s.Text = func(t string) string { return t[:strings.Index(t, "<KeyInfo>")] + "</Signature>" }
		}), signing.NoSigningCertificateFound, "no certificate"},
		{"a key without a certificate", keys(func(b *bench) string {
			return "<KeyValue><RSAKeyValue><Modulus>AA==</Modulus><Exponent>AQAB</Exponent></RSAKeyValue></KeyValue>"
		}), signing.NoSigningCertificateFound, "no certificate"},
		{"a certificate elsewhere", keys(func(b *bench) string {
			return `<RetrievalMethod URI="http://127.0.0.1:1/x" Type="http://www.w3.org/2000/09/xmldsig#X509Data"></RetrievalMethod>`
		}), signing.NoSigningCertificateFound, "no certificate"},
		{"a certificate that is none", keys(func(b *bench) string {
			return "<X509Data><X509Certificate>QUFBQQ==</X509Certificate></X509Data>"
		}), signing.NoSigningCertificateFound, "no certificate"},
		{"another serial number", keys(func(b *bench) string {
			return "<X509Data><X509IssuerSerial><X509IssuerName>CN=Root</X509IssuerName><X509SerialNumber>5</X509SerialNumber></X509IssuerSerial>" + dsig.Certificates(b.seal.Chain[:1]) + "</X509Data>"
		}), signing.NoSigningCertificateFound, "names a certificate"},
		{"another key's name", keys(func(b *bench) string {
			return "<X509Data><X509SKI>AAAA</X509SKI>" + dsig.Certificates(b.seal.Chain[:1]) + "</X509Data>"
		}), signing.NoSigningCertificateFound, "names a certificate"},
		{"a stranger", signed(func(b *bench, s *dsig.Signature) {
			*s = *dsig.By(b.stranger.Key, b.stranger.Chain, dsig.Whole(unsigned))
		}), signing.NoCertificateChainFound, "chain"},
		{"a certificate for servers", signed(func(b *bench, s *dsig.Signature) {
			server := sealtest.Issue(panicking{}, b.root, "Server", s.Key, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
			s.Chain = server.Chain[:1]
		}), signing.ChainConstraintsFailure, "servers"},
		{"a certificate that has ended", signed(func(b *bench, s *dsig.Signature) {
			s.Chain = sealtest.Issue(panicking{}, b.root, "Old", s.Key, func(c *x509.Certificate) { c.NotAfter = sealtest.At.Add(-time.Hour) }).Chain[:1]
		}), signing.OutOfBoundsNoPOE, "valid from"},
	}
}

func transformDefects() []defect {
	run := func(uri, inside string) func(*bench) string {
		return signed(func(_ *bench, s *dsig.Signature) {
			s.References[0].Transforms = dsig.Transform(dsig.Enveloped) + `<Transform Algorithm="` + uri + `">` + inside + `</Transform>`
		})
	}
	return []defect{
		{"XPath", run("http://www.w3.org/TR/1999/REC-xpath-19991116", "<XPath>not(ancestor-or-self::p)</XPath>"), signing.SigConstraintsFailure, "not run"},
		{"XPath filter", run("http://www.w3.org/2002/06/xmldsig-filter2", ""), signing.SigConstraintsFailure, "not run"},
		{"XSLT", run("http://www.w3.org/TR/1999/REC-xslt-19991116", `<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"></xsl:stylesheet>`), signing.SigConstraintsFailure, "not run"},
		{"base64", run("http://www.w3.org/2000/09/xmldsig#base64", ""), signing.SigConstraintsFailure, "not run"},
		{"an unknown transform", run("urn:x", ""), signing.SigConstraintsFailure, "not run"},
		{"a transform behind canonicalisation", signed(func(_ *bench, s *dsig.Signature) {
			s.References[0].Transforms = dsig.Transform(dsig.Exclusive) + dsig.Transform(dsig.Enveloped)
		}), signing.SigConstraintsFailure, "follows canonicalisation"},
		{"parameters of canonicalisation", run(dsig.C14N, "<x></x>"), signing.SigConstraintsFailure, "parameters"},
		{"unknown canonicalisation of SignedInfo", signed(func(_ *bench, s *dsig.Signature) { s.How = "urn:x" }), signing.SigConstraintsFailure, "not accepted"},
		{"too many transforms", signed(func(_ *bench, s *dsig.Signature) {
			s.References[0].Transforms = strings.Repeat(dsig.Transform(dsig.Enveloped), 9)
		}), signing.SigConstraintsFailure, "transforms"},
		{"too many references", signed(func(_ *bench, s *dsig.Signature) {
			for len(s.References) < 17 {
				s.References = append(s.References, s.References[0])
			}
		}), signing.SigConstraintsFailure, "references"},
	}
}

func referenceDefects() []defect {
	to := func(attributes string) func(*bench) string {
		return signed(func(_ *bench, s *dsig.Signature) {
			s.References[0].Attributes, s.References[0].Transforms = attributes, dsig.Transform(dsig.Exclusive)
		})
	}
	const head = `<head Id="head">Kính gửi</head>`
	const manifest = `<Manifest xmlns="` + dsig.Space + `" Id="m"><Reference URI="http://127.0.0.1:1/"></Reference></Manifest>`
	return []defect{
		{"a reference to an address", to(` URI="http://127.0.0.1:1/x.xml"`), signing.SignedDataNotFound, "not followed"},
		{"a reference to a file", to(` URI="file:///etc/passwd"`), signing.SignedDataNotFound, "not followed"},
		{"a reference to a name", to(` URI="document.xml"`), signing.SignedDataNotFound, "not followed"},
		{"a reference to an attachment", to(` URI="cid:A1"`), signing.SignedDataNotFound, "not followed"},
		{"a reference to part of an address", to(` URI="x.xml#head"`), signing.SignedDataNotFound, "not followed"},
		{"a reference to nothing", to(""), signing.SignedDataNotFound, "does not say"},
		{"an Id that is not there", to(` URI="#nobody"`), signing.SignedDataNotFound, "no element"},
		{"an expression", to(` URI="#xpointer(/)"`), signing.SigConstraintsFailure, "not evaluated"},
		{"a part alone", signed(func(_ *bench, s *dsig.Signature) { s.References = []dsig.Reference{dsig.ByID("head", head)} }), signing.SigConstraintsFailure, "a part of the document only: /doc/head"},
		{"every part but the root", signed(func(_ *bench, s *dsig.Signature) {
			s.References = []dsig.Reference{dsig.ByID("head", head), dsig.ByID("body", `<body Id="body"><p>1</p><p>2</p></body>`)}
		}), signing.SigConstraintsFailure, "/doc/head, /doc/body"},
		{"a manifest", signed(func(_ *bench, s *dsig.Signature) {
			s.References = []dsig.Reference{dsig.ByID("m", manifest)}
			s.Objects = "<Object>" + manifest + "</Object>"
		}), signing.SigConstraintsFailure, "/doc/Signature/Object/Manifest"},
		{"an external reference beside", signed(func(_ *bench, s *dsig.Signature) {
			s.References = append(s.References, dsig.Reference{Attributes: ` URI="http://127.0.0.1:1/"`, DigestBy: dsig.SHA256, Hash: crypto.SHA256})
		}), signing.SignedDataNotFound, "not followed"},
		{"nothing but itself", func(b *bench) string {
			s := b.by(dsig.Whole(""))
			return must(s.Element())
		}, signing.SigConstraintsFailure, "a part of the document only"},
		{"an Id twice", func(b *bench) string {
			doc := strings.Replace(document, "<p>2</p>", `<p Id="head">2</p>`, 1)
			return with(doc, must(b.by(dsig.Whole(without(doc)), dsig.ByID("head", head)).Element()))
		}, signing.FormatFailure, `2 elements have Id "head"`},
		{"an Id twice, spelt otherwise", func(b *bench) string {
			doc := strings.Replace(document, "<p>2</p>", `<p xml:id="root">2</p>`, 1)
			return with(doc, must(b.by(dsig.ByID("root", without(doc))).Element()))
		}, signing.FormatFailure, `2 elements have Id "root"`},
		{"an Id twice on one element", func(b *bench) string {
			doc := strings.Replace(document, `<p>2</p>`, `<p ID="head" id="head">2</p>`, 1)
			return with(doc, must(b.by(dsig.Whole(without(doc)), dsig.ByID("head", head)).Element()))
		}, signing.FormatFailure, `3 elements have Id "head"`},
	}
}

// wrappingDefects are the ways to keep what was signed and show something else that were
// published against readers of SAML (XSW 1 to 8), and their like.
func wrappingDefects() []defect {
	const forged = `<doc Id="forged"><head Id="head">Kính gửi</head>` + dsig.Mark + `<body Id="body"><p>9</p></body></doc>`
	original := `<doc Id="root"><head>x</head></doc>`
	// wrap has a signature over original by its Id within a file that says something else.
	wrap := func(file func(original, signature string) string, objects string) func(*bench) string {
		return func(b *bench) string {
			s := b.by(dsig.ByID("root", original))
			s.Objects = objects
			return file(original, must(s.Element()))
		}
	}
	part := "a part of the document only"
	return []defect{
		{"XSW 1: the original within the signature of another root", wrap(func(_, s string) string { return with(forged, s) }, "<Object>"+strings.Replace(original, "<doc ", `<doc xmlns="" `, 1)+"</Object>"), signing.SigConstraintsFailure, part},
		{"XSW 2: the original beside a detached signature", wrap(func(o, s string) string { return with(forged, s+o) }, ""), signing.SigConstraintsFailure, part},
		{"XSW 3: a forged element before the original", wrap(func(o, s string) string { return "<r><doc Id=\"forged\">9</doc>" + o + s + "</r>" }, ""), signing.SigConstraintsFailure, part},
		{"XSW 4: the original within the forged one", wrap(func(o, s string) string { return `<r><doc Id="forged">9` + o + "</doc>" + s + "</r>" }, ""), signing.SigConstraintsFailure, part},
		{"XSW 5: the signature in the forged one, the original behind it", wrap(func(o, s string) string { return "<r>" + with(forged, s) + o + "</r>" }, ""), signing.SigConstraintsFailure, part},
		{"XSW 6: the original in the signature of the forged one", wrap(func(_, s string) string { return "<r>" + with(forged, s) + "</r>" }, "<Object>"+strings.Replace(original, "<doc ", `<doc xmlns="" `, 1)+"</Object>"), signing.SigConstraintsFailure, part},
		{"XSW 7: the forged one among extensions, with the same Id", wrap(func(o, s string) string { return `<r><extensions><doc Id="root">9</doc></extensions>` + o + s + "</r>" }, ""), signing.FormatFailure, "2 elements"},
		{"XSW 8: the original in an Object, the forged one with the same Id", wrap(func(_, s string) string { return strings.Replace(with(forged, s), "forged", "root", 1) }, "<Object>"+strings.Replace(original, "<doc ", `<doc xmlns="" `, 1)+"</Object>"), signing.FormatFailure, "2 elements"},
		{"another root around what was signed", func(b *bench) string {
			return "<outer>" + with(document, must(b.by(dsig.ByID("root", unsigned)).Element())) + "</outer>"
		}, signing.HashFailure, "digest"},
		{"another root around an enveloped signature by Id", func(b *bench) string {
			s := b.by(dsig.Whole(unsigned))
			s.References[0].Attributes = ` URI="#root"`
			return "<outer>" + with(document, must(s.Element())) + "<forged></forged></outer>"
		}, signing.SigConstraintsFailure, part},
		{"something to read in an Object that nobody signed", signed(func(_ *bench, s *dsig.Signature) {
			s.Objects = "<Object><edXMLEnvelope></edXMLEnvelope></Object>"
		}), signing.SigConstraintsFailure, "edXMLEnvelope, which nobody signed"},
		{"something to read in KeyInfo", signed(func(b *bench, s *dsig.Signature) {
			s.KeyInfo = "<KeyInfo><X509Data>" + dsig.Certificates(s.Chain) + `</X509Data><head xmlns="">x</head></KeyInfo>`
		}), signing.SigConstraintsFailure, "head, which nobody signed"},
		{"something to read in the value", text("</SignatureValue>", "<x></x></SignatureValue>"), signing.FormatFailure, "SignatureValue"},
	}
}

func formDefects() []defect {
	return []defect{
		{"two SignedInfo", text("<SignatureValue>", `<SignedInfo></SignedInfo><SignatureValue>`), signing.FormatFailure, "does not begin"},
		{"two values", text("<KeyInfo>", `<SignatureValue>AAAA</SignatureValue><KeyInfo>`), signing.FormatFailure, "may not be"},
		{"two KeyInfo", text("<KeyInfo>", `<KeyInfo></KeyInfo><KeyInfo>`), signing.FormatFailure, "may not be"},
		{"something strange in the Signature", text("<KeyInfo>", `<x></x><KeyInfo>`), signing.FormatFailure, "may not be"},
		{"no reference", info(refText(), ""), signing.FormatFailure, "no reference"},
		{"something strange in SignedInfo", info("<Reference", "<x></x><Reference"), signing.FormatFailure, "something else"},
		{"no canonicalisation of SignedInfo", info(`<CanonicalizationMethod Algorithm="`+dsig.Exclusive+`"></CanonicalizationMethod>`, ""), signing.FormatFailure, "does not begin"},
		{"two digests", info("</DigestValue>", "</DigestValue><DigestValue>AAAA</DigestValue>"), signing.FormatFailure, "one DigestValue"},
		{"an element in a digest", info("</DigestValue>", "<x></x></DigestValue>"), signing.FormatFailure, "DigestValue"},
		{"no base64", text("</SignatureValue>", "!</SignatureValue>"), signing.FormatFailure, "base64"},
		{"empty transforms", signed(func(_ *bench, s *dsig.Signature) { s.References[0].Transforms = "<!-- -->" }), signing.FormatFailure, "Transforms"},
		{"a document type", changed(`<doc Id="root">`, `<!DOCTYPE doc><doc Id="root">`), signing.FormatFailure, "document type"},
		{"a document type with an Id", changed(`<doc Id="root">`, `<!DOCTYPE doc [<!ATTLIST p x ID #IMPLIED>]><doc Id="root">`), signing.FormatFailure, "document type"},
		{"an entity", changed(`<doc Id="root">`, `<!DOCTYPE doc [<!ENTITY a "x">]><doc Id="root">`), signing.FormatFailure, "document type"},
		{"an unknown entity", changed("<p>1</p>", "<p>&a;</p>"), signing.FormatFailure, "&"},
		{"a reference to no character", changed("<p>1</p>", "<p>&#1;</p>"), signing.FormatFailure, "&"},
		{"a forbidden character", changed("<p>1</p>", "<p>\x01</p>"), signing.FormatFailure, "may not be in XML"},
		{"no UTF-8", changed("<p>1</p>", "<p>\xff</p>"), signing.FormatFailure, "UTF-8"},
		{"a surrogate", changed("<p>1</p>", "<p>\xed\xa0\x80</p>"), signing.FormatFailure, "UTF-8"},
		{"an attribute twice", changed("<p>1</p>", `<p a="" a="">1</p>`), signing.FormatFailure, "twice"},
		{"an attribute twice, by two prefixes", changed("<p>1</p>", `<p xmlns:a="u" xmlns:b="u" a:x="" b:x="">1</p>`), signing.FormatFailure, "twice"},
		{"an unbound prefix", changed("<p>1</p>", "<a:p>1</a:p>"), signing.FormatFailure, "bound to no namespace"},
		{"a prefix bound to nothing", changed("<p>1</p>", `<p xmlns:a="">1</p>`), signing.FormatFailure, "bound to nothing"},
		{"the prefix xml bound otherwise", changed("<p>1</p>", `<p xmlns:xml="u">1</p>`), signing.FormatFailure, "may not be bound"},
		{"two colons", changed("<p>1</p>", `<p xmlns:a="u" a:b:c="">1</p>`), signing.FormatFailure, "no attribute"},
		{"tags that cross", changed("<p>1</p>", "<p><q>1</p></q>"), signing.FormatFailure, "ends nothing"},
		{"a second root", changed("</doc>", "</doc><doc></doc>"), signing.FormatFailure, "second root"},
		{"text behind the end", changed("</doc>", "</doc>x"), signing.FormatFailure, "outside the root"},
		{"a marked text behind the end", changed("</doc>", "</doc><![CDATA[]]>"), signing.FormatFailure, "outside the root"},
		{"cut off", changed("</doc>", ""), signing.FormatFailure, "ends early"},
		{"an unquoted attribute", changed("<p>1</p>", "<p a=b>1</p>"), signing.FormatFailure, "no attribute"},
		{"]]> in a text", changed("<p>1</p>", "<p>]]></p>"), signing.FormatFailure, "]]>"},
		{"-- in a comment", changed("<p>1</p>", "<!-- -- -->"), signing.FormatFailure, "comment"},
		{"blanks before the declaration", changed(`<doc Id="root">`, ` <?xml version="1.0"?><doc Id="root">`), signing.FormatFailure, "proper name"},
		{"XML 1.1", changed(`<doc Id="root">`, `<?xml version="1.1"?><doc Id="root">`), signing.SigConstraintsFailure, "version 1.1"},
		{"another encoding", changed(`<doc Id="root">`, `<?xml version="1.0" encoding="windows-1258"?><doc Id="root">`), signing.SigConstraintsFailure, "windows-1258"},
		{"UTF-16", func(b *bench) string { return "\xff\xfe<\x00" }, signing.SigConstraintsFailure, "UTF-16"},
		{"deep", changed("<p>1</p>", strings.Repeat("<p>", 100)+strings.Repeat("</p>", 100)), signing.SigConstraintsFailure, "deeper"},
		{"many attributes", changed("<p>1</p>", "<p"+numbered(` a%d=""`, 65)+">1</p>"), signing.SigConstraintsFailure, "attributes"},
		{"many namespaces", changed("<p>1</p>", "<p"+numbered(` xmlns:a%d="u"`, 65)+">1</p>"), signing.SigConstraintsFailure, "namespaces"},
		{"a large signature", signed(func(_ *bench, s *dsig.Signature) {
			s.Objects = "<Object>" + strings.Repeat("x", signing.MaxSize) + "</Object>"
		}), signing.SigConstraintsFailure, "more than"},
		{"a signature of many elements", signed(func(_ *bench, s *dsig.Signature) {
			s.Objects = "<Object>" + strings.Repeat("<a></a>", 4000) + "</Object>"
		}), signing.SigConstraintsFailure, "more than"},
	}
}

func numbered(format string, n int) (out string) {
	for i := range n {
		out += fmt.Sprintf(format, i)
	}
	return out
}

func refText() string {
	s := dsig.Signature{References: []dsig.Reference{dsig.Whole(unsigned)}}
	var text string
	s.Info = func(t string) string { text = t; return t }
	s.Hash, s.Key = crypto.SHA256, must(rsa.GenerateKey(rand.Reader, 2048))
	must(s.Element())
	return text[strings.Index(text, "<Reference"):strings.Index(text, "</SignedInfo>")]
}

// xadesDefects are about what XAdES binds.
func xadesDefects() []defect {
	properties := func(b *bench, digestBy string, h crypto.Hash, of []byte) string {
		w := h.New()
		w.Write(of)
		return `<xades:SignedProperties xmlns:xades="http://uri.etsi.org/01903/v1.3.2#" Id="sp"><xades:SignedSignatureProperties>` +
			`<xades:SigningTime>2026-11-21T09:00:00+07:00</xades:SigningTime><xades:SigningCertificateV2><xades:Cert><xades:CertDigest>` +
			`<ds:DigestMethod xmlns:ds="` + dsig.Space + `" Algorithm="` + digestBy + `"></ds:DigestMethod><ds:DigestValue xmlns:ds="` + dsig.Space + `">` +
			base64.StdEncoding.EncodeToString(w.Sum(nil)) + `</ds:DigestValue></xades:CertDigest></xades:Cert></xades:SigningCertificateV2>` +
			`</xades:SignedSignatureProperties></xades:SignedProperties>`
	}
	row := func(digestBy string, h crypto.Hash, of func(*bench) []byte) func(*bench) string {
		return signed(func(b *bench, s *dsig.Signature) {
			p := properties(b, digestBy, h, of(b))
			s.References = append(s.References, dsig.ByID("sp", p))
			s.Objects = `<Object><xades:QualifyingProperties xmlns:xades="http://uri.etsi.org/01903/v1.3.2#">` + p + `</xades:QualifyingProperties></Object>`
		})
	}
	return []defect{
		{"XAdES", row(dsig.SHA256, crypto.SHA256, func(b *bench) []byte { return b.seal.Certificate().Raw }), "", ""},
		{"XAdES binds another certificate", row(dsig.SHA256, crypto.SHA256, func(b *bench) []byte { return b.other.Certificate().Raw }), signing.NoSigningCertificateFound, "names another"},
		{"XAdES binds by SHA-1", row(dsig.Space+"sha1", crypto.SHA1, func(b *bench) []byte { return b.seal.Certificate().Raw }), signing.CryptoConstraintsFailure, "too weak"},
	}
}

func defects() (all []defect) {
	for _, d := range [][]defect{
		contentDefects(), valueDefects(), cryptoDefects(), keyDefects(), transformDefects(), referenceDefects(),
		wrappingDefects(), formDefects(), xadesDefects(),
	} {
		all = append(all, d...)
	}
	return all
}

// TestDefects makes one mistake at a time.
func TestDefects(t *testing.T) {
	b := newBench(t)
	seen := map[string]bool{}
	for _, d := range defects() {
		if seen[d.name] {
			t.Errorf("two rows are named %q", d.name)
		}
		seen[d.name] = true
		t.Run(d.name, func(t *testing.T) {
			all := inspect(t, d.file(b), b.options()).Signatures
			if len(all) == 0 {
				t.Fatal("no signature")
			}
			v := all[0].Verdict
			if v.SubIndication != d.want || !strings.Contains(v.Detail, d.says) {
				t.Errorf("%s/%s: %s; want %s", v.Indication, v.SubIndication, v.Detail, d.want)
			}
			if d.name == "XAdES" && !v.ClaimedTime.Equal(sealtest.At) {
				t.Errorf("claimed %v", v.ClaimedTime)
			}
		})
	}
	if len(seen) < 100 {
		t.Errorf("%d defects", len(seen))
	}
}

// revokedSeal is a signature whose certificate was revoked.
func revokedSeal(t *testing.T) (found struct {
	file    string
	options signing.Options
},
) {
	root := must(signingtest.NewRoot("Root", sealtest.NotBefore, sealtest.NotAfter))
	seal := must(root.Issue("Seal", nil, nil))
	der := must(root.CRL(sealtest.At.Add(-time.Hour), sealtest.At.Add(time.Hour),
		[]signingtest.Revoked{{Certificate: seal.Certificate(), At: sealtest.At.Add(-2 * time.Hour)}}, nil))
	found.file = must(dsig.Sign(document, seal.Key, seal.Chain[:1]))
	found.options = signing.Options{
		At: sealtest.At, Anchors: []*x509.Certificate{root.Certificate()},
		Revocation: &signing.Revocation{CRLs: []*signing.CRL{must(signing.ParseCRL(der))}},
	}
	return found
}
