package endpoint

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"docaxis/endpoint/store"
	"docaxis/internal/bus"
	"docaxis/internal/evidence"
	"docaxis/internal/proofset"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// provePatience is how long the axis may take to give the proofs of time of one
// document.
const provePatience = 20 * time.Second

// errNoEnvelope says that a document has not been sealed yet: there is nothing to prove.
var errNoEnvelope = reason.Permanent(axispb.ReasonCode_REASON_NOT_FOUND, "envelope")

// Prove gives everything that proves a document's story.
func (d desk) Prove(ctx context.Context, id string) (proofset.Set, error) {
	t, err := d.a.Show(id)
	if err != nil {
		return proofset.Set{}, known(err, id)
	}
	p := &prover{a: d.a, seen: map[[sha256.Size]byte]bool{}}
	if err := p.story(t); err != nil {
		return proofset.Set{}, err
	}
	if len(p.set.Records) == 0 {
		return proofset.Set{}, errNoEnvelope
	}
	err = d.a.db.View(func(tx *bbolt.Tx) error {
		p.set.Epochs = store.Epochs(tx)
		return nil
	})
	p.set.CA = d.a.trust.CAs()[0].Raw
	slices.SortStableFunc(p.set.Records, func(x, y proofset.Record) int { return cmp.Compare(x.LeafIndex, y.LeafIndex) })
	p.times(ctx)
	return p.set, err
}

// prover gathers the proofs of one document.
type prover struct {
	a    *Agent
	set  proofset.Set
	seen map[[sha256.Size]byte]bool
}

func (p *prover) story(t Timeline) error {
	if t.Sent != nil && len(t.Sent.EnvelopeDigest) > 0 {
		if err := p.steps(t.Sent.EnvelopeDigest, t.Steps); err != nil {
			return err
		}
		for _, l := range t.Recipients {
			if err := p.steps(t.Sent.EnvelopeDigest, l.Steps); err != nil {
				return err
			}
		}
	}
	for _, l := range t.Received {
		doc, err := p.a.Document(l.Key)
		if err != nil {
			return err
		}
		if err := p.steps(doc.Entry.EnvelopeDigest, l.Steps); err != nil {
			return err
		}
	}
	return nil
}

// steps adds what proves each: a receipt without a statement is the document's own.
func (p *prover) steps(envelope []byte, steps []Step) error {
	for _, s := range steps {
		body := s.Evidence
		if len(body) == 0 && len(s.Receipt) > 0 {
			e, err := p.a.envelope(envelope)
			if err != nil {
				return err
			}
			body = e.Raw
		}
		if digest := sha256.Sum256(body); len(body) > 0 && !p.seen[digest] {
			p.seen[digest] = true
			p.set.Records = append(p.set.Records, recordOf(s, body))
		}
	}
	return nil
}

func recordOf(s Step, body []byte) proofset.Record {
	out := proofset.Record{Body: body}
	if len(s.Evidence) > 0 {
		out.Event = s.Event
	}
	r, h := new(axispb.Receipt), new(axispb.RecordHeader)
	digest := sha256.Sum256(body)
	if proto.Unmarshal(s.Receipt, r) != nil || proto.Unmarshal(r.Header, h) != nil || !slices.Equal(h.BodyDigest, digest[:]) {
		return out // of another statement that said the same, or of none
	}
	out.LeafIndex, out.Receipt = r.LeafIndex, s.Receipt
	return out
}

// times asks the axis for proofs of time, and keeps those that hold as far as the log
// goes. An axis that is not there is not asked again: everything else is here.
func (p *prover) times(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, provePatience)
	defer cancel()
	for i := range p.set.Records {
		r := &p.set.Records[i]
		if len(r.Receipt) == 0 {
			continue
		}
		proof, err := p.a.timeProof(ctx, r.Receipt, r.Body)
		if err != nil && (reason.Of(err) == nil || reason.IsTemporary(err)) {
			return
		}
		r.Time = proof
	}
}

var errNotTimed = errors.New("no proof of time that holds")

// timeProof asks for the proof of time of the record of a receipt; nil where no
// time-stamp covers it.
func (a *Agent) timeProof(ctx context.Context, receipt, body []byte) ([]byte, error) {
	r, h := new(axispb.Receipt), new(axispb.RecordHeader)
	if err := errors.Join(proto.Unmarshal(receipt, r), proto.Unmarshal(r.GetHeader(), h)); err != nil {
		return nil, err
	}
	l := a.link.Load()
	if l == nil {
		return nil, errNotTimed
	}
	var answer axispb.ProofAnswer
	err := l.Call(ctx, bus.Proof, &axispb.ProofRequest{Epoch: h.Epoch, LeafIndexPlusOne: r.LeafIndex + 1, Time: true}, &answer)
	if err != nil || len(answer.Sealed) == 0 {
		return nil, err
	}
	proof, err := evidence.NewTimeProof(answer.Sealed, &axispb.Record{Header: r.Header}, r.LeafIndex, answer.SealedInclusion)
	if err != nil {
		return nil, err
	}
	if _, err := a.trust.TimeProof(proof, body); err != nil {
		a.log.Warn("the axis gave a proof of time that does not hold", "leaf", r.LeafIndex, "error", err)
		return nil, nil //nolint:nilerr // the rest is as good without it
	}
	return proof, nil
}
