package hubtest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/internal/bus"
	"docaxis/internal/envelope"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// chunkPath is where the axis keeps a file of one chunk.
func chunkPath(w *hubtest.World, content []byte) string {
	sum := sha256.Sum256(content)
	name := hex.EncodeToString(sum[:])
	return filepath.Join(w.AxisDir(), "content", "chunks", name[:2], name)
}

// harm is what a disk does to a chunk.
func harm(t *testing.T, path string, gone bool) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil && gone {
		err = os.Remove(path)
	} else if err == nil {
		b[len(b)/2] ^= 1
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A chunk is harmed at the axis while a recipient is away. Whoever has it, its sender or
// another recipient, is asked for it, and the one who comes back gets what was sent.
func TestADamagedChunkComesBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		holder string // of the content, the only one
		gone   bool
	}{
		{"the sender has it", "G22", false},
		{"a recipient has it", "H41", false},
		{"the sender has it, the file is gone", "G22", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			turned := newClock()
			w := world(t, hubtest.Config{Now: turned.Now, Retry: quick, PullEvery: 100 * time.Millisecond})
			joinAll(t, w)
			x := newExchange(t, w, 91)
			halt(t, w, "H41.11")
			to := []string{"H41.11"}
			if c.holder == "H41" {
				to = append(to, "H41")
			}
			l := x.send("letter", "G22", envelope.Document{To: to}, want{"H41.11": consigned}, 20_000)
			eventually(t, "it is accepted", func() error {
				tl, err := w.Member("G22").Agent().Show(l.id)
				if err == nil && tl.Sent.State != accepted {
					err = errors.New(tl.Sent.State.String())
				}
				return err
			})
			if c.holder == "H41" {
				x.arrived(l, "H41")
				halt(t, w, "G22")
			}
			harm(t, chunkPath(w, l.files[0]), c.gone)
			turned.turn(2 * time.Minute) // what was just verified is trusted for one
			if err := w.Member("H41.11").Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			x.arrived(l, "H41.11")
			sameContent(t, w, l, "H41.11")
			if c.holder == "H41" {
				if err := w.Member("G22").Start(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			x.settle()
			check(t, w)
		})
	}
}

func halt(t *testing.T, w *hubtest.World, code string) {
	t.Helper()
	if err := w.Member(code).Stop(); err != nil {
		t.Fatal(err)
	}
}

// sameContent holds what a recipient has to what was sent.
func sameContent(t *testing.T, w *hubtest.World, l *letter, code string) {
	t.Helper()
	line, err := received(w, l.id, code)
	if err != nil {
		t.Fatal(err)
	}
	a := w.Member(endpointOf(code)).Agent()
	d, err := a.Document(line.Key)
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.File(0)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil || !bytes.Equal(got, l.files[0]) {
		t.Errorf("%d bytes, not the %d that were sent (%v)", len(got), len(l.files[0]), err)
	}
}

// Only parties of a document hear that its content is damaged, and what they put must be
// the content.
func TestOthersDoNotHearOfADamagedChunk(t *testing.T) {
	t.Parallel()
	s := &siege{}
	clock := &shifted{}
	s.World = world(t, hubtest.Config{Agencies: fourAgencies, Now: clock.now}, "G22")
	s.sender = s.Member("G22")
	s.away, s.attacker = s.enrol(t, "H42"), s.enrol(t, "H25")
	pending := s.send(t, "ba", "H42")
	wait(t, s.sender, pending, accepted)
	s.pending = s.parcel(t, s.away, pending, "ba")
	halt(t, s.World, "G22")
	path := chunkPath(s.World, s.pending.content)
	harm(t, path, false)
	clock.pass(2 * time.Minute) // who looked at the file to label it found it right

	away, attacker, sender := s.connect(t, s.away), s.connect(t, s.attacker), s.connect(t, s.sender)
	get := &axispb.GetRequest{LeafIndex: s.pending.item.LeafIndex, Digest: s.pending.digest(), Length: 1}
	for range 2 {
		if a := away.ask(t, bus.Get, get); a.GetError().GetCode() != axispb.ReasonCode_REASON_UNAVAILABLE || !a.GetTemporary() {
			t.Fatalf("a damaged chunk: %v", a)
		}
	}
	for _, c := range []struct {
		of   *raw
		want int
	}{{attacker, 0}, {away, 1}, {sender, 1}} {
		page := new(axispb.Page)
		mustBody(t, c.of.ask(t, bus.Pull, fromTheStart()), page)
		if len(page.GetWanted()) != c.want {
			t.Errorf("%s is asked for %v", c.of.name, page.GetWanted())
		}
	}
	lie := bytes.Repeat([]byte("x"), len(s.pending.content))
	put := &axispb.PutRequest{Digest: s.pending.digest(), Size: uint32(len(lie)), Data: lie}
	expect(t, "other bytes", said(away.ask(t, bus.Put, put)), `DIGEST_MISMATCH ["`+hex.EncodeToString(s.pending.digest())+`"]`)
	put.Data = s.pending.content
	mustBody(t, away.ask(t, bus.Put, put), new(axispb.PutAnswer))
	mustBody(t, away.ask(t, bus.Get, get), new(axispb.GetAnswer))
	page := new(axispb.Page)
	mustBody(t, sender.ask(t, bus.Pull, fromTheStart()), page)
	if len(page.GetWanted()) != 0 {
		t.Errorf("the sender is still asked for %v", page.GetWanted())
	}
}

// What nobody reads is read by the scrub within a week: a harmed chunk comes back, a
// harmed block is named.
func TestAScrubFindsDamage(t *testing.T) {
	t.Parallel()
	turned := newClock()
	w := world(t, hubtest.Config{Now: turned.Now, Retry: quick, PullEvery: 100 * time.Millisecond, ScrubEvery: 20 * time.Millisecond})
	joinAll(t, w)
	x := newExchange(t, w, 92)
	l := x.send("letter", "G22", envelope.Document{To: []string{"H41.11"}}, want{"H41.11": consigned}, 20_000)
	x.settle()
	clean, err := w.Hub().Check(t.Context())
	if err != nil || len(clean.Damage) != 0 || clean.Blocks == 0 {
		t.Fatalf("before: %+v, %v", clean, err)
	}
	path := chunkPath(w, l.files[0])
	harm(t, path, false)
	turned.turn(2 * time.Minute)
	halt(t, w, "G22")
	halt(t, w, "H41.11")
	for range 20 { // within the time that a clock may jump
		turned.turn(9 * time.Hour)
	}
	eventually(t, "it is found", func() error {
		s, err := w.Hub().Status(t.Context())
		if err == nil && len(s.Damage) != 1 {
			err = fmt.Errorf("%v", s.Damage)
		}
		return err
	})
	if err := w.Member("G22").Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is healed", func() error {
		b, err := os.ReadFile(path)
		if err == nil && !bytes.Equal(b, l.files[0]) {
			err = errors.New("it is another")
		}
		if d := w.Hub().Damage(); err == nil && len(d) > 0 {
			err = fmt.Errorf("%v", d)
		}
		return err
	})
}

// A block of the past is harmed: the axis goes on, and names it.
func TestACheckNamesADamagedBlock(t *testing.T) {
	t.Parallel()
	w := world(t, hubtest.Config{Retry: quick})
	joinAll(t, w)
	x := newExchange(t, w, 93)
	for range 20 { // the last blocks are read by every start
		x.send("letter", "G22", envelope.Document{To: []string{"H41.11"}}, want{"H41.11": consigned}, 100)
		x.settle()
	}
	for _, m := range w.Members() {
		halt(t, w, m.Code)
	}
	if err := w.StopAxis(); err != nil {
		t.Fatal(err)
	}
	path := largest(t, filepath.Join(w.AxisDir(), "journal/jetstream/JOURNAL/streams/JOURNAL-000001/msgs/1.blk"))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, []byte(x.sent[3].id))
	b[at] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.StartAxis(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := w.Hub().Check(t.Context())
	if err != nil || len(c.Damage) != 1 || c.Damage[0].Kind != operator.DamagedBlock || c.Damage[0].Place == "" {
		t.Errorf("%+v, %v", c, err)
	}
}
