package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

// codeSealed is JetStream's refusal of a publish to a sealed stream, which the client
// library does not name: another writer closed it.
const codeSealed jetstream.ErrorCode = 10109

// Waits between attempts to settle.
const (
	firstWait = 2 * time.Millisecond
	lastWait  = 500 * time.Millisecond
)

// proposal is a block on its way to a fixed place: sent again it can only land there.
type proposal struct {
	entry Entry
	fence uint64
}

// Append stores a block that the caller built on Tail: version, epoch, number,
// first_leaf, root_before, previous_digest and at least one record. The caller must not
// change it afterwards. Errors are ErrFenced, ErrUnclear (also while an earlier block is
// unclear), ErrFull, ErrTooLarge and ErrNotNext, each with its own remedy; after any
// other error nothing was sent, and the same block may be appended again.
func (j *Journal) Append(ctx context.Context, block *axispb.Block) (Entry, error) {
	done, err := j.take(ctx)
	if err != nil {
		return Entry{}, err
	}
	defer done()
	if j.pending != nil {
		if !proto.Equal(block, j.pending.entry.Block) {
			return Entry{}, ErrUnclear
		}
		return j.commit(ctx, j.pending)
	}
	if err := j.enter(ctx); err != nil {
		return Entry{}, err
	}
	if block.Closing != nil || len(block.Records) == 0 {
		return Entry{}, fmt.Errorf("%w: a closing block, or no records", ErrNotNext)
	}
	p, err := j.propose(block)
	if err != nil {
		return Entry{}, err
	}
	if j.NeedsRotation(len(p.entry.Raw)) {
		return Entry{}, ErrFull
	}
	return j.commit(ctx, p)
}

// Settle finds out what became of a block whose append is unclear: nil with its entry
// when it is stored, ErrFenced when it never will be, ErrUnclear when the context ended
// first. With nothing unclear it returns a zero Entry.
func (j *Journal) Settle(ctx context.Context) (Entry, error) {
	done, err := j.take(ctx)
	if err != nil {
		return Entry{}, err
	}
	defer done()
	if j.pending == nil {
		return Entry{}, nil
	}
	return j.commit(ctx, j.pending)
}

// propose checks a block against the tail and marshals it, for the only time.
func (j *Journal) propose(block *axispb.Block) (*proposal, error) {
	e := j.now()
	at := Location{e.stream, e.fence + 1}
	if err := e.check(block, at, j.streamName); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotNext, err)
	}
	raw, err := proto.Marshal(block)
	if err != nil {
		return nil, fmt.Errorf("journal: marshal a block: %w", err)
	}
	if len(raw) > MaxBlock {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(raw), MaxBlock)
	}
	entry := Entry{Block: block, Raw: raw, Digest: sha256.Sum256(raw), Location: at}
	return &proposal{entry: entry, fence: e.fence}, nil
}

// commit sends a proposal until its fate is known. Where the context ends first it
// stays pending, and bars every other block: an answer given on a later one could
// otherwise contradict this one when it turns out to be stored.
func (j *Journal) commit(ctx context.Context, p *proposal) (Entry, error) {
	if err := ctx.Err(); err != nil && j.pending == nil {
		return Entry{}, err
	}
	point := "append"
	if j.pending != nil {
		point = "settle.send"
	}
	j.pending = p
	err := j.decide(ctx, p, point)
	switch {
	case err == nil:
		j.pending = nil
		j.advance(p.entry)
		return p.entry, nil
	case errors.Is(err, ErrFenced):
		j.pending = nil
		return Entry{}, err
	}
	return Entry{}, fmt.Errorf("%w: block %d at %v: %w", ErrUnclear, p.entry.Block.Number, p.entry.Location, err)
}

// errTaken is an attempt's answer that something stands at the proposal's place, or did
// when the server looked: in a cluster it may still come to nothing.
var errTaken = errors.New("its place is taken")

// decide repeats the same block with the same expected sequence. It returns nil (stored),
// ErrFenced, or why there was no answer before the context ended.
func (j *Journal) decide(ctx context.Context, p *proposal, point string) error {
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		err := j.send(ctx, p, point)
		if errors.Is(err, errTaken) {
			var settled bool
			if settled, err = j.compare(ctx, p, err); settled {
				return err
			}
		}
		if err == nil {
			return nil
		}
		point = "settle.send"
		if pause(ctx, wait) != nil {
			return errors.Join(err, ctx.Err())
		}
	}
}

// send makes one attempt. Only nil is a definite answer.
func (j *Journal) send(ctx context.Context, p *proposal, point string) error {
	if err := j.cfg.Faults.At(point + ".before"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, j.cfg.AttemptTimeout)
	defer cancel()
	at := p.entry.Location
	msg := &nats.Msg{Subject: j.subject(at.Stream), Data: p.entry.Raw}
	ack, err := j.js.PublishMsg(ctx, msg, jetstream.WithRetryAttempts(0),
		jetstream.WithExpectStream(j.streamName(at.Stream)), jetstream.WithExpectLastSequence(p.fence))
	if taken(err) {
		return fmt.Errorf("%w: %w", errTaken, err)
	}
	if err != nil {
		return err
	}
	if ack.Sequence != at.Seq {
		return fmt.Errorf("%w: acknowledged at sequence %d", errTaken, ack.Sequence)
	}
	return j.cfg.Faults.At(point + ".after")
}

func taken(err error) bool {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode {
	case jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant, codeSealed:
		return true
	}
	return false
}

// compare reads what stands at a proposal's place: the block itself, or another, settles
// it; nothing readable settles nothing, and returns why it was asked.
func (j *Journal) compare(ctx context.Context, p *proposal, why error) (settled bool, err error) {
	if err := j.cfg.Faults.At("settle.read.before"); err != nil {
		return false, err
	}
	m, err := j.one(ctx, p.entry.Location, j.cfg.AttemptTimeout)
	if err != nil {
		return false, err
	}
	if err := j.cfg.Faults.At("settle.read.after"); err != nil {
		return false, err
	}
	if m == nil {
		return false, why
	}
	if !bytes.Equal(m.data, p.entry.Raw) {
		return true, fmt.Errorf("%w: at %v", ErrFenced, m.at)
	}
	return true, nil
}

// pause waits, or returns the context's error when it ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
