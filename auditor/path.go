package auditor

import (
	"os"

	"docaxis/internal/lang"
)

// path judges what the caller named.
func (a *audit) path(path string) File {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return a.folder(path)
	}
	s, err := open(path)
	if err != nil {
		return a.unusable(path, KindOther, err)
	}
	defer s.Close()
	return a.file(s)
}

// unusable is the answer about what could not be judged.
func (a *audit) unusable(path string, kind Kind, err error) File {
	return File{File: path, Kind: kind, Result: Unusable, Sentence: lang.Say(err, a.Lang), Signatures: []Signature{}}
}

// file judges one file by what it is.
func (a *audit) file(s *source) File {
	kind, err := kindOf(s)
	if err != nil {
		return a.unusable(s.path, kind, err)
	}
	f := File{File: s.path, Kind: kind}
	switch kind {
	case KindCMS:
		err = a.cms(s, &f)
	case KindPDF, KindPackage:
		err = a.inspected(s, &f)
	case KindEpoch, KindRecord:
		err = a.proofFile(s, &f)
	default:
		err = lang.Errorf("Tệp không phải là chữ ký CMS, PDF, gói edXML hay bằng chứng của trục nên không có gì để kiểm tra. Hãy nêu tệp chữ ký, hoặc tệp đã ký.",
			"This is no CMS signature, PDF, edXML package or proof of an axis, so there is nothing to judge. Name the signature, or the signed file.")
	}
	if err == nil {
		err = s.still()
	}
	if err != nil {
		return a.unusable(s.path, kind, err)
	}
	f.settle()
	return f
}
