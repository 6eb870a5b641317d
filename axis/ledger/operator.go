package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"io"

	"docaxis/proto/axispb"
)

// Counts sums the ledger up.
type Counts struct {
	Documents  uint64
	Recipients map[axispb.State]uint64
	Evidence   uint64
	Refused    uint64 // submissions refused as a whole
}

// Counts counts documents and recipients by state.
func (l *Ledger) Counts(ctx context.Context) (Counts, error) {
	c := Counts{Recipients: map[axispb.State]uint64{}}
	err := l.read.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM document), (SELECT count(*) FROM evidence),
		(SELECT count(*) FROM evidence WHERE document IS NULL)`).Scan(&c.Documents, &c.Evidence, &c.Refused)
	if err != nil {
		return Counts{}, fmt.Errorf("count: %w", err)
	}
	rows, err := l.read.QueryContext(ctx, `SELECT state, count(*) FROM recipient GROUP BY state`)
	if err != nil {
		return Counts{}, fmt.Errorf("count recipients: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var (
			state axispb.State
			n     uint64
		)
		if err := rows.Scan(&state, &n); err != nil {
			return Counts{}, err
		}
		c.Recipients[state] = n
	}
	return c, rows.Err()
}

// Outstanding is a recipient that has not got, or not taken, a document.
type Outstanding struct {
	Document            uint64
	Sender, ID, Subject string
	Code, Serving       string
	Endpoint            string
	Lane                axispb.Lane
	State               axispb.State
	AcceptedMS, SinceMS int64
	// DeadlineMS is by when it must be consigned or, where it is, handed over; 0 for
	// never.
	DeadlineMS int64
	Files      int
	Bytes      uint64
}

// joinCodes gives recipient r its code c and, where another serves it, that one, s.
const joinCodes = `JOIN code c ON c.id = r.code LEFT JOIN code s ON s.id = r.serving`

// Outstanding lists the recipients that a filter finds, longest waiting first, at
// most limit. Only those that are listed are read whole.
func (l *Ledger) Outstanding(ctx context.Context, f Filter, limit int) ([]Outstanding, error) {
	where, args := f.where()
	from := "recipient r"
	if f.Urgent {
		from += " JOIN document d ON d.position = r.document"
	}
	rows, err := l.read.QueryContext(ctx, `SELECT d.position, d.sender, d.id, d.subject, c.name, coalesce(s.name, c.name), e.name, d.lane, r.state,
		d.time_ms, r.since_ms, CASE WHEN r.state IN (3, 6) THEN d.deadline_ms ELSE d.handover_ms END, d.files, d.bytes
		FROM (SELECT r.* FROM `+from+` WHERE `+where+` ORDER BY r.since_ms, r.document, r.code LIMIT ?) r
		JOIN document d ON d.position = r.document JOIN endpoint e ON e.id = r.endpoint `+joinCodes+`
		ORDER BY r.since_ms, r.document, c.name`, append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("list what is outstanding: %w", err)
	}
	return collect(rows, func(rows *sql.Rows, o *Outstanding) error {
		return rows.Scan(&o.Document, &o.Sender, &o.ID, &o.Subject, &o.Code, &o.Serving, &o.Endpoint, &o.Lane, &o.State,
			&o.AcceptedMS, &o.SinceMS, &o.DeadlineMS, &o.Files, &o.Bytes)
	})
}

// Story is one document with its recipients and everything said about it.
type Story struct {
	Known
	Kind, Subject string
	// Asks is what it asks of its recipients; empty for nothing.
	Asks       string
	AcceptedMS int64
	Files      int
	Bytes      uint64
	Recipients []Recipient
	Refused    []Refused
	Evidence   []Statement
	Told       []Told
}

// Recipient is a document's state at one code.
type Recipient struct {
	Code, Serving, Endpoint string
	State                   axispb.State
	SinceMS                 int64
}

// Refused is a recipient that was not taken.
type Refused struct {
	Code   string
	Reason axispb.ReasonCode
}

// Statement is an evidence as the ledger lists it.
type Statement struct {
	Position uint64
	Code     string
	Event    axispb.Event
	Issuer   string
	Standing axispb.Standing
	TimeMS   int64 // journal time
}

// Stories finds the documents of an id: one, unless several agencies used the same.
func (l *Ledger) Stories(ctx context.Context, id string) ([]Story, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT d.position, d.epoch, d.leaf, d.sender, d.id, d.manifest, d.commitment, e.name, d.lane,
		d.deadline_ms, d.kind, d.subject, d.asks, d.time_ms, d.files, d.bytes
		FROM document d JOIN endpoint e ON e.id = d.endpoint WHERE d.id = ? ORDER BY d.position`, id)
	if err != nil {
		return nil, fmt.Errorf("find a document: %w", err)
	}
	stories, err := collect(rows, func(rows *sql.Rows, s *Story) error {
		return rows.Scan(&s.Position, &s.Epoch, &s.Leaf, &s.Sender, &s.ID, &s.Manifest, &s.Commitment, &s.Endpoint, &s.Lane,
			&s.DeadlineMS, &s.Kind, &s.Subject, &s.Asks, &s.AcceptedMS, &s.Files, &s.Bytes)
	})
	if err != nil {
		return nil, err
	}
	for i := range stories {
		if err := l.tell(ctx, &stories[i]); err != nil {
			return nil, err
		}
	}
	return stories, nil
}

func (l *Ledger) tell(ctx context.Context, s *Story) error {
	rows, err := l.read.QueryContext(ctx, `SELECT c.name, coalesce(s.name, c.name), e.name, r.state, r.since_ms
		FROM recipient r JOIN endpoint e ON e.id = r.endpoint `+joinCodes+` WHERE r.document = ? ORDER BY c.name`, s.Position)
	if err != nil {
		return fmt.Errorf("list recipients: %w", err)
	}
	s.Recipients, err = collect(rows, func(rows *sql.Rows, r *Recipient) error {
		return rows.Scan(&r.Code, &r.Serving, &r.Endpoint, &r.State, &r.SinceMS)
	})
	if err != nil {
		return err
	}
	if rows, err = l.read.QueryContext(ctx, `SELECT code, reason FROM refused WHERE document = ? ORDER BY code`, s.Position); err != nil {
		return fmt.Errorf("list refused recipients: %w", err)
	}
	s.Refused, err = collect(rows, func(rows *sql.Rows, r *Refused) error { return rows.Scan(&r.Code, &r.Reason) })
	if err != nil {
		return err
	}
	rows, err = l.read.QueryContext(ctx, `SELECT position, code, event, issuer, standing, time_ms FROM evidence
		WHERE document = ? ORDER BY position`, s.Position)
	if err != nil {
		return fmt.Errorf("list evidence: %w", err)
	}
	s.Evidence, err = collect(rows, func(rows *sql.Rows, e *Statement) error {
		return rows.Scan(&e.Position, &e.Code, &e.Event, &e.Issuer, &e.Standing, &e.TimeMS)
	})
	if err != nil {
		return err
	}
	s.Told, err = l.told(ctx, s.Position)
	return err
}

// tables in the order in which Dump writes them, with what orders their rows.
var tables = []struct{ name, order string }{
	{"position", "id"},
	{"hash", "id"},
	{"record", "position"},
	{"endpoint", "id"},
	{"code", "id"},
	{"document", "position"},
	{"recipient", "document, code"},
	{"served", "serving, endpoint"},
	{"moved", "document, code, endpoint"},
	{"refused", "document, code"},
	{"mailbox", "endpoint, lane, position, ordinal"},
	{"evidence", "position"},
	{"chunk", "digest, document"},
	{"holding", "document"},
	{"told", "document, code, position"},
	{"recall", "document"},
	{"sealed", "position"},
	{"epoch", "number"},
	{"recovered", "commitment"},
}

// Dump writes every row as text, in an order that depends on nothing but the
// journal: two ledgers of the same journal give the same dump.
func (l *Ledger) Dump(ctx context.Context, w io.Writer) error {
	for _, t := range tables {
		if err := l.dumpTable(ctx, w, t.name, t.order); err != nil {
			return fmt.Errorf("dump %s: %w", t.name, err)
		}
	}
	return nil
}

func (l *Ledger) dumpTable(ctx context.Context, w io.Writer, name, order string) error {
	rows, err := l.read.QueryContext(ctx, `SELECT * FROM `+name+` ORDER BY `+order)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s %x\n", name, values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Overdue lists recipients whose document's deadline passed before it was
// consigned, at most limit.
func (l *Ledger) Overdue(ctx context.Context, nowMS int64, limit int) ([]Overdue, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT r.document, c.name FROM recipient r JOIN document d ON d.position = r.document JOIN code c ON c.id = r.code
		WHERE r.state = 3 AND d.deadline_ms BETWEEN 1 AND ? ORDER BY r.document, c.name LIMIT ?`, nowMS, limit)
	if err != nil {
		return nil, fmt.Errorf("list what is overdue: %w", err)
	}
	return collect(rows, func(rows *sql.Rows, o *Overdue) error { return rows.Scan(&o.Document, &o.Code) })
}

// Overdue is a recipient that a document did not reach in time.
type Overdue struct {
	Document uint64
	Code     string
}

// RefusedSubmission is a refusal with where it lies.
type RefusedSubmission struct {
	Refusal
	Position uint64
	TimeMS   int64
}

// Refusals finds the refused submissions of an id, oldest first, at most 100: a
// sender may have tried again and again.
func (l *Ledger) Refusals(ctx context.Context, id string) ([]RefusedSubmission, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT f.position, f.sender, f.id, e.name, f.reason, r.time_ms
		FROM refusal f JOIN endpoint e ON e.id = f.endpoint JOIN record r ON r.position = f.position
		WHERE f.id = ? ORDER BY f.position LIMIT 100`, id)
	if err != nil {
		return nil, fmt.Errorf("find refusals: %w", err)
	}
	return collect(rows, func(rows *sql.Rows, r *RefusedSubmission) error {
		return rows.Scan(&r.Position, &r.Sender, &r.ID, &r.Endpoint, &r.Reason, &r.TimeMS)
	})
}
