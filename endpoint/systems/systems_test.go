package systems

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

var start = time.UnixMilli(1_800_000_000_000)

const day = 24 * time.Hour

type box struct {
	t  *testing.T
	db *bbolt.DB
}

func openBox(t *testing.T) box {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "db"), 0o600, &bbolt.Options{NoSync: true})
	if err == nil {
		err = db.Update(Init)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(db.View(Check), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return box{t, db}
}

func (b box) try(f func(Systems) error) error {
	return b.db.Update(func(tx *bbolt.Tx) error { return f(In(tx)) })
}

func (b box) do(f func(Systems) error) {
	b.t.Helper()
	if err := b.try(f); err != nil {
		b.t.Fatal(err)
	}
}

func (b box) good(now time.Time) (all []string) {
	b.t.Helper()
	b.do(func(s Systems) error {
		e, err := s.Get("a")
		for _, sealed := range Good(e, now) {
			all = append(all, string(sealed))
		}
		return err
	})
	return all
}

func TestASystemHasItsCodes(t *testing.T) {
	b := openBox(t)
	b.do(func(s Systems) error { return s.Add("a", []string{"H42", "H41", "H42"}, []byte("1"), start) })
	if err := b.try(func(s Systems) error { return s.Add("a", nil, nil, start) }); !errors.Is(err, ErrExists) {
		t.Errorf("a second one of its name: %v", err)
	}
	for _, name := range []string{"", "a b", "a\x00", "đ", "a/b", string(make([]byte, 65))} {
		if err := b.try(func(s Systems) error { return s.Add(name, nil, nil, start) }); !errors.Is(err, ErrName) {
			t.Errorf("named %q: %v", name, err)
		}
	}
	b.do(func(s Systems) error {
		return errors.Join(s.Allow("a", []string{"H41", "H40"}), s.Disallow("a", []string{"H42", "H99"}))
	})
	b.do(func(s Systems) error {
		e, err := s.Get("a")
		if !slices.Equal(e.Codes, []string{"H40", "H41"}) {
			t.Errorf("its codes are %v", e.Codes)
		}
		return err
	})
	b.do(func(s Systems) error { return s.Remove("a") })
	for what, err := range map[string]error{
		"get":    b.try(func(s Systems) error { _, err := s.Get("a"); return err }),
		"allow":  b.try(func(s Systems) error { return s.Allow("a", nil) }),
		"rotate": b.try(func(s Systems) error { return s.Rotate("a", nil, start, start) }),
		"remove": b.try(func(s Systems) error { return s.Remove("a") }),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s of none: %v", what, err)
		}
	}
}

// Two secrets are good while one takes over from another, never three.
func TestSecretsTakeOver(t *testing.T) {
	b := openBox(t)
	want := func(what string, now time.Time, want ...string) {
		t.Helper()
		if got := b.good(now); !slices.Equal(got, want) {
			t.Errorf("%s: good are %v, not %v", what, got, want)
		}
	}
	b.do(func(s Systems) error { return s.Add("a", nil, []byte("1"), start) })
	want("at first", start, "1")
	b.do(func(s Systems) error { return s.Rotate("a", []byte("2"), start, start.Add(7*day)) })
	want("both", start.Add(7*day-time.Millisecond), "2", "1")
	want("the old one ended", start.Add(7*day), "2")
	b.do(func(s Systems) error { return s.Rotate("a", []byte("3"), start.Add(day), start.Add(8*day)) })
	want("a third", start.Add(day), "3", "2")
	b.do(func(s Systems) error { return s.Rotate("a", []byte("4"), start.Add(2*day), start.Add(2*day)) })
	want("at once", start.Add(2*day), "4")
	b.do(func(s Systems) error { return s.Rotate("a", []byte("5"), start.Add(30*day), start.Add(37*day)) })
	want("after a long time", start.Add(30*day), "5", "4")
}

// Secrets are stored under a key of their own, each bound to its system.
func TestSecretsAreSealed(t *testing.T) {
	dir := t.TempDir()
	k := NewKeys(dir, rand.Reader)
	if _, err := k.Open("a", make([]byte, 60)); !errors.Is(err, ErrKey) {
		t.Errorf("without a key: %v", err)
	}
	secret, sealed, err := k.New("a")
	if err != nil || len(secret) != 43 {
		t.Fatalf("a secret of %d characters: %v", len(secret), err)
	}
	if other, _, err := k.New("a"); err != nil || other == secret {
		t.Errorf("another one is the same: %v", err)
	}
	again := NewKeys(dir, rand.Reader)
	if got, err := again.Open("a", sealed); err != nil || string(got) != secret {
		t.Errorf("opened is %q: %v", got, err)
	}
	if bytes.Contains(sealed, []byte(secret)) {
		t.Error("it is stored as it is")
	}
	if _, err := again.Open("b", sealed); !errors.Is(err, ErrKey) {
		t.Errorf("another system's: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, KeyFile))
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the key file is %v: %v", info.Mode(), err)
	}
	for what, raw := range map[string][]byte{"another": bytes.Repeat([]byte{1}, 32), "cut": {1}} {
		if err := os.WriteFile(filepath.Join(dir, KeyFile), raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := NewKeys(dir, rand.Reader).Open("a", sealed); !errors.Is(err, ErrKey) {
			t.Errorf("%s key: %v", what, err)
		}
	}
}

// Answers are known for as long as they are kept, and go then.
func TestAnswersAreKept(t *testing.T) {
	b := openBox(t)
	p := Package{System: "a", Code: "H41", Digest: sha256.Sum256([]byte("p"))}
	b.do(func(s Systems) error {
		return errors.Join(s.Answer(p, "id", "doc", start), s.Answer(Package{"a", "H42", p.Digest}, "id2", "doc2", start.Add(day)))
	})
	sent := func(p Package, since time.Time) (e *axispb.SentEntry) {
		b.do(func(s Systems) (err error) { e, err = s.Sent(p, since); return err })
		return e
	}
	if e := sent(p, start); e.GetDocId() != "doc" || e.GetId() != "id" {
		t.Errorf("answered was %v", e)
	}
	if e := sent(p, start.Add(time.Millisecond)); e != nil {
		t.Errorf("kept too long: %v", e)
	}
	if e := sent(Package{"b", "H41", p.Digest}, start); e != nil {
		t.Errorf("another system's: %v", e)
	}
	var from []byte
	forgotten := 0
	for range 3 {
		b.do(func(s Systems) error {
			n, next, err := s.Prune(start.Add(day), from, 1)
			forgotten, from = forgotten+n, next
			return err
		})
	}
	if forgotten != 1 || sent(p, start) != nil || sent(Package{"a", "H42", p.Digest}, start) == nil {
		t.Errorf("%d were forgotten", forgotten)
	}
}

func TestCheckSeesWhatIsWrong(t *testing.T) {
	undo := errors.New("undo")
	for what, spoil := range map[string]func(*axispb.SystemEntry){
		"another name":      func(e *axispb.SystemEntry) { e.System = "b" },
		"no secret":         func(e *axispb.SystemEntry) { e.Secrets = nil },
		"three secrets":     func(e *axispb.SystemEntry) { e.Secrets = append(e.Secrets, e.Secrets[0], e.Secrets[0]) },
		"the newest ends":   func(e *axispb.SystemEntry) { e.Secrets[0].EndsMs = 1 },
		"codes in disorder": func(e *axispb.SystemEntry) { e.Codes = []string{"H42", "H41"} },
	} {
		b := openBox(t)
		err := b.db.Update(func(tx *bbolt.Tx) error {
			s := In(tx)
			e := &axispb.SystemEntry{System: "a", Codes: []string{"H41"}, Secrets: []*axispb.SystemSecret{{}}}
			if err := boltpb.Put(s.entries, []byte("a"), e); err != nil || Check(tx) != nil {
				t.Errorf("a good one: %v, %v", err, Check(tx))
			}
			spoil(e)
			if err := boltpb.Put(s.entries, []byte("a"), e); err != nil {
				return err
			}
			if Check(tx) == nil {
				t.Errorf("%s: nothing is found", what)
			}
			return undo
		})
		if !errors.Is(err, undo) {
			t.Error(err)
		}
	}
}
