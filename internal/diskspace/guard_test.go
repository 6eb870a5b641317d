package diskspace_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"docaxis/internal/diskspace"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// disk is a disk whose space a test sets, with the clock of its guard.
type disk struct {
	space diskspace.Space
	err   error
	looks int
	now   time.Time
}

func (d *disk) look(string) (diskspace.Space, error) {
	d.looks++
	return d.space, d.err
}

func (d *disk) clock() time.Time { return d.now }

func (d *disk) becomes(free uint64) {
	d.space.Free = free
	d.now = d.now.Add(2 * time.Second)
}

func newGuard(t *testing.T, free uint64) (*disk, *diskspace.Guard) {
	t.Helper()
	d := &disk{space: diskspace.Space{Free: free, Total: 10_000}, now: time.Unix(1_800_000_000, 0)}
	g, err := diskspace.New("/somewhere", diskspace.Limits{Refuse: 100, Resume: 150}, d.clock, d.look)
	if err != nil {
		t.Fatal(err)
	}
	return d, g
}

func wantFull(t *testing.T, err error, free, needed string) {
	t.Helper()
	r := reason.Of(err)
	if r.GetCode() != axispb.ReasonCode_REASON_DISK_FULL || !reason.IsTemporary(err) {
		t.Fatalf("the error is %v, want a temporary REASON_DISK_FULL", err)
	}
	if args := r.GetArgs(); len(args) != 2 || args[0] != free || args[1] != needed {
		t.Errorf("its arguments are %v, want %s free and %s needed", args, free, needed)
	}
}

func wantAllowed(t *testing.T, g *diskspace.Guard, need uint64) {
	t.Helper()
	if err := g.Allow(need); err != nil {
		t.Fatalf("Allow(%d) = %v, want none", need, err)
	}
}

func TestRefusesWhatLeavesTooLittle(t *testing.T) {
	_, g := newGuard(t, 160)
	wantFull(t, g.Allow(61), "160", "161")
	wantAllowed(t, g, 60)
	if err := g.Fits(1); err == nil {
		t.Error("what was allowed does not count as written")
	}
	if g.State().Full {
		t.Error("one large wish made the guard refuse everything")
	}
	wantFull(t, g.Allow(math.MaxUint64), "100", "18446744073709551615")
}

func TestGoesOnOnlyWhenThereIsClearlyRoom(t *testing.T) {
	d, g := newGuard(t, 1000)
	wantAllowed(t, g, 1)
	d.becomes(99)
	wantFull(t, g.Allow(0), "99", "150")
	since := d.now
	d.becomes(149)
	wantFull(t, g.Allow(0), "149", "150")
	if s := g.State(); !s.Full || !s.Since.Equal(since) {
		t.Errorf("the state is %+v, want full since %s", s, since)
	}
	d.becomes(150)
	wantAllowed(t, g, 50)
}

func TestManyWhoAskAtOnceDoNotGetTheSameBytes(t *testing.T) {
	d, g := newGuard(t, 200)
	wantAllowed(t, g, 80)
	wantFull(t, g.Allow(80), "120", "180")
	if d.looks != 2 && d.looks != 1 {
		t.Errorf("the disk was looked at %d times within a second", d.looks)
	}
	d.becomes(200)
	wantAllowed(t, g, 80)
}

func TestOneLookASecond(t *testing.T) {
	d, g := newGuard(t, 1000)
	for range 100 {
		wantAllowed(t, g, 0)
	}
	if d.looks != 1 {
		t.Errorf("the disk was looked at %d times, want once", d.looks)
	}
	d.now = d.now.Add(-time.Hour)
	d.space.Free = 0
	if err := g.Allow(0); err == nil {
		t.Error("after the clock was set back, an old answer is given")
	}
}

func TestADiskThatCannotBeAskedIsAsItWas(t *testing.T) {
	d, g := newGuard(t, 1000)
	d.err = errors.New("no answer")
	d.becomes(0)
	wantAllowed(t, g, 10)
	if g.State().Err == nil {
		t.Error("the state does not say that the disk could not be asked")
	}
	if _, err := diskspace.New("/somewhere", diskspace.Limits{}, d.clock, d.look); err == nil {
		t.Error("a guard was made of a disk that cannot be asked")
	}
}

func TestDefaults(t *testing.T) {
	const mib, gib = 1 << 20, 1 << 30
	tests := []struct{ total, want uint64 }{
		{1000 * gib, 20 * gib},
		{20 * gib, 512 * mib},
		{gib, gib / 10},
		{0, 0},
	}
	for _, tt := range tests {
		l := diskspace.Default(tt.total)
		if l.Refuse != tt.want || l.Resume < l.Refuse {
			t.Errorf("of %d bytes %+v are kept free, want %d", tt.total, l, tt.want)
		}
	}
	d := &disk{now: time.Unix(0, 0)}
	if _, err := diskspace.New("/somewhere", diskspace.Limits{Refuse: 2, Resume: 1}, d.clock, d.look); err == nil {
		t.Error("limits that resume below what they refuse were taken")
	}
}

func TestARealDisk(t *testing.T) {
	s, err := diskspace.Of(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if s.Total == 0 || s.Free > s.Total {
		t.Errorf("the disk of a temporary folder has %+v", s)
	}
	if _, err := diskspace.Of(t.TempDir() + "/nothing"); err == nil {
		t.Error("a folder that is not there has a disk")
	}
}
