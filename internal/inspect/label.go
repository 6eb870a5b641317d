package inspect

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/lang"
	"docaxis/proto/axispb"
	"docaxis/signing"
	"docaxis/signing/pades"
)

const (
	// maxShown bounds the verdicts that a label of one PDF keeps.
	maxShown = 20
	// maxName bounds a name in a label, in bytes.
	maxName = 400
	// listHoldsFor is how long an answer without a next update speaks (package signing).
	listHoldsFor = time.Hour
	// MaxLabels bounds the details in the labels of one document, in bytes; see Fit.
	MaxLabels = 256 << 10
)

// label is what is kept of a finding.
func (l *look) label(f Finding) *axispb.FileLabel { return l.labelAt(f, "") }

func (l *look) labelAt(f Finding, place string) *axispb.FileLabel {
	out := &axispb.FileLabel{
		Name: clip(f.Name), Kind: string(f.Kind), Label: axispb.Label_LABEL_UNSIGNED,
		SentenceVi: f.Sentence(lang.Vietnamese), SentenceEn: f.Sentence(lang.English), Left: uint32(f.Left),
	}
	switch {
	case f.Refused != nil:
		out.Label, out.Failed = axispb.Label_LABEL_UNREADABLE, true
	case f.PDF != nil:
		l.pdf(out, f.PDF, l.anchored[place])
	case f.Kind == EdXML:
		for i, w := range f.Within {
			out.Within = append(out.Within, l.labelAt(w, fmt.Sprintf("%s/%d", place, i)))
		}
		sum(out)
		l.xml(out, f)
	}
	return out
}

// pdf fills in what is known of a PDF.
func (l *look) pdf(out *axispb.FileLabel, d *pades.Document, anchored bool) {
	out.Label = map[pades.Label]axispb.Label{
		pades.Valid: axispb.Label_LABEL_VALID, pades.Problem: axispb.Label_LABEL_PROBLEM,
		pades.Unsigned: axispb.Label_LABEL_UNSIGNED, pades.Unreadable: axispb.Label_LABEL_UNREADABLE,
	}[d.Label]
	out.Anchored, out.Failed = anchored, d.Label == pades.Unreadable
	for i := range d.Signatures {
		s := &d.Signatures[i]
		out.Failed = out.Failed || s.Verdict.Indication == signing.TotalFailed
		l.again(&s.Verdict)
		for j := range s.Verdict.Timestamps {
			l.again(&s.Verdict.Timestamps[j].Verdict)
		}
		if len(out.Signatures) < maxShown {
			out.Signatures = append(out.Signatures, verdict(s))
		}
	}
}

func verdict(s *pades.Signature) *axispb.SignatureLabel {
	return signatureLabel(&s.Verdict, s.Holder, s.Sentence)
}

func signatureLabel(v *signing.Verdict, holder pades.Holder, say func(lang string) string) *axispb.SignatureLabel {
	out := &axispb.SignatureLabel{
		Indication: string(v.Indication), SubIndication: string(v.SubIndication),
		TimeMs: v.Time.UnixMilli(), TimeSource: string(v.TimeSource),
		SentenceVi: say(string(lang.Vietnamese)), SentenceEn: say(string(lang.English)),
	}
	if holder != pades.Unknown {
		out.Holder = string(holder)
	}
	if v.Signer != nil {
		out.Signer = clip(v.Signer.Subject.CommonName)
	}
	return out
}

// again says when a verdict is worth another look: at once where something is not
// known yet, and where the signer was in order by a list that is older than the
// time relied on, when the next list is to come.
func (l *look) again(v *signing.Verdict) {
	switch {
	case v.SubIndication == signing.TryLater:
		l.sooner(l.now)
	case v.Passed() && l.source == signing.TimeCheckpoint && len(v.Revocation) > 0:
		s := v.Revocation[0]
		if !s.ThisUpdate.Before(v.Time) || !s.RevokedAt.IsZero() {
			return
		}
		if s.NextUpdate.IsZero() {
			s.NextUpdate = s.ThisUpdate.Add(listHoldsFor)
		}
		l.sooner(later(s.NextUpdate, l.now))
	}
}

func (l *look) sooner(t time.Time) {
	if l.retry.IsZero() || t.Before(l.retry) {
		l.retry = t
	}
}

// sum labels a package by its files: valid only where all are.
func sum(out *axispb.FileLabel) {
	seen := map[axispb.Label]bool{}
	for _, w := range out.Within {
		seen[w.Label] = true
		out.Failed = out.Failed || w.Failed
	}
	for _, worst := range []axispb.Label{axispb.Label_LABEL_PROBLEM, axispb.Label_LABEL_UNREADABLE, axispb.Label_LABEL_UNSIGNED, axispb.Label_LABEL_VALID} {
		if seen[worst] {
			out.Label = worst
			break
		}
	}
	if out.Left > 0 && out.Label == axispb.Label_LABEL_VALID {
		out.Label = axispb.Label_LABEL_UNSIGNED
	}
}

// tooMuchWork is the label of a file that was given up.
func tooMuchWork(name string, kind Kind) *axispb.FileLabel {
	return &axispb.FileLabel{
		Name: clip(name), Kind: string(kind), Label: axispb.Label_LABEL_UNREADABLE, Failed: true,
		SentenceVi: "Việc kiểm tra tệp này đòi hỏi nhiều hơn hẳn kích thước của nó nên đã dừng; đề nghị nơi gửi gửi lại tệp khác.",
		SentenceEn: "Looking at this file asks for far more than its size explains, and was given up; ask the sender for another one.",
	}
}

func clip(s string) string {
	if len(s) <= maxName {
		return s
	}
	s = s[:maxName]
	for !utf8.ValidString(s) && len(s) > maxName-utf8.UTFMax {
		s = s[:len(s)-1]
	}
	return strings.ToValidUTF8(s, "") + "…"
}

// Fit leaves out details where the labels of a document are larger than MaxLabels,
// those of the last files first: verdicts, then the files of packages. What a policy
// asks stands in the files' own labels, which all stay; labels of packages that lose
// their files must have been asked before (Refuses).
func Fit(d *axispb.DocumentLabels) {
	over := proto.Size(d) - MaxLabels
	for i := len(d.Files) - 1; i >= 0 && over > 0; i-- {
		f := d.Files[i]
		over -= proto.Size(f)
		for _, w := range f.Within {
			w.Signatures = nil
		}
		f.Signatures = nil
		over += proto.Size(f)
	}
	for i := len(d.Files) - 1; i >= 0 && over > 0; i-- {
		f := d.Files[i]
		over -= proto.Size(f)
		f.Left, f.Within = f.Left+uint32(len(f.Within)), nil
		over += proto.Size(f)
	}
}
