package mailbox

import (
	"context"
	"slices"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/chunk"
	"docaxis/proto/axispb"
)

// What a page brings of contents (service.proto). Beside 1 MiB of items it stays far
// below the largest message.
const (
	maxContents   = 128 << 10
	maxChunks     = 64
	smallDocument = 16 << 10
	// smallEnvelope bounds what is read to find out whether a document is small.
	smallEnvelope = 32 << 10
)

// Contents serves chunks with the rights and the checks of the service that endpoints
// ask for them.
type Contents interface {
	// Chunk gives a whole chunk of so many bytes of the document at a leaf. Its error
	// is what an endpoint would be told that asked for it.
	Chunk(ctx context.Context, endpoint string, leaf uint64, digest []byte, size uint32) ([]byte, error)
}

// carrier adds contents to a page whose snapshot is closed: while chunks are read and
// hashed nobody waits for them but who asked.
type carrier struct {
	contents Contents
	endpoint string
	room     uint64
	page     *axispb.Page
	has      map[chunk.ID]bool
}

func (m *Mailbox) carry(ctx context.Context, endpoint string, asked uint32, page *axispb.Page, documents []*axispb.Item) {
	c := &carrier{
		contents: m.contents, endpoint: endpoint, room: min(uint64(asked), maxContents),
		page: page, has: map[chunk.ID]bool{},
	}
	for _, item := range documents {
		if c.room == 0 || len(page.Contents) >= maxChunks || ctx.Err() != nil {
			return
		}
		c.document(ctx, item)
	}
}

// document adds the chunks of a small document, if all of them fit. What cannot be
// served now is left out: the endpoint asks for it and is told why.
func (c *carrier) document(ctx context.Context, item *axispb.Item) {
	pieces := small(item.GetRecord().GetBody())
	pieces = slices.DeleteFunc(pieces, func(p piece) bool { return c.has[p.id] })
	total := uint64(0)
	for _, p := range pieces {
		total += uint64(p.size)
	}
	if total > c.room || len(c.page.Contents)+len(pieces) > maxChunks {
		return
	}
	for _, p := range pieces {
		if c.has[p.id] {
			continue // the document has the file twice
		}
		data, err := c.contents.Chunk(ctx, c.endpoint, item.GetLeafIndex(), p.id[:], p.size)
		if err != nil {
			return
		}
		c.page.Contents = append(c.page.Contents, &axispb.PageChunk{Digest: p.id[:], Data: data})
		c.has[p.id] = true
		c.room -= uint64(len(data))
	}
}

// piece is the only chunk of a small file.
type piece struct {
	id   chunk.ID
	size uint32
}

// small lists the chunks of a small document; none of any other.
func small(envelope []byte) (pieces []piece) {
	env := new(axispb.Envelope)
	if len(envelope) > smallEnvelope || proto.Unmarshal(envelope, env) != nil {
		return nil
	}
	left := uint64(smallDocument)
	for _, f := range env.GetContents() {
		size := f.GetSize()
		if size > left || uint64(len(f.GetChunks())) != chunk.Count(size) {
			return nil
		}
		left -= size
		for _, digest := range f.GetChunks() {
			id, err := chunk.ParseID(digest)
			if err != nil {
				return nil
			}
			pieces = append(pieces, piece{id, uint32(size)})
		}
	}
	return pieces
}
