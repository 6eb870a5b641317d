package content_test

import (
	"errors"
	"testing"

	"docaxis/axis/content"
	"docaxis/internal/chunk"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// A chunk that comes at once: each step fails, not done or done but not told, with and
// without a new start after it. Then the endpoint goes on.
func TestEveryStepOfAWholeChunkFails(t *testing.T) {
	everyStepFails(t, points, func(s *rig, data []byte) error { return upload(s, "e1", data) })
}

// everyStepFails has put, which brings a chunk of e1, fail at each point, and then again
// where it left off.
func everyStepFails(t *testing.T, points []string, put func(s *rig, data []byte) error) {
	for _, point := range points {
		for _, dies := range []bool{false, true} {
			name := point
			if dies {
				name += " and a start"
			}
			t.Run(name, func(t *testing.T) {
				failed := false
				s := open(t, t.TempDir(), content.Config{Faults: func(p string) error {
					if p != point || failed {
						return nil
					}
					failed = true
					return errors.New("made up")
				}})
				data := bytesOf(1, 1000)
				wantReason(t, put(s, data), axispb.ReasonCode_REASON_UNAVAILABLE, true)
				if dies {
					s.restart(content.Config{})
				}
				if err := put(s, data); err != nil {
					t.Fatal(err)
				}
				wantServed(t, s, data)
				wantHeld(t, s, "e1", data, len(data), true)
				if err := s.CheckFile(t.Context(), "e1", oneChunk(data), idOf(data)); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// The next range of an upload fails: what this process remembered of it is forgotten,
// and what the disk has counts.
func TestARangeThatFailsIsLookedAtAgain(t *testing.T) {
	for _, point := range []string{"put.before", "put.after"} {
		t.Run(point, func(t *testing.T) {
			at := ""
			s := open(t, t.TempDir(), content.Config{Faults: func(p string) error {
				if p != at {
					return nil
				}
				at = ""
				return errors.New("made up")
			}})
			data := bytesOf(1, 3*chunk.MaxRange)
			if _, err := s.Put(t.Context(), "e1", rangeOf(data, 0, chunk.MaxRange)); err != nil {
				t.Fatal(err)
			}
			at = point
			_, err := s.Put(t.Context(), "e1", rangeOf(data, chunk.MaxRange, chunk.MaxRange))
			wantReason(t, err, axispb.ReasonCode_REASON_UNAVAILABLE, true)
			mustUpload(t, s, "e1", data)
			wantServed(t, s, data)
		})
	}
}

// A chunk that comes at once is refused over the quota before anything is written, and
// one that another one was faster than, after.
func TestAWholeChunkOverTheQuota(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, content.Config{QuotaBytes: 40 << 10})
	mustUpload(t, s, "e1", bytesOf(1, 1000), bytesOf(2, 1000))
	for range 2 {
		over := bytesOf(3, 1000)
		wantReason(t, upload(s, "e1", over), axispb.ReasonCode_REASON_QUOTA, true)
		wantHeld(t, s, "e1", over, 0, false)
		if left := partFiles(t, dir); len(left) > 0 {
			t.Errorf("written: %v", left)
		}
		mustUpload(t, s, "e2", over)
	}
	s.restart(content.Config{QuotaBytes: 40 << 10})
	_, err := s.Put(t.Context(), "e1", rangeOf(bytesOf(4, 1000), 0, 1000))
	if !reason.Is(err, axispb.ReasonCode_REASON_QUOTA) {
		t.Errorf("after a start: %v", err)
	}
	wantHeld(t, s, "e1", bytesOf(4, 1000), 0, false)
}
