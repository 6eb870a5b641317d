package auditor

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"time"

	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
	"docaxis/signing"
)

// seal judges the seal of a document as of the best time that is proven: what an
// authority states, else when the log got it.
func (p *proofs) seal(f *File, raw []byte, k known) {
	e, err := envelope.Parse(raw)
	if err != nil {
		f.Signatures = append(f.Signatures, p.proof(ForSeal, &failure{signing.FormatFailure, err.Error(), reason.Sentence(reason.Of(err), p.Lang)}))
		f.Sentence += p.say("Văn bản đã đóng dấu số, không đúng cấu trúc.", "A sealed document that is not in form.")
		return
	}
	s := p.judged(ForSeal, p.sealOf(e, k))
	s.Form = "CAdES"
	s.Covers.Sentence = fmt.Sprintf(p.say("văn bản %s của %s gửi %d nơi nhận, với %d tệp theo giá trị băm", "document %s of %s to %d recipients, with %d files by their digests"),
		e.Document.ID, e.Document.Sender, len(e.Document.To), len(e.Document.Files))
	f.Signatures = append(f.Signatures, s)
	f.Sentence += fmt.Sprintf(p.say("Văn bản đã đóng dấu số: %s.", "A sealed document: %s."), short(e.Document.Subject))
}

// sealOf judges at each proven time, best first, until the seal passes: a time-stamp that
// came late, since no authority answered, takes nothing away that the log proves.
func (p *proofs) sealOf(e *envelope.Envelope, k known) (best signing.Verdict) {
	o := p.signing()
	var tries []signing.Options
	if k.stamped != nil {
		o.At, o.Source = *k.stamped, signing.TimeTimestamp
		tries = append(tries, o)
	}
	if k.proven != nil {
		o.At, o.Source = time.UnixMilli(k.proven.Header.TimeMs), signing.TimeCheckpoint
		tries = append(tries, o)
	}
	if len(tries) == 0 {
		tries = append(tries, o)
	}
	for i, o := range tries {
		v := e.CheckSeal(o)
		if v.Passed() {
			return v
		}
		if i == 0 {
			best = v
		}
	}
	return best
}

// statement judges an evidence: who stated it, and that it is about a document whose
// record it names.
func (p *proofs) statement(f *File, raw []byte, e *evidenceProof, k known) {
	proven := k.proven
	cert, err := x509.ParseCertificate(e.evidence.Certificate)
	fail := p.statementFailure(raw, e, cert, err, proven)
	s := p.proof(ForStatement, fail)
	st := e.statement
	s.Signer, s.ClaimedTime = certificate(cert), millis(st.TimeMs)
	if proven != nil {
		s.Time, s.TimeSource = millis(proven.Header.TimeMs), signing.TimeCheckpoint
	}
	if k.stamped != nil {
		s.Time, s.TimeSource = k.stamped, signing.TimeTimestamp
	}
	s.Covers.Sentence = fmt.Sprintf(p.say("sự kiện %s về văn bản %s của %s, nơi nhận %s", "event %s about document %s of %s, recipient %s"),
		eventName(st.Event), short(st.EnvelopeId), short(st.Sender), short(st.Code)) + p.compared(st)
	if fail == nil {
		s.Chain = append([]Certificate{*s.Signer}, p.authority()...)
		s.Sentence = fmt.Sprintf(p.say("%s đã ký xác nhận sự kiện %s.", "%s signed that event %s happened."), short(st.Issuer), eventName(st.Event))
	}
	f.Signatures = append(f.Signatures, s)
	f.Sentence += fmt.Sprintf(p.say("Bằng chứng %s do %s lập.", "Evidence %s by %s."), eventName(st.Event), short(st.Issuer)) + p.standing(proven)
}

func (p *proofs) statementFailure(raw []byte, e *evidenceProof, cert *x509.Certificate, unread error, proven *evidence.Proven) *failure {
	if unread != nil {
		return &failure{signing.FormatFailure, unread.Error(), p.say("Chứng thư trong bằng chứng không đọc được; không sử dụng.", "The certificate in the evidence cannot be read; do not use it.")}
	}
	key, ok := cert.PublicKey.(*ecdsa.PublicKey)
	digest := sha256.Sum256(append([]byte(evidence.StatementPrefix), e.evidence.Statement...))
	if !ok || !ecdsa.VerifyASN1(key, digest[:], e.evidence.Signature) {
		return &failure{
			signing.SigCryptoFailure, "the signature is not the certificate's over these bytes",
			p.say("Bằng chứng đã bị thay đổi, hoặc không do khóa của bên nêu tên ký; không sử dụng.", "The evidence was changed, or not signed with the key of whom it names; do not use it."),
		}
	}
	if err := p.trust.CheckIssued(cert); err != nil {
		return &failure{
			signing.NoCertificateChainFound, err.Error(),
			p.say("Chứng thư của bên lập không do nguồn được tin cậy cấp; hãy nêu chứng thư CA của trục, lấy từ nơi khác, bằng --anchor.",
				"No trusted authority issued the certificate of whoever stated it; name the CA certificate of the axis, got from elsewhere, with --anchor."),
		}
	}
	st, _, err := p.trust.Statement(raw)
	switch {
	case reason.Is(err, axispb.ReasonCode_REASON_MALFORMED):
		return &failure{signing.FormatFailure, err.Error(), p.say("Bằng chứng không đúng quy tắc của sự kiện; không sử dụng.", "The evidence breaks the rules of its event; do not use it.")}
	case err != nil:
		return &failure{
			signing.ChainConstraintsFailure, err.Error(),
			p.say("Chứng thư này không được dùng để lập bằng chứng này; đề nghị quản trị viên trục kiểm tra.", "This certificate may not state this evidence; ask the operator of the axis to look at it."),
		}
	}
	return p.about(st, proven)
}

// about compares a statement that holds with the document that it names, where that is
// at hand.
func (p *proofs) about(st *axispb.Statement, proven *evidence.Proven) *failure {
	if proven != nil && proven.Header.GetKind() != axispb.Kind_KIND_EVIDENCE {
		return &failure{signing.FormatFailure, "the record is " + kindName(proven.Header.GetKind()), p.say("Sổ ghi tệp này là loại bản ghi khác; không sử dụng.", "The log has this as a record of another kind; do not use it.")}
	}
	if len(st.Commitment) != sha256.Size {
		return nil // what was refused has no record
	}
	d, ok := p.documents[[sha256.Size]byte(st.Commitment)]
	if !ok {
		return nil
	}
	if err := evidence.Matches(st, d.proven, d.Document); err != nil {
		return &failure{signing.HashFailure, err.Error(), p.say("Bằng chứng nêu một văn bản khác với bản ghi mà nó chỉ đến; không sử dụng.", "The evidence names another document than the record has that it points at; do not use it.")}
	}
	return nil
}

// compared says where the document of a statement is not at hand.
func (p *proofs) compared(st *axispb.Statement) string {
	if len(st.Commitment) != sha256.Size {
		return "" // what was refused has no record
	}
	if _, ok := p.documents[[sha256.Size]byte(st.Commitment)]; ok {
		return ""
	}
	return p.say(" (chưa so với chính văn bản vì không có bản ghi của nó ở đây)", " (not compared with the document itself, whose record is not here)")
}

// standing says what is special about an evidence in the log.
func (p *proofs) standing(proven *evidence.Proven) string {
	if proven == nil {
		return ""
	}
	switch proven.Decision.GetEvidence().GetStanding() {
	case axispb.Standing_STANDING_CONTRARY:
		return p.say(" Nó trái với điều đã ghi trước đó nên không làm đổi trạng thái.", " It contradicts what was recorded before, and changed no state.")
	case axispb.Standing_STANDING_SECOND_COPY:
		return p.say(" Nó về bản thứ hai của văn bản nên không làm đổi trạng thái.", " It is about a second copy, and changed no state.")
	}
	return ""
}

func eventName(e axispb.Event) string {
	if n := evidence.EventName(e); n != "" {
		return n
	}
	return fmt.Sprint(int32(e))
}
