package axis

import (
	"context"
	"errors"

	"google.golang.org/protobuf/proto"

	"docaxis/axis/ledger"
	axistlog "docaxis/axis/tlog"
	"docaxis/internal/bus"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// services lists what endpoints may ask, each with its handler.
func (h *Hub) services() map[bus.Service]bus.Handler {
	all := h.handlers()
	for s, f := range all {
		f = h.guarded(s, f)
		all[s] = func(ctx context.Context, endpoint string, raw []byte) (proto.Message, error) {
			h.heard.note(endpoint, h.now())
			return h.gated(ctx, s, f, endpoint, raw)
		}
	}
	return all
}

// gated serves a request in its turn (gate), and sees what its error says of the ledger.
func (h *Hub) gated(ctx context.Context, s bus.Service, f bus.Handler, endpoint string, raw []byte) (proto.Message, error) {
	if err := h.recovery.gate.pass(s, endpoint); err != nil {
		return nil, err
	}
	answer, err := f(ctx, endpoint, raw)
	h.heed(err)
	return answer, err
}

func (h *Hub) handlers() map[bus.Service]bus.Handler {
	return map[bus.Service]bus.Handler{
		bus.Submit:   handle(h.submit),
		bus.Evidence: handle(h.evidence),
		bus.Pull:     handle(h.pull),
		bus.Proof:    handle(h.proof),
		bus.Have:     h.contentService.Have,
		bus.Put:      h.contentService.Put,
		bus.Get:      h.get,
		bus.Recover:  handle(h.takeBack),
		bus.Enrol:    handle(h.enrol),
		bus.Renew:    handle(h.renew),
		bus.Register: handle(h.register),
	}
}

// message is a pointer to a protobuf message.
type message[T any] interface {
	*T
	proto.Message
}

// handle reads a request before it calls a method.
func handle[T any, P message[T], A proto.Message](f func(context.Context, string, P) (A, error)) bus.Handler {
	return func(ctx context.Context, endpoint string, raw []byte) (proto.Message, error) {
		req := P(new(T))
		if err := proto.Unmarshal(raw, req); err != nil {
			return nil, reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "request")
		}
		answer, err := f(ctx, endpoint, req)
		if err != nil {
			return nil, err
		}
		return answer, nil
	}
}

func (h *Hub) submit(ctx context.Context, endpoint string, req *axispb.SubmitRequest) (*axispb.SubmitAnswer, error) {
	return h.intake.Submit(ctx, endpoint, req)
}

func (h *Hub) evidence(ctx context.Context, endpoint string, req *axispb.EvidenceRequest) (*axispb.EvidenceAnswer, error) {
	return h.intake.Evidence(ctx, endpoint, req.GetEvidence())
}

// proof shows that the log extends what an endpoint saw, and that it has a leaf.
// Both are about commitments alone, so any endpoint may ask.
func (h *Hub) proof(ctx context.Context, _ string, req *axispb.ProofRequest) (*axispb.ProofAnswer, error) {
	s, err := h.ledger.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close() //nolint:errcheck // a snapshot only reads
	to, size := req.GetToSize(), s.Position.Size
	if to == 0 {
		to = size
	}
	leaf, asked := req.GetLeafIndexPlusOne()-1, req.GetLeafIndexPlusOne() > 0
	if to > size || req.GetFromSize() > to || asked && leaf >= to {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "sizes beyond the log")
	}
	out, err := prove(s, req.GetFromSize(), to, leaf, asked)
	if err == nil && asked && req.GetTime() {
		err = h.timed(ctx, s, req.GetEpoch(), leaf, out)
	}
	return out, err
}

// prove reads from the one snapshot: whoever held it and asked the ledger for more
// would wait for those who do the same.
func prove(s *ledger.Snapshot, from, to, leaf uint64, asked bool) (*axispb.ProofAnswer, error) {
	out := &axispb.ProofAnswer{Checkpoint: s.Position.Checkpoint}
	var err error
	if from > 0 {
		if out.Consistency, err = axistlog.Consistency(from, to, s); err != nil {
			return nil, err
		}
	}
	if asked {
		out.Inclusion, err = axistlog.Inclusion(to, leaf, s)
	}
	return out, err
}

// get serves content; of a document that was got back it may still have to come.
func (h *Hub) get(ctx context.Context, endpoint string, raw []byte) (proto.Message, error) {
	answer, err := h.contentService.Get(ctx, endpoint, raw)
	if err == nil {
		return answer, nil
	}
	var req axispb.GetRequest
	if proto.Unmarshal(raw, &req) != nil {
		return nil, err
	}
	may, lookup := h.ledger.MayRead(ctx, endpoint, req.GetLeafIndex(), req.GetDigest())
	if lookup != nil || !may {
		return nil, errors.Join(err, lookup)
	}
	return nil, h.missing(ctx, &req, err)
}

// chunks are what the content service serves, as the mailbox puts it into pages: each
// chunk is asked for in the endpoint's name, as if it had asked itself.
type chunks struct{ *Hub }

func (c chunks) Chunk(ctx context.Context, endpoint string, leaf uint64, digest []byte, size uint32) ([]byte, error) {
	raw, err := proto.Marshal(&axispb.GetRequest{LeafIndex: leaf, Digest: digest, Length: size})
	if err != nil {
		return nil, err
	}
	answer, err := c.gated(ctx, bus.Get, c.get, endpoint, raw)
	if err != nil {
		return nil, err
	}
	return answer.(*axispb.GetAnswer).GetData(), nil
}
