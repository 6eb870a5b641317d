package backup

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/protobuf/proto"
	_ "modernc.org/sqlite" // the driver

	"docaxis/internal/archive"
	"docaxis/internal/chunk"
	"docaxis/proto/axispb"
)

// named says which chunks the journal's documents name and need. It lies on the
// disk while a backup is made or checked: a journal may name more than memory has.
type named struct {
	db  *sql.DB
	tx  *sql.Tx
	dir string
}

const namedTables = `
CREATE TABLE named (
  document INTEGER NOT NULL, -- leaf index
  digest   BLOB    NOT NULL,
  needed   INTEGER NOT NULL, -- 0: of a recovered document, whose content may be gone
  PRIMARY KEY (document, digest)
) WITHOUT ROWID;
CREATE INDEX named_digest ON named (digest, needed);
CREATE TABLE seen (digest BLOB PRIMARY KEY, here INTEGER NOT NULL) WITHOUT ROWID; -- here 0: known to be missing
`

func newNamed(ctx context.Context, folder string) (*named, error) {
	dir, err := os.MkdirTemp(folder, ".tmp-backup-index-*")
	if err != nil {
		return nil, err
	}
	n := &named{dir: dir}
	path := filepath.ToSlash(filepath.Join(dir, "named.db"))
	u := url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(path, "/")}
	if !filepath.IsAbs(dir) {
		u = url.URL{Scheme: "file", Opaque: path}
	}
	// Nobody reads it after a crash.
	if n.db, err = sql.Open("sqlite", u.String()+"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)"); err == nil {
		n.db.SetMaxOpenConns(1)
		_, err = n.db.ExecContext(ctx, namedTables)
	}
	if err == nil {
		n.tx, err = n.db.BeginTx(context.WithoutCancel(ctx), nil)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("index of contents: %w", err), n.close())
	}
	return n, nil
}

func (n *named) close() error {
	var errs []error
	if n.tx != nil {
		errs = append(errs, n.tx.Rollback())
	}
	if n.db != nil {
		errs = append(errs, n.db.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(n.dir))...)
}

// record takes note of what a record names, or releases; document reports whether
// it is one.
func (n *named) record(ctx context.Context, leaf uint64, h *axispb.RecordHeader, body []byte) (document bool, err error) {
	switch h.GetKind() {
	case axispb.Kind_KIND_DOCUMENT:
		return true, n.document(ctx, leaf, body, true)
	case axispb.Kind_KIND_RECOVERED:
		return n.recovered(ctx, leaf, body)
	case axispb.Kind_KIND_ACT:
		return false, n.act(ctx, body)
	}
	return false, nil
}

func (n *named) document(ctx context.Context, leaf uint64, body []byte, needed bool) error {
	var e axispb.Envelope
	if err := proto.Unmarshal(body, &e); err != nil {
		return fmt.Errorf("record %d is no envelope: %w", leaf, err)
	}
	for _, f := range e.GetContents() {
		for _, digest := range f.GetChunks() {
			id, err := chunk.ParseID(digest)
			if err != nil {
				return fmt.Errorf("record %d: %w", leaf, err)
			}
			_, err = n.tx.ExecContext(ctx, `INSERT OR IGNORE INTO named VALUES (?, ?, ?)`, leaf, id[:], needed)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// recovered is a document that an endpoint brought back: without its content, at
// first.
func (n *named) recovered(ctx context.Context, leaf uint64, body []byte) (bool, error) {
	var (
		r axispb.Recovered
		h axispb.RecordHeader
	)
	err := errors.Join(proto.Unmarshal(body, &r), proto.Unmarshal(r.GetRecord().GetHeader(), &h))
	if err != nil || h.GetKind() != axispb.Kind_KIND_DOCUMENT {
		return false, err
	}
	return true, n.document(ctx, leaf, r.GetRecord().GetBody(), false)
}

func (n *named) act(ctx context.Context, body []byte) error {
	var a axispb.Act
	if err := proto.Unmarshal(body, &a); err != nil {
		return err
	}
	for _, d := range a.GetContentReleased().GetDocuments() {
		if _, err := n.tx.ExecContext(ctx, `DELETE FROM named WHERE document = ?`, d.GetLeafIndex()); err != nil {
			return err
		}
	}
	return nil
}

// each calls f with every chunk that is named, in the order of digests.
func (n *named) each(ctx context.Context, f func(id chunk.ID, needed bool) error) error {
	const pageRows = 1000
	query := `SELECT digest, max(needed) FROM named WHERE digest > ? GROUP BY digest ORDER BY digest LIMIT ?`
	for after := []byte{}; ; {
		rows, err := n.page(ctx, query, after, pageRows)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := f(r.id, r.needed); err != nil {
				return err
			}
		}
		if len(rows) < pageRows {
			return nil
		}
		last := rows[len(rows)-1].id
		after = last[:]
	}
}

type namedRow struct {
	id     chunk.ID
	needed bool
}

func (n *named) page(ctx context.Context, query string, args ...any) ([]namedRow, error) {
	rows, err := n.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []namedRow
	for rows.Next() {
		var (
			r      namedRow
			digest []byte
		)
		if err := rows.Scan(&digest, &r.needed); err != nil {
			return nil, err
		}
		if r.id, err = chunk.ParseID(digest); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// saw takes note that a chunk is in the backup, or known to be missing. It may be
// said of each chunk once.
func (n *named) saw(ctx context.Context, id chunk.ID, here bool) error {
	done, err := n.tx.ExecContext(ctx, `INSERT OR IGNORE INTO seen VALUES (?, ?)`, id[:], here)
	if err != nil {
		return err
	}
	if rows, err := done.RowsAffected(); err != nil || rows == 1 {
		return err
	}
	return archive.Damaged(fmt.Errorf("chunk %s is there twice", id))
}

// missing writes the digests that are known to be missing, one a line.
func (n *named) missing(ctx context.Context, line func(id chunk.ID) error) error {
	const pageRows = 1000
	for after := []byte{}; ; {
		rows, err := n.page(ctx, `SELECT digest, here FROM seen WHERE here = 0 AND digest > ? ORDER BY digest LIMIT ?`, after, pageRows)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := line(r.id); err != nil {
				return err
			}
		}
		if len(rows) < pageRows {
			return nil
		}
		last := rows[len(rows)-1].id
		after = last[:]
	}
}

// differ counts chunks that documents need and nothing was seen of, and chunks that
// were seen and nobody names.
func (n *named) differ(ctx context.Context) (lacking, foreign uint64, err error) {
	err = errors.Join(
		n.tx.QueryRowContext(ctx, `SELECT count(DISTINCT digest) FROM named
			WHERE needed = 1 AND digest NOT IN (SELECT digest FROM seen)`).Scan(&lacking),
		n.tx.QueryRowContext(ctx, `SELECT count(*) FROM seen WHERE digest NOT IN (SELECT digest FROM named)`).Scan(&foreign),
	)
	return lacking, foreign, err
}

// needed counts the chunks that documents need and that are known to be missing.
func (n *named) needed(ctx context.Context) (count uint64, err error) {
	err = n.tx.QueryRowContext(ctx, `SELECT count(DISTINCT digest) FROM named
		WHERE needed = 1 AND digest IN (SELECT digest FROM seen WHERE here = 0)`).Scan(&count)
	return count, err
}

func sum(data []byte) chunk.ID { return sha256.Sum256(data) }
