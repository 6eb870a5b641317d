package intake

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

const (
	// defaultRegistrations is how many changes of the registry one endpoint may have
	// journaled within a day: each is served to every endpoint.
	defaultRegistrations = 1000
	// heldQuota is how many requests of one endpoint may wait for an operator.
	heldQuota = 100
)

// Registrar is what a decision about endpoints' own changes needs of the registry, as
// of the tail.
type Registrar interface {
	// Register judges what an endpoint asks. Its error is permanent.
	Register(ask *axispb.AgencyRequest, at time.Time) (Registration, error)
	// Approval gives the steps of a request that an operator approves; none where what
	// it asks for is so already.
	Approval(id string, at time.Time) ([]*axispb.Change, error)
}

// Registration is what a request of an endpoint comes to.
type Registration struct {
	// Steps make it so; none where it is so already, by the record at Position.
	Steps    []*axispb.Change
	Position uint64
	// Held: an operator decides on Ask first. Request is the id under which the very
	// same waits already, and Waiting counts the endpoint's requests.
	Held    bool
	Ask     *axispb.AgencyRequest
	Request string
	Waiting int
}

// registration is an endpoint's request about an agency.
type registration struct {
	endpoint string
	ask      *axispb.AgencyRequest
}

// Register carries out what an endpoint asks about an agency below one that it serves,
// or holds it for an operator, as the policy says. The answer to a repetition is that
// of the first.
func (in *Intake) Register(ctx context.Context, endpoint string, req *axispb.RegisterRequest) (*axispb.RegisterAnswer, error) {
	ask := &axispb.AgencyRequest{Endpoint: endpoint, Put: req.GetPut(), Close: req.GetClose()}
	if size := proto.Size(ask); size > maxAsk {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, fmt.Sprintf("a request of %d bytes, more than %d", size, maxAsk))
	}
	a, err := in.wait(ctx, registration{endpoint, ask})
	if err != nil {
		return nil, err
	}
	if a.held != "" {
		return &axispb.RegisterAnswer{Held: a.held}, nil
	}
	receipt, err := in.proofs.Receipt(ctx, a.leaf)
	return &axispb.RegisterAnswer{Receipt: receipt}, err
}

// maxAsk is far more than the texts of an agency may have.
const maxAsk = 16 << 10

// decide judges the request on a registry that has everything journaled before it.
func (r registration) decide(_ context.Context, b *block) (outcome, error) {
	got, err := b.in.registrar.Register(r.ask, b.at)
	switch {
	case err != nil:
		return outcome{}, err
	case got.Held && got.Request != "":
		return outcome{index: -1, leaf: &got.Position, held: got.Request}, nil
	case !got.Held && len(got.Steps) == 0:
		return outcome{index: -1, leaf: &got.Position}, nil
	case !b.in.registrations.has(r.endpoint, 1, b.at):
		return outcome{}, b.in.registrations.over("changes of the registry a day")
	}
	c, held, err := r.change(b, got)
	if err != nil {
		return outcome{}, err
	}
	o, err := c.decide(context.Background(), b)
	if err != nil {
		return outcome{}, err
	}
	b.in.registrations.take(r.endpoint, 1, b.at)
	o.held = held
	return o, nil
}

// change is what becomes a record: what was asked, or that it was.
func (r registration) change(b *block, got Registration) (c *changes, held string, err error) {
	steps := got.Steps
	if got.Held {
		if got.Waiting >= heldQuota {
			return nil, "", reason.Permanent(axispb.ReasonCode_REASON_FORBIDDEN, strconv.Itoa(heldQuota)+" requests that wait for an operator")
		}
		id := make([]byte, 16)
		if _, err := io.ReadFull(b.in.cfg.Random, id); err != nil {
			return nil, "", fmt.Errorf("make an id: %w", err)
		}
		held = hex.EncodeToString(id)
		ask := proto.Clone(got.Ask).(*axispb.AgencyRequest)
		ask.Id = held
		steps = []*axispb.Change{{Change: &axispb.Change_RequestAgency{RequestAgency: ask}}}
	}
	c, err = newChanges(r.endpoint, &axispb.RegistryChange{Version: 1, Actor: r.endpoint, Changes: steps})
	return c, held, err
}

// decisionOn is an operator's word on a request.
type decisionOn struct {
	id            string
	approved      bool
	actor, reason string
}

// Settle journals what an operator decides about a request: where it is approved, with
// the change that it asked for, both or neither. What it asked for may be refused by
// now, with the reason that the endpoint would get.
func (in *Intake) Settle(ctx context.Context, id string, approved bool, actor, why string) (uint64, error) {
	a, err := in.wait(ctx, decisionOn{id, approved, actor, why})
	return a.leaf, err
}

func (d decisionOn) decide(ctx context.Context, b *block) (outcome, error) {
	word := func(steps ...*axispb.Change) *axispb.RegistryChange {
		return &axispb.RegistryChange{Version: 1, Actor: d.actor, Reason: d.reason, Changes: steps}
	}
	var all []*axispb.RegistryChange
	if d.approved {
		steps, err := b.in.registrar.Approval(d.id, b.at)
		if err != nil {
			return outcome{}, err
		}
		if len(steps) > 0 {
			all = append(all, word(steps...))
		}
	}
	all = append(all, word(&axispb.Change{Change: &axispb.Change_SettleRequest{
		SettleRequest: &axispb.SettleRequest{Id: d.id, Approved: d.approved},
	}}))
	c, err := newChanges("", all...)
	if err != nil {
		return outcome{}, err
	}
	return c.decide(ctx, b)
}
