package ledger

import (
	"errors"
	"fmt"

	"docaxis/proto/axispb"
)

// moves gives the documents that a moved code has not consigned yet to the
// endpoint that serves it now, and takes them out of the mailbox of the one that
// did: it may have pulled them already, but it gets no more of them.
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
		if err := a.takeOut(m.Code, waiting); err != nil {
			return err
		}
		for _, w := range waiting {
			if err := a.move(r, w, to, m.Serving, ordinal); err != nil {
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

// Accepted and ConsignmentFailed: nobody has consigned it.
const selectUnconsigned = `SELECT r.document, r.code, r.endpoint, d.lane, d.target
	FROM recipient r JOIN document d ON d.position = r.document
	WHERE r.serving = ? AND r.state IN (3, 6) AND r.endpoint <> ? ORDER BY r.document, r.code`

func (a *applier) waiting(serving string, to int64) ([]waitingRow, error) {
	rows, err := a.tx.QueryContext(a.ctx, selectUnconsigned, serving, to)
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

// takeOut empties the mailboxes of those who served the code, in one pass over
// each: a mailbox has no index by document.
func (a *applier) takeOut(serving string, waiting []waitingRow) error {
	seen := map[int64]bool{}
	for _, w := range waiting {
		if seen[w.from] {
			continue
		}
		seen[w.from] = true
		err := a.exec(`DELETE FROM mailbox WHERE endpoint = ?1 AND EXISTS (SELECT 1 FROM recipient r
			WHERE r.document = mailbox.record AND r.code = mailbox.code AND r.endpoint = ?1 AND r.serving = ?2 AND r.state IN (3, 6))`,
			w.from, serving)
		if err != nil {
			return fmt.Errorf("take moved documents out of a mailbox: %w", err)
		}
	}
	return nil
}

func (a *applier) move(r *Record, w waitingRow, to int64, serving string, ordinal int) error {
	target, err := a.target(w.documentTarget, to)
	if err != nil {
		return err
	}
	return errors.Join(
		a.exec(`INSERT OR IGNORE INTO moved VALUES (?, ?, ?)`, w.document, w.code, w.from),
		a.exec(`UPDATE recipient SET endpoint = ?, serving = ? WHERE document = ? AND code = ?`, to, serving, w.document, w.code),
		a.exec(insertMailbox, to, w.lane, r.Position, ordinal, w.document, w.code, serving, target),
	)
}
