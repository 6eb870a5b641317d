package inspect

import (
	"bytes"
	"encoding/base64"
	"io"
	"slices"
	"strings"

	"docaxis/edxml"
	"docaxis/internal/lang"
	"docaxis/proto/axispb"
	"docaxis/signing"
	"docaxis/signing/pades"
	"docaxis/signing/xmldsig"
)

// spaceDSig is the namespace of XML-DSig.
const spaceDSig = "http://www.w3.org/2000/09/xmldsig#"

// signatures judges the XML signatures of a package. One that says at a glance that it
// is none is named a placeholder, and the file is not read for it.
func (f *Finding) signatures(p *edxml.Package, r io.ReaderAt, size int64, o Options) error {
	found := elements(p)
	real := slices.ContainsFunc(found, func(e *edxml.Element) bool { return !placeholder(e) })
	if f.Placeholder = len(found) > 0; !real {
		return nil
	}
	d, err := xmldsig.Inspect(r, size, o.Signing)
	if err != nil {
		return err
	}
	f.XMLLeft, f.Placeholder = d.Left, slices.ContainsFunc(found, placeholder)
	for _, s := range d.Signatures {
		if s.Placeholder {
			f.Placeholder = true
			continue
		}
		f.XML = append(f.XML, s)
	}
	return nil
}

// elements are what is called Signature in a package of a document, between its parts.
func elements(p *edxml.Package) (found []*edxml.Element) {
	if p.Document == nil {
		return nil
	}
	if p.Document.Signature != nil {
		found = append(found, p.Document.Signature)
	}
	out := p.Document.Outside
	for _, list := range [][]edxml.Element{out.Root, out.Envelope, out.Header, out.Body} {
		for i := range list {
			if list[i].Name == "Signature" {
				found = append(found, &list[i])
			}
		}
	}
	return found
}

// minValue is the shortest signature value of any key that was ever accepted, in
// bytes: RSA of 512 bits, or DSA.
const minValue = 40

// placeholder reports whether an element cannot be a signature: it is not of XML-DSig,
// has no value or one too short for any key, or a digest of one repeated byte, as the
// SDK of the national axis writes it.
func placeholder(e *edxml.Element) bool {
	if e.Space != spaceDSig || len(bytesOf(e, "SignatureValue")) < minValue {
		return true
	}
	digest := bytesOf(e, "DigestValue")
	return len(digest) == 0 || bytes.Count(digest, digest[:1]) == len(digest)
}

// bytesOf is what the first element of a name holds in base64; nil where it holds
// none.
func bytesOf(e *edxml.Element, name string) []byte {
	if e.Name == name {
		b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(e.Text), ""))
		if err != nil {
			return nil
		}
		return b
	}
	for i := range e.Children {
		if b := bytesOf(&e.Children[i], name); b != nil {
			return b
		}
	}
	return nil
}

// Covered reports whether an XML signature that passed covers the whole package, and
// none did not pass: its attached files then need no signature of their own.
func (f Finding) Covered() bool {
	return len(f.XML) > 0 && f.XMLLeft == 0 &&
		!slices.ContainsFunc(f.XML, func(s xmldsig.Signature) bool { return !s.Verdict.Passed() || !s.Whole })
}

// worst is the XML signature that counts among several: one that failed, then one that
// did not pass.
func (f Finding) worst() xmldsig.Signature {
	for _, i := range []signing.Indication{signing.TotalFailed, signing.Indeterminate} {
		if at := slices.IndexFunc(f.XML, func(s xmldsig.Signature) bool { return s.Verdict.Indication == i }); at >= 0 {
			return f.XML[at]
		}
	}
	return f.XML[0]
}

// packageSentence says to a person what is known of a package itself.
func (f Finding) packageSentence(l lang.Language) string {
	switch {
	case f.Covered():
		return l.Pick("Gói tin edXML có chữ ký XML-DSig trên toàn bộ gói. ", "A package of edXML with an XML-DSig signature over all of it. ") + f.worst().Sentence(string(l))
	case len(f.XML) > 0:
		return l.Pick("Gói tin edXML có chữ ký XML-DSig. ", "A package of edXML with an XML-DSig signature. ") + f.worst().Sentence(string(l))
	case f.Placeholder:
		return l.Pick("Thẻ Signature (XML-DSig) của gói tin không có giá trị chữ ký, chỉ giữ chỗ; chữ ký có giá trị nằm trong các tệp đính kèm.",
			"The Signature element (XML-DSig) of the package is a placeholder without a signature's value; the signatures that count are in the attached files.")
	}
	return l.Pick("Gói tin edXML; chữ ký nằm trong các tệp đính kèm.", "A package of edXML; signatures are in the attached files.")
}

func (f Finding) xmlVerdicts() (all []signing.Verdict) {
	for _, s := range f.XML {
		all = append(all, s.Verdict)
	}
	return all
}

// xml fills in what is known of a package's own signatures. One that covers all of it
// stands for files that have none, and mends none that is wrong.
func (l *look) xml(out *axispb.FileLabel, f Finding) {
	for i := range f.XML {
		s := &f.XML[i]
		out.Failed = out.Failed || s.Verdict.Indication == signing.TotalFailed
		l.again(&s.Verdict)
		if len(out.Signatures) < maxShown {
			out.Signatures = append(out.Signatures, signatureLabel(&s.Verdict, pades.HolderOf(s.Verdict.Signer), s.Sentence))
		}
	}
	switch {
	case len(f.XML) == 0:
	case !f.Covered():
		out.Label = axispb.Label_LABEL_PROBLEM
	case out.Label == axispb.Label_LABEL_UNSIGNED && out.Left == 0:
		out.Label = axispb.Label_LABEL_VALID
	}
}

// failedItself reports whether a package failed by a signature of its own, and not by
// those of its files.
func failedItself(f *axispb.FileLabel) bool {
	return slices.ContainsFunc(f.Signatures, func(s *axispb.SignatureLabel) bool { return s.Indication == string(signing.TotalFailed) })
}
