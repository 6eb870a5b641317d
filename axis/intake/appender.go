package intake

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

const (
	// queueLength bounds what waits to be decided; the bus bounds each endpoint.
	queueLength = 4096
	// blockBytes is the room for records in a block: JetStream commits blocks of up
	// to 512 KiB best (docs/decisions), less what frames them.
	blockBytes = 500 << 10
	// receiptBytes is what a recovered record has beside the record that it carries.
	receiptBytes = 8 << 10
)

func cores() int { return max(runtime.GOMAXPROCS(0), 1) }

// errFull says that a record does not fit into the block any more.
var errFull = errors.New("the block is full")

// decider is something that waits for a decision. decide runs in the appender's
// goroutine, on state that includes every block up to the tail and the block
// being built; it may run again after a lost fence.
type decider interface {
	decide(ctx context.Context, b *block) (outcome, error)
}

// outcome is a decision: a record of the block, or one that is already journaled.
type outcome struct {
	index     int     // in the block; -1 where leaf is set
	leaf      *uint64 // journaled before
	rejection []byte  // the record refuses the submission
	held      string  // a request that waits for an operator
}

// answer is what whoever waits is told, once it is durable.
type answer struct {
	leaf      uint64
	rejection []byte
	held      string
	err       error
}

type candidate struct {
	decider
	done chan answer // buffered
}

// wait hands a decider to the appender and waits for its answer.
func (in *Intake) wait(ctx context.Context, d decider) (answer, error) {
	c := &candidate{decider: d, done: make(chan answer, 1)}
	if err := in.enqueue(ctx, c); err != nil {
		return answer{}, err
	}
	return in.outcomeOf(ctx, c)
}

// enqueue queues a candidate; the appender that has ended takes none.
func (in *Intake) enqueue(ctx context.Context, c *candidate) error {
	select {
	case in.queue <- c:
		return nil
	case <-in.ended:
	case <-ctx.Done():
	}
	return reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "the axis is stopping").Because(ctx.Err())
}

// outcomeOf waits for a candidate's answer, which nobody gives once the appender has
// ended: whoever asked asks again, and is told what became of it.
func (in *Intake) outcomeOf(ctx context.Context, c *candidate) (answer, error) {
	select {
	case a := <-c.done:
		return a, a.err
	case <-in.ended:
	case <-ctx.Done():
	}
	return answer{}, reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "the outcome is not known yet; ask again").Because(ctx.Err())
}

// Run decides and commits until ctx ends: group commit without a timer, a block
// being whatever came in while the one before it was written. An error means
// that the state on disk is unknown and the process must stop. It runs once.
func (in *Intake) Run(ctx context.Context) error {
	defer close(in.ended)
	var pending []*candidate
	for {
		if len(pending) == 0 {
			select {
			case <-ctx.Done():
				return nil
			case c := <-in.queue:
				pending = append(pending, c)
			}
		}
		pending = in.drain(pending)
		rest, err := in.step(ctx, pending)
		if err != nil {
			refuseAll(rest, err)
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		pending = rest
	}
}

// step does what comes next: one block, or what stands between two.
func (in *Intake) step(ctx context.Context, pending []*candidate) ([]*candidate, error) {
	if done, err := in.stepBetween(ctx, pending[0]); done {
		return pending[1:], err
	}
	return in.commit(ctx, pending)
}

// drain takes what waits without waiting for more.
func (in *Intake) drain(pending []*candidate) []*candidate {
	for len(pending) < queueLength {
		select {
		case c := <-in.queue:
			pending = append(pending, c)
		default:
			return pending
		}
	}
	return pending
}

// commit decides what fits into one block, commits it and answers. It gives back
// what did not fit.
func (in *Intake) commit(ctx context.Context, pending []*candidate) ([]*candidate, error) {
	for {
		in.confirmClock(pending)
		b, err := in.newBlock()
		if err != nil {
			refuseAll(pending, err)
			return nil, nil
		}
		decided, rest := b.fill(ctx, pending)
		if len(b.records) == 0 {
			b.answer(decided, 0)
			return rest, nil
		}
		done, err := in.log.Commit(ctx, b.records)
		if errors.Is(err, ErrDecideAgain) {
			continue
		}
		if err != nil {
			return pending, fmt.Errorf("commit a block: %w", err)
		}
		b.answer(decided, done.FirstLeaf)
		return rest, nil
	}
}

// refuseAll tells everybody who waits that nothing was decided.
func refuseAll(pending []*candidate, cause error) {
	err := reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "the journal cannot be written").Because(cause)
	var refusal *reason.Error
	if errors.As(cause, &refusal) {
		err = refusal
	}
	for _, c := range pending {
		c.done <- answer{err: err}
	}
}

// block is the block being built, with what its records change.
type block struct {
	in      *Intake
	at      time.Time // journal time of every record in it
	epoch   uint64
	first   uint64 // leaf index of its first record
	records []*axispb.Record
	bytes   int
	closed  bool // a registry change ends its block: later decisions need its effects

	documents map[identity]placed
	said      map[event]int
	counters  map[counter]said
	copies    map[recipient]evidence.Copy
	business  map[recipient]int // business states stated
	recovered map[[32]byte]int  // by commitment of the earlier record
}

type (
	identity struct{ sender, id string }
	placed   struct {
		index    int
		manifest [32]byte
		lane     axispb.Lane
		endpoint string
		past     bool // recovered: others name it by another record
	}
	recipient struct {
		document uint64
		code     string
	}
	event struct {
		recipient
		event  axispb.Event
		issuer string
	}
	counter struct {
		issuer string
		n      uint64
	}
	said struct {
		index  int
		digest [32]byte
	}
)

func (in *Intake) newBlock() (*block, error) {
	at, err := in.clock.journalTime()
	if err != nil {
		return nil, err
	}
	return &block{
		in: in, at: at, epoch: in.log.Epoch(), first: in.log.Size(),
		documents: map[identity]placed{}, said: map[event]int{},
		counters: map[counter]said{}, copies: map[recipient]evidence.Copy{}, business: map[recipient]int{},
	}, nil
}

type decided struct {
	*candidate
	outcome
	err error
}

// fill decides candidates in order until the block is full or closed.
func (b *block) fill(ctx context.Context, pending []*candidate) (done []decided, rest []*candidate) {
	for i, c := range pending {
		if _, alone := c.decider.(between); alone || b.closed {
			return done, pending[i:]
		}
		o, err := c.decide(ctx, b)
		if errors.Is(err, errFull) && len(b.records) > 0 {
			return done, pending[i:]
		}
		if errors.Is(err, errFull) {
			err = reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "a record larger than a block")
		}
		done = append(done, decided{c, o, err})
	}
	return done, nil
}

func (b *block) answer(all []decided, first uint64) {
	for _, d := range all {
		a := answer{err: d.err, rejection: d.rejection, held: d.held}
		switch {
		case d.err != nil:
		case d.leaf != nil:
			a.leaf = *d.leaf
		default:
			a.leaf = first + uint64(d.index)
		}
		d.done <- a
	}
}

// add makes a record of a body and its decision; errFull where it does not fit.
func (b *block) add(kind axispb.Kind, body []byte, d *axispb.Decision) (int, error) {
	r, err := NewRecord(b.in.cfg.Random, b.epoch, kind, b.at, body, d)
	if err != nil {
		return 0, err
	}
	size := len(r.Header) + len(body) + len(r.Decision) + 32
	limit := blockBytes
	if kind == axispb.Kind_KIND_RECOVERED && len(b.records) == 0 {
		limit += receiptBytes // the largest record, with its receipt, by itself
	}
	if b.bytes+size > limit {
		return 0, errFull
	}
	b.bytes += size
	b.records = append(b.records, r)
	return len(b.records) - 1, nil
}

// NewRecord makes a record of a body and what was decided about it.
func NewRecord(random io.Reader, epoch uint64, kind axispb.Kind, at time.Time, body []byte, d *axispb.Decision) (*axispb.Record, error) {
	decision, err := proto.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("marshal a decision: %w", err)
	}
	nonce := make([]byte, 16)
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fmt.Errorf("make a nonce: %w", err)
	}
	bodyDigest, decisionDigest := sha256.Sum256(body), sha256.Sum256(decision)
	header, err := proto.Marshal(&axispb.RecordHeader{
		Version: 1, Epoch: epoch, Kind: kind, TimeMs: at.UnixMilli(), Nonce: nonce,
		BodyDigest: bodyDigest[:], DecisionDigest: decisionDigest[:],
	})
	if err != nil {
		return nil, fmt.Errorf("marshal a header: %w", err)
	}
	return &axispb.Record{Header: header, Body: body, Decision: decision}, nil
}
