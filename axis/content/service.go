package content

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/chunk"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Bounds of requests in bytes, looked at before anything is read of them: the
// largest that makes sense, with room for the framing of its fields.
const (
	maxHaveRequest = maxDigests*(32+2) + 64
	maxPutRequest  = chunk.MaxRange + 256
	maxGetRequest  = 256
)

// Access says who may read a chunk: the parties of a document that holds it.
type Access interface {
	// MayRead reports whether the endpoint is a party of the document at
	// leafIndex and that document holds the chunk. An unknown document is no
	// error: false. It must not tell by its time which of the two was untrue.
	MayRead(ctx context.Context, endpoint string, leafIndex uint64, digest []byte) (bool, error)
	// Released is the journal time, in Unix milliseconds, at which the content of a
	// document was released; 0 while it is kept.
	Released(ctx context.Context, leafIndex uint64) (int64, error)
}

// Service answers what endpoints ask about chunks (proto/service.proto). Its
// methods are handlers of the bus.
type Service struct {
	store  *Store
	access Access
}

// NewService makes the handlers over a store.
func NewService(store *Store, access Access) *Service {
	return &Service{store: store, access: access}
}

// Have answers a HaveRequest with a HaveAnswer.
func (v *Service) Have(ctx context.Context, endpoint string, req []byte) (proto.Message, error) {
	var ask axispb.HaveRequest
	if err := decode(req, &ask, maxHaveRequest); err != nil {
		return nil, err
	}
	held, err := v.store.Have(ctx, endpoint, ask.GetDigests())
	if err != nil {
		return nil, err
	}
	return &axispb.HaveAnswer{Held: held}, nil
}

// Put answers a PutRequest with a PutAnswer.
func (v *Service) Put(ctx context.Context, endpoint string, req []byte) (proto.Message, error) {
	var ask axispb.PutRequest
	if err := decode(req, &ask, maxPutRequest); err != nil {
		return nil, err
	}
	held, err := v.store.Put(ctx, endpoint, &ask)
	if err != nil {
		return nil, err
	}
	return &axispb.PutAnswer{Held: held}, nil
}

// Get answers a GetRequest with a GetAnswer. A chunk that the endpoint may not
// read and one that nobody has get the same answer, and the disk is looked at for
// neither. From the release of a document on, its parties are told so, permanently:
// the chunk may still be there for a while, but nobody may rely on it.
func (v *Service) Get(ctx context.Context, endpoint string, req []byte) (proto.Message, error) {
	var ask axispb.GetRequest
	if err := decode(req, &ask, maxGetRequest); err != nil {
		return nil, err
	}
	id, err := chunk.ParseID(ask.GetDigest())
	if err != nil {
		return nil, malformed("%v", err)
	}
	may, err := v.access.MayRead(ctx, endpoint, ask.GetLeafIndex(), id[:])
	if err != nil {
		return nil, unavailable(err)
	}
	if !may {
		return nil, notFound(id)
	}
	released, err := v.access.Released(ctx, ask.GetLeafIndex())
	if err != nil {
		return nil, unavailable(err)
	}
	if released != 0 {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_CONTENT_RELEASED, reason.Time(time.UnixMilli(released)))
	}
	data, err := v.store.ReadRange(ctx, id, ask.GetOffset(), ask.GetLength())
	if err != nil {
		return nil, err
	}
	return &axispb.GetAnswer{Data: data}, nil
}

func decode(req []byte, into proto.Message, limit int) error {
	if len(req) > limit {
		return malformed("at most %d bytes, not %d", limit, len(req))
	}
	if err := proto.Unmarshal(req, into); err != nil {
		return malformed("the request cannot be read")
	}
	return nil
}
