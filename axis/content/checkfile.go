package content

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"os"

	"docaxis/internal/chunk"
	"docaxis/internal/sqlite"
	"docaxis/proto/axispb"
)

// CheckFile reports whether an endpoint uploaded every chunk of a file and the
// chunks, joined, have the file's digest. It reads the file once and holds little
// of it. The time it takes grows with fc.Size, which the caller has bounded.
//
// REASON_CONTENT_MISSING is temporary: the endpoint asks Have, uploads what is
// missing, and submits again. REASON_DIGEST_MISMATCH is permanent. What passed
// stays pinned for half of Config.PinFor at least; call Accepted once the document
// is durable in the journal.
func (s *Store) CheckFile(ctx context.Context, endpoint string, fc *axispb.FileContent, digest [32]byte) error {
	ids, err := idsOf(fc)
	if err != nil {
		return err
	}
	if err := s.claimFile(ctx, endpoint, fc, ids); err != nil {
		return unavailable(err)
	}
	return unavailable(s.hashFile(ctx, fc, ids, digest))
}

// idsOf reads the chunks of a file, whose number must fit its size.
func idsOf(fc *axispb.FileContent) ([]chunk.ID, error) {
	n := uint64(len(fc.GetChunks()))
	if fc.GetSize() > n*chunk.Size || chunk.Count(fc.GetSize()) != n {
		return nil, mismatch(fc.GetName())
	}
	return parseIDs(fc.GetChunks())
}

// claimFile looks at every row before a byte is read: that is cheap, and what is
// missing is usually seen here.
func (s *Store) claimFile(ctx context.Context, endpoint string, fc *axispb.FileContent, ids []chunk.ID) error {
	for i, id := range ids {
		r, known, err := s.claim(ctx, endpoint, id)
		switch {
		case err != nil:
			return err
		case !known || !r.complete:
			return missing(fc.GetName())
		case r.size != int64(chunk.Length(fc.GetSize(), uint64(i))):
			return mismatch(fc.GetName())
		}
	}
	return nil
}

func (s *Store) hashFile(ctx context.Context, fc *axispb.FileContent, ids []chunk.ID, digest [32]byte) error {
	if len(ids) == 1 && ids[0] == digest && ctx.Err() == nil && s.seenRight(ids[0], fc.GetSize()) {
		return nil
	}
	sum, buf := sha256.New(), make([]byte, min(max(fc.GetSize(), 4<<10), 256<<10))
	for i, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := s.addTo(sum, id, buf)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err != nil || n != int64(chunk.Length(fc.GetSize(), uint64(i))) {
			return s.damaged(ctx, id, missing(fc.GetName()))
		}
	}
	if [32]byte(sum.Sum(nil)) == digest {
		for _, id := range ids {
			s.good.add(id, s.cfg.Now()) // it was read just now, and is what the file is made of
		}
		return nil
	}
	return s.blame(ctx, fc.GetName(), ids)
}

// seenRight reports whether a chunk was hashed within the last minute, when it was put,
// and is in its place: a file that is one chunk has the chunk's digest, and needs no
// second look at bytes that were just written.
func (s *Store) seenRight(id chunk.ID, size uint64) bool {
	n, err := fileSize(s.chunkPath(id))
	return err == nil && n == int64(size) && s.came.has(id, s.cfg.Now())
}

// addTo hashes a chunk's file as a part of its file.
func (s *Store) addTo(sum hash.Hash, id chunk.ID, buf []byte) (int64, error) {
	f, err := os.Open(s.chunkPath(id))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return io.CopyBuffer(onlyWriter{sum}, onlyReader{f}, buf)
}

// blame says whose fault a wrong digest is: a chunk damaged here must be uploaded
// again; else the sender says something untrue.
func (s *Store) blame(ctx context.Context, name string, ids []chunk.ID) error {
	seen := map[chunk.ID]bool{}
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		if seen[id] {
			continue
		}
		seen[id] = true
		good, err := s.verify(id)
		if err != nil {
			return err
		}
		if !good {
			return s.damaged(ctx, id, missing(name))
		}
	}
	return mismatch(name)
}

// verify hashes a chunk's file.
func (s *Store) verify(id chunk.ID) (bool, error) {
	f, err := os.Open(s.chunkPath(id))
	if err != nil {
		return false, err
	}
	defer f.Close()
	return verifyOpen(f, id)
}

// verifyOpen hashes an open chunk, and no more of it than a chunk can have.
func verifyOpen(f *os.File, id chunk.ID) (bool, error) {
	sum, err := hashOf(io.LimitReader(f, chunk.Size+1))
	return sum == id, err
}

// damaged sets a chunk aside that is not as it was written. No upload of it counts any
// more, so that whoever still has the bytes sends them again. It returns what to answer.
func (s *Store) damaged(ctx context.Context, id chunk.ID, answer error) error {
	if err := s.setAside(ctx, id); err != nil {
		return err
	}
	return answer
}

// Accepted marks chunks as held by an accepted document of the endpoint: they no
// longer count for its quota and their possession no longer lapses. Call it once
// the document is durable in the journal; calling it again does nothing more, so
// a start may repeat it for any part of the journal. Possession that was lost with
// content.db comes back by it, where the chunk is there.
func (s *Store) Accepted(ctx context.Context, endpoint string, digests [][]byte) error {
	ids, err := parseIDs(digests)
	if err != nil {
		return err
	}
	return unavailable(s.rows.in(ctx, func(q *sqlite.Session) error {
		var freed int64
		for _, id := range ids {
			n, err := s.accept(ctx, q, endpoint, id)
			if err != nil {
				return err
			}
			freed += n
		}
		if freed == 0 {
			return nil
		}
		return s.rows.charge(ctx, q, endpoint, -freed, 0)
	}))
}

// accept gives the bytes that do not count any more.
func (s *Store) accept(ctx context.Context, q *sqlite.Session, endpoint string, id chunk.ID) (freed int64, err error) {
	freed, known, err := s.rows.accept(ctx, q, endpoint, id)
	if err != nil || known || s.going.has(id) {
		return freed, err
	}
	n, err := fileSize(s.chunkPath(id))
	if err != nil || n == 0 {
		return 0, err
	}
	return 0, s.rows.insert(ctx, q, endpoint, id, row{size: n, complete: true, accepted: true})
}
