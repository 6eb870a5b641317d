package auditor

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
	"docaxis/signing"
)

// clocksApart is how far the clocks of axis and authority may be from each other.
const clocksApart = 10 * time.Minute

// timeProof is the proof of when a record was in the log.
type timeProof struct {
	raw    []byte
	proof  *axispb.TimeProof
	header *axispb.RecordHeader
	sealed evidence.Sealed
}

func asTime(raw []byte) any {
	p := &timeProof{raw, new(axispb.TimeProof), new(axispb.RecordHeader), evidence.Sealed{}}
	if !parsed(raw, p.proof) || !parsed(p.proof.Header, p.header) {
		return nil
	}
	var err error
	if p.sealed, err = evidence.OpenSealed(p.proof.Sealed); err != nil {
		return nil
	}
	return p
}

// bodyDigest is of the record that it is about: of the one within, where that came back
// of an earlier epoch.
func (t *timeProof) bodyDigest() []byte {
	if past, err := evidence.OpenRecovered(t.proof.Recovered); err == nil {
		return past.Header.BodyDigest
	}
	return t.header.BodyDigest
}

// times judges the time proofs of a record, and gives the earliest time that one proves;
// nil for none.
func (p *proofs) times(f *File, r record, body []byte) (best *time.Time) {
	for _, m := range r.times {
		s, at := p.time(m.what.(*timeProof), body)
		f.Signatures = append(f.Signatures, s)
		if at != nil && (best == nil || at.Before(*best)) {
			best = at
		}
	}
	return best
}

// time judges one: the log first, then the seal over its checkpoint, and what time the
// authority states.
func (p *proofs) time(t *timeProof, body []byte) (Signature, *time.Time) {
	proven, err := p.trust.TimeProof(t.raw, body)
	if f := p.timeFailure(err); f != nil {
		return p.covers(p.proof(ForTime, f), t), nil
	}
	v := p.sealVerdict(proven)
	s := p.covers(p.judged(ForTime, v), t)
	s.Form = "CAdES"
	stamp := bestStamp(v.Timestamps)
	if f := p.stampFailure(v, stamp, proven); f != nil {
		failed := p.proof(ForTime, f)
		s.Indication, s.SubIndication, s.Detail, s.Sentence, s.Chain = failed.Indication, failed.SubIndication, failed.Detail, failed.Sentence, nil
		return s, nil
	}
	if !v.Passed() {
		return s, nil
	}
	at := stamp.Token.Latest()
	s.Time, s.TimeSource = moment(at), signing.TimeTimestamp
	s.Sentence = fmt.Sprintf(p.say("Bản ghi này đã có trong sổ muộn nhất lúc %s, do đơn vị cấp dấu thời gian xác nhận.",
		"This record was in the log by %s, as an authority of time states."), when(&at))
	return s, s.Time
}

func (p *proofs) covers(s Signature, t *timeProof) Signature {
	s.Covers = Covers{
		Sentence: fmt.Sprintf(p.say("bản ghi %d của kỷ %d, dưới mốc kiểm tra gồm %d bản ghi có con dấu số", "record %d of epoch %d, under a sealed checkpoint of %d records"),
			t.proof.LeafIndex, t.header.Epoch, t.sealed.Size),
		Record: &Record{Origin: originOf(t.sealed.Note), Epoch: t.header.Epoch, LeafIndex: t.proof.LeafIndex, Kind: kindName(t.header.Kind)},
	}
	return s
}

// sealVerdict judges the axis's seal over the checkpoint. A seal by the axis's evidence
// key is believed as evidence is: the CA that vouches for it publishes no revocations.
func (p *proofs) sealVerdict(t evidence.TimeProven) signing.Verdict {
	o := p.signing()
	v := p.oneSigner(t, o)
	if v.Signer != nil && v.Signer.Subject.CommonName == evidence.AxisIssuer && p.trust.CheckIssued(v.Signer) == nil {
		o.Pinned = append(slices.Clone(o.Pinned), v.Signer)
		return p.oneSigner(t, o)
	}
	return v
}

func (p *proofs) oneSigner(t evidence.TimeProven, o signing.Options) signing.Verdict {
	verdicts, err := signing.Verify(t.Seal, t.Note, o)
	if err == nil && len(verdicts) != 1 {
		err = fmt.Errorf("%d signers; the axis is one", len(verdicts))
	}
	if err != nil {
		return signing.Verdict{Indication: signing.TotalFailed, SubIndication: signing.FormatFailure, Detail: short(err.Error()), Time: o.At, TimeSource: o.Source}
	}
	return verdicts[0]
}

// stampFailure is why no time is proven, where that is not the seal's own failure: what
// is wrong with the time-stamp makes a seal look too old.
func (p *proofs) stampFailure(v signing.Verdict, stamp *signing.TimestampVerdict, t evidence.TimeProven) *failure {
	recorded := time.UnixMilli(t.Header.TimeMs)
	switch {
	case v.Indication == signing.TotalFailed:
		return nil
	case len(v.Timestamps) == 0:
		return &failure{
			signing.NoPOE, "the seal has no time-stamp",
			p.say("Mốc kiểm tra có con dấu số nhưng không có dấu thời gian nên không chứng minh được thời điểm nào.", "The checkpoint is sealed but not time-stamped, so no time is proven."),
		}
	case stamp == nil:
		first := v.Timestamps[0].Verdict
		return &failure{first.SubIndication, first.Detail, p.distrusted(first)}
	case stamp.Token.Latest().Add(clocksApart).Before(recorded):
		return &failure{
			signing.TimestampOrderFailure, fmt.Sprintf("the time-stamp says %s, the record under it %s", stamp.Token.Time.UTC(), recorded.UTC()),
			p.say("Dấu thời gian sớm hơn chính bản ghi mà nó bao gồm: đồng hồ của trục hoặc của đơn vị cấp đã sai; không dựa vào thời điểm này.",
				"The time-stamp is earlier than the record that it covers: the clock of axis or authority was wrong; do not rely on this time."),
		}
	}
	return nil
}

// bestStamp is the earliest time-stamp that passed; nil for none.
func bestStamp(all []signing.TimestampVerdict) (best *signing.TimestampVerdict) {
	for i, t := range all {
		if t.Passed() && (best == nil || t.Token.Latest().Before(best.Token.Latest())) {
			best = &all[i]
		}
	}
	return best
}

// distrusted says why a time-stamp proves nothing.
func (p *proofs) distrusted(v signing.Verdict) string {
	switch v.SubIndication {
	case signing.NoCertificateChainFound, signing.TryLater:
		return p.say("Chưa tin được dấu thời gian; hãy nêu chứng thư của đơn vị cấp dấu thời gian ("+name(v.Signer)+"), lấy từ nơi khác, bằng --anchor.",
			"The time-stamp cannot be believed yet; name the certificate of its authority ("+name(v.Signer)+"), got from elsewhere, with --anchor.")
	case signing.HashFailure:
		return p.say("Dấu thời gian không phải của con dấu số này; không dựa vào nó.", "The time-stamp is not of this seal; do not rely on it.")
	}
	return v.Sentence(string(p.Lang))
}

func (p *proofs) timeFailure(err error) *failure {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, evidence.ErrOtherRecord):
		return &failure{
			signing.HashFailure, err.Error(),
			p.say("Bằng chứng thời gian là của một bản ghi khác; không sử dụng, hãy xin trục bằng chứng đúng.", "The time proof is of another record; do not use it, and ask the axis for the right one."),
		}
	}
	return p.logFailure(err)
}

// timed joins time proofs to their records: by the digest that they have, else by the
// name. One whose record is not at hand stands alone.
func timed(records []record, members []*member, bodies map[[32]byte]*member) []record {
	for _, m := range members {
		t, ok := m.what.(*timeProof)
		if !ok {
			continue
		}
		body := bodies[[32]byte(pad(t.bodyDigest()))]
		i := slices.IndexFunc(records, func(r record) bool {
			if body != nil {
				return r.body == body
			}
			return r.time() == m.name || r.receipt != nil && bytes.Equal(r.receipt.what.(*receiptProof).header.BodyDigest, t.bodyDigest())
		})
		if i < 0 {
			records = append(records, record{body: body})
			i = len(records) - 1
		}
		records[i].times = append(records[i].times, m)
	}
	return records
}

// clocks are whom to believe about time: the authorities, and those certificates that
// are named themselves.
func clocks(anchors []*x509.Certificate) *signing.Trust { return signing.NewTrust(anchors, nil) }
