package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"docaxis/proto/axispb"
)

// Backlog counts recipients of one endpoint that are in one state.
type Backlog struct {
	Endpoint string
	State    axispb.State
	Lane     axispb.Lane
	Count    uint64
	// OldestMS is since when the first of them is in that state.
	OldestMS int64
}

// Backlogs counts the recipients that a filter finds, by endpoint, state and lane.
// It reads a narrow row for each; what is listed costs more.
func (l *Ledger) Backlogs(ctx context.Context, f Filter) ([]Backlog, error) {
	where, args := f.where()
	rows, err := l.read.QueryContext(ctx, `SELECT e.name, r.state, d.lane, count(*), min(r.since_ms)
		FROM recipient r JOIN document d ON d.position = r.document JOIN endpoint e ON e.id = r.endpoint
		WHERE `+where+` GROUP BY r.endpoint, r.state, d.lane ORDER BY e.name, r.state, d.lane`, args...)
	if err != nil {
		return nil, fmt.Errorf("count what is outstanding: %w", err)
	}
	return collect(rows, func(rows *sql.Rows, b *Backlog) error {
		return rows.Scan(&b.Endpoint, &b.State, &b.Lane, &b.Count, &b.OldestMS)
	})
}

// Filter narrows a list of recipients. Zero values do not narrow.
type Filter struct {
	States []axispb.State
	// Code is the recipient's, as named or as served.
	Code     string
	Endpoint string
	// BeforeMS: in their state since before this time.
	BeforeMS int64
	Urgent   bool
}

// where is the condition on recipient r, document d and endpoint e.
func (f Filter) where() (string, []any) {
	conditions, args := []string{"1"}, []any{}
	add := func(condition string, values ...any) {
		conditions, args = append(conditions, condition), append(args, values...)
	}
	if len(f.States) > 0 {
		var states []any
		for _, s := range f.States {
			states = append(states, s)
		}
		add("r.state IN (?"+strings.Repeat(", ?", len(states)-1)+")", states...)
	}
	if f.Code != "" {
		add("(r.serving = "+numberOf+" OR r.code = "+numberOf+")", f.Code, f.Code)
	}
	if f.Endpoint != "" {
		add("r.endpoint = (SELECT id FROM endpoint WHERE name = ?)", f.Endpoint)
	}
	if f.BeforeMS > 0 {
		add("r.since_ms < ?", f.BeforeMS)
	}
	if f.Urgent {
		add("d.lane = ?", axispb.Lane_LANE_URGENT)
	}
	return strings.Join(conditions, " AND "), args
}

// Newest is where the newest evidence of an issuer lies; false where there is none.
func (l *Ledger) Newest(ctx context.Context, issuer string) (Location, bool, error) {
	var at Location
	err := l.read.QueryRowContext(ctx, `SELECT r.position, r.stream, r.seq, r.nth FROM evidence e JOIN record r ON r.position = e.position
		WHERE e.issuer = ? AND e.counter > 0 ORDER BY e.counter DESC LIMIT 1`, issuer).Scan(&at.Position, &at.Stream, &at.Seq, &at.Nth)
	found, err := one(err, "find the newest evidence")
	return at, found, err
}

// Deeds lists where registry changes and acts lie, newest first, at most limit, none
// before a time.
func (l *Ledger) Deeds(ctx context.Context, sinceMS int64, limit int) ([]Location, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT position, stream, seq, nth FROM record WHERE kind IN (?, ?) AND time_ms >= ?
		ORDER BY position DESC LIMIT ?`, axispb.Kind_KIND_REGISTRY, axispb.Kind_KIND_ACT, sinceMS, limit)
	if err != nil {
		return nil, fmt.Errorf("list what was done: %w", err)
	}
	return collect(rows, func(rows *sql.Rows, at *Location) error {
		return rows.Scan(&at.Position, &at.Stream, &at.Seq, &at.Nth)
	})
}
