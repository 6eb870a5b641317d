package ledger

import (
	"database/sql"
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

// waitingRow is a mailbox row of a document that nobody has consigned.
type waitingRow struct {
	from           int64
	lane           axispb.Lane
	position       uint64
	ordinal        int
	document       uint64
	code           string
	number         int64 // of code
	documentTarget *uint64
}

// Accepted and ConsignmentFailed: nobody has consigned it. The mailboxes of those who
// served the code are read from end to end: they have no index by code.
const selectUnconsigned = `SELECT m.endpoint, m.lane, m.position, m.ordinal, r.document, c.name, c.id, d.target
	FROM served v CROSS JOIN mailbox m ON m.endpoint = v.endpoint AND coalesce(m.serving, m.code) = v.serving
	CROSS JOIN recipient r ON r.document = coalesce(m.record, m.position) AND r.code = m.code
	JOIN document d ON d.position = r.document JOIN code c ON c.id = r.code
	WHERE v.serving = (SELECT id FROM code WHERE name = ?) AND v.endpoint <> ? AND r.endpoint = v.endpoint AND r.state IN (3, 6)
	ORDER BY r.document, c.name`

func (a *applier) waiting(serving string, to int64) ([]waitingRow, error) {
	rows, err := a.tx.QueryContext(a.ctx, selectUnconsigned, serving, to)
	if err != nil {
		return nil, fmt.Errorf("look for what waits: %w", err)
	}
	return collect(rows, func(rows *sql.Rows, w *waitingRow) error {
		return rows.Scan(&w.from, &w.lane, &w.position, &w.ordinal, &w.document, &w.code, &w.number, &w.documentTarget)
	})
}

func (a *applier) move(r *Record, w waitingRow, to int64, agency string, ordinal int) error {
	target, err := a.target(w.documentTarget, to)
	if err != nil {
		return err
	}
	serving, err := a.serving(w.code, agency)
	if err != nil {
		return err
	}
	return errors.Join(
		a.exec(`DELETE FROM mailbox WHERE endpoint = ? AND lane = ? AND position = ? AND ordinal = ?`, w.from, w.lane, w.position, w.ordinal),
		a.exec(`INSERT OR IGNORE INTO moved VALUES (?, ?, ?)`, w.document, w.code, w.from),
		a.exec(`UPDATE recipient SET endpoint = ?, serving = ? WHERE document = ? AND code = ?`, to, serving, w.document, w.number),
		a.exec(insertMailbox, to, w.lane, r.Position, ordinal, w.document, w.number, serving, target),
		a.serves([]numberedRow{{code: w.number, serving: serving, endpoint: to}}),
	)
}
