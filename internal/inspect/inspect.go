// Package inspect owns the labels of a document's files: what is known of the
// signatures within each, whatever its kind. It only looks; whoever asks for a
// label is on nobody's way (design, D13).
package inspect

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"docaxis/edxml"
	"docaxis/internal/lang"
	"docaxis/signing"
	"docaxis/signing/pades"
	"docaxis/signing/xmldsig"
)

// Kind is what a file is, as far as labels need it.
type Kind string

// The kinds. Files of another kind carry no signature that is known here.
const (
	PDF   Kind = "pdf"
	EdXML Kind = "edxml"
	Other Kind = "other"
)

// maxWithin is how many files of a package are looked at.
const maxWithin = 100

// Finding is what is known of one file.
type Finding struct {
	Name string
	Kind Kind
	// PDF is set for a PDF that was looked at.
	PDF *pades.Document
	// Within are the files of a package, and Left how many more there are.
	Within []Finding
	Left   int
	// Placeholder: a package has a Signature element that cannot be a signature. XML are
	// those that may be, and XMLLeft how many more there are.
	Placeholder bool
	XML         []xmldsig.Signature
	XMLLeft     int
	// Refused is why a package, or a file in one, could not be read.
	Refused error
}

// Options say what signatures are judged by, and where files of a package are put
// while they are looked at; an empty Folder is that of the machine.
type Options struct {
	Signing signing.Options
	Folder  string

	meter *meter // nil: whatever it costs
}

// File looks at one file of a document. The error is about the call, the reader or the
// folder, never about the file.
func File(name, mediaType string, r io.ReaderAt, size int64, o Options) (Finding, error) {
	f := Finding{Name: name}
	r = o.meter.of(r)
	var err error
	if f.Kind, err = kindOf(name, mediaType, r, size); err != nil {
		return f, err
	}
	switch f.Kind {
	case PDF:
		f.PDF, err = pades.Inspect(r, size, o.Signing)
	case EdXML:
		err = f.open(r, size, o)
	}
	return f, err
}

// kindOf goes by what the file begins with, then by its name and type: a PDF is one
// whatever it is called, and what is called one is to be looked at.
func kindOf(name, mediaType string, r io.ReaderAt, size int64) (Kind, error) {
	var head [5]byte
	n, err := r.ReadAt(head[:min(size, 5)], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Other, fmt.Errorf("inspect: %w", err)
	}
	if string(head[:n]) == "%PDF-" {
		return PDF, nil
	}
	mediaType, _, _ = strings.Cut(strings.ToLower(mediaType), ";")
	switch ext := strings.ToLower(path.Ext(name)); {
	case ext == ".edxml":
		return EdXML, nil
	case ext == ".pdf", strings.TrimSpace(mediaType) == "application/pdf":
		return PDF, nil
	}
	return Other, nil
}

// open goes through a package.
func (f *Finding) open(r io.ReaderAt, size int64, o Options) error {
	p, err := edxml.Open(r, size, edxml.Limits{Lenient: true})
	if err != nil {
		return f.refuse(err)
	}
	if err := f.signatures(p, r, size, o); err != nil {
		return err
	}
	for i, a := range p.Attachments {
		if i == maxWithin {
			f.Left = len(p.Attachments) - i
			return nil
		}
		within, err := attached(a, o)
		if err != nil {
			return err
		}
		f.Within = append(f.Within, within)
	}
	return nil
}

// refuse keeps what is wrong with the file, and gives back what is not.
func (f *Finding) refuse(err error) error {
	var one *edxml.Refusal
	var all edxml.Refusals
	if errors.As(err, &one) || errors.As(err, &all) {
		f.Refused = err
		return nil
	}
	return err
}

// attached looks at a file of a package. Packages within packages are not opened.
func attached(a *edxml.Attachment, o Options) (f Finding, err error) {
	f = Finding{Name: a.FileName(), Kind: Other}
	content, err := a.Open()
	if err != nil {
		return f, f.refuse(err)
	}
	file, err := os.CreateTemp(o.Folder, "inspect-*")
	if err != nil {
		return f, fmt.Errorf("inspect: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	size, err := io.Copy(file, content)
	if err != nil {
		return f, f.refuse(err)
	}
	r := o.meter.of(file)
	if f.Kind, err = kindOf(a.FileName(), a.MimeType, r, size); err != nil || f.Kind != PDF {
		return f, err
	}
	f.PDF, err = pades.Inspect(r, size, o.Signing)
	return f, err
}

// Sentence says to a person what is known of the file itself.
func (f Finding) Sentence(l lang.Language) string {
	switch {
	case f.Refused != nil:
		return l.Pick("Không đọc được tệp nên không biết có chữ ký hay không; đề nghị nơi gửi gửi lại.",
			"The file cannot be read, so whether it is signed is not known; ask the sender to send it again.")
	case f.PDF != nil:
		return f.PDF.Sentence(string(l))
	case f.Kind == EdXML:
		return f.packageSentence(l)
	}
	return l.Pick("Không phải tệp PDF; chữ ký bên trong, nếu có, không được kiểm tra.",
		"Not a PDF; signatures within it, if any, are not checked.")
}
