package intake

import (
	"context"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// maxChange is the largest registry change in bytes, as the largest envelope.
const maxChange = 384 << 10

// changes are registry changes that become records of one block, all or none.
type changes struct {
	endpoint string // that asked for them; empty for an operator
	all      []*axispb.RegistryChange
	raw      [][]byte
}

// Change journals registry changes, all or none, and gives the leaf index of the
// first. A change that contradicts the registry is refused with
// REASON_REGISTRY_CONFLICT, or the reason that fits it.
func (in *Intake) Change(ctx context.Context, endpoint string, all ...*axispb.RegistryChange) (uint64, error) {
	c, err := newChanges(endpoint, all...)
	if err != nil {
		return 0, err
	}
	a, err := in.wait(ctx, c)
	return a.leaf, err
}

func newChanges(endpoint string, all ...*axispb.RegistryChange) (*changes, error) {
	c := &changes{endpoint: endpoint, all: all}
	for _, change := range all {
		raw, err := proto.Marshal(change)
		if err != nil {
			return nil, reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "registry change").Because(err)
		}
		if len(raw) > maxChange {
			return nil, reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT, "the change is larger than 384 KiB; split it")
		}
		c.raw = append(c.raw, raw)
	}
	return c, nil
}

// decide checks the changes against the registry at the tail. They end their
// block, so that every later decision is made on a registry that has them.
func (c *changes) decide(_ context.Context, b *block) (outcome, error) {
	size := 0
	for i, change := range c.all {
		if err := b.in.registry.Check(change, b.at); err != nil {
			return outcome{}, err
		}
		size += len(c.raw[i]) + 256
	}
	if b.bytes+size > blockBytes {
		return outcome{}, errFull
	}
	first := len(b.records)
	for _, raw := range c.raw {
		if _, err := b.add(axispb.Kind_KIND_REGISTRY, raw, &axispb.Decision{Endpoint: c.endpoint}); err != nil {
			return outcome{}, err
		}
	}
	b.closed = true
	return outcome{index: first}, nil
}

// act is something an administrator did.
type act struct {
	raw []byte
	// confirms is the clock's reading that the act says is right; nil in all others.
	confirms *reading
}

func (a act) decide(_ context.Context, b *block) (outcome, error) {
	index, err := b.add(axispb.Kind_KIND_ACT, a.raw, &axispb.Decision{})
	return outcome{index: index}, err
}
