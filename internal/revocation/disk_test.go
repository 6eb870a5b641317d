package revocation_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"docaxis/internal/revocation"
	"docaxis/internal/sealtest"
)

// A file that is not what was written is dropped and fetched again: whether it is
// seen when the folder is opened or when the file is read.
func TestDamagedFilesAreFetchedAgain(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	for name, damage := range map[string]func(b []byte) []byte{
		"first byte":         func(b []byte) []byte { b[0] ^= 1; return b },
		"byte of the list":   func(b []byte) []byte { b[100] ^= 1; return b },
		"description":        func(b []byte) []byte { b[len(b)-60] ^= 1; return b },
		"digest":             func(b []byte) []byte { b[len(b)-30] ^= 1; return b },
		"length":             func(b []byte) []byte { b[len(b)-12] ^= 0x80; return b },
		"length of nothing":  func(b []byte) []byte { b[len(b)-9], b[len(b)-10] = 0, 0; return b },
		"magic":              func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"cut":                func(b []byte) []byte { return b[:len(b)/2] },
		"empty":              func([]byte) []byte { return nil },
		"zeros":              func(b []byte) []byte { clear(b); return b },
		"with more in front": func(b []byte) []byte { return append([]byte{0}, b...) },
	} {
		for _, reopened := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, reopened %t", name, reopened), func(t *testing.T) {
				web, dir, clock := newServer(t), t.TempDir(), newClock()
				list := crl(t, root, nil)
				web.give("/", list)
				one := seal(t, root, []string{web.URL + "/"}, nil)
				s := open(t, dir, clock, nil)
				refresh(t, s, one)
				path := kept(t, dir)[0]
				whole, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, damage(whole), 0o644); err != nil {
					t.Fatal(err)
				}
				if reopened {
					s = open(t, dir, clock, nil)
				}
				expectItem(t, "damaged", known(t, s, one).CRL, nil)
				refresh(t, s, one)
				expectItem(t, "again", known(t, s, one).CRL, list)
				if n := web.count("/"); n != 2 {
					t.Errorf("fetched %d times", n)
				}
			})
		}
	}
}

// A file under the name of another is not believed, and one that is gone is fetched
// again.
func TestFilesThatWereMovedOrRemoved(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	web, dir, clock := newServer(t), t.TempDir(), newClock()
	web.give("/", crl(t, root, nil))
	one := seal(t, root, []string{web.URL + "/"}, nil)
	s := open(t, dir, clock, nil)
	refresh(t, s, one)
	path := kept(t, dir)[0]
	if err := os.Rename(path, filepath.Join(dir, "0123.revocation")); err != nil {
		t.Fatal(err)
	}
	expectItem(t, "moved", known(t, s, one).CRL, nil)
	refresh(t, s)
	if known(t, s, one).CRL == nil {
		t.Error("it was not fetched again")
	}
	s = open(t, dir, clock, nil)
	if known(t, s, one).CRL == nil {
		t.Error("it is gone after another start")
	}
	if names := kept(t, dir); len(names) != 1 || names[0] != path {
		t.Errorf("%v", names)
	}
}

// However often a file is lost, the books about room stay right.
func TestLostFilesTakeNoRoom(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	web, dir := newServer(t), t.TempDir()
	web.give("/", crl(t, root, nil))
	one := seal(t, root, []string{web.URL + "/"}, nil)
	s := open(t, dir, newClock(), func(c *revocation.Config) { c.MaxBytes = 4096 })
	for i := range 20 {
		refresh(t, s, one)
		if known(t, s, one).CRL == nil {
			t.Fatalf("after %d times: %+v", i, s.Status())
		}
		if err := os.Remove(kept(t, dir)[0]); err != nil {
			t.Fatal(err)
		}
		expectItem(t, "removed", known(t, s, one).CRL, nil)
	}
}

// A step that fails, before or after it was done, leaves the old or the new one
// whole, now and after a start.
func TestFailuresOfKeeping(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	web, dir, clock := newServer(t), t.TempDir(), newClock()
	one := seal(t, root, []string{web.URL + "/"}, nil)
	give := func(age time.Duration) []byte {
		list := crl(t, root, func(l *x509.RevocationList) { l.ThisUpdate = l.ThisUpdate.Add(age) })
		web.give("/", list)
		return list
	}
	var failing string
	s := open(t, dir, clock, func(c *revocation.Config) {
		c.Fault = func(point string) error {
			if point == failing {
				return errors.New("it failed")
			}
			return nil
		}
	})
	before := give(0)
	refresh(t, s, one)
	for i, point := range []string{"revocation.keep.before", "revocation.keep.after"} {
		failing = point
		after := give(time.Duration(i+1) * time.Minute)
		clock.Add(12 * time.Hour / time.Duration(i+1))
		refresh(t, s)
		stays := before
		if point == "revocation.keep.after" {
			stays = after
		}
		expectItem(t, point, known(t, s, one).CRL, stays)
		expectItem(t, point+", started anew", known(t, open(t, dir, clock, nil), one).CRL, stays)
		if tr := s.Status().Troubles; len(tr) != 1 {
			t.Errorf("%s: %v", point, tr)
		}
		expectNoLeftovers(t, dir)
		failing = ""
		clock.Add(2 * time.Minute)
		refresh(t, s)
		expectItem(t, point+", again", known(t, s, one).CRL, after)
		before = after
	}
}

// What a process that died left half written is removed.
func TestHalfWrittenFilesAreRemoved(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".tmp-1"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, dir, newClock(), nil)
	expectNoLeftovers(t, dir)
}

// A folder that cannot be written, as on a full disk, is named, and what is there
// stays.
func TestADiskThatTakesNothing(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	web, dir, clock := newServer(t), filepath.Join(t.TempDir(), "cache"), newClock()
	web.give("/", crl(t, root, nil))
	s := open(t, dir, clock, nil)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	refresh(t, s, seal(t, root, []string{web.URL + "/"}, nil))
	expectTrouble(t, s, "cannot be written")
	if st := s.Status(); len(st.Unreachable) != 0 {
		t.Errorf("the authority is blamed: %+v", st.Unreachable)
	}
}

// The bounds hold, and what was obtained and is wanted goes last.
func TestTheCacheIsBounded(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	web, dir, clock := newServer(t), t.TempDir(), newClock()
	list := crl(t, root, func(l *x509.RevocationList) { l.NextUpdate = sealtest.NotAfter })
	var all []sealtest.Seal
	for i := range 12 {
		path := fmt.Sprintf("/%d", i)
		if i < 8 {
			web.give(path, list)
		}
		all = append(all, seal(t, root, []string{web.URL + path}, nil))
	}
	s := open(t, dir, clock, func(c *revocation.Config) { c.MaxEntries = 5 })
	for _, one := range all {
		clock.Add(time.Second)
		refresh(t, s, one, all[0])
		if st := s.Status(); st.Entries > 5 || len(kept(t, dir)) > 5 {
			t.Fatalf("%d entries, %d files", st.Entries, len(kept(t, dir)))
		}
	}
	if known(t, s, all[0]).CRL == nil || known(t, s, all[7]).CRL == nil || known(t, s, all[3]).CRL != nil {
		t.Error("something else than the least wanted went")
	}

	size := s.Status().Bytes / int64(s.Status().Kept)
	s = open(t, dir, clock, func(c *revocation.Config) { c.MaxBytes = size*2 + size/2 })
	for _, one := range all[:4] {
		clock.Add(time.Second)
		refresh(t, s, one)
	}
	if st := s.Status(); st.Bytes > size*2+size/2 || len(kept(t, dir)) != 2 || known(t, s, all[3]).CRL == nil {
		t.Errorf("%d files, %+v", len(kept(t, dir)), st)
	}
	s = open(t, t.TempDir(), clock, func(c *revocation.Config) { c.MaxBytes = 100 })
	refresh(t, s, all[0])
	expectTrouble(t, s, "larger than 100 bytes")
}

// Notes beyond what can wait are counted; whoever leaves them never waits.
func TestNotesAreBounded(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	one := seal(t, root, nil, nil)
	s := open(t, t.TempDir(), newClock(), nil)
	for range 5000 {
		s.Want(one.Chain)
	}
	if n := s.Status().Dropped; n != 5000-4096 {
		t.Errorf("%d were dropped", n)
	}
	if err := s.Refresh(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.Want(one.Chain)
	if n := s.Status().Dropped; n != 5000-4096 {
		t.Errorf("%d were dropped", n)
	}
}
