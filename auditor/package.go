package auditor

import (
	"errors"
	"fmt"
	"strings"

	"docaxis/edxml"
	"docaxis/internal/inspect"
	"docaxis/internal/lang"
	"docaxis/signing"
	"docaxis/signing/pades"
	"docaxis/signing/xmldsig"
)

// inspected judges a PDF, or the files of a package, as labels are made.
func (a *audit) inspected(s *source, f *File) error {
	name := "file.pdf" // inspect goes by names where the content leaves it open
	if f.Kind == KindPackage {
		name = "file.edxml"
	}
	found, err := inspect.File(name, "", s, s.size, inspect.Options{Signing: a.signing(), Folder: a.Folder})
	switch {
	case err != nil:
		return unreadable(s.path, err)
	case found.Refused != nil:
		return refused(found.Refused)
	case found.PDF != nil:
		a.pdf(found.PDF, f)
		return nil
	}
	a.opened(s, found, f)
	return nil
}

// opened is about a package that could be read: its header, then the files in it.
func (a *audit) opened(s *source, found inspect.Finding, f *File) {
	f.Sentence = a.say("Gói tin edXML: phần thông tin chung không được chữ ký nào bảo vệ; chữ ký nằm trong các tệp đính kèm.",
		"A package of edXML: no signature protects its header; signatures are in the attached files.")
	if len(found.XML) > 0 {
		f.Sentence = found.Sentence(a.Lang)
	}
	if found.Placeholder {
		f.Signatures = append(f.Signatures, a.placeholder())
	}
	for _, x := range found.XML {
		f.Signatures = append(f.Signatures, a.xmldsig(x, s.size))
	}
	if found.XMLLeft > 0 {
		f.Result = Indeterminate
		f.Sentence += fmt.Sprintf(a.say(" Còn %d chữ ký XML-DSig chưa kiểm tra.", " %d more XML-DSig signatures were not judged."), found.XMLLeft)
	}
	for _, w := range found.Within {
		f.Within = append(f.Within, a.attached(w, found.Covered()))
	}
	if found.Left > 0 {
		f.Result = Indeterminate
		f.Sentence += fmt.Sprintf(a.say(" Còn %d tệp đính kèm chưa kiểm tra.", " %d more attached files were not judged."), found.Left)
	}
}

// attached is about a file of a package. One without a signature is covered by none but
// that of the package.
func (a *audit) attached(found inspect.Finding, covered bool) File {
	f := File{File: short(found.Name), Kind: Kind(found.Kind), Sentence: found.Sentence(a.Lang)}
	switch {
	case found.Refused != nil:
		return a.unusable(f.File, f.Kind, refused(found.Refused))
	case found.PDF != nil:
		a.pdf(found.PDF, &f)
	}
	unsigned := found.Kind == inspect.Other || found.PDF != nil && found.PDF.Label == pades.Unsigned && len(found.PDF.Signatures) == 0
	if covered && unsigned {
		f.Result = Passed
		f.Sentence += a.say(" Tệp được chữ ký XML-DSig của gói tin bảo vệ.", " The XML-DSig signature of the package covers the file.")
	}
	f.settle()
	return f
}

// refused says why a package, or a file in it, cannot be read.
func refused(err error) error {
	var r *edxml.Refusal
	if !errors.As(err, &r) {
		return err
	}
	return (&lang.Error{Vietnamese: r.Say(edxml.Vietnamese), English: r.Say(edxml.English)}).Because(err)
}

// placeholder is about a Signature element that cannot be a signature.
func (a *audit) placeholder() Signature {
	return Signature{
		For: ForXMLDSig, Form: "XML-DSig", Indication: signing.Indeterminate, Placeholder: true,
		Covers: Covers{Sentence: a.say("không gì cả", "nothing")},
		Sentence: a.say("Thẻ Signature (XML-DSig) chỉ giữ chỗ, không có giá trị chữ ký; không ảnh hưởng đến kết luận.",
			"The Signature element (XML-DSig) is a placeholder without a signature's value; it counts neither way."),
	}
}

// xmldsig is about an XML signature of a package of so many bytes.
func (a *audit) xmldsig(x xmldsig.Signature, size int64) Signature {
	sig := a.judged(ForXMLDSig, x.Verdict)
	sig.Form = "XML-DSig"
	if x.Verdict.SubIndication != signing.TryLater {
		sig.Sentence = x.Sentence(string(a.Lang))
	}
	switch {
	case x.Whole:
		sig.Covers = Covers{Bytes: size, Sentence: fmt.Sprintf(a.say("toàn bộ gói tin (%d byte), trừ chính chữ ký", "the whole package (%d bytes) but the signature itself"), size)}
	case len(x.Covers) > 0:
		sig.Covers.Sentence = fmt.Sprintf(a.say("%s; không gồm %s", "%s; not %s"), strings.Join(x.Covers, ", "), strings.Join(x.Outside, ", "))
	default:
		sig.Covers.Sentence = a.say("chưa biết, vì không kiểm tra được", "not known, as it could not be looked at")
	}
	return sig
}
