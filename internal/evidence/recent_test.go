package evidence

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"
)

func TestRecentIsBoundedAndKeepsWhatIsUsed(t *testing.T) {
	r := newRecent[int](4)
	key := func(n int) [sha256.Size]byte { return sha256.Sum256([]byte(fmt.Sprint(n))) }
	for n := range 100 {
		r.put(key(n), n)
		if v, ok := r.get(key(0)); !ok || v != 0 {
			t.Fatalf("what is used each time was forgotten after %d others", n)
		}
		if held := len(r.now) + len(r.old); held > 2*r.limit {
			t.Fatalf("it holds %d, over twice %d", held, r.limit)
		}
	}
	if _, ok := r.get(key(1)); ok {
		t.Error("what was not used for long is still there")
	}
}

// What was verified once changes no answer about anything else.
func TestWhatIsRememberedIsCheckedAllTheSame(t *testing.T) {
	w := newWorld(t)
	s := w.h41
	good, err := s.Sign(consignment())
	must(t, err)
	for range 2 {
		if _, _, err := w.trust.Statement(good); err != nil {
			t.Fatal(err)
		}
	}
	late := consignment()
	late.TimeMs = s.Certificate().NotAfter.Add(48 * time.Hour).UnixMilli()
	if _, _, err := w.trust.Statement(signStatement(t, s, marshal(t, late))); err == nil {
		t.Error("a certificate that was remembered is accepted after its time")
	}
	if _, _, err := NewTrust(nil).Statement(good); err == nil {
		t.Error("a trust without a CA knows what another verified")
	}
	w.log.fill(3)
	note := w.log.checkpoint(3)
	first, err := w.trust.Checkpoint(note)
	must(t, err)
	first.Note[0] ^= 1
	again, err := w.trust.Checkpoint(note)
	must(t, err)
	if string(again.Note) != string(note) || again.Size != 3 || again.Epoch != first.Epoch {
		t.Errorf("the second answer is %+v", again)
	}
	note[len(note)-10] ^= 1
	if _, err := w.trust.Checkpoint(note); err == nil {
		t.Error("an altered checkpoint is taken for the one remembered")
	}
}
