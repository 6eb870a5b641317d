package auditor

import (
	"os"

	"docaxis/internal/lang"
)

// path judges what the caller named.
func (a *audit) path(path string) File {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if a.Content != "" {
			return a.unusable(path, KindFolder, noContent())
		}
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
	switch {
	case kind == KindOther:
		err = lang.Errorf("Tệp không phải là chữ ký CMS, PDF, gói edXML hay bằng chứng của trục nên không có gì để kiểm tra. Hãy nêu tệp chữ ký, hoặc tệp đã ký.",
			"This is no CMS signature, PDF, edXML package or proof of an axis, so there is nothing to judge. Name the signature, or the signed file.")
	case a.Content != "" && kind != KindCMS:
		err = noContent()
	case kind == KindCMS:
		err = a.cms(s, &f)
	case kind == KindPDF || kind == KindPackage:
		err = a.inspected(s, &f)
	default:
		err = a.proofFile(s, &f)
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

// noContent refuses what would otherwise be passed over: whoever names a content wants
// to know about it.
func noContent() error {
	return lang.Errorf("--content chỉ dùng với chữ ký CMS tách rời, mà đây không phải là chữ ký đó. Hãy nêu tệp chữ ký, hoặc bỏ --content.",
		"--content goes with a detached CMS signature, which this is not. Name the signature, or leave --content out.")
}
