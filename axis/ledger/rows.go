package ledger

import (
	"cmp"
	"fmt"
	"slices"

	"docaxis/proto/axispb"
)

const (
	insertServed = `INSERT OR IGNORE INTO served VALUES (?, ?)`
	selectTarget = `SELECT
		(SELECT count(*) FROM recipient WHERE document = ?1 AND endpoint = ?2) +
		(SELECT count(*) FROM moved WHERE document = ?1 AND endpoint = ?2)`
)

// numberedRow is a document's recipient as the tables have it.
type numberedRow struct {
	ordinal        int
	code, endpoint int64
	serving        *int64 // nil: code
	target         axispb.Target
}

// rows writes a document's recipients and their mailbox rows.
func (a *applier) rows(r *Record, d *Document) error {
	rows, err := a.numberRows(d)
	if err != nil {
		return err
	}
	// In the order of the tables, so that pages are filled one after the other.
	slices.SortFunc(rows, func(x, y numberedRow) int { return cmp.Compare(x.code, y.code) })
	err = a.execMany(insertRecipient, len(rows), func(i int, values []any) []any {
		w := &rows[i]
		return append(values, r.Position, w.code, w.serving, w.endpoint, axispb.State_STATE_ACCEPTED, r.TimeMS)
	})
	if err != nil {
		return fmt.Errorf("recipients of %d: %w", r.Position, err)
	}
	slices.SortFunc(rows, func(x, y numberedRow) int {
		return cmp.Or(cmp.Compare(x.endpoint, y.endpoint), cmp.Compare(x.ordinal, y.ordinal))
	})
	err = a.execMany(insertMailbox, len(rows), func(i int, values []any) []any {
		w := &rows[i]
		return append(values, w.endpoint, d.Lane, r.Position, w.ordinal, nil, w.code, w.serving, w.target)
	})
	if err != nil {
		return fmt.Errorf("mailbox rows of %d: %w", r.Position, err)
	}
	return a.serves(rows)
}

func (a *applier) numberRows(d *Document) (rows []numberedRow, err error) {
	rows = make([]numberedRow, len(d.Rows))
	for i, row := range d.Rows {
		w := &rows[i]
		w.ordinal = i
		if w.code, err = a.code(row.Code); err != nil {
			return nil, err
		}
		if w.serving, err = a.serving(row.Code, row.Serving); err != nil {
			return nil, err
		}
		if w.endpoint, err = a.endpoint(row.Endpoint); err != nil {
			return nil, err
		}
		if w.target, err = a.target(d.Target, w.endpoint); err != nil {
			return nil, err
		}
		a.applied.Endpoints[row.Endpoint] = struct{}{}
	}
	return rows, nil
}

// serves notes who has rows of a code, where that is new.
func (a *applier) serves(rows []numberedRow) error {
	var pairs []pair
	for i := range rows {
		p := pair{rows[i].code, rows[i].endpoint}
		if s := rows[i].serving; s != nil {
			p.serving = *s
		}
		if !a.knows(p) {
			a.found.served[p] = struct{}{}
			pairs = append(pairs, p)
		}
	}
	return a.execMany(insertServed, len(pairs), func(i int, values []any) []any {
		return append(values, pairs[i].serving, pairs[i].endpoint)
	})
}

// target says whether a change finds its document in the same mailbox before it.
func (a *applier) target(document *uint64, endpoint int64) (axispb.Target, error) {
	if document == nil {
		return axispb.Target_TARGET_NONE, nil
	}
	var n int
	err := a.tx.QueryRowContext(a.ctx, selectTarget, *document, endpoint).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("look for the target: %w", err)
	}
	if n > 0 {
		return axispb.Target_TARGET_PRECEDES, nil
	}
	return axispb.Target_TARGET_ELSEWHERE, nil
}
