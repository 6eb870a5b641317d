package auditor

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"time"

	"docaxis/signing"
)

// judged puts a verdict into the form of a report.
func (a *audit) judged(what string, v signing.Verdict) Signature {
	a.found.add(v.Chain)
	s := Signature{
		For: what, Indication: v.Indication, SubIndication: v.SubIndication, Detail: v.Detail,
		Sentence: a.sentence(v), Signer: certificate(v.Signer),
		Time: moment(v.Time), TimeSource: v.TimeSource, ClaimedTime: moment(v.ClaimedTime),
	}
	for _, c := range v.Chain {
		s.Chain = append(s.Chain, *certificate(c))
	}
	for _, t := range v.Timestamps {
		s.Timestamps = append(s.Timestamps, a.stamped(t))
	}
	for _, r := range v.Revocation {
		s.Revocation = append(s.Revocation, Revocation{
			Certificate: name(r.Certificate), Source: r.Source, ThisUpdate: r.ThisUpdate.UTC(), RevokedAt: moment(r.RevokedAt),
		})
	}
	return s
}

// sentence is the verdict's. Nobody asks again here, so what to do about a missing
// status is another thing than for a system that will.
func (a *audit) sentence(v signing.Verdict) string {
	if v.SubIndication != signing.TryLater {
		return v.Sentence(string(a.Lang))
	}
	return a.say("Chữ ký khớp với nội dung, nhưng không có dữ liệu thu hồi dùng được cho chứng thư số của "+name(v.Signer)+" nên chưa thể kết luận; hãy lấy danh sách thu hồi của đơn vị cấp rồi nêu bằng --revocation, hỏi qua mạng bằng --online, hoặc nêu chính chứng thư số đó bằng --anchor nếu đã biết rõ.",
		"The signature is of the content, but there is no usable revocation data for the certificate of "+name(v.Signer)+", so nothing can be concluded; name its authority's list with --revocation, ask with --online, or name the certificate itself with --anchor where you know it.")
}

func (a *audit) stamped(t signing.TimestampVerdict) Signature {
	s := a.judged("timestamp", t.Verdict)
	s.ClaimedTime = moment(t.Token.Time)
	s.Covers.Sentence = a.say("giá trị của chữ ký này", "the value of this signature")
	return s
}

// certificate is nil where there is none.
func certificate(c *x509.Certificate) *Certificate {
	if c == nil {
		return nil
	}
	sum := sha256.Sum256(c.Raw)
	return &Certificate{
		Name: name(c), Serial: c.SerialNumber.Text(16), SHA256: hex.EncodeToString(sum[:]),
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
	}
}

// maxText bounds what a file may put into an answer, in bytes.
const maxText = 400

func name(c *x509.Certificate) string {
	switch {
	case c == nil:
		return "?"
	case c.Subject.CommonName != "":
		return short(c.Subject.CommonName)
	case len(c.RawSubject) > 4*maxText:
		return short(c.SerialNumber.Text(16))
	}
	return short(c.Subject.String())
}

func short(s string) string {
	if len(s) <= maxText {
		return s
	}
	return s[:maxText] + "…"
}

// moment is nil for no time.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
