package endpoint

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"docaxis/endpoint/inbox"
	"docaxis/endpoint/link"
	"docaxis/endpoint/store"
	"docaxis/internal/bus"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

const (
	// evidenceAtOnce bounds the statements of one request (service.proto), and
	// evidenceBytes its size.
	evidenceAtOnce = 100
	evidenceBytes  = 512 << 10
)

func newSigner(id link.Identity) (*evidence.Signer, error) {
	key, ok := id.Certificate.PrivateKey.(crypto.Signer)
	if !ok || len(id.Certificate.Certificate) == 0 {
		return nil, errors.New("the endpoint's identity has no key and certificate")
	}
	return evidence.NewSigner(key, id.Certificate.Certificate[0])
}

// claim is what this endpoint states about a document that it received.
type claim struct {
	event    axispb.Event
	reason   *axispb.Reason
	business string
	unread   bool
}

// state signs a claim with the next counter and queues it for the axis, inside the
// transaction that enters the state which it proves.
func (a *Agent) state(tx *bbolt.Tx, e *axispb.InboxEntry, c claim) (counter uint64, err error) {
	p, err := store.Progress(tx)
	if err != nil {
		return 0, err
	}
	var receipt axispb.Receipt
	if err := proto.Unmarshal(e.Receipt, &receipt); err != nil {
		return 0, fmt.Errorf("receipt of the document: %w", err)
	}
	p.Counter++
	commitment := evidence.Commitment(receipt.Header)
	now := a.cfg.Now().UnixMilli()
	raw, err := a.signer.Load().Sign(&axispb.Statement{
		Version:         1,
		Event:           c.event,
		Issuer:          a.Name(),
		Counter:         p.Counter,
		TimeMs:          now,
		Document:        e.Record,
		Commitment:      commitment[:],
		Sender:          e.Sender,
		EnvelopeId:      e.Id,
		ManifestDigest:  e.ManifestDigest,
		Code:            e.Code,
		Reason:          c.reason,
		Checkpoint:      p.Seen,
		BusinessState:   c.business,
		ConfirmedUnread: c.unread,
	})
	if err != nil {
		return 0, fmt.Errorf("state %s: %w", c.event, err)
	}
	if err := inbox.In(tx).AddEvidence(p.Counter, raw, now); err != nil {
		return 0, err
	}
	return p.Counter, store.PutProgress(tx, p)
}

// enter makes a received document enter a state with the statement that proves it.
func (a *Agent) enter(tx *bbolt.Tx, key inbox.Key, c claim) error {
	in := inbox.In(tx)
	e, err := in.Get(key)
	if err != nil {
		return err
	}
	to := evidence.StateAfter(c.event)
	if !inbox.Allowed(e.State, to) {
		return fmt.Errorf("%w: from %s to %s", inbox.ErrState, e.State, to)
	}
	counter, err := a.state(tx, e, c)
	if err != nil {
		return err
	}
	var why *axispb.Trouble
	if c.reason != nil {
		why = &axispb.Trouble{TimeMs: a.cfg.Now().UnixMilli(), Reason: c.reason}
	}
	return in.Move(key, to, counter, a.cfg.Now(), why)
}

// sendEvidence offers this endpoint's statements to the axis, in the order of
// their counters, until ctx ends.
func (a *Agent) sendEvidence(ctx context.Context) error {
	for attempts := uint32(0); ; {
		wait := idle
		sent, err := a.sendBatch(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errParked), fatal(err):
			return err
		case err != nil:
			a.log.Warn("statements could not be given to the axis", slog.Any("error", err))
			attempts++
			wait = a.cfg.Retry.wait(attempts)
		case sent > 0:
			attempts = 0
			continue
		default:
			attempts = 0
		}
		if !nap(ctx, wait, a.wake.evidence) {
			return nil
		}
	}
}

// sendBatch offers what is unsent, as much as one request takes.
func (a *Agent) sendBatch(ctx context.Context) (sent int, err error) {
	if !a.isConnected() || !a.recovering.over() {
		return 0, nil
	}
	var batch []inbox.Statement
	err = a.db.View(func(tx *bbolt.Tx) (err error) {
		batch, err = inbox.In(tx).Unsent(evidenceAtOnce, evidenceBytes)
		return err
	})
	if err != nil || len(batch) == 0 {
		return 0, err
	}
	req := &axispb.EvidenceRequest{}
	for _, s := range batch {
		req.Evidence = append(req.Evidence, s.Entry.Evidence)
	}
	var answer axispb.EvidenceAnswer
	err = a.step("evidence.send", func() error {
		return a.link.Load().Call(ctx, bus.Evidence, req, &answer)
	})
	if err != nil {
		return 0, err
	}
	return len(batch), a.storeOutcomes(ctx, batch, answer.Outcomes)
}

// storeOutcomes keeps the receipts. What was not answered as it must be stays
// queued.
func (a *Agent) storeOutcomes(ctx context.Context, batch []inbox.Statement, outcomes []*axispb.EvidenceOutcome) error {
	if len(outcomes) != len(batch) {
		return fmt.Errorf("the axis answered %d of %d statements", len(outcomes), len(batch))
	}
	var bad error
	var settled []int
	for i, o := range outcomes {
		if err := a.checkOutcome(o); err != nil {
			bad = fmt.Errorf("answer to statement %d: %w", batch[i].Counter, err)
			break
		}
		settled = append(settled, i)
	}
	err := a.commit(ctx, "evidence.store", func(tx *bbolt.Tx) error {
		for _, i := range settled {
			if err := inbox.In(tx).Settle(batch[i].Counter, outcomes[i].Receipt, outcomes[i].Refused); err != nil {
				return err
			}
			if r := outcomes[i].Refused; r != nil {
				if r.Code == axispb.ReasonCode_REASON_COUNTER_REUSED && a.reissuedSince(batch[i].Counter) {
					if err := a.restate(tx, batch[i].Counter); err != nil {
						return err
					}
				}
				continue
			}
			if err := a.heedStanding(tx, batch[i].Entry.Evidence, outcomes[i].Receipt); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, bad, a.heedRefusals(ctx, batch, outcomes))
}

// checkOutcome holds an answer to be a receipt of an evidence, or a refusal. The
// receipt may be of an earlier evidence that said the same, so that its bytes
// cannot be compared.
func (a *Agent) checkOutcome(o *axispb.EvidenceOutcome) error {
	if o.Refused != nil {
		return nil
	}
	proven, err := a.trust.Receipt(o.Receipt, nil)
	if err != nil {
		a.needsPull(err)
		return err
	}
	if k := proven.Header.Kind; k != axispb.Kind_KIND_EVIDENCE && k != axispb.Kind_KIND_RECOVERED {
		return fmt.Errorf("receipt of a %s", k)
	}
	return nil
}

// heedRefusals logs what the axis will never take. A counter that it knows with
// other content means that this store is a copy or was set back: two instances
// must not go on stating things under one name.
func (a *Agent) heedRefusals(ctx context.Context, batch []inbox.Statement, outcomes []*axispb.EvidenceOutcome) error {
	for i, o := range outcomes {
		if o.Refused == nil {
			continue
		}
		a.log.Error("the axis refused a statement", slog.Uint64("counter", batch[i].Counter),
			slog.String("why", reason.Sentence(o.Refused, reason.English)))
		if o.Refused.Code == axispb.ReasonCode_REASON_COUNTER_REUSED && !a.reissuedSince(batch[i].Counter) {
			return a.park(ctx, reason.Permanent(o.Refused.Code, o.Refused.Args...))
		}
	}
	return nil
}

// needsPull wakes the pull loop where something names an epoch that is not known
// yet: the next page brings it.
func (a *Agent) needsPull(err error) {
	if errors.Is(err, evidence.ErrUnknownEpoch) {
		ring(a.wake.pull)
	}
}

// journalTime is a header's time.
func journalTime(h *axispb.RecordHeader) time.Time { return time.UnixMilli(h.GetTimeMs()) }
