package journal

import (
	"errors"
	"fmt"

	"docaxis/internal/lang"
)

// What Append, Settle, Rotate and Refresh report.
var (
	// ErrFenced means that another writer's block stands where this one was to go.
	// Nothing of this block was decided: Refresh, then decide its records again.
	ErrFenced = errors.New("journal: another writer appended first")
	// ErrUnclear means that a block may or may not be stored. Give nobody an answer;
	// call Settle, or Append with the same block, until it is decided.
	ErrUnclear = errors.New("journal: the last append is not settled")
	// ErrFull means that the stream has no room for the block: Rotate, build the block
	// again on the new tail, append it.
	ErrFull = errors.New("journal: the stream is full")
	// ErrTooLarge means that a block is over MaxBlock: build a smaller one.
	ErrTooLarge = errors.New("journal: block too large")
	// ErrNotNext means that a block does not continue the tail. Build it on Tail.
	ErrNotNext = errors.New("journal: block does not continue the tail")
	// ErrNoBlock means that the journal, as far as it is known here, has no block at a
	// location. Refresh may help where other nodes append.
	ErrNoBlock = errors.New("journal: no block there")
)

// CorruptError says that what is stored is not a journal from some location on.
// Nothing repairs itself: stop, and restore or open a new epoch (docs/design.md D5).
type CorruptError struct {
	Location Location
	What     string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("journal: block at %v: %s", e.Location, e.What)
}

func corrupt(at Location, format string, args ...any) error {
	err := &CorruptError{Location: at, What: fmt.Sprintf(format, args...)}
	return lang.Errorf("Sổ ghi bị hỏng từ khối %v; không có gì bị ghi đè. Hãy dừng trục và khôi phục thư mục journal từ bản sao lưu, để nguyên thư mục keys.",
		"The journal is damaged from block %v on; nothing was overwritten. Stop the axis and put the folder journal back from a backup, leaving the folder keys as it is.",
		at).Because(err)
}

// LostError says that a stream's counter is ahead of what can be read at its end, so
// stored blocks were lost. Only a caller that then opens a new epoch (docs/design.md D5) may
// open the journal with Config.AcceptLost, which goes on after the last readable block.
type LostError struct {
	// Last is the last readable block; its Seq is 0 where the stream has none.
	Last Location
	// Counter is the sequence that the stream says it has reached.
	Counter uint64
}

func (e *LostError) Error() string {
	return fmt.Sprintf("journal: stream %d says it reached %d, but nothing after %d can be read",
		e.Last.Stream, e.Counter, e.Last.Seq)
}

// CutError says that the server cut a damaged stream while it started, and does not know
// it yet: start the server again, and Open goes on after the last block that is left.
// What is gone then is for the guard to know (docs/design.md D5).
type CutError struct {
	// Stream is its name; Last is the last block that is left.
	Stream string
	Last   Location
	// Counter is the sequence that the server expects all the same.
	Counter uint64
}

func (e *CutError) Error() string {
	return fmt.Sprintf("journal: stream %s was cut after %v, of %d blocks", e.Stream, e.Last, e.Counter)
}
