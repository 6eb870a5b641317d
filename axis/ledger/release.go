package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"docaxis/proto/axispb"
)

const (
	insertHolding = `INSERT INTO holding VALUES (?, ?, ?, ?, 0)`
	// updateHolding comes before the recipient's own update: it counts those that
	// wait no longer. No state ever leads back to waiting.
	updateHolding = `UPDATE holding SET settled_ms = ?3,
		waiting = waiting - (SELECT count(*) FROM recipient WHERE document = ?1 AND code = (SELECT id FROM code WHERE name = ?2) AND state = 3)
		WHERE document = ?1`
	selectContentHolding = `SELECT sender, waiting, settled_ms, released_ms,
		EXISTS (SELECT 1 FROM recall r WHERE r.document = holding.document AND r.holding = 0 AND r.agreed > 0)
		FROM holding WHERE document = ?`
	selectReleased = `SELECT released_ms FROM holding WHERE document = ?`
	selectNeeded   = `SELECT EXISTS (SELECT 1 FROM chunk c JOIN holding r ON r.document = c.document
		WHERE c.digest = ? AND (r.released_ms = 0 OR r.released_ms >= ?))`
)

// released marks documents whose content a record released. The first release
// counts: a second one of the same document changes nothing.
func (a *applier) released(r *Record) error {
	for _, document := range r.Released {
		err := a.exec(`UPDATE holding SET released_ms = ? WHERE document = ? AND released_ms = 0`, r.TimeMS, document)
		if err != nil {
			return fmt.Errorf("release document %d: %w", document, err)
		}
		if err := a.exec(`UPDATE recall SET done = 1 WHERE document = ?`, document); err != nil {
			return fmt.Errorf("release document %d: %w", document, err)
		}
	}
	return nil
}

// Holding is what the ledger knows of a document's content.
type Holding struct {
	Sender string
	// Waiting recipients: they have neither consigned it nor failed to.
	Waiting int
	// SettledMS is the journal time at which a recipient's state changed last.
	SettledMS int64
	// ReleasedMS is the journal time of its release; 0 while it is kept.
	ReleasedMS int64
	// Recalled: its sender asked to have it back, and nobody holds it any more.
	Recalled bool
}

// Holding finds what is known of a document's content; false for no document.
func (l *Ledger) Holding(ctx context.Context, document uint64) (Holding, bool, error) {
	var h Holding
	err := l.look.QueryRowContext(ctx, selectContentHolding, signed(document)).
		Scan(&h.Sender, &h.Waiting, &h.SettledMS, &h.ReleasedMS, &h.Recalled)
	found, err := one(err, "look up a document's content")
	return h, found, err
}

// Released is the journal time at which a document's content was released, 0 while
// it is kept.
func (l *Ledger) Released(ctx context.Context, document uint64) (int64, error) {
	var ms int64
	err := l.look.QueryRowContext(ctx, selectReleased, signed(document)).Scan(&ms)
	_, err = one(err, "look up a release")
	return ms, err
}

// Needed reports whether a document has a chunk and was not released before a time.
func (l *Ledger) Needed(ctx context.Context, digest []byte, beforeMS int64) (bool, error) {
	var needed bool
	if err := l.look.QueryRowContext(ctx, selectNeeded, digest, beforeMS).Scan(&needed); err != nil {
		return false, fmt.Errorf("look up who needs a chunk: %w", err)
	}
	return needed, nil
}

// NextSettled finds the first sender after another that has documents which nobody
// waits for and whose content is kept; empty for none.
func (l *Ledger) NextSettled(ctx context.Context, after string) (string, error) {
	var sender sql.NullString
	err := l.look.QueryRowContext(ctx, `SELECT min(sender) FROM holding WHERE waiting = 0 AND released_ms = 0 AND sender > ?`, after).Scan(&sender)
	if err != nil {
		return "", fmt.Errorf("look for what can be released: %w", err)
	}
	return sender.String, nil
}

// Settled lists documents of a sender that nobody has waited for since before a
// time and whose content is kept, at most limit, by their leaf index.
func (l *Ledger) Settled(ctx context.Context, sender string, beforeMS int64, limit int) ([]uint64, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT document FROM holding
		WHERE sender = ? AND settled_ms <= ? AND waiting = 0 AND released_ms = 0 ORDER BY settled_ms, document LIMIT ?`, sender, beforeMS, limit)
	if err != nil {
		return nil, fmt.Errorf("list what can be released: %w", err)
	}
	return collect(rows, func(rows *sql.Rows, document *uint64) error { return rows.Scan(document) })
}

const selectSaidSince = `SELECT count(*), coalesce(min(time_ms), 0) FROM evidence
	WHERE document = ? AND code = ? AND event = ? AND time_ms > ?`

// SaidSince counts the statements of one event about a document and code after a
// time, and gives the journal time of the oldest of them.
func (l *Ledger) SaidSince(ctx context.Context, document uint64, code string, event axispb.Event, sinceMS int64) (n int, oldestMS int64, err error) {
	err = l.look.QueryRowContext(ctx, selectSaidSince, signed(document), code, event, sinceMS).Scan(&n, &oldestMS)
	if err != nil {
		return 0, 0, fmt.Errorf("count evidence: %w", err)
	}
	return n, oldestMS, nil
}
