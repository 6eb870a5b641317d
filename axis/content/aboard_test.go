package content_test

import (
	"testing"

	"docaxis/axis/content"
	"docaxis/internal/chunk"
	"docaxis/proto/axispb"
)

// aboard puts files of one chunk each as a submission of all of them does.
func aboard(t *testing.T, s *rig, endpoint string, files ...[]byte) error {
	t.Helper()
	var listed []*axispb.FileContent
	for _, data := range files {
		listed = append(listed, oneChunk(data))
	}
	return s.PutAboard(t.Context(), endpoint, listed, files)
}

// What came inside a submission is as what was uploaded, and only its endpoint's.
func TestChunksInsideASubmissionAreUploaded(t *testing.T) {
	s := open(t, t.TempDir(), content.Config{})
	files := [][]byte{bytesOf(1, 1), bytesOf(2, 1000), bytesOf(3, 30_000), bytesOf(2, 1000)}
	for range 2 {
		if err := aboard(t, s, "e1", files...); err != nil {
			t.Fatal(err)
		}
		for _, data := range files {
			wantServed(t, s, data)
			wantHeld(t, s, "e1", data, len(data), true)
			wantHeld(t, s, "e2", data, 0, false)
			if err := s.CheckFile(t.Context(), "e1", oneChunk(data), idOf(data)); err != nil {
				t.Error(err)
			}
		}
	}
	if err := s.PutAboard(t.Context(), "e1", nil, nil); err != nil {
		t.Errorf("nothing: %v", err)
	}
	err := s.CheckFile(t.Context(), "e2", oneChunk(files[1]), idOf(files[1]))
	wantReason(t, err, axispb.ReasonCode_REASON_CONTENT_MISSING, true)
}

// What is too much, or not the document's, is refused before anything is written.
func TestChunksInsideASubmissionHaveLimits(t *testing.T) {
	many := make([][]byte, chunk.MaxAboardCount+1)
	for i := range many {
		many[i] = bytesOf(uint64(i), 10)
	}
	half := chunk.MaxAboard / 2
	dir := t.TempDir()
	s := open(t, dir, content.Config{})
	for name, files := range map[string][][]byte{
		"too many": many, "too large": {bytesOf(1, half), bytesOf(2, half), bytesOf(3, 1)}, "empty": {bytesOf(1, 10), nil},
	} {
		err := aboard(t, s, "e1", files...)
		wantReason(t, err, axispb.ReasonCode_REASON_MALFORMED, false)
		if left := partFiles(t, dir); len(left) > 0 {
			t.Errorf("%s: written: %v", name, left)
		}
		wantHeld(t, s, "e1", files[0], 0, false)
	}
	right, wrong := bytesOf(1, 1000), bytesOf(2, 1000)
	err := s.PutAboard(t.Context(), "e1", []*axispb.FileContent{oneChunk(right)}, [][]byte{right, wrong})
	wantReason(t, err, axispb.ReasonCode_REASON_DIGEST_MISMATCH, false)
	wantHeld(t, s, "e1", right, 0, false)
	wantHeld(t, s, "e1", wrong, 0, false)
	if err := aboard(t, s, "e1", many[1:]...); err != nil {
		t.Errorf("as many as may be: %v", err)
	}
	if err := aboard(t, s, "e1", bytesOf(4, half), bytesOf(5, half)); err != nil {
		t.Errorf("as much as may be: %v", err)
	}
}

// The quota counts them as uploads.
func TestChunksInsideASubmissionCountForTheQuota(t *testing.T) {
	s := open(t, t.TempDir(), content.Config{QuotaBytes: 40 << 10})
	if err := aboard(t, s, "e1", bytesOf(1, 1000), bytesOf(2, 1000)); err != nil {
		t.Fatal(err)
	}
	over := bytesOf(3, 1000)
	wantReason(t, aboard(t, s, "e1", over), axispb.ReasonCode_REASON_QUOTA, true)
	wantHeld(t, s, "e1", over, 0, false)
	if err := aboard(t, s, "e2", over); err != nil {
		t.Error(err)
	}
}

// After each step that fails, the same submission again leaves what an upload leaves.
func TestEveryStepOfChunksInsideASubmissionFails(t *testing.T) {
	everyStepFails(t, append(points, "aboard.before", "aboard.after"), func(s *rig, data []byte) error {
		return aboard(t, s, "e1", data)
	})
}

// An upload that was begun is gone on with; what was begun wrongly is dropped.
func TestChunksInsideASubmissionGoOn(t *testing.T) {
	for _, starts := range []bool{false, true} {
		s := open(t, t.TempDir(), content.Config{})
		data, other := bytesOf(1, 20_000), bytesOf(2, 20_000)
		if _, err := s.Put(t.Context(), "e1", rangeOf(data, 0, 7000)); err != nil {
			t.Fatal(err)
		}
		lie := rangeOf(other, 0, 7000)
		lie.Data = bytesOf(3, 7000)
		if _, err := s.Put(t.Context(), "e1", lie); err != nil {
			t.Fatal(err)
		}
		if starts {
			s.restart(content.Config{})
		}
		if err := aboard(t, s, "e1", data); err != nil {
			t.Fatal(err)
		}
		wantServed(t, s, data)
		// As for an upload: temporary where the axis itself may have harmed the part.
		want := map[bool]axispb.ReasonCode{false: axispb.ReasonCode_REASON_DIGEST_MISMATCH, true: axispb.ReasonCode_REASON_UNAVAILABLE}
		wantReason(t, aboard(t, s, "e1", other), want[starts], starts)
		if err := aboard(t, s, "e1", other); err != nil {
			t.Error(err)
		}
	}
}
