package content

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"docaxis/internal/chunk"
)

// maxProblems bounds what one check reports.
const maxProblems = 100

// problems gathers what a check finds.
type problems struct {
	list []error
	more int
}

func (p *problems) add(format string, args ...any) {
	if len(p.list) == maxProblems {
		p.more++
		return
	}
	p.list = append(p.list, fmt.Errorf(format, args...))
}

func (p *problems) err() error {
	if p.more > 0 {
		p.list = append(p.list, fmt.Errorf("%d more problems", p.more))
	}
	return errors.Join(p.list...)
}

// Check reports what does not hold of what must always hold: names and sizes of
// chunks and parts; a chunk in its place for every complete upload; usage equal to
// what is charged. It reads no content, and its answer is exact while nothing is
// uploaded.
func (s *Store) Check() error {
	var found problems
	err := errors.Join(
		s.eachChunk(func(path string, id chunk.ID, ok bool) error { return checkChunk(&found, path, id, ok) }),
		s.eachPart(func(path string) error { return checkPart(&found, path) }),
		s.checkRows(&found),
		s.rows.checkUsage(&found),
	)
	return errors.Join(err, found.err())
}

// Verify hashes every chunk and reports those that are not what their name says.
// It changes nothing.
func (s *Store) Verify(ctx context.Context) error {
	var found problems
	err := s.eachChunk(func(path string, id chunk.ID, ok bool) error {
		if err := ctx.Err(); err != nil || !ok {
			return err
		}
		good, err := s.verify(id)
		if err == nil && !good {
			found.add("chunk %s is damaged", path)
		}
		return err
	})
	for _, id := range s.lost.some(maxProblems) {
		found.add("chunk %s was damaged or lost, and nobody has put it again", id)
	}
	return errors.Join(err, found.err())
}

// eachChunk calls f for everything under chunks; ok is false where the name is no
// chunk's, or in the wrong folder.
func (s *Store) eachChunk(f func(path string, id chunk.ID, ok bool) error) error {
	chunks := filepath.Join(s.dir, "chunks")
	return eachEntry(chunks, func(folder os.DirEntry) error {
		return eachEntry(filepath.Join(chunks, folder.Name()), func(e os.DirEntry) error {
			id, ok := parseName(e.Name())
			ok = ok && strings.HasPrefix(e.Name(), folder.Name())
			return f(filepath.Join(chunks, folder.Name(), e.Name()), id, ok)
		})
	})
}

func checkChunk(found *problems, path string, _ chunk.ID, ok bool) error {
	if !ok {
		found.add("%s is not named as a chunk", path)
		return nil
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() == 0 || info.Size() > chunk.Size {
		found.add("%s is no file of 1 to %d bytes", path, chunk.Size)
	}
	return nil
}

func checkPart(found *problems, path string) error {
	if _, ok := parseName(strings.TrimSuffix(filepath.Base(path), partSuffix)); !ok {
		found.add("%s is not named as a part", path)
	}
	n, err := fileSize(path)
	if n > chunk.Size {
		found.add("%s is larger than a chunk", path)
	}
	return err
}

func (s *Store) checkRows(found *problems) error {
	rows, err := s.rows.db.Query(`SELECT endpoint, digest, size FROM possession WHERE complete = 1`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			endpoint string
			digest   []byte
			n        int64
		)
		if err := rows.Scan(&endpoint, &digest, &n); err != nil {
			return err
		}
		id, err := chunk.ParseID(digest)
		if err != nil || !s.present(id, row{size: n, complete: true}) {
			found.add("chunk %x uploaded by %s is not there with %d bytes", digest, endpoint, n)
		}
	}
	return rows.Err()
}

func (p *possession) checkUsage(found *problems) error {
	rows, err := p.db.Query(`
		SELECT endpoint, sum(charged), sum(used) FROM (
		  SELECT endpoint, charged, 0 AS used FROM possession
		  UNION ALL SELECT endpoint, 0, bytes FROM usage)
		GROUP BY endpoint HAVING sum(charged) <> sum(used)`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			endpoint      string
			charged, used int64
		)
		if err := rows.Scan(&endpoint, &charged, &used); err != nil {
			return err
		}
		found.add("usage of %s is %d, its uploads are charged %d", endpoint, used, charged)
	}
	return rows.Err()
}
