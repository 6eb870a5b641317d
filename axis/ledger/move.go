package ledger

import (
	"errors"
	"fmt"

	"docaxis/proto/axispb"
)

// moves gives the documents that a moved code has not consigned yet to the
// endpoint that serves it now.
func (a *applier) moves(r *Record) error {
	ordinal := 0
	for _, m := range r.Moves {
		if m.To == "" {
			continue
		}
		to, err := a.endpoint(m.To)
		if err != nil {
			return err
		}
		waiting, err := a.waiting(m.Code, to)
		if err != nil {
			return err
		}
		for _, w := range waiting {
			if err := a.move(r, w, to, m.Code, ordinal); err != nil {
				return err
			}
			ordinal++
		}
		a.applied.Endpoints[m.To] = struct{}{}
	}
	return nil
}

type waitingRow struct {
	document       uint64
	code           string
	from           int64
	lane           axispb.Lane
	documentTarget *uint64
}

func (a *applier) waiting(serving string, to int64) ([]waitingRow, error) {
	rows, err := a.tx.QueryContext(a.ctx, `SELECT r.document, r.code, r.endpoint, d.lane, d.target
		FROM recipient r JOIN document d ON d.position = r.document
		WHERE r.serving = ? AND r.state = 3 AND r.endpoint <> ? ORDER BY r.document, r.code`, serving, to)
	if err != nil {
		return nil, fmt.Errorf("look for what waits: %w", err)
	}
	defer rows.Close()
	var all []waitingRow
	for rows.Next() {
		var w waitingRow
		if err := rows.Scan(&w.document, &w.code, &w.from, &w.lane, &w.documentTarget); err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, rows.Err()
}

func (a *applier) move(r *Record, w waitingRow, to int64, serving string, ordinal int) error {
	target, err := a.target(w.documentTarget, to)
	if err != nil {
		return err
	}
	return errors.Join(
		a.exec(`INSERT OR IGNORE INTO moved VALUES (?, ?, ?)`, w.document, w.code, w.from),
		a.exec(`UPDATE recipient SET endpoint = ? WHERE document = ? AND code = ?`, to, w.document, w.code),
		a.exec(insertMailbox, to, w.lane, r.Position, ordinal, w.document, w.code, serving, target),
	)
}
