package content_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"docaxis/axis/content"
	"docaxis/internal/chunk"
	"docaxis/proto/axispb"
)

// A file is read at any offset as it was sent, whatever is read before, and what is
// beyond its end is not there.
func TestReaderReadsAtAnyOffset(t *testing.T) {
	for _, n := range []int{0, 1, 65536, chunk.Size, 2*chunk.Size + 70_001} {
		s := open(t, t.TempDir(), content.Config{})
		data := bytesOf(1, n)
		fc, _, pieces := fileOf(t, data)
		mustUpload(t, s, "e1", pieces...)
		r, err := s.Reader(t.Context(), fc)
		if err != nil || r.Size() != int64(n) {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if err := readsAs(r, data, 200); err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func readsAs(r io.ReaderAt, data []byte, times int) error {
	random, n := rand.New(rand.NewPCG(1, 2)), len(data)
	for range times {
		off, length := random.IntN(n+2), random.IntN(300_000)
		got, want := make([]byte, length), data[min(off, n):min(off+length, n)]
		k, err := r.ReadAt(got, int64(off))
		if !bytes.Equal(got[:k], want) {
			return errors.New("other bytes")
		}
		if short := k < length; short != errors.Is(err, io.EOF) || !short && err != nil {
			return errors.Join(errors.New("at the end"), err)
		}
	}
	return nil
}

// What goes to and fro in a file does not read it again and again.
func TestReaderKeepsWhatItRead(t *testing.T) {
	s := open(t, t.TempDir(), content.Config{})
	fc, _, pieces := fileOf(t, bytesOf(1, 3*chunk.Size))
	mustUpload(t, s, "e1", pieces...)
	r, err := s.Reader(t.Context(), fc)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if _, err := r.ReadAt(make([]byte, 10), int64(i%2)*(3*chunk.Size-10)); err != nil {
			t.Fatal(err)
		}
	}
	if r.Cost() > 128<<10 {
		t.Errorf("%d bytes were read for 1,000 looks at two places", r.Cost())
	}
}

// Damage is not read but set aside, and a chunk that is gone is not found: whoever asks
// knows which it was.
func TestReaderMeetsDamage(t *testing.T) {
	s := open(t, t.TempDir(), content.Config{})
	fc, _, pieces := fileOf(t, bytesOf(1, 2*chunk.Size))
	mustUpload(t, s, "e1", pieces...)
	writeFile(t, chunkFile(s.dir, pieces[0]), bytesOf(9, chunk.Size))
	nobodys := idOf([]byte("nobody's"))
	fc.Chunks[1] = nobodys[:]
	r, err := s.Reader(t.Context(), fc)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.ReadAt(make([]byte, 10), 0)
	wantReason(t, err, axispb.ReasonCode_REASON_UNAVAILABLE, true)
	_, err = r.ReadAt(make([]byte, 10), chunk.Size)
	wantReason(t, err, axispb.ReasonCode_REASON_NOT_FOUND, false)
	_, err = s.Reader(t.Context(), &axispb.FileContent{Name: "a", Size: 3 * chunk.Size, Chunks: fc.Chunks})
	wantReason(t, err, axispb.ReasonCode_REASON_DIGEST_MISMATCH, false)
}
