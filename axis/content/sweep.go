package content

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"docaxis/internal/chunk"
)

// lapse names a row whose pin is over.
type lapse struct {
	endpoint string
	id       chunk.ID
}

const lapsesAtOnce = 500

// Sweep gives quota back for what was uploaded and not used within Config.PinFor,
// forgets that it was, and removes parts as old as that. Chunks stay.
func (s *Store) Sweep(ctx context.Context) error {
	now := s.cfg.Now()
	for {
		some, err := s.rows.lapsed(ctx, now, lapsesAtOnce)
		if err != nil {
			return unavailable(err)
		}
		for _, l := range some {
			if err := s.forgetLapsed(ctx, l, now); err != nil {
				return unavailable(err)
			}
		}
		if len(some) < lapsesAtOnce {
			return unavailable(s.sweepParts(ctx, now))
		}
	}
}

func (s *Store) forgetLapsed(ctx context.Context, l lapse, now time.Time) error {
	part := s.partPath(l.endpoint, l.id)
	defer s.busy.lock(part)()
	if err := s.rows.forget(ctx, l.endpoint, l.id, now); err != nil {
		return err
	}
	if _, known, err := s.rows.lookup(ctx, l.endpoint, l.id); err != nil || known {
		return err // renewed meanwhile
	}
	return removeIfThere(part)
}

// lapsed lists some rows whose pin is over and that no accepted document holds.
func (p *possession) lapsed(ctx context.Context, now time.Time, limit int) ([]lapse, error) {
	rows, err := p.db.QueryContext(ctx, `SELECT endpoint, digest FROM possession
		WHERE accepted = 0 AND pinned_until < ? LIMIT ?`, now.UnixMilli(), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var some []lapse
	for rows.Next() {
		var (
			l      lapse
			digest sql.RawBytes
		)
		if err := rows.Scan(&l.endpoint, &digest); err != nil {
			return nil, err
		}
		if l.id, err = chunk.ParseID(digest); err != nil {
			return nil, err
		}
		some = append(some, l)
	}
	return some, rows.Err()
}

// sweepParts removes old parts, whatever content.db knows of them.
func (s *Store) sweepParts(ctx context.Context, now time.Time) error {
	oldest := now.Add(-s.cfg.PinFor)
	return s.eachPart(func(path string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		defer s.busy.lock(path)()
		info, err := os.Stat(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil || !info.ModTime().Before(oldest) {
			return err
		}
		return removeIfThere(path)
	})
}

func (s *Store) eachPart(f func(path string) error) error {
	parts := filepath.Join(s.dir, "parts")
	return eachEntry(parts, func(folder os.DirEntry) error {
		if !folder.IsDir() {
			return nil
		}
		return eachEntry(filepath.Join(parts, folder.Name()), func(e os.DirEntry) error {
			if !strings.HasSuffix(e.Name(), partSuffix) {
				return nil
			}
			return f(filepath.Join(parts, folder.Name(), e.Name()))
		})
	})
}
