package endpoint

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/directory"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// judge checks an item as if the axis were an adversary, and says what it leads
// to. Its error is errHold, a localError, or why the item is bad.
func (p *part) judge(item *axispb.Item) (outcome, error) {
	receipt, err := evidence.NewReceipt(item.Record, item.LeafIndex, item.Inclusion, p.page.Checkpoint)
	if err != nil {
		return outcome{}, err
	}
	// A body that is missing is an empty one: nil would mean not to compare.
	proven, err := p.agent.trust.Receipt(receipt, slices.Concat([]byte{}, item.Record.GetBody()))
	if err != nil {
		return outcome{}, reason.Permanent(axispb.ReasonCode_REASON_UNKNOWN_RECORD, "not proven").Because(err)
	}
	decision := proven.Decision
	if item, proven, receipt, err = p.unpack(item, proven, receipt); err != nil {
		return outcome{}, err
	}
	switch proven.Header.Kind {
	case axispb.Kind_KIND_REGISTRY, axispb.Kind_KIND_EPOCH:
		return p.registryRecord(item, proven, receipt)
	case axispb.Kind_KIND_EVIDENCE:
		return p.report(item, proven, decision.GetEvidence(), receipt)
	case axispb.Kind_KIND_DOCUMENT:
		return p.document(item, proven, receipt)
	}
	// Acts are not this endpoint's business.
	return outcome{}, nil
}

// report is an evidence about something that this endpoint sent, with the standing
// that it has in this journal.
func (p *part) report(item *axispb.Item, proven evidence.Proven, decision *axispb.EvidenceDecision, receipt []byte) (outcome, error) {
	a := p.agent
	body := item.Record.Body
	st, _, err := a.trust.Statement(body)
	if err != nil {
		return outcome{}, err
	}
	if st.Event == axispb.Event_EVENT_SUBMISSION_REJECTION {
		// It came as the answer to the submission.
		return outcome{}, nil
	}
	serving, err := p.checkReport(item, st)
	if err != nil {
		return outcome{}, err
	}
	r := outbox.Report{
		ID:          st.EnvelopeId,
		Statement:   st,
		ServingCode: serving,
		TimeMs:      proven.Header.TimeMs,
		Proof: &axispb.Proof{
			Evidence: body, Receipt: receipt,
			Standing: decision.GetStanding(), ClockOff: decision.GetClockOff(),
		},
	}
	return outcome{document: r.ID, apply: func(tx *bbolt.Tx) error {
		changed, err := outbox.In(tx).Report(r)
		if err != nil || !changed {
			return err
		}
		return errors.Join(tellReport(tx, r), tellTakeBack(tx, r))
	}}, nil
}

// checkReport holds an evidence to be about a submission of this endpoint, by who
// may state it, and by somebody who saw the same log.
func (p *part) checkReport(item *axispb.Item, st *axispb.Statement) (serving string, err error) {
	a := p.agent
	if err := p.checkWitness(item, st); err != nil {
		return "", err
	}
	err = a.db.View(func(tx *bbolt.Tx) error {
		e, err := outbox.In(tx).Get(st.EnvelopeId)
		if errors.Is(err, outbox.ErrNotFound) {
			return reason.Permanent(axispb.ReasonCode_REASON_NOT_FOUND, st.EnvelopeId).Because(err)
		}
		if err != nil {
			return localError{err}
		}
		if outbox.Live(e) {
			// The evidence overtook our own receipt, which the outbox is about
			// to get.
			return errHold
		}
		if err := a.aboutOurs(e, st); err != nil {
			return reason.Permanent(axispb.ReasonCode_REASON_UNKNOWN_RECORD, st.EnvelopeId).Because(err)
		}
		serving, err = checkIssuer(tx, e, st, item.ServingCode)
		return err
	})
	return serving, err
}

// aboutOurs compares with our own receipt: what we hold proof of.
func (a *Agent) aboutOurs(e *axispb.OutboxEntry, st *axispb.Statement) error {
	if e.State != axispb.State_STATE_ACCEPTED {
		return fmt.Errorf("evidence about a submission that is %s", e.State)
	}
	own, err := a.trust.Receipt(e.Receipt, nil)
	if err != nil {
		return err
	}
	doc := evidence.Document{Sender: e.Sender, ID: e.Id, ManifestDigest: [32]byte(e.ManifestDigest)}
	return evidence.Matches(st, own, doc)
}

// checkIssuer asks whether the code is a recipient, and the issuer one that serves
// or served it. The axis itself may say that a deadline passed.
func checkIssuer(tx *bbolt.Tx, e *axispb.OutboxEntry, st *axispb.Statement, serving string) (string, error) {
	notRecipient := reason.Permanent(axispb.ReasonCode_REASON_NOT_RECIPIENT, st.Code)
	r, err := outbox.In(tx).Recipient(e.Id, st.Code)
	switch {
	case err != nil:
		return "", localError{err}
	case r != nil:
		serving = r.ServingCode
	case !e.Grouped:
		return "", notRecipient
	}
	if st.Issuer == evidence.AxisIssuer {
		return serving, nil
	}
	served, known, err := directory.In(tx).Served(st.Issuer, st.Code, serving)
	if err != nil {
		return "", localError{err}
	}
	if known && !served {
		return "", notRecipient.Because(fmt.Errorf("%s does not serve it", st.Issuer))
	}
	return serving, nil
}

// checkWitness compares the log that the issuer saw with the one that we see.
func (p *part) checkWitness(item *axispb.Item, st *axispb.Statement) error {
	if st.Checkpoint == nil {
		return nil
	}
	seen, err := evidence.RefCheckpoint(st.Checkpoint)
	if err == nil {
		err = p.agent.trust.Extends(seen, p.cp, item.Consistency)
	}
	var lost *evidence.LostRecordsError
	if err == nil || errors.As(err, &lost) {
		return nil
	}
	p.agent.log.Error("another endpoint saw another log: possibly a split view",
		slog.String("issuer", st.Issuer), slog.Any("error", err))
	return reason.Permanent(axispb.ReasonCode_REASON_SPLIT_VIEW).Because(err)
}

// quarantine puts a bad item aside.
func (p *part) quarantine(item *axispb.Item, why error) outcome {
	t := p.agent.trouble(why)
	p.agent.log.Error("an item from the axis failed a check and was put aside",
		slog.String("lane", item.Lane.String()), slog.Uint64("position", item.Position), troubleAttr(t))
	q := &axispb.QuarantineEntry{
		TimeMs: t.TimeMs, Reason: t.Reason, Detail: t.Detail, Epoch: p.cp.Epoch, Item: item,
	}
	dropped := uint64(0)
	return outcome{
		apply: func(tx *bbolt.Tx) (err error) {
			dropped, err = inbox.In(tx).Quarantine(q)
			return err
		},
		told: func() {
			if dropped > 0 {
				p.agent.log.Error("the quarantine is full: its oldest items were dropped", slog.Uint64("items", dropped))
			}
		},
	}
}

func releaseOrphans(tx *bbolt.Tx) error { return inbox.In(tx).ReleaseOrphans() }
