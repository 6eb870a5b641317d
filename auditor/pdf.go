package auditor

import (
	"fmt"

	"docaxis/signing"
	"docaxis/signing/pades"
)

// pdf puts what is known of a PDF into a file's answer.
func (a *audit) pdf(d *pades.Document, f *File) {
	f.Sentence = d.Sentence(string(a.Lang))
	for _, s := range d.Signatures {
		f.Signatures = append(f.Signatures, a.inPDF(d, s))
	}
	f.Result = resultOf(d)
}

// resultOf follows the label: a timestamp that cannot be judged takes nothing from
// the signatures, and one alone says nothing about who signed.
func resultOf(d *pades.Document) Result {
	switch d.Label {
	case pades.Valid:
		return Passed
	case pades.Unreadable:
		return Unusable
	}
	for _, s := range d.Signatures {
		if s.Verdict.Indication == signing.TotalFailed {
			return Failed
		}
	}
	return Indeterminate
}

func (a *audit) inPDF(d *pades.Document, s pades.Signature) Signature {
	out := a.judged(string(s.Kind), s.Verdict)
	out.Name, out.Form, out.Holder = short(s.Field), string(s.SubFilter), string(s.Holder)
	if s.Verdict.SubIndication != signing.TryLater {
		out.Sentence = s.Sentence(string(a.Lang))
	}
	if s.Kind == pades.Timestamp {
		out.ClaimedTime = moment(s.Token.Time)
	} else if out.ClaimedTime == nil {
		out.ClaimedTime = moment(s.Claimed.Time)
	}
	out.Covers = Covers{Revision: s.Revision, Revisions: d.Revisions, Bytes: s.End}
	out.Covers.Sentence = a.covered(s, d.Revisions)
	for _, c := range s.Changes {
		out.Changes = append(out.Changes, Change{
			Kind: string(c.Kind), Revision: c.Revision, Sentence: c.Sentence(string(a.Lang)), Detail: c.Detail,
		})
	}
	return out
}

func (a *audit) covered(s pades.Signature, revisions int) string {
	switch {
	case s.Revision == 0:
		return a.say("không bản sửa đổi nào của tệp", "no revision of the file")
	case s.WholeFile:
		return fmt.Sprintf(a.say("toàn bộ tệp (%d byte)", "the whole file (%d bytes)"), s.End)
	}
	return fmt.Sprintf(a.say("bản sửa đổi %d trên %d (%d byte đầu của tệp)", "revision %d of %d (the first %d bytes of the file)"),
		s.Revision, revisions, s.End)
}
