package auditor

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"docaxis/edxml"
	"docaxis/internal/inspect"
	"docaxis/internal/lang"
	"docaxis/signing"
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
	return a.opened(s, found, f)
}

// opened is about a package that could be read: its header, then the files in it.
func (a *audit) opened(s *source, found inspect.Finding, f *File) error {
	f.Sentence = a.say("Gói tin edXML: phần thông tin chung không được chữ ký nào bảo vệ; chữ ký nằm trong các tệp đính kèm.",
		"A package of edXML: no signature protects its header; signatures are in the attached files.")
	if found.Placeholder {
		sig, err := a.xmldsig(s)
		if err != nil {
			return err
		}
		f.Signatures = append(f.Signatures, sig)
	}
	for _, w := range found.Within {
		f.Within = append(f.Within, a.attached(w))
	}
	if found.Left > 0 {
		f.Result = Indeterminate
		f.Sentence += fmt.Sprintf(a.say(" Còn %d tệp đính kèm chưa kiểm tra.", " %d more attached files were not judged."), found.Left)
	}
	return nil
}

// attached is about a file of a package. One without a signature is covered by none.
func (a *audit) attached(found inspect.Finding) File {
	f := File{File: short(found.Name), Kind: Kind(found.Kind), Sentence: found.Sentence(a.Lang)}
	switch {
	case found.Refused != nil:
		return a.unusable(f.File, f.Kind, refused(found.Refused))
	case found.PDF != nil:
		a.pdf(found.PDF, &f)
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

// xmldsig is about the Signature element of a package, which is named and not
// checked.
func (a *audit) xmldsig(s *source) (Signature, error) {
	p, err := edxml.Open(s, s.size, edxml.Limits{Lenient: true})
	if err != nil || p.Document == nil || p.Document.Signature == nil {
		return Signature{}, errors.Join(unreadable(s.path, s.changed()), err)
	}
	sig := Signature{
		For: ForXMLDSig, Form: "XML-DSig", Indication: signing.Indeterminate,
		Covers: Covers{Sentence: a.say("chưa biết, vì không được kiểm tra", "not known, as it is not checked")},
	}
	if placeholder(p.Document.Signature) {
		sig.Placeholder = true
		sig.Sentence = a.say("Thẻ Signature (XML-DSig) chỉ giữ chỗ, không có giá trị chữ ký; không ảnh hưởng đến kết luận.",
			"The Signature element (XML-DSig) is a placeholder without a signature's value; it counts neither way.")
		return sig, nil
	}
	sig.Sentence = a.say("Thẻ Signature (XML-DSig) của gói tin không được kiểm tra ở phiên bản này nên chưa thể kết luận; hãy kiểm tra bằng công cụ khác nếu cần dựa vào.",
		"The Signature element (XML-DSig) of the package is not checked by this version, so nothing can be concluded; check it with another tool if you rely on it.")
	return sig, nil
}

// minValue is the shortest signature value of any key that was ever accepted, in
// bytes: RSA of 512 bits, or DSA.
const minValue = 40

// placeholder reports whether the element cannot be a signature: without a value, with
// one too short for any key, or with a digest of one repeated byte, as the SDK of the
// national axis writes it.
func placeholder(e *edxml.Element) bool {
	value := bytesOf(e, "SignatureValue")
	if len(value) < minValue {
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
