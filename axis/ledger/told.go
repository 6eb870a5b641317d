package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"docaxis/internal/business"
	"docaxis/proto/axispb"
)

// Tells is what a record tells about a document: what its sender asks of recipients, or
// a business state of one of them.
type Tells struct {
	// What, as package business names it.
	What string
	// Issuer is the agency, or the endpoint, that tells it.
	Issuer string
	// Codes under which the agencies that it concerns may be named: those of them that
	// are recipients of the document are meant.
	Codes []string
}

// Told is what was told about a document at one recipient.
type Told struct {
	Code, What, Issuer string
	Position           uint64 // of the record that tells it
	TimeMS             int64  // journal time
}

// mostTold bounds what one story tells.
const mostTold = 10_000

// told lists what was told about a document, in journal order, at most mostTold.
func (l *Ledger) told(ctx context.Context, document uint64) ([]Told, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT t.code, t.what, t.issuer, t.position, r.time_ms
		FROM told t JOIN record r ON r.position = t.position WHERE t.document = ? ORDER BY t.position, t.code LIMIT ?`, document, mostTold)
	if err != nil {
		return nil, fmt.Errorf("list what was told: %w", err)
	}
	return collect(rows, func(rows *sql.Rows, t *Told) error {
		return rows.Scan(&t.Code, &t.What, &t.Issuer, &t.Position, &t.TimeMS)
	})
}

// Recalled lists documents that everybody gave back and whose content is kept, at most
// limit, by their leaf index.
func (l *Ledger) Recalled(ctx context.Context, limit int) ([]uint64, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT document FROM recall
		WHERE holding = 0 AND agreed > 0 AND done = 0 ORDER BY document LIMIT ?`, limit)
	if err != nil {
		return nil, fmt.Errorf("list what was recalled: %w", err)
	}
	return collect(rows, func(rows *sql.Rows, document *uint64) error { return rows.Scan(document) })
}

const (
	selectAsks = `SELECT asks, target FROM document WHERE position = ?`
	insertTell = `INSERT OR IGNORE INTO told VALUES (?, ?, ?, ?, ?, ?, ?)`
	// selectNewestOpen finds what an answer that names the document answers.
	selectNewestOpen = `SELECT position, what FROM told WHERE document = ? AND code = ? AND answered = '' ORDER BY position DESC LIMIT 1`
	selectRequest    = `SELECT position, what FROM told WHERE document = ? AND code = ? AND position = ? AND answered = ''`
	selectAgreed     = `SELECT state, agreed IS NOT NULL FROM recipient WHERE document = ? AND code = ` + numberOf
)

// tells keeps what a record tells about a document and, where that is itself a request
// about another, about that one, too.
func (a *applier) tells(r *Record, document uint64, t *Tells) error {
	var (
		asks   string
		target *uint64
	)
	err := a.tx.QueryRowContext(a.ctx, selectAsks, document).Scan(&asks, &target)
	if found, err := one(err, "look up what a document asks"); err != nil || !found {
		return err
	}
	if business.TakesBack(t.What) {
		if err := a.recalls(document); err != nil {
			return err
		}
	}
	var itself *uint64 // an answer that names a request answers that, and none about it
	if asks != "" {
		itself = &document
	}
	if err := a.tellsEach(r, document, t, itself); err != nil {
		return err
	}
	if asks == "" || target == nil || business.IsRequest(t.What) {
		return nil
	}
	return a.tellsEach(r, *target, t, &document)
}

// recalls counts, at the first recall of a document, who holds it.
func (a *applier) recalls(document uint64) error {
	var known bool
	err := a.tx.QueryRowContext(a.ctx, `SELECT EXISTS (SELECT 1 FROM recall WHERE document = ?)`, document).Scan(&known)
	if err != nil || known {
		return err
	}
	return a.exec(`INSERT INTO recall SELECT ?1, (SELECT count(*) FROM recipient WHERE document = ?1 AND state <> ?2), 0, released_ms <> 0
		FROM holding WHERE document = ?1`, document, axispb.State_STATE_WITHDRAWN)
}

// tellsEach keeps it for each recipient that it concerns. named is the request that an
// answer names.
func (a *applier) tellsEach(r *Record, document uint64, t *Tells, named *uint64) error {
	for _, code := range t.Codes {
		var here bool
		if err := a.tx.QueryRowContext(a.ctx, selectIsRecipient, document, code).Scan(&here); err != nil {
			return fmt.Errorf("look up a recipient: %w", err)
		}
		if !here {
			continue
		}
		if err := a.tellsOne(r, document, code, t, named); err != nil {
			return fmt.Errorf("tell of document %d at %s: %w", document, code, err)
		}
	}
	return nil
}

func (a *applier) tellsOne(r *Record, document uint64, code string, t *Tells, named *uint64) error {
	if business.IsRequest(t.What) {
		return a.exec(insertTell, document, code, r.Position, t.What, t.Issuer, nil, "")
	}
	answers, request, err := a.request(document, code, t.What, named)
	if err != nil {
		return err
	}
	if err := a.exec(insertTell, document, code, r.Position, t.What, t.Issuer, answers, nil); err != nil || answers == nil {
		return err
	}
	err = a.exec(`UPDATE told SET answered = ? WHERE document = ? AND code = ? AND position = ?`, t.What, document, code, *answers)
	if err != nil || t.What != business.Agreed || !business.TakesBack(request) {
		return err
	}
	return a.agreed(r, document, code)
}

// request finds the open request that an answer answers: the one that it names, else
// the newest; nil for no answer, or none that is open.
func (a *applier) request(document uint64, code, what string, named *uint64) (position *uint64, request string, err error) {
	if !business.IsAnswer(what) {
		return nil, "", nil
	}
	query, args := selectNewestOpen, []any{document, code}
	if named != nil {
		query, args = selectRequest, append(args, *named)
	}
	found, err := one(a.tx.QueryRowContext(a.ctx, query, args...).Scan(&position, &request), "look up a request")
	if !found {
		return nil, "", err
	}
	return position, request, err
}

// agreed notes the first time that a recipient agreed to give a document back.
func (a *applier) agreed(r *Record, document uint64, code string) error {
	state, before, err := a.stands(document, code)
	if err != nil || before {
		return err
	}
	if err := a.exec(`UPDATE recipient SET agreed = ? WHERE document = ? AND code = `+numberOf, r.Position, document, code); err != nil {
		return err
	}
	if err := a.exec(`UPDATE recall SET agreed = agreed + 1 WHERE document = ?`, document); err != nil {
		return err
	}
	if state == axispb.State_STATE_WITHDRAWN {
		return a.look(document)
	}
	return a.gone(document)
}

// withdrawn notes that a recipient holds a document no more. It comes before the
// recipient's own update.
func (a *applier) withdrawn(e *Evidence) error {
	if e.State != axispb.State_STATE_WITHDRAWN {
		return nil
	}
	state, agreed, err := a.stands(*e.Document, e.Code)
	if err != nil || agreed || state == axispb.State_STATE_WITHDRAWN {
		return err
	}
	return a.gone(*e.Document)
}

// stands is a recipient's state, and whether it agreed to give the document back.
func (a *applier) stands(document uint64, code string) (state axispb.State, agreed bool, err error) {
	err = a.tx.QueryRowContext(a.ctx, selectAgreed, document, code).Scan(&state, &agreed)
	if err != nil {
		return 0, false, fmt.Errorf("look up a recipient: %w", err)
	}
	return state, agreed, nil
}

// gone counts a recipient that holds a document no more.
func (a *applier) gone(document uint64) error {
	if err := a.exec(`UPDATE recall SET holding = holding - 1 WHERE document = ?`, document); err != nil {
		return err
	}
	return a.look(document)
}

// look asks whether nobody holds a document any more that was recalled.
func (a *applier) look(document uint64) error {
	var due bool
	err := a.tx.QueryRowContext(a.ctx, `SELECT EXISTS (SELECT 1 FROM recall WHERE document = ? AND holding = 0 AND agreed > 0 AND done = 0)`,
		document).Scan(&due)
	if err != nil {
		return fmt.Errorf("look up a recall: %w", err)
	}
	a.applied.Recalled = a.applied.Recalled || due
	return nil
}
