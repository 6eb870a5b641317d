package axis

import (
	"context"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	operator "docaxis/axis/admin"
	"docaxis/axis/ledger"
	"docaxis/axis/mailbox"
	"docaxis/axis/registry"
	"docaxis/internal/bus"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// StateName is a state's word in JSON and on pages: ACCEPTED, CONSIGNED ...
func StateName(s axispb.State) string { return strings.TrimPrefix(s.String(), "STATE_") }

// Status is the axis at a glance.
func (h *Hub) Status(ctx context.Context) (operator.Status, error) {
	at, err := h.ledger.Position(ctx)
	if err != nil {
		return operator.Status{}, err
	}
	counts, err := h.ledger.Counts(ctx)
	if err != nil {
		return operator.Status{}, err
	}
	out := operator.Status{
		Name: h.cfg.Name, Address: h.address(), StartedMS: h.started.UnixMilli(), Epoch: at.Epoch,
		Size: at.Size, Blocks: at.Blocks, Root: base64.StdEncoding.EncodeToString(at.Root[:]), TimeMS: at.TimeMS,
		Agencies: len(h.registry.Agencies()), Requests: len(h.registry.Requests(true)), Documents: counts.Documents, Evidence: counts.Evidence,
		Refused: counts.Refused, States: map[string]uint64{}, Disks: h.disksNow(),
	}
	out.Clock, out.Damage = h.clockState(), h.Damage()
	if e, ok := h.trust.Epoch(at.Epoch); ok {
		out.Origin = e.GetOrigin()
	}
	if out.Lost, out.CameBack, err = h.loss(ctx); err != nil {
		return out, err
	}
	if out.Timestamps, err = h.timestamps(ctx); err != nil {
		return out, err
	}
	out.Recovering = h.recovery.gate.held()
	out.Signatures = h.signatures(ctx)
	for s, n := range counts.Recipients {
		out.States[StateName(s)] = n
	}
	for _, e := range h.registry.Endpoints() {
		out.Endpoints = append(out.Endpoints, operator.Endpoint{
			Name: e.Name, Codes: e.Codes, Connected: h.broker.IsConnected(e.Name), Revoked: e.Revoked,
			EnrolledMS: e.EnrolledAt.UnixMilli(),
		})
	}
	return out, nil
}

// Documents tells the stories of an id.
func (h *Hub) Documents(ctx context.Context, id string) ([]operator.Document, error) {
	stories, err := h.ledger.Stories(ctx, id)
	if err != nil {
		return nil, err
	}
	refusals, err := h.ledger.Refusals(ctx, id)
	if err != nil {
		return nil, err
	}
	if id == "" || len(stories)+len(refusals) == 0 {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_NOT_FOUND, id)
	}
	var out []operator.Document
	for _, s := range stories {
		d, err := h.accepted(ctx, s)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	for _, r := range refusals {
		d, err := h.refused(ctx, r)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// refused tells of a submission that was refused as a whole.
func (h *Hub) refused(ctx context.Context, r ledger.RefusedSubmission) (operator.Document, error) {
	d := operator.Document{
		ID: r.ID, Sender: r.Sender, Endpoint: r.Endpoint, Refused: strings.TrimPrefix(r.Reason.String(), "REASON_"),
		Evidence: []operator.Evidence{{
			LeafIndex: r.Position, Event: evidence.EventName(axispb.Event_EVENT_SUBMISSION_REJECTION),
			Issuer: evidence.AxisIssuer, Standing: "FIRST", TimeMS: r.TimeMS,
		}},
	}
	why, err := h.refusal(ctx, r.Position)
	if err != nil {
		return d, err
	}
	d.RefusedWhy, d.RefusedWhyVI = reason.Sentence(why, reason.English), reason.Sentence(why, reason.Vietnamese)
	return d, nil
}

// refusal reads the reason of a refused submission, with its arguments, which the
// ledger does not have, from the statement in the journal.
func (h *Hub) refusal(ctx context.Context, position uint64) (*axispb.Reason, error) {
	record, err := h.record(ctx, position)
	if err != nil {
		return nil, err
	}
	st, _, err := h.trust.Statement(record.GetBody())
	return st.GetReason(), err
}

// accepted tells of a submission that was accepted. Why single recipients were
// refused stands with its arguments in the decision alone.
func (h *Hub) accepted(ctx context.Context, s ledger.Story) (operator.Document, error) {
	d := story(s)
	d.Labels = h.labelsOf(ctx, s)
	if len(s.Refused) == 0 {
		return d, nil
	}
	record, err := h.record(ctx, s.Position)
	if err != nil {
		return d, err
	}
	decision := new(axispb.Decision)
	if err := proto.Unmarshal(record.GetDecision(), decision); err != nil {
		return d, fmt.Errorf("the decision of record %d: %w", s.Position, err)
	}
	for _, r := range decision.GetDocument().GetRefused() {
		d.Recipients = append(d.Recipients, operator.Recipient{
			Code: r.GetCode(), State: StateName(axispb.State_STATE_REJECTED),
			Reason: reason.Sentence(r.GetReason(), reason.English), ReasonVI: reason.Sentence(r.GetReason(), reason.Vietnamese),
		})
	}
	return d, nil
}

func (h *Hub) record(ctx context.Context, position uint64) (*axispb.Record, error) {
	return recordAt(ctx, h.ledger, h.records(), position)
}

func recordAt(ctx context.Context, l *ledger.Ledger, from records, position uint64) (*axispb.Record, error) {
	s, err := l.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close() //nolint:errcheck // a snapshot only reads
	at, found, err := s.Locate(ctx, position)
	if err != nil || !found {
		return nil, errors.Join(err, fmt.Errorf("record %d cannot be located", position))
	}
	return from.Record(ctx, mailbox.Location(at))
}

func story(s ledger.Story) operator.Document {
	d := operator.Document{
		ID: s.ID, Sender: s.Sender, Subject: s.Subject, Kind: s.Kind, Epoch: s.Epoch, LeafIndex: s.Leaf,
		Commitment: hex.EncodeToString(s.Commitment), Manifest: hex.EncodeToString(s.Manifest), Endpoint: s.Endpoint,
		AcceptedMS: s.AcceptedMS, Files: s.Files, Bytes: s.Bytes, Urgent: s.Lane == axispb.Lane_LANE_URGENT,
	}
	for _, r := range s.Recipients {
		d.Recipients = append(d.Recipients, operator.Recipient{
			Code: r.Code, Serving: r.Serving, Endpoint: r.Endpoint, State: StateName(r.State), SinceMS: r.SinceMS,
		})
	}
	for _, e := range s.Evidence {
		d.Evidence = append(d.Evidence, operator.Evidence{
			LeafIndex: e.Position, Code: e.Code, Event: evidence.EventName(e.Event), Issuer: e.Issuer,
			Standing: strings.TrimPrefix(e.Standing.String(), "STANDING_"), TimeMS: e.TimeMS,
		})
	}
	tellAll(s, &d)
	return d
}

// Invite makes a one-time right to enrol an endpoint. Only the hash of its secret
// is journaled.
func (h *Hub) Invite(ctx context.Context, req operator.Invite) (operator.Invited, error) {
	if len(req.Codes) == 0 {
		return operator.Invited{}, reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT, "name at least one code that the endpoint will serve")
	}
	name, err := h.endpointName(req)
	if err != nil {
		return operator.Invited{}, err
	}
	return h.invite(ctx, req.Why, &axispb.Invitation{Endpoint: name, Codes: req.Codes}, req.Hours)
}

// invite journals an invitation with a new secret and the time that it lasts.
func (h *Hub) invite(ctx context.Context, why operator.Why, i *axispb.Invitation, hours int) (operator.Invited, error) {
	inv := bus.Invite{Address: h.address(), Pin: registry.PinOf(h.ca.Load().Certificate())}
	if _, err := io.ReadFull(h.cfg.Random, inv.Secret[:]); err != nil {
		return operator.Invited{}, fmt.Errorf("make a secret: %w", err)
	}
	if hours <= 0 {
		hours = 7 * 24
	}
	i.SecretHash, i.ExpiresMs = inv.SecretHash(), h.now().Add(time.Duration(hours)*time.Hour).UnixMilli()
	_, err := h.intake.Change(ctx, "", change(why.Actor, why.Reason, &axispb.Change{Change: &axispb.Change_Invite{Invite: i}}))
	if err != nil {
		return operator.Invited{}, err
	}
	return operator.Invited{Invitation: inv.String(), Endpoint: i.Endpoint, Codes: i.Codes, ExpiresMS: i.ExpiresMs}, nil
}

// endpointName makes a name that a person can read: the first code and four
// characters, so that a later endpoint for the same code has another.
func (h *Hub) endpointName(req operator.Invite) (string, error) {
	if req.Endpoint != "" {
		return req.Endpoint, nil
	}
	b := make([]byte, 3)
	if _, err := io.ReadFull(h.cfg.Random, b); err != nil {
		return "", fmt.Errorf("make a name: %w", err)
	}
	code := strings.ToLower(strings.ReplaceAll(req.Codes[0], ".", "-"))
	tail := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))[:4]
	return code + "-" + tail, nil
}

// ConfirmClock lets the journal follow a clock that jumped.
func (h *Hub) ConfirmClock(ctx context.Context, req operator.Why) (operator.Done, error) {
	if err := h.intake.ConfirmClock(ctx, req.Actor, req.Reason); err != nil {
		return operator.Done{}, err
	}
	return operator.Done{OK: true}, nil
}
