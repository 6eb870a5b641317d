package envelope

import (
	"io"
	"time"

	"docaxis/edxml"
)

// StatusReport is what an endpoint states of a document for its recipient, as the
// sender's DMS is to read it: the hand-over to the DMS is 01, an agreement to a recall
// is 15.
type StatusReport struct {
	// About is the document that was sent.
	About *Document
	// Sent is its package where it was sent as one, else nil. Codes, number and date
	// are then written as its DMS wrote them, which matches them as texts.
	Sent *edxml.Document
	// From is the recipient.
	From edxml.Party
	Code edxml.StatusCode
	// Description in words; empty for the name of the state.
	Description string
	Time        time.Time
}

// WriteStatusPackage writes the report as a status package to About's sender. Errors
// are those of WritePackage.
func WriteStatusPackage(w io.Writer, r StatusReport) error {
	if !r.Code.Known() {
		return badDocument("status", "is not known")
	}
	from := Composition{Party: func(string) edxml.Party { return r.From }}.party(string(r.From.OrganID))
	s := &edxml.Status{
		From: from, ResponseFor: calling(r.About), Code: r.Code, Time: edxml.NewTimestamp(r.Time),
		Description: described(r.Code, someLines(r.Description, MaxText)),
	}
	if r.Sent != nil {
		s.From.OrganID, s.ResponseFor = asWritten(r.From.OrganID, r.Sent), inPackage(r.Sent, s.ResponseFor)
	}
	return PackageError(edxml.WriteStatus(w, s))
}

// asWritten is a recipient's code in the spelling of the package.
func asWritten(code edxml.OrganID, sent *edxml.Document) edxml.OrganID {
	want, _ := code.Agency()
	for _, to := range sent.To {
		if got, err := to.OrganID.Agency(); err == nil && got == want {
			return to.OrganID
		}
	}
	return code
}

// inPackage names the document as its package does.
func inPackage(sent *edxml.Document, r edxml.ResponseFor) edxml.ResponseFor {
	r.OrganID = sent.From.OrganID
	r.Code = onPaper(sent.Number.Number, sent.Number.Notation)
	r.PromulgationDate = sent.Promulgation.Date
	return r
}
