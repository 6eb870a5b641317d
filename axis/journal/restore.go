package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"

	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

// Restore appends a block that another journal had, closing blocks included, as the
// exact bytes it had there: it is never marshalled again, so its digest stays, and
// with it the chain. The block must continue the tail (ErrNotNext); where it lies in
// its stream may differ. Streams end where they ended, whatever MaxStreamBytes says,
// because closing blocks name them. Other errors are those of Append.
func (j *Journal) Restore(ctx context.Context, raw []byte) (Entry, error) {
	done, err := j.take(ctx)
	if err != nil {
		return Entry{}, err
	}
	defer done()
	if p := j.pending; p != nil {
		if !bytes.Equal(p.entry.Raw, raw) {
			return Entry{}, ErrUnclear
		}
		return j.commit(ctx, p)
	}
	if err := j.enter(ctx); err != nil {
		return Entry{}, err
	}
	p, err := j.proposeRaw(raw)
	if err != nil {
		return Entry{}, err
	}
	return j.commit(ctx, p)
}

func (j *Journal) proposeRaw(raw []byte) (*proposal, error) {
	if len(raw) > MaxBlock {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(raw), MaxBlock)
	}
	block := new(axispb.Block)
	if err := proto.Unmarshal(raw, block); err != nil {
		return nil, fmt.Errorf("%w: not a block: %w", ErrNotNext, err)
	}
	e := j.now()
	at := Location{e.stream, e.fence + 1}
	if err := e.check(block, at, j.streamName); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotNext, err)
	}
	entry := Entry{Block: block, Raw: bytes.Clone(raw), Digest: sha256.Sum256(raw), Location: at}
	return &proposal{entry: entry, fence: e.fence}, nil
}
