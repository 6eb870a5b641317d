package files

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"docaxis/internal/chunk"
)

func (s *Store) all(t *testing.T) (kept, partial int) {
	t.Helper()
	err := s.Walk(func(k Kept) error {
		if k.Partial {
			partial++
		} else {
			kept++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return kept, partial
}

func sweep(t *testing.T, s *Store) *Sweep {
	t.Helper()
	w, err := s.Sweep()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// What is held or fetched at any time while a sweep goes on is left; what is not
// goes.
func TestASweepLeavesWhatSomebodyNeeds(t *testing.T) {
	contents := map[string][]byte{"old": random(10), "before": random(20), "during": random(30), "fetched": random(40)}
	s := open(t)
	digests := map[string][32]byte{}
	for name, c := range contents {
		f, err := s.Add(bytes.NewReader(c), 100)
		if err != nil {
			t.Fatal(err)
		}
		digests[name] = f.Digest
	}
	held := s.Hold()
	if _, err := held.Add(bytes.NewReader(contents["before"]), 100); err != nil {
		t.Fatal(err)
	}
	w := sweep(t, s)
	held.Release()
	brief := s.Hold()
	if _, err := brief.Add(bytes.NewReader(contents["during"]), 100); err != nil {
		t.Fatal(err)
	}
	brief.Release()
	if err := s.Fetch(t.Context(), describe(t, contents["fetched"]), nil); err != nil {
		t.Fatal(err)
	}
	for name := range contents {
		removed, err := w.Remove(Kept{Digest: digests[name]})
		if err != nil || removed != (name == "old") {
			t.Errorf("%s: removed %t, %v", name, removed, err)
		}
	}
	if _, err := s.Sweep(); !errors.Is(err, ErrSweeping) {
		t.Errorf("a second sweep: %v", err)
	}
	w.End()
	w = sweep(t, s)
	defer w.End()
	for name := range contents {
		if removed, err := w.Remove(Kept{Digest: digests[name]}); err != nil || !removed {
			t.Errorf("%s, when nobody needs it: removed %t, %v", name, removed, err)
		}
	}
	if kept, _ := s.all(t); kept != 0 {
		t.Errorf("%d are left", kept)
	}
}

// A file that is being fetched is not swept; what an ended fetch left is.
func TestASweepLeavesAFetchAlone(t *testing.T) {
	s := open(t)
	want := describe(t, random(chunk.Size+10))
	err := s.Fetch(t.Context(), want, func(context.Context, chunk.ID, uint32, uint32) ([]byte, error) {
		w := sweep(t, s)
		defer w.End()
		if removed, err := w.Remove(Kept{Digest: want.Digest, Partial: true}); removed || err != nil {
			t.Errorf("removed %t, %v", removed, err)
		}
		return nil, errCut
	})
	if _, partial := s.all(t); !errors.Is(err, errCut) || partial != 1 {
		t.Fatalf("%d partial files: %v", partial, err)
	}
	w := sweep(t, s)
	defer w.End()
	if removed, err := w.Remove(Kept{Digest: want.Digest, Partial: true}); !removed || err != nil {
		t.Errorf("removed %t, %v", removed, err)
	}
	if _, partial := s.all(t); partial != 0 {
		t.Errorf("%d partial files are left", partial)
	}
}

var errCut = errors.New("cut")
