package content

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver

	"docaxis/internal/chunk"
	"docaxis/internal/reason"
	"docaxis/internal/sqlite"
	"docaxis/proto/axispb"
)

// minCharge is what the smallest chunk costs of a quota: about what a file costs
// of a file system, in blocks and in its share of names.
const minCharge = 16 << 10

const schema = `
CREATE TABLE IF NOT EXISTS possession (
  endpoint     TEXT    NOT NULL,
  digest       BLOB    NOT NULL,
  size         INTEGER NOT NULL, -- bytes of the whole chunk
  complete     INTEGER NOT NULL, -- 1: uploaded whole and right, and in chunks/
  accepted     INTEGER NOT NULL, -- 1: an accepted document of this endpoint holds it
  charged      INTEGER NOT NULL, -- bytes counted in usage
  pinned_until INTEGER NOT NULL, -- Unix milliseconds; until then the chunk is not removed
  start        INTEGER NOT NULL, -- the start of this store in which the part was begun; 0 unknown
  PRIMARY KEY (endpoint, digest)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS possession_digest ON possession (digest);
CREATE INDEX IF NOT EXISTS possession_lapse ON possession (pinned_until) WHERE accepted = 0;
CREATE TABLE IF NOT EXISTS usage (
  endpoint TEXT    PRIMARY KEY,
  bytes    INTEGER NOT NULL -- sum of charged over the endpoint's rows
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS starts (only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER NOT NULL);
`

// possession is content.db.
type possession struct {
	db    *sql.DB // readers
	firm  *sql.DB // one connection, synced at every commit: for what a deleted file depends on
	write *writer
	start int64 // number of this start, from 1
	// Asked for every chunk, and so parsed once for each connection.
	find, which *sql.Stmt
	used        usage
}

// What is changed for every chunk.
const (
	restartRow  = `UPDATE possession SET start = ? WHERE endpoint = ? AND digest = ?`
	insertRow   = `INSERT INTO possession VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	chargeUsage = `INSERT INTO usage VALUES (?, ?)
		ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes RETURNING bytes`
	completeRow   = `UPDATE possession SET complete = 1, pinned_until = ? WHERE endpoint = ? AND digest = ?`
	selectCharged = `SELECT charged FROM possession WHERE endpoint = ? AND digest = ?`
	acceptRow     = `UPDATE possession SET accepted = 1, charged = 0 WHERE endpoint = ? AND digest = ?`
	renewRow      = `UPDATE possession SET pinned_until = ? WHERE endpoint = ? AND digest = ?`
)

// usage is what endpoints were charged when that was last changed. It is a hint: a
// change that was rolled back may have said so.
type usage struct {
	mu sync.Mutex
	by map[string]int64
}

func (u *usage) of(endpoint string) int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.by[endpoint]
}

func (u *usage) note(endpoint string, bytes int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.by == nil {
		u.by = map[string]int64{}
	}
	u.by[endpoint] = bytes
}

// row is what is known of one endpoint's upload of one chunk.
type row struct {
	size     int64
	complete bool
	accepted bool
	charged  int64
	pinned   time.Time
	start    int64
}

func openPossession(path string) (*possession, error) {
	db, err := openDatabase(path, "NORMAL")
	if err != nil {
		return nil, err
	}
	firm, err := openDatabase(path, "FULL")
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	firm.SetMaxOpenConns(1)
	// SQLite has one writer; a few readers beside it are enough, and each has a
	// page cache.
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(4) // a new one reads the schema again
	p := &possession{db: db, firm: firm}
	if err := p.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("content.db: %w", err), p.close())
	}
	return p, nil
}

func openDatabase(path, synchronous string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// A path of Windows begins with its drive; a URI's path with a slash.
	u := url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(abs), "/")}
	u.RawQuery = "_txlock=immediate&_pragma=busy_timeout(30000)&_pragma=journal_mode(WAL)&_pragma=journal_size_limit(67108864)" +
		"&_pragma=synchronous(" + synchronous + ")"
	return sql.Open("sqlite", u.String())
}

func (p *possession) prepare() error {
	if _, err := p.db.Exec(schema); err != nil {
		return err
	}
	err := p.db.QueryRow(`INSERT INTO starts VALUES (1, 1)
		ON CONFLICT DO UPDATE SET number = number + 1 RETURNING number`).Scan(&p.start)
	if err != nil {
		return err
	}
	p.find, err = p.db.Prepare(`SELECT size, complete, accepted, charged, pinned_until, start
		FROM possession WHERE endpoint = ? AND digest = ?`)
	if err != nil {
		return err
	}
	p.which, err = p.db.Prepare(`SELECT p.digest FROM json_each(?) AS asked CROSS JOIN possession AS p
		ON p.endpoint = ? AND p.digest = unhex(asked.value)`)
	if err != nil {
		return err
	}
	p.write, err = newWriter(p.db, restartRow, insertRow, chargeUsage, completeRow, selectCharged, acceptRow, renewRow)
	return err
}

// close closes the database, and with it what was prepared.
func (p *possession) close() error {
	var err error
	if p.write != nil {
		err = p.write.close()
	}
	return errors.Join(err, p.firm.Close(), p.db.Close())
}

// lookup finds a row; false where there is none.
func (p *possession) lookup(ctx context.Context, endpoint string, id chunk.ID) (row, bool, error) {
	return scan(p.find.QueryRowContext(sqlite.Whole(ctx), endpoint, id[:]))
}

// some finds, of many chunks, those that an endpoint has a row of: a first upload
// asks for thousands of which it has none, and a question each would be most of
// what it costs.
func (p *possession) some(ctx context.Context, endpoint string, ids []chunk.ID) (map[chunk.ID]bool, error) {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = id.String()
	}
	asked, err := json.Marshal(names)
	if err != nil {
		return nil, err
	}
	rows, err := p.which.QueryContext(ctx, string(asked), endpoint)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	known := map[chunk.ID]bool{}
	for rows.Next() {
		var digest []byte
		if err := rows.Scan(&digest); err != nil {
			return nil, err
		}
		id, err := chunk.ParseID(digest)
		if err != nil {
			return nil, err
		}
		known[id] = true
	}
	return known, rows.Err()
}

func scan(from *sql.Row) (row, bool, error) {
	var (
		r  row
		ms int64
	)
	err := from.Scan(&r.size, &r.complete, &r.accepted, &r.charged, &ms, &r.start)
	if errors.Is(err, sql.ErrNoRows) {
		return row{}, false, nil
	}
	r.pinned = time.UnixMilli(ms)
	return r, err == nil, err
}

// in runs f in a transaction, which commits when f returns nil. f may run again after
// it was rolled back.
func (p *possession) in(ctx context.Context, f func(*sqlite.Session) error) error {
	return p.write.in(ctx, f)
}

// begin makes the row of an upload that starts, charged to the endpoint's quota;
// where there is a row already, only its start is set.
func (p *possession) begin(ctx context.Context, endpoint string, id chunk.ID, r row, quota int64) error {
	r.charged = chargeOf(r.size)
	return p.in(ctx, func(q *sqlite.Session) error {
		done, err := affected(q.ExecContext(ctx, restartRow, r.start, endpoint, id[:]))
		if err != nil || done > 0 {
			return err
		}
		if err := p.charge(ctx, q, endpoint, r.charged, quota); err != nil {
			return err
		}
		return p.insert(ctx, q, endpoint, id, r)
	})
}

// whole makes the row of a chunk that came at once and is in its place.
func (p *possession) whole(ctx context.Context, endpoint string, id chunk.ID, r row, quota int64) error {
	r.charged, r.complete = chargeOf(r.size), true
	return p.in(ctx, func(q *sqlite.Session) error {
		if err := p.charge(ctx, q, endpoint, r.charged, quota); err != nil {
			return err
		}
		return p.insert(ctx, q, endpoint, id, r)
	})
}

// chargeOf is what a chunk counts of a quota.
func chargeOf(size int64) int64 { return max(size, minCharge) }

// mayHold reports whether a further chunk seems to fit into an endpoint's quota: what
// refuses one, and says why, is its charge.
func (p *possession) mayHold(endpoint string, size, quota int64) bool {
	return p.used.of(endpoint)+chargeOf(size) <= quota
}

// charge counts bytes, which may be negative, and refuses to go over the quota.
func (p *possession) charge(ctx context.Context, q *sqlite.Session, endpoint string, bytes, quota int64) error {
	var used int64
	err := q.QueryRowContext(ctx, chargeUsage, endpoint, bytes).Scan(&used)
	if err != nil {
		return err
	}
	p.used.note(endpoint, used)
	if bytes > 0 && used > quota {
		return overQuota(ctx, q, endpoint, quota)
	}
	return nil
}

// overQuota says what the quota is and when the first of what counts lapses, if no
// accepted document holds it until then.
func overQuota(ctx context.Context, q *sqlite.Session, endpoint string, quota int64) error {
	var ms int64
	err := q.QueryRowContext(ctx, `SELECT coalesce(min(pinned_until), 0) FROM possession WHERE endpoint = ? AND accepted = 0`, endpoint).Scan(&ms)
	if err != nil {
		return err
	}
	return reason.Temporary(axispb.ReasonCode_REASON_QUOTA, size(quota), reason.Time(time.UnixMilli(ms)))
}

func (p *possession) insert(ctx context.Context, q *sqlite.Session, endpoint string, id chunk.ID, r row) error {
	_, err := q.ExecContext(ctx, insertRow, endpoint, id[:], r.size, r.complete, r.accepted, r.charged, r.pinned.UnixMilli(), r.start)
	return err
}

// complete marks a row whose chunk is in its place.
func (p *possession) complete(ctx context.Context, endpoint string, id chunk.ID, pinned time.Time) error {
	return p.in(ctx, func(q *sqlite.Session) error {
		done, err := affected(q.ExecContext(ctx, completeRow, pinned.UnixMilli(), endpoint, id[:]))
		if err == nil && done == 0 {
			return fmt.Errorf("no row of the upload of %s by %s", id, endpoint)
		}
		return err
	})
}

// renew pins a row for longer; false where there is none any more.
func (p *possession) renew(ctx context.Context, endpoint string, id chunk.ID, pinned time.Time) (known bool, err error) {
	err = p.in(ctx, func(q *sqlite.Session) error {
		done, err := affected(q.ExecContext(ctx, renewRow, pinned.UnixMilli(), endpoint, id[:]))
		known = done > 0
		return err
	})
	return known, err
}

// forget removes a row that is not accepted, and what it was charged. Where
// lapsed is not zero, only one whose pin ended before then.
func (p *possession) forget(ctx context.Context, endpoint string, id chunk.ID, lapsed time.Time) error {
	before := int64(1<<63 - 1)
	if !lapsed.IsZero() {
		before = lapsed.UnixMilli()
	}
	return p.in(ctx, func(q *sqlite.Session) error {
		var charged int64
		err := q.QueryRowContext(ctx, `DELETE FROM possession WHERE endpoint = ? AND digest = ?
			AND accepted = 0 AND pinned_until < ? RETURNING charged`, endpoint, id[:], before).Scan(&charged)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		return p.charge(ctx, q, endpoint, -charged, 0)
	})
}

// disown makes everybody upload a chunk again whose file is not as it should be.
func (p *possession) disown(ctx context.Context, id chunk.ID) error {
	return p.in(ctx, func(q *sqlite.Session) error {
		_, err := q.ExecContext(ctx, `UPDATE possession SET complete = 0 WHERE digest = ?`, id[:])
		return err
	})
}

// accept marks a row as held by an accepted document, and gives what it counted until
// now: whoever calls it gives that back.
func (*possession) accept(ctx context.Context, q *sqlite.Session, endpoint string, id chunk.ID) (charged int64, known bool, err error) {
	err = q.QueryRowContext(ctx, selectCharged, endpoint, id[:]).Scan(&charged)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil || charged == 0 {
		return 0, err == nil, err
	}
	_, err = q.ExecContext(ctx, acceptRow, endpoint, id[:])
	return charged, true, err
}

func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}
