package envelope

import (
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"docaxis/edxml"
)

// Composition is what WritePackage needs beside the document.
type Composition struct {
	// Party gives an agency's name and address from the directory; nil or an empty
	// party leaves its code.
	Party func(code string) edxml.Party
	// Known gives the document that a reference names, nil where it is not here: its
	// name is what a DMS knows it by. It may be nil.
	Known func(Reference) *Document
	// Recipient is the agency that is given the package. It is among the package's
	// recipients even where a group or a successor made it one. May be empty.
	Recipient string
	// Files are the document's, in order. A status message of edXML has none.
	Files []edxml.File
}

// WritePackage writes a document that was not sent as edXML as a package, for a DMS
// that reads nothing else. A document whose Body is BodyEdXML is one already: hand on
// its file. Members that edXML has no field for ride along in an element of our own;
// see FromPackage. What was written before an error is to be thrown away; the error
// is a permanent *reason.Error, or one of reading the files or of writing.
func WritePackage(w io.Writer, d *Document, c Composition) error {
	if err := validate(d); err != nil {
		return err
	}
	original, err := carry(d)
	if err != nil {
		return err
	}
	if d.Kind == KindStatus {
		s := c.status(d)
		s.Outside.Header = original
		return PackageError(edxml.WriteStatus(w, s))
	}
	out := c.document(d)
	out.Outside.Header = original
	return PackageError(edxml.WriteDocument(w, out, c.files(d)...))
}

func (c Composition) document(d *Document) *edxml.Document {
	out := &edxml.Document{
		From: c.party(d.Sender), ID: d.Name(),
		Number:       edxml.DocumentNumber{Number: d.Number, Notation: d.Notation},
		Promulgation: edxml.Promulgation{Date: edxml.Date(slashed(d.Issued))},
		Subject:      d.Subject, Content: d.Comment,
		Other:    edxml.OtherInfo{Priority: edxml.NewNumber(d.Priority)},
		Business: edxml.Business{Type: businessType(d.Kind), Reason: d.Reason},
	}
	for _, code := range c.recipients(d) {
		out.To = append(out.To, c.party(code))
	}
	for _, r := range d.References {
		c.refer(out, d.Kind, r)
	}
	return out
}

// recipients are the document's, and the one that the package is for.
func (c Composition) recipients(d *Document) []string {
	codes := append([]string(nil), d.To...)
	for _, code := range codes {
		if code == c.Recipient {
			return codes
		}
	}
	return append(codes, named(c.Recipient)...)
}

func businessType(k Kind) edxml.BusinessType {
	switch k {
	case KindRecall:
		return edxml.Recall
	case KindUpdate:
		return edxml.Update
	case KindReplacement:
		return edxml.Replace
	default:
		return edxml.NewDocument
	}
}

// refer names another document where readers look for it. What a recall only mentions
// is left out: readers would take it for recalled.
func (c Composition) refer(out *edxml.Document, k Kind, r Reference) {
	other := c.named(r)
	switch {
	case r.Relation == RelationRelated && k == KindRecall:
	case r.Relation == RelationRelated || k == KindReply:
		out.ResponseFor = append(out.ResponseFor, other)
	case k == KindReplacement:
		replaced := edxml.Replacement{DocumentID: other.DocumentID}
		if c.Recipient != "" {
			replaced.OrganIDs = []edxml.OrganID{edxml.OrganID(c.Recipient)}
		}
		out.Business.Replacements = append(out.Business.Replacements, replaced)
	default:
		out.Business.DocumentID = other.DocumentID
		if k == KindUpdate {
			out.Business.Info.Document = edxml.NewNumber(1)
		} else {
			out.ResponseFor = append(out.ResponseFor, other)
		}
	}
}

func (c Composition) status(d *Document) *edxml.Status {
	out := &edxml.Status{
		From: c.party(d.Sender), Code: edxml.StatusCode(d.Status), Time: edxml.NewTimestamp(d.Created),
		Description: described(edxml.StatusCode(d.Status), d.Reason, d.Comment),
	}
	if r, ok := d.Target(); ok {
		out.ResponseFor = c.named(r)
	}
	// It is where the message goes, not whose document it is about.
	out.ResponseFor.OrganID = edxml.OrganID(c.Recipient)
	if c.Recipient == "" && len(d.To) > 0 {
		out.ResponseFor.OrganID = edxml.OrganID(d.To[0])
	}
	return out
}

// described is what a state says in words; its name where nobody said anything.
func described(code edxml.StatusCode, words ...string) string {
	var said []string
	for _, w := range words {
		if strings.TrimSpace(w) != "" {
			said = append(said, w)
		}
	}
	if len(said) == 0 {
		return code.Name(edxml.Vietnamese)
	}
	return strings.Join(said, "\n")
}

func (c Composition) named(r Reference) edxml.ResponseFor {
	if c.Known != nil {
		if d := c.Known(r); d != nil {
			return calling(d)
		}
	}
	return edxml.ResponseFor{OrganID: edxml.OrganID(r.Sender), DocumentID: r.ID}
}

// calling names a document in a package about it.
func calling(d *Document) edxml.ResponseFor {
	return edxml.ResponseFor{
		OrganID: edxml.OrganID(d.Sender), Code: onPaper(d.Number, d.Notation),
		DocumentID: d.Name(), PromulgationDate: edxml.Date(slashed(d.Issued)),
	}
}

func onPaper(number, notation string) string { return strings.Trim(number+"/"+notation, "/") }

// party cleans what the directory says: one bad name must not keep a document from
// its recipients.
func (c Composition) party(code string) edxml.Party {
	var p edxml.Party
	if c.Party != nil {
		p = c.Party(code)
	}
	p.OrganID = edxml.OrganID(code)
	for _, s := range []*string{&p.InCharge, &p.Name, &p.Address, &p.Email, &p.Telephone, &p.Fax, &p.Website} {
		*s = oneLine(*s, MaxText)
	}
	return p
}

// files gives each a name that every reader takes: titles may hold anything printable.
func (c Composition) files(d *Document) []edxml.File {
	out := make([]edxml.File, len(c.Files))
	for i, f := range c.Files {
		f.Name = oneLine(strings.NewReplacer("/", "-", `\`, "-").Replace(f.Name), MaxTitle)
		if strings.Trim(f.Name, ". -") == "" {
			f.Name = strconv.Itoa(i + 1)
			if i < len(d.Files) {
				f.Name = path.Base(d.Files[i].Name)
			}
		}
		f.Description = oneLine(f.Description, MaxTitle)
		if f.ContentID == "" {
			f.ContentID = fmt.Sprintf("A%d", i+1)
		}
		out[i] = f
	}
	return out
}
