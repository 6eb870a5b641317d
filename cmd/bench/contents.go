package main

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver

	"docaxis/internal/chunk"
)

// contents is the content store of an axis that does not run: chunks as it lays them out,
// each with its row, but not synced one by one, which is what makes uploads safe and slow.
type contents struct {
	dir    string
	db     *sql.DB
	mu     sync.Mutex
	tx     *sql.Tx
	insert *sql.Stmt // in tx
	n      int
}

// rowsTogether is how many rows a transaction of contents has.
const rowsTogether = 10_000

const insertPossession = `INSERT INTO possession VALUES (?, ?, ?, 1, 1, 0, ?, 1)`

func openContents(axisDir string) (*contents, error) {
	c := &contents{dir: filepath.Join(axisDir, "content", "chunks")}
	var err error
	if c.db, err = sql.Open("sqlite", filepath.Join(axisDir, "content", "content.db")); err != nil {
		return nil, err
	}
	c.db.SetMaxOpenConns(1)
	for i := range 256 {
		if err := os.MkdirAll(filepath.Join(c.dir, hex.EncodeToString([]byte{byte(i)})), 0o700); err != nil {
			return nil, errors.Join(err, c.db.Close())
		}
	}
	return c, c.begin()
}

// put keeps a file of one chunk, uploaded by an endpoint.
func (c *contents) put(endpoint string, content []byte) (chunk.File, error) {
	f, err := chunk.Read(bytes.NewReader(content))
	if err != nil {
		return chunk.File{}, err
	}
	id := f.Chunks[0]
	if err := os.WriteFile(filepath.Join(c.dir, id.String()[:2], id.String()), content, 0o600); err != nil {
		return chunk.File{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err = c.insert.Exec(endpoint, id[:], len(content), time.Now().UnixMilli())
	if c.n++; err == nil && c.n%rowsTogether == 0 {
		err = c.commit()
	}
	return f, err
}

// commit ends a transaction and begins the next.
func (c *contents) commit() error {
	if err := c.tx.Commit(); err != nil {
		return err
	}
	return c.begin()
}

func (c *contents) begin() (err error) {
	if c.tx, err = c.db.Begin(); err != nil {
		return err
	}
	c.insert, err = c.tx.Prepare(insertPossession)
	return err
}

func (c *contents) close() error { return errors.Join(c.tx.Commit(), c.db.Close()) }
