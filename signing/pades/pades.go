package pades

import (
	"errors"
	"io"
	"slices"

	"docaxis/signing"
)

// Kind is what a signature is for.
type Kind string

// The kinds of signature (ISO 32000-1 clause 12.8.1, ETSI EN 319 142-1 clause 5.4.3).
const (
	Approval      Kind = "approval"
	Certification Kind = "certification"
	Timestamp     Kind = "timestamp"
)

// Signature is one signature of a PDF.
type Signature struct {
	// Field is the name of its field.
	Field     string
	Kind      Kind
	SubFilter SubFilter
	// Revision is the one that it covers, counted from 1; 0 where it covers none.
	Revision int
	// End is how many bytes of the file that revision has: what was signed can be
	// looked at by reading only those. WholeFile: nothing stands behind them.
	End       int64
	WholeFile bool
	// Permission is P of a certification: 1 no changes, 2 form fields, 3 annotations
	// as well.
	Permission int
	// Changes are what later revisions did.
	Changes []Change
	// Holder says whether a person or an organisation signed, as the certificate
	// names it. It is a heuristic (docs/signatures-pdf.md).
	Holder  Holder
	Claimed Claimed
	// Verdict relies on the time of a later document timestamp where one passed, else
	// on Options.At or a timestamp within the signature.
	Verdict signing.Verdict
	// Token is what a document timestamp says; empty for others.
	Token signing.TimestampToken
}

// Document is what is known about a PDF.
type Document struct {
	Label Label
	// Trouble says in English why the file is Unreadable.
	Trouble    string
	Encrypted  bool
	Revisions  int
	Signatures []Signature
	// Left is how many more signatures the file has, beyond those that are judged.
	Left       int
	Validation Validation
}

// Inspect reads a PDF of size bytes and judges every signature in it by the options,
// to which it adds the certificates that the file has and, where Options.Revocation
// is set, its revocation data. Options.Timestamping is whom to believe about time. The error is about the call
// (signing.ErrNoTime) or the reader, never about the PDF: what cannot be read as
// one gets the label Unreadable.
func Inspect(r io.ReaderAt, size int64, o signing.Options) (*Document, error) {
	if o.At.IsZero() {
		return nil, signing.ErrNoTime
	}
	f := &file{r: r, size: size, m: newMeter(size)}
	d := new(Document)
	err := f.inspect(d, o)
	var broken *readError
	switch {
	case errors.As(err, &broken):
		return nil, err
	case err != nil:
		return &Document{Label: Unreadable, Trouble: err.Error(), Encrypted: f.encrypted}, nil
	}
	d.Label = d.label()
	return d, nil
}

var errEncrypted = errors.New("it is encrypted")

func (f *file) inspect(d *Document, o signing.Options) error {
	if err := f.load(); err != nil {
		return err
	}
	if f.encrypted {
		return errEncrypted
	}
	d.Revisions = len(f.revisions)
	newest := view{f, len(f.revisions) - 1}
	found, left, err := newest.signatures(maxSignatures)
	if err != nil {
		return err
	}
	d.Left = left
	if len(found) == 0 {
		if f.trailing > 0 {
			return errors.New("something stands behind its end; it may have been cut off") // and have been signed
		}
		_, err := newest.catalog()
		return err
	}
	if d.Validation, err = newest.validationData(); err != nil {
		return err
	}
	j := &judge{f: f, options: o}
	j.options.Intermediates = append(slices.Clip(o.Intermediates), d.Validation.Certificates...)
	j.options.Revocation = d.Validation.revocation(o.Revocation)
	if d.Signatures, err = j.all(found); err != nil {
		return err
	}
	return j.changes(d)
}
