package ledger

import (
	"context"
	"fmt"

	"docaxis/proto/axispb"
)

// Sealed is a checkpoint that the axis sealed and had time-stamped.
type Sealed struct {
	Position uint64 // leaf index of the record that has it
	Size     uint64 // of the checkpoint: it covers every leaf below
	TimeMS   int64  // journal time of that record
}

const (
	selectSealed     = `SELECT s.position, s.size, r.time_ms FROM sealed s JOIN record r ON r.position = s.position `
	selectCovering   = selectSealed + `WHERE s.size > ? ORDER BY s.size, s.position LIMIT 1`
	selectLastSealed = selectSealed + `ORDER BY s.position DESC LIMIT 1`
	// Sealed checkpoints themselves are no traffic: else each would ask for the next.
	selectGrown = `SELECT EXISTS (SELECT 1 FROM record WHERE position >= ? AND kind <> ?)`
)

func sealedOf(ctx context.Context, q querier, query string, args ...any) (Sealed, bool, error) {
	var s Sealed
	err := q.QueryRowContext(ctx, query, args...).Scan(&s.Position, &s.Size, &s.TimeMS)
	found, err := one(err, "look up a sealed checkpoint")
	return s, found, err
}

// Covering finds the first sealed checkpoint that covers a leaf; false where none does
// yet.
func (s *Snapshot) Covering(ctx context.Context, leaf uint64) (Sealed, bool, error) {
	return sealedOf(ctx, s.tx, selectCovering, signed(leaf))
}

// LastSealed finds the newest sealed checkpoint; false where there is none.
func (s *Snapshot) LastSealed(ctx context.Context) (Sealed, bool, error) {
	return sealedOf(ctx, s.tx, selectLastSealed)
}

// Grown reports whether the journal has records from a size on that are no sealed
// checkpoints.
func (s *Snapshot) Grown(ctx context.Context, size uint64) (bool, error) {
	var grown bool
	err := s.tx.QueryRowContext(ctx, selectGrown, signed(size), axispb.Kind_KIND_SEALED_CHECKPOINT).Scan(&grown)
	if err != nil {
		return false, fmt.Errorf("look for new records: %w", err)
	}
	return grown, nil
}
