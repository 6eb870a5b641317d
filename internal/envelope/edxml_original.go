package envelope

import (
	"slices"
	"strings"
	"unicode/utf8"

	"docaxis/edxml"
)

// OriginalSpace is the namespace of the element document that WritePackage puts at
// the end of edXMLHeader: it holds document.json, in elements part where it is long.
// Readers of edXML pass over it.
const OriginalSpace = "urn:docaxis:document"

const (
	originalName = "document"
	partName     = "part"
	// partSize is well below the longest text that edxml reads.
	partSize = 32 << 10
)

func carry(d *Document) ([]edxml.Element, error) {
	raw, err := Marshal(d)
	if err != nil {
		return nil, err
	}
	e := edxml.Element{Space: OriginalSpace, Name: originalName}
	for _, part := range split(string(raw)) {
		e.Children = append(e.Children, edxml.Element{Space: OriginalSpace, Name: partName, Text: part})
	}
	if len(e.Children) == 1 {
		e.Text, e.Children = e.Children[0].Text, nil
	}
	return []edxml.Element{e}, nil
}

// split cuts where no blank is: readers drop those at the ends of a text.
func split(s string) []string {
	var parts []string
	for len(s) > partSize {
		at := partSize
		for s[at] == ' ' || s[at-1] == ' ' || !utf8.RuneStart(s[at]) {
			at--
		}
		parts, s = append(parts, s[:at]), s[at:]
	}
	return append(parts, s)
}

// carriedBy reads the document that a package carries; nil where it carries none, or
// what is none.
func carriedBy(p *edxml.Package) *Document {
	var outside []edxml.Element
	if p.Status != nil {
		outside = p.Status.Outside.Header
	} else {
		outside = p.Document.Outside.Header
	}
	i := slices.IndexFunc(outside, func(e edxml.Element) bool { return e.Space == OriginalSpace && e.Name == originalName })
	if i < 0 {
		return nil
	}
	var raw strings.Builder
	raw.WriteString(outside[i].Text)
	for _, part := range outside[i].Children {
		raw.WriteString(part.Text)
	}
	d, err := ParseDocument([]byte(raw.String()))
	if err != nil {
		return nil
	}
	return d
}

// agrees reports whether the package says of the document what WritePackage would:
// what it carries must not say another sender, recipient or kind than its own fields.
func agrees(d *Document, p *edxml.Package) bool {
	if (d.Kind == KindStatus) != (p.Status != nil) {
		return false
	}
	if p.Status != nil {
		to := string(p.Status.ResponseFor.OrganID)
		known := slices.Contains(d.To, to) || len(d.Groups) > 0
		return known && slices.Equal(saidByStatus(Composition{Recipient: to}.status(d)), saidByStatus(p.Status))
	}
	return slices.Equal(saidBy(Composition{}.document(d)), saidBy(p.Document)) && sameRecipients(d.To, p.Document.To)
}

// sameRecipients allows one more, which a group or a successor made a recipient.
func sameRecipients(codes []string, to []edxml.Party) bool {
	if len(to) < len(codes) || len(to) > len(codes)+1 {
		return false
	}
	for i, code := range codes {
		if string(to[i].OrganID) != code {
			return false
		}
	}
	return true
}

func saidBy(e *edxml.Document) []string {
	return trimmed(
		string(e.From.OrganID), e.ID, e.Number.Number, e.Number.Notation, string(e.Promulgation.Date), e.Subject, e.Content,
		string(e.Other.Priority), string(e.Business.Type), e.Business.Reason,
	)
}

func saidByStatus(s *edxml.Status) []string {
	return trimmed(string(s.From.OrganID), string(s.ResponseFor.OrganID), string(s.Code), s.Description, string(s.Time))
}

// trimmed leaves out the blanks around texts, as readers do.
func trimmed(texts ...string) []string {
	for i, t := range texts {
		texts[i] = strings.Trim(t, " \t\r\n")
	}
	return texts
}
