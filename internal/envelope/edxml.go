package envelope

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"docaxis/edxml"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Reading says how FromPackage makes a document of a package.
type Reading struct {
	// ID and Now are the new document's id and the time of its submission.
	ID  string
	Now time.Time
	// Resolve gives the id of the document that an agency calls by a name
	// (Document.Name), "" where none is known. Recalls and status messages are not
	// to be found: a recall that is sent again would be about itself. Its errors are
	// handed on.
	Resolve func(sender, name string) (id string, err error)
	// Note is told of what was passed over, a hundred times at most; it may be nil.
	Note func(Note)
	// Own says that WritePackage made the package here. Then the document that it
	// carries is given back whole. Never set it for what somebody sent.
	Own bool
}

// Note is something in a package that routing took no notice of, in words that
// reason.Phrase translates.
type Note struct{ Path, What string }

// FromPackage makes the document.json of a package, without its file: the caller adds
// the package as the first and only one. Texts longer than document.json takes are
// cut; the package says all. What the package carries of WritePackage is not believed
// unless Own is set, but for a higher level of security: a DMS that sends on what it
// received must not thereby lower it.
//
// Errors are permanent *reason.Error for what the sender must mend (BAD_CODE,
// BAD_PACKAGE, UNKNOWN_TARGET, those of Marshal), or an error of Resolve.
func FromPackage(p *edxml.Package, r Reading) (*Document, error) {
	if len(p.Refused) > 0 {
		return nil, PackageError(p.Refused)
	}
	carried := carriedBy(p)
	if r.Own && carried != nil && agrees(carried, p) {
		return carried, nil
	}
	m := &mapping{Reading: r, d: &Document{
		Version: version, ID: r.ID, Created: r.Now.UTC(), Security: SecurityOrdinary, Body: BodyEdXML,
	}}
	if carried != nil {
		m.d.Security = carried.Security
	}
	err := m.read(p)
	if err == nil {
		err = m.check()
	}
	if err != nil {
		return nil, err
	}
	return m.d, nil
}

// PackageError gives what edxml says of a package its reason for people, and leaves
// other errors as they are: those of reading the file, which may pass.
func PackageError(err error) error {
	var first *edxml.Refusal
	if !errors.As(err, &first) {
		return err
	}
	what := string(first.Reason)
	if first.Found != "" {
		what += ": " + first.Found
	}
	return badPackage(first.Path, what).Because(err)
}

func badPackage(path, what string) *reason.Error {
	return reason.Permanent(axispb.ReasonCode_REASON_BAD_PACKAGE, path, what)
}

// mapping is one package on its way to a document.
type mapping struct {
	Reading
	d     *Document
	notes int
}

// mostNotes of a package are told: a hostile one could give rise to a hundred thousand.
const mostNotes = 100

func (m *mapping) note(path, what string) {
	if m.notes++; m.Note != nil && m.notes <= mostNotes {
		m.Note(Note{Path: path, What: what})
	}
}

func (m *mapping) read(p *edxml.Package) error {
	if p.Status != nil {
		return m.status(p.Status)
	}
	first := ""
	if len(p.Attachments) > 0 {
		first = p.Attachments[0].Name
	}
	return m.document(p.Document, first)
}

// check makes sure that the document can be sealed once the package is its file.
func (m *mapping) check() error {
	whole := *m.d
	whole.Files = []FileInfo{{Name: "files/001.edxml", Title: "x"}}
	if err := validate(&whole); err != nil {
		return err
	}
	return nil
}

func (m *mapping) document(in *edxml.Document, attachment string) error {
	d := m.d
	if err := m.parties(in); err != nil {
		return err
	}
	if in.ID != "" && !isName(in.ID) {
		return badPackage("MessageHeader/DocumentId", fmt.Sprintf("must be one line of at most %d characters", MaxDocumentID))
	}
	d.DocumentID = in.ID
	d.Number = oneLine(in.Number.Number, MaxNumber)
	d.Notation = oneLine(in.Number.Notation, MaxNotation)
	d.Issued = isoDay(in.Promulgation.Date)
	d.Priority = priority(in.Other.Priority)
	d.Reason = someLines(in.Business.Reason, MaxText)
	if err := m.refer(in); err != nil {
		return err
	}
	d.Subject = oneLine(in.Subject, MaxSubject)
	for _, other := range []string{in.Content, in.ID, attachment, d.Name(), d.ID} {
		if d.Subject == "" && d.Kind != KindRecall {
			d.Subject = oneLine(other, MaxSubject)
		}
	}
	return nil
}

func (m *mapping) parties(in *edxml.Document) (err error) {
	if m.d.Sender, err = canonical(in.From.OrganID); err != nil {
		return err
	}
	seen := make(map[string]bool, len(in.To))
	for i, to := range in.To {
		code, err := canonical(to.OrganID)
		if err != nil {
			return err
		}
		if seen[code] {
			m.note(fmt.Sprintf("MessageHeader/To[%d]", i+1), "is named again; it gets the package once")
			continue
		}
		seen[code] = true
		m.d.To = append(m.d.To, code)
	}
	return nil
}

func canonical(code edxml.OrganID) (string, error) {
	c, err := code.Agency()
	if err != nil {
		return "", reason.Permanent(axispb.ReasonCode_REASON_BAD_CODE, shorten(string(code))).Because(err)
	}
	return string(c), nil
}

func (m *mapping) status(in *edxml.Status) (err error) {
	d := m.d
	d.Kind = KindStatus
	if d.Sender, err = canonical(in.From.OrganID); err != nil {
		return err
	}
	to, err := canonical(in.ResponseFor.OrganID)
	if err != nil {
		return err
	}
	d.To = []string{to}
	if !slices.Contains(statuses(), string(in.Code)) {
		return badPackage("MessageHeader/StatusCode", "must be one of "+strings.Join(statuses(), ", "))
	}
	d.Status = string(in.Code)
	words := someLines(in.Description, MaxText)
	if saysWhy(d.Status) {
		d.Reason = words
	} else {
		d.Comment = words
	}
	if t, err := in.Time.Time(); err == nil && t.Year() >= 1970 && t.UTC().Year() <= 9999 {
		d.Created = t.UTC()
	}
	return m.about(in)
}

// saysWhy reports whether a state's description is its reason.
func saysWhy(status string) bool { return status == "02" || status == "13" || status == "16" }

// priority is ordinary where a package says nothing that is one.
func priority(n edxml.Number) int {
	if p, ok := n.Int(); ok && p >= 0 && p <= 4 {
		return p
	}
	return 0
}
