package content_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"docaxis/axis/content"
	"docaxis/internal/chunk"
	"docaxis/proto/axispb"
)

// fileOf cuts a file as a sender does.
func fileOf(t *testing.T, data []byte) (fc *axispb.FileContent, digest [32]byte, pieces [][]byte) {
	t.Helper()
	f, err := chunk.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	fc = &axispb.FileContent{Name: "files/001.pdf", Size: f.Size}
	for i, id := range f.Chunks {
		fc.Chunks = append(fc.Chunks, id[:])
		pieces = append(pieces, data[i*chunk.Size:min((i+1)*chunk.Size, len(data))])
	}
	return fc, f.Digest, pieces
}

func TestCheckFile(t *testing.T) {
	for _, n := range []int{0, 1, chunk.Size, chunk.Size + 1, 3*chunk.Size - 1} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := open(t, t.TempDir(), content.Config{})
			fc, digest, pieces := fileOf(t, bytesOf(1, n))
			mustUpload(t, s, "e1", pieces...)
			if err := s.CheckFile(t.Context(), "e1", fc, digest); err != nil {
				t.Error(err)
			}
			digest[0]++
			err := s.CheckFile(t.Context(), "e1", fc, digest)
			wantReason(t, err, axispb.ReasonCode_REASON_DIGEST_MISMATCH, false)
		})
	}
}

// Nobody may name what only others uploaded.
func TestCheckFileWantsOwnUploads(t *testing.T) {
	s := open(t, t.TempDir(), content.Config{})
	fc, digest, pieces := fileOf(t, bytesOf(1, 2*chunk.Size))
	mustUpload(t, s, "e1", pieces...)
	mustUpload(t, s, "e2", pieces[0])
	if _, err := s.Put(t.Context(), "e2", rangeOf(pieces[1], 0, 1000)); err != nil {
		t.Fatal(err)
	}
	err := s.CheckFile(t.Context(), "e2", fc, digest)
	wantReason(t, err, axispb.ReasonCode_REASON_CONTENT_MISSING, true)
	mustUpload(t, s, "e2", pieces[1])
	if err := s.CheckFile(t.Context(), "e2", fc, digest); err != nil {
		t.Error(err)
	}
}

func TestCheckFileComparesSizes(t *testing.T) {
	s := open(t, t.TempDir(), content.Config{})
	data := bytesOf(1, chunk.Size+10)
	fc, digest, pieces := fileOf(t, data)
	mustUpload(t, s, "e1", pieces...)
	for _, size := range []uint64{0, 1, chunk.Size, chunk.Size + 9, chunk.Size + 11, 2*chunk.Size + 1, 1<<64 - 1, 1<<64 - chunk.Size} {
		other := &axispb.FileContent{Name: fc.Name, Size: size, Chunks: fc.Chunks}
		err := s.CheckFile(t.Context(), "e1", other, digest)
		wantReason(t, err, axispb.ReasonCode_REASON_DIGEST_MISMATCH, false)
	}
	swapped := &axispb.FileContent{Name: fc.Name, Size: fc.Size, Chunks: [][]byte{fc.Chunks[1], fc.Chunks[0]}}
	err := s.CheckFile(t.Context(), "e1", swapped, digest)
	wantReason(t, err, axispb.ReasonCode_REASON_DIGEST_MISMATCH, false)
	err = s.CheckFile(t.Context(), "e1", &axispb.FileContent{Name: fc.Name, Size: 1<<64 - 1}, sha256.Sum256(nil))
	wantReason(t, err, axispb.ReasonCode_REASON_DIGEST_MISMATCH, false)
	short := &axispb.FileContent{Name: fc.Name, Size: fc.Size, Chunks: [][]byte{fc.Chunks[0], fc.Chunks[1][:5]}}
	err = s.CheckFile(t.Context(), "e1", short, digest)
	wantReason(t, err, axispb.ReasonCode_REASON_MALFORMED, false)
}

// Damage on our disk is not the sender's fault: it is asked to upload again, and
// that mends it.
func TestDamageIsMendedByAnUpload(t *testing.T) {
	for name, harm := range map[string]func(path string) error{
		"changed":   func(p string) error { return os.WriteFile(p, bytesOf(9, chunk.Size), 0o600) },
		"shortened": func(p string) error { return os.Truncate(p, 100) },
		"longer":    func(p string) error { return os.Truncate(p, 3*chunk.Size) },
		"gone":      os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, content.Config{})
			fc, digest, pieces := fileOf(t, bytesOf(1, 2*chunk.Size))
			mustUpload(t, s, "e1", pieces...)
			if err := s.Accepted(t.Context(), "e1", fc.Chunks[1:]); err != nil {
				t.Fatal(err)
			}
			wantServed(t, s, pieces[1])
			if err := harm(chunkFile(dir, pieces[1])); err != nil {
				t.Fatal(err)
			}
			err := s.CheckFile(t.Context(), "e1", fc, digest)
			wantReason(t, err, axispb.ReasonCode_REASON_CONTENT_MISSING, true)
			wantHeld(t, s, "e1", pieces[1], 0, false)
			wantHeld(t, s, "e1", pieces[0], chunk.Size, true)
			if got, err := s.ReadRange(t.Context(), idOf(pieces[1]), 0, 10); err == nil {
				t.Errorf("served %x of a damaged chunk", got)
			}
			mustUpload(t, s, "e1", pieces[1])
			wantServed(t, s, pieces[1])
			if err := s.CheckFile(t.Context(), "e1", fc, digest); err != nil {
				t.Error(err)
			}
		})
	}
}

// ended is a context that says so only to who asks between two steps.
type ended struct{ context.Context }

func (ended) Err() error { return context.Canceled }

// A long file is not hashed to its end for nobody.
func TestCheckFileStops(t *testing.T) {
	s := open(t, t.TempDir(), content.Config{})
	fc, digest, pieces := fileOf(t, bytesOf(1, 10))
	mustUpload(t, s, "e1", pieces...)
	if err := s.CheckFile(ended{context.Background()}, "e1", fc, digest); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// A file is hashed without being held.
func TestCheckFileHoldsLittle(t *testing.T) {
	s := open(t, t.TempDir(), content.Config{})
	piece := bytesOf(1, chunk.Size)
	mustUpload(t, s, "e1", piece)
	fc, whole := &axispb.FileContent{Name: "files/001.bin", Size: 48 * chunk.Size}, sha256.New()
	for range 48 {
		fc.Chunks = append(fc.Chunks, idBytes(piece))
		whole.Write(piece)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := s.CheckFile(t.Context(), "e1", fc, [32]byte(whole.Sum(nil))); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
		t.Errorf("%d bytes were allocated for a file of %d", used, fc.Size)
	}
}

func TestReadRangeBounds(t *testing.T) {
	s := open(t, t.TempDir(), content.Config{})
	data := bytesOf(1, chunk.Size)
	mustUpload(t, s, "e1", data)
	for _, r := range [][2]uint32{
		{0, 0},
		{0, chunk.MaxRange + 1},
		{chunk.Size, 1},
		{chunk.Size - 1, 2},
		{1<<32 - 1, 1},
		{1<<32 - 1, chunk.MaxRange},
	} {
		_, err := s.ReadRange(t.Context(), idOf(data), r[0], r[1])
		wantReason(t, err, axispb.ReasonCode_REASON_MALFORMED, false)
	}
	_, err := s.ReadRange(t.Context(), idOf([]byte("unknown")), 0, 1)
	wantReason(t, err, axispb.ReasonCode_REASON_NOT_FOUND, false)
}

// What is on the disk is not believed after a start, nor is an upload in progress
// ever served.
func TestReadRangeServesOnlyWhatIsRight(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, content.Config{})
	data, begun := bytesOf(1, 1000), bytesOf(2, 1000)
	mustUpload(t, s, "e1", data)
	if _, err := s.Put(t.Context(), "e1", rangeOf(begun, 0, 999)); err != nil {
		t.Fatal(err)
	}
	_, err := s.ReadRange(t.Context(), idOf(begun), 0, 10)
	wantReason(t, err, axispb.ReasonCode_REASON_NOT_FOUND, false)

	harmed := bytes.Clone(data)
	harmed[999] ^= 1
	s.restart(content.Config{})
	writeFile(t, chunkFile(dir, data), harmed)
	for range 2 {
		_, err = s.ReadRange(t.Context(), idOf(data), 0, 10)
		wantReason(t, err, axispb.ReasonCode_REASON_UNAVAILABLE, true)
	}
	mustUpload(t, s, "e2", data)
	wantServed(t, s, data)
}

func TestSweep(t *testing.T) {
	dir, now := t.TempDir(), newClock()
	s := open(t, dir, content.Config{Now: now.Now, PinFor: 7 * 24 * time.Hour, QuotaBytes: 5 * 16 << 10})
	accepted, asked, checked, unused, begun := bytesOf(1, 10), bytesOf(2, 20), bytesOf(3, 30), bytesOf(4, 40), bytesOf(5, 50)
	mustUpload(t, s, "e1", accepted, asked, checked, unused)
	if _, err := s.Put(t.Context(), "e1", rangeOf(begun, 0, 5)); err != nil {
		t.Fatal(err)
	}
	if err := s.Accepted(t.Context(), "e1", [][]byte{idBytes(accepted)}); err != nil {
		t.Fatal(err)
	}
	now.forward(6 * 24 * time.Hour)
	sweep(t, s)
	wantHeld(t, s, "e1", asked, 20, true)
	fc, digest, _ := fileOf(t, checked)
	if err := s.CheckFile(t.Context(), "e1", fc, digest); err != nil {
		t.Fatal(err)
	}

	now.forward(2 * 24 * time.Hour)
	if err := os.Chtimes(partFiles(t, dir)[0], now.now, now.now); err != nil { // written to lately
		t.Fatal(err)
	}
	sweep(t, s)
	wantHeld(t, s, "e1", accepted, 10, true)
	wantHeld(t, s, "e1", asked, 20, true)
	if err := s.CheckFile(t.Context(), "e1", fc, digest); err != nil {
		t.Error(err)
	}
	wantHeld(t, s, "e1", unused, 0, false)
	wantHeld(t, s, "e1", begun, 0, false)
	for _, data := range [][]byte{accepted, asked, checked, unused} {
		wantServed(t, s, data) // possession lapses; chunks are never removed here
	}
	mustUpload(t, s, "e1", unused, begun, bytesOf(6, 60)) // the quota was given back
	wantReason(t, upload(s, "e1", bytesOf(7, 70)), axispb.ReasonCode_REASON_QUOTA, true)
}

func sweep(t *testing.T, s *rig) {
	t.Helper()
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A part whose row was lost is swept by its age.
func TestSweepOfPartsWithoutRows(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, content.Config{})
	folder := filepath.Join(dir, "parts", "e-old")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	stale, recent := filepath.Join(folder, idOf([]byte("1")).String()+".part"), filepath.Join(folder, idOf([]byte("2")).String()+".part")
	writeFile(t, stale, []byte("old"))
	writeFile(t, recent, []byte("new"))
	old := time.Now().Add(-8 * 24 * time.Hour)
	if err := os.Chtimes(stale, old, old); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "parts", "readme"), []byte("not ours"))
	sweep(t, s)
	if left := partFiles(t, dir); len(left) != 1 || left[0] != recent {
		t.Errorf("left: %v", left)
	}
}

// More lapses than are listed at once.
func TestSweepOfMany(t *testing.T) {
	dir, now := t.TempDir(), newClock()
	s := open(t, dir, content.Config{Now: now.Now})
	for i := range 1100 {
		data := bytesOf(uint64(i), 33)
		if _, err := s.Put(t.Context(), "e1", rangeOf(data, 0, 1)); err != nil {
			t.Fatal(err)
		}
	}
	now.forward(8 * 24 * time.Hour)
	sweep(t, s)
	if n := rowCount(t, dir); n != 0 {
		t.Errorf("%d rows are left", n)
	}
	if left := partFiles(t, dir); len(left) > 0 {
		t.Errorf("%d parts are left", len(left))
	}
}

func rowCount(t *testing.T, dir string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "content.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(`SELECT count(*) FROM possession`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestHaveBounds(t *testing.T) {
	s := open(t, t.TempDir(), content.Config{})
	many := make([][]byte, 4097)
	for i := range many {
		many[i] = idBytes(bytesOf(uint64(i), 4))
	}
	_, err := s.Have(t.Context(), "e1", many)
	wantReason(t, err, axispb.ReasonCode_REASON_MALFORMED, false)
	_, err = s.Have(t.Context(), "e1", [][]byte{make([]byte, 33)})
	wantReason(t, err, axispb.ReasonCode_REASON_MALFORMED, false)
	held, err := s.Have(t.Context(), "e1", many[:4096])
	if err != nil || len(held) != 4096 {
		t.Errorf("%d answers, %v", len(held), err)
	}
}

// What an accepted document holds stays so, whatever its uploader sends later.
func TestWrongBytesDoNotUndoAcceptance(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, content.Config{QuotaBytes: 16 << 10})
	data := bytesOf(1, 1000)
	mustUpload(t, s, "e1", data)
	if err := s.Accepted(t.Context(), "e1", [][]byte{idBytes(data)}); err != nil {
		t.Fatal(err)
	}
	mustUpload(t, s, "e1", bytesOf(2, 1000)) // the quota is used up
	writeFile(t, chunkFile(dir, data), bytesOf(3, 1000))
	_, err := s.ReadRange(t.Context(), idOf(data), 0, 10)
	wantReason(t, err, axispb.ReasonCode_REASON_UNAVAILABLE, true)
	wrong := rangeOf(data, 0, 1000)
	wrong.Data = bytesOf(4, 1000)
	_, err = s.Put(t.Context(), "e1", wrong)
	wantReason(t, err, axispb.ReasonCode_REASON_DIGEST_MISMATCH, false)
	mustUpload(t, s, "e1", data)
	wantServed(t, s, data)
}
