package auditor

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
	"docaxis/signing"
)

// failure is why a proof does not hold: the words of the standard, of experts and of
// people.
type failure struct {
	sub              signing.SubIndication
	detail, sentence string
}

// proof is the answer about a proof; a nil failure is that it holds.
func (p *proofs) proof(what string, f *failure) Signature {
	if f == nil {
		return Signature{For: what, Indication: signing.TotalPassed}
	}
	return Signature{For: what, Indication: f.sub.Indication(), SubIndication: f.sub, Detail: short(f.detail), Sentence: f.sentence}
}

func (p *proofs) splitView(err error) *failure {
	return &failure{
		signing.HashFailure, err.Error(),
		p.say("Sổ của trục tự mâu thuẫn: đây là bằng chứng của việc làm sai. Hãy giữ nguyên mọi tệp và báo cơ quan có thẩm quyền.",
			"The log contradicts itself: this is proof of misuse. Keep all files as they are, and tell the authorities."),
	}
}

// judge is the answer about a record: what it says, and that the log has it.
func (p *proofs) judge(r record) File {
	f := File{File: r.name(), Kind: KindRecord}
	var proven *evidence.Proven
	var raw []byte
	if r.body != nil {
		raw = r.body.raw
	}
	if r.receipt != nil {
		var s Signature
		s, proven = p.receipt(r.receipt.what.(*receiptProof), raw)
		f.Signatures = append(f.Signatures, s)
	} else {
		f.Sentence = p.say("Không có biên nhận đi kèm nên không biết bản ghi có trong sổ hay không. ", "There is no receipt with it, so whether the log has it is not known. ")
	}
	stamped := p.times(&f, r, raw)
	switch {
	case r.body != nil:
		p.bodyOf(&f, raw, r.body.what, known{proven, stamped})
	case r.receipt == nil:
		f.Result = Indeterminate
		f.Sentence = p.say("Bằng chứng thời gian không kèm bản ghi nên không biết nó chứng minh điều gì; hãy để tệp bản ghi cạnh nó.",
			"A time proof without its record, so what it proves is not known; put the record beside it.")
	default:
		f.Result = Indeterminate
		f.Sentence = p.say("Biên nhận không kèm bản ghi nên không biết nó chứng minh điều gì; hãy để tệp bản ghi cạnh biên nhận.",
			"A receipt without its record, so what it proves is not known; put the record beside it.")
	}
	f.settle()
	return f
}

// known is what is proven about when a record was there; nil for what is not.
type known struct {
	proven  *evidence.Proven // the log has it, at the journal's time
	stamped *time.Time       // by then, as an authority of time states
}

// bodyOf judges what a record says.
func (p *proofs) bodyOf(f *File, raw []byte, what any, k known) {
	switch w := what.(type) {
	case *evidenceProof:
		p.statement(f, raw, w, k)
	case *envelopeProof:
		p.seal(f, raw, k)
	case *recoveredProof:
		p.recovered(f, raw, k)
	default:
		f.Sentence = p.say("Nội dung bản ghi không đọc được.", "What the record says cannot be read.")
	}
	if k.proven == nil {
		f.Result = Worst(f.Result, Indeterminate)
	}
}

// recovered judges a record that an earlier epoch had accepted, within one of today's.
func (p *proofs) recovered(f *File, raw []byte, outer known) {
	past, err := evidence.OpenRecovered(raw)
	if err != nil {
		f.Result, f.Sentence = Failed, p.say("Bản ghi khôi phục tự mâu thuẫn; không sử dụng.", "The recovered record contradicts itself; do not use it.")
		return
	}
	inner, ok := asReceipt(past.Receipt).(*receiptProof)
	if !ok {
		f.Result = Failed
		return
	}
	s, proven := p.receipt(inner, past.Record.GetBody())
	f.Signatures = append(f.Signatures, s)
	what := proofOf(past.Record.GetBody())
	if _, again := what.(*recoveredProof); again || outer.proven == nil {
		proven = nil
	}
	if _, again := what.(*recoveredProof); !again {
		p.bodyOf(f, past.Record.GetBody(), what, known{proven, outer.stamped})
	}
}

// receipt judges that the log has a record. A nil body is not at hand.
func (p *proofs) receipt(r *receiptProof, body []byte) (Signature, *evidence.Proven) {
	proven, err := p.trust.Receipt(r.raw, body)
	f := p.receiptFailure(r, body, err)
	s := p.proof(ForReceipt, f)
	s.Covers = Covers{
		Sentence: fmt.Sprintf(p.say("bản ghi %d của kỷ %d", "record %d of epoch %d"), r.receipt.LeafIndex, r.header.Epoch),
		Record:   &Record{Origin: originOf(r.receipt.Checkpoint), Epoch: r.header.Epoch, LeafIndex: r.receipt.LeafIndex, Kind: kindName(r.header.Kind)},
	}
	if f != nil {
		s.ClaimedTime = millis(r.header.TimeMs)
		return s, nil
	}
	s.Time, s.TimeSource, s.Chain = millis(proven.Header.TimeMs), signing.TimeCheckpoint, p.authority()
	s.Sentence = fmt.Sprintf(p.say("Sổ %s có bản ghi này ở vị trí %d, dưới mốc kiểm tra gồm %d bản ghi có chữ ký.",
		"Log %s has this record at place %d, under a signed checkpoint of %d records."), short(originOf(r.receipt.Checkpoint)), proven.LeafIndex, proven.Checkpoint.Size)
	return s, &proven
}

func (p *proofs) receiptFailure(r *receiptProof, body []byte, err error) *failure {
	digest := sha256.Sum256(body)
	switch {
	case body != nil && !bytes.Equal(digest[:], r.header.BodyDigest):
		return &failure{
			signing.HashFailure, "the body has another digest than the header says",
			p.say("Bản ghi đã bị thay đổi: không phải là bản mà sổ có; không sử dụng.", "The record was changed: it is not the one that the log has; do not use it."),
		}
	case err == nil:
		return nil
	}
	return p.logFailure(err)
}

// logFailure is why a log does not prove what it should.
func (p *proofs) logFailure(err error) *failure {
	var forged *note.InvalidSignatureError
	var unsigned *note.UnverifiedNoteError
	switch {
	case errors.Is(err, evidence.ErrSplitView):
		return p.splitView(err)
	case errors.Is(err, evidence.ErrUnknownEpoch):
		return &failure{
			signing.NoCertificateChainFound, err.Error(),
			p.say("Không biết khóa đã ký sổ; hãy để các tệp epoch cạnh biên nhận và nêu chứng thư CA của trục, lấy từ nơi khác, bằng --anchor.",
				"The key that signed the log is not known; put the epoch files beside the receipt, and name the CA certificate of the axis, got from elsewhere, with --anchor."),
		}
	case errors.Is(err, evidence.ErrNotProven):
		return &failure{
			signing.HashFailure, err.Error(),
			p.say("Biên nhận không chứng minh được bản ghi có trong sổ; không sử dụng, hãy xin trục biên nhận mới.",
				"The receipt does not prove that the log has the record; do not use it, and ask the axis for another."),
		}
	case errors.As(err, &forged), errors.As(err, &unsigned):
		return &failure{
			signing.SigCryptoFailure, err.Error(),
			p.say("Mốc kiểm tra không do khóa của sổ ký; không sử dụng.", "The checkpoint was not signed with the log's key; do not use it."),
		}
	}
	return &failure{
		signing.FormatFailure, err.Error(),
		p.say("Biên nhận không đúng cấu trúc; không sử dụng, hãy xin trục biên nhận mới.", "The receipt is not in form; do not use it, and ask the axis for another."),
	}
}

func originOf(checkpoint []byte) string {
	origin, _, _ := bytes.Cut(checkpoint, []byte("\n"))
	return short(string(origin))
}

func kindName(k axispb.Kind) string { return strings.ToLower(strings.TrimPrefix(k.String(), "KIND_")) }

// millis is nil for no time, and for one that no calendar has.
func millis(ms int64) *time.Time {
	const end = 253402300799999 // of the year 9999
	if ms <= 0 || ms > end {
		return nil
	}
	return moment(time.UnixMilli(ms))
}
