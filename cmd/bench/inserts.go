package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ledgerTables are the ledger's tables that grow with the journal, each with the column
// that says which record made a row. Evidence changes rows of recipients: those that are
// inserted here are as they end.
const ledgerTables = "record.position document.position recipient.document mailbox.position evidence.position chunk.document holding.document"

// insertsTogether is how many records' rows one transaction has: about as many as a block
// of the journal.
const insertsTogether = 3 * together

// insertRate is how many records a second, by a clock, can be inserted, as the rows that
// the axis's ledger has of them, into an empty database of the same tables and indexes:
// what SQLite alone takes of a rebuild. Only the inserting is timed. The axis must not run.
func (w *world) insertRate(ctx context.Context, c clock) (float64, error) {
	from, err := sql.Open("sqlite", "file:"+filepath.Join(w.axisDir(), ledgerFile)+"?_pragma=query_only(1)")
	if err != nil {
		return 0, err
	}
	defer from.Close()
	scratch, err := os.MkdirTemp(w.dir, "inserts-")
	if err != nil {
		return 0, err
	}
	to, err := sql.Open("sqlite", "file:"+filepath.Join(scratch, ledgerFile)+"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=cache_size(-16384)")
	if err != nil {
		return 0, err
	}
	defer to.Close()
	to.SetMaxOpenConns(1)
	return insertAll(ctx, from, to, c)
}

func insertAll(ctx context.Context, from, to *sql.DB, c clock) (float64, error) {
	if err := copySchema(ctx, from, to); err != nil {
		return 0, err
	}
	var records int64
	if err := from.QueryRowContext(ctx, `SELECT max(position) + 1 FROM record`).Scan(&records); err != nil {
		return 0, err
	}
	i := &inserter{to: to, clock: c}
	defer i.close()
	for _, name := range append(strings.Fields(ledgerTables), "hash.id/2") {
		if err := i.add(ctx, from, name); err != nil {
			return 0, fmt.Errorf("table %s: %w", name, err)
		}
	}
	for at := int64(0); at < records; at += insertsTogether {
		if err := i.copy(ctx, at+insertsTogether); err != nil {
			return 0, err
		}
	}
	return float64(records) / i.took.Seconds(), nil
}

// copySchema makes the same tables and indexes.
func copySchema(ctx context.Context, from, to *sql.DB) error {
	rows, err := from.QueryContext(ctx, `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var statement string
		if err := rows.Scan(&statement); err != nil {
			return err
		}
		if _, err := to.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return rows.Err()
}

// inserter copies rows between two databases, in the order of the records that made them.
type inserter struct {
	to     *sql.DB
	clock  clock
	tables []*insertTable
	took   time.Duration
}

// insertTable is one table that is read on, row by row.
type insertTable struct {
	rows   *sql.Rows
	write  *sql.Stmt
	cells  []any // of the row that was read last, its record first
	ready  bool  // cells are of a row that was not inserted yet
	insert [][]any
}

// add begins to read a table, named with what says the record of a row.
func (i *inserter) add(ctx context.Context, from *sql.DB, name string) error {
	table, record, _ := strings.Cut(name, ".")
	rows, err := from.QueryContext(ctx, fmt.Sprintf(`SELECT %s AS made_by, * FROM %s ORDER BY made_by`, record, table))
	if err != nil {
		return err
	}
	t := &insertTable{rows: rows}
	i.tables = append(i.tables, t)
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	t.cells = make([]any, len(columns))
	t.write, err = i.to.PrepareContext(ctx, fmt.Sprintf(`INSERT INTO %s VALUES (?%s)`, table, strings.Repeat(", ?", len(columns)-2)))
	return err
}

func (i *inserter) close() {
	for _, t := range i.tables {
		t.rows.Close() //nolint:errcheck // it was only read
	}
}

// copy inserts the rows of all records before one, in one transaction. Reading them first
// is not timed.
func (i *inserter) copy(ctx context.Context, before int64) error {
	for _, t := range i.tables {
		if err := t.read(before); err != nil {
			return err
		}
	}
	begun := i.clock()
	tx, err := i.to.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, t := range i.tables {
		write := tx.StmtContext(ctx, t.write)
		for _, row := range t.insert {
			if _, err := write.ExecContext(ctx, row...); err != nil {
				return errors.Join(err, tx.Rollback())
			}
		}
	}
	err = tx.Commit()
	i.took += i.clock() - begun
	return err
}

// read collects the rows of records before one.
func (t *insertTable) read(before int64) error {
	t.insert = t.insert[:0]
	into := make([]any, len(t.cells))
	for c := range into {
		into[c] = &t.cells[c]
	}
	for {
		if !t.ready {
			if !t.rows.Next() {
				return t.rows.Err()
			}
			if err := t.rows.Scan(into...); err != nil {
				return err
			}
		}
		record, ok := t.cells[0].(int64)
		if t.ready = !ok || record >= before; t.ready {
			return nil
		}
		t.insert = append(t.insert, slices.Clone(t.cells[1:]))
	}
}
