package content

import (
	"context"
	"crypto/sha256"
	"errors"

	"golang.org/x/sync/errgroup"

	"docaxis/internal/chunk"
	"docaxis/proto/axispb"
)

// aboardAtOnce is how many chunks of one submission are stored side by side: as many as
// an endpoint puts at once (docs/decisions/0085-two-ranges-on-a-fast-line.md).
const aboardAtOnce = 4

// PutAboard stores whole chunks that came inside a submission of these files, each by the
// way of Put, and returns nil when all are complete. Errors are those of Put, and
// REASON_DIGEST_MISMATCH, permanent, for a chunk that no file lists: nothing is stored
// then. After others some of the chunks may be there, as after uploads of which one failed.
//
// What bytes are called is found out here: nobody comes to possess a chunk whose bytes it
// did not bring.
func (s *Store) PutAboard(ctx context.Context, endpoint string, files []*axispb.FileContent, chunks [][]byte) error {
	if err := boundAboard(chunks); err != nil || len(chunks) == 0 {
		return err
	}
	all, err := nameAboard(files, chunks)
	if err != nil {
		return err
	}
	return unavailable(s.step("aboard", func() error {
		var g errgroup.Group
		g.SetLimit(aboardAtOnce)
		for id, data := range all {
			g.Go(func() error { return s.putAboard(ctx, endpoint, id, data) })
		}
		return g.Wait()
	}))
}

// boundAboard looks at sizes before anything is hashed or written.
func boundAboard(chunks [][]byte) error {
	if len(chunks) > chunk.MaxAboardCount {
		return malformed("at most %d chunks in a submission, not %d", chunk.MaxAboardCount, len(chunks))
	}
	total := 0
	for _, data := range chunks {
		if len(data) == 0 {
			return malformed("an empty chunk in a submission")
		}
		total += len(data)
	}
	if total > chunk.MaxAboard {
		return malformed("at most %d bytes of chunks in a submission, not %d", chunk.MaxAboard, total)
	}
	return nil
}

// nameAboard names each chunk, and refuses one that no file lists: a submission is no
// further way to upload whatever one likes.
func nameAboard(files []*axispb.FileContent, chunks [][]byte) (map[chunk.ID][]byte, error) {
	all, unlisted := map[chunk.ID][]byte{}, map[chunk.ID]bool{}
	for _, data := range chunks {
		id := chunk.ID(sha256.Sum256(data))
		all[id], unlisted[id] = data, true
	}
	for _, f := range files {
		for _, digest := range f.GetChunks() {
			if id, err := chunk.ParseID(digest); err == nil {
				delete(unlisted, id)
			}
		}
	}
	for id := range unlisted {
		return nil, mismatch(id.String())
	}
	return all, nil
}

// putAboard puts a chunk, whatever an earlier upload of it left: it goes on from there.
func (s *Store) putAboard(ctx context.Context, endpoint string, id chunk.ID, data []byte) error {
	req := &axispb.PutRequest{Digest: id[:], Size: uint32(len(data)), Data: data}
	// Once more than a begun part needs: another request of the endpoint may put it, too.
	for range 3 {
		held, err := s.Put(ctx, endpoint, req)
		if err != nil || held.GetComplete() {
			return err
		}
		req.Offset, req.Data = held.GetBytes(), data[min(int(held.GetBytes()), len(data)):]
	}
	return unavailable(errors.New("another request puts the same chunk"))
}
