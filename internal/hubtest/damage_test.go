package hubtest_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docaxis/internal/hubtest"
	"docaxis/internal/lang"
)

// damage is something that a disk does to a file.
type damage struct {
	name string
	do   func(b []byte) []byte // nil: it is gone
	page bool                  // it depends on where in the file it is
}

// pages is how many pages a file has.
func pages(t *testing.T, pattern string) int64 {
	t.Helper()
	info, err := os.Stat(largest(t, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return (info.Size() + 4095) / 4096
}

func damages() []damage {
	flip := func(at func(n int) int) func([]byte) []byte {
		return func(b []byte) []byte {
			b[at(len(b))] ^= 0x10
			return b
		}
	}
	return []damage{
		{name: "gone"},
		{name: "cut in half", do: func(b []byte) []byte { return b[:len(b)/2] }},
		{name: "a bit in the head", page: true, do: flip(func(n int) int { return min(20, n-1) })},
		{name: "a bit in the middle", do: flip(func(n int) int { return n / 2 })},
		{name: "a page of zeros", page: true, do: func(b []byte) []byte {
			at := len(b) / 2 / 4096 * 4096
			clear(b[at:min(len(b), at+4096)])
			return b
		}},
	}
}

// end is what damage may come to.
type end int

const (
	// whole: nothing is wrong any more, once everything has settled.
	whole end = 1 << iota
	// refusedStart: what is damaged does not start, and says which file, and what to do.
	refusedStart
	// reported: it runs, and whoever looks is told.
	reported
)

// Whatever a disk does to a file, it is found, at the start or by whoever reads: made
// anew where something has it, else named; and nothing else is given out for it.
func TestADamagedFileIsFound(t *testing.T) {
	t.Parallel()
	w := world(t, hubtest.Config{})
	joinAll(t, w)
	newExchange(t, w, 90).play()
	check(t, w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	founded := filepath.Dir(w.AxisDir())
	const stream = "axis/journal/jetstream/JOURNAL/streams/JOURNAL-000001/"
	for _, c := range []struct {
		file string
		ends end
	}{
		{"axis/keys/ca.key", whole | refusedStart},
		{"axis/keys/ca.crt", whole | refusedStart},
		{"axis/keys/axis.key", whole | refusedStart},
		{"axis/keys/axis.crt", whole | refusedStart},
		{"axis/keys/guard", whole | refusedStart},
		{"axis/keys/log-000001.key", whole | refusedStart},
		{"axis/ledger.db", whole | reported}, // TestADamagedLedgerIsRebuilt: who works with it has it rebuilt
		{"axis/content/content.db", whole},
		{stream + "meta.inf", whole},
		{stream + "meta.sum", whole},
		{stream + "msgs/index.db", whole},
		{stream + "msgs/1.blk", refusedStart | reported},
		{"axis/content/chunks/*/*", whole | reported}, // an endpoint may put it again before anybody looks
		{"endpoint-H41/endpoint.db", whole | refusedStart | reported},
		{"endpoint-H41/identity/ca.pem", whole | refusedStart},
		{"endpoint-H41/identity/endpoint.pem", whole | refusedStart},
		{"endpoint-H41/identity/epochs.pb", whole | refusedStart},
		{"endpoint-H41/identity/identity.toml", whole | refusedStart},
		{"endpoint-H41/content/files/*/*", whole | reported},
	} {
		t.Run(c.file, func(t *testing.T) { // one after the other: all are at one address
			for _, d := range damages()[:damagesAtMost] {
				if d.page && pages(t, filepath.Join(founded, c.file)) < 2 {
					continue // of a file of one page, any part is as good as another
				}
				t.Run(d.name, func(t *testing.T) { d.try(t, founded, c.file, c.ends) })
			}
		})
	}
}

func (d damage) try(t *testing.T, founded, file string, ends end) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(founded)); err != nil {
		t.Fatal(err)
	}
	path := largest(t, filepath.Join(dir, file))
	b, err := os.ReadFile(path)
	switch {
	case err != nil:
	case d.do == nil:
		err = os.Remove(path)
	default:
		err = os.WriteFile(path, d.do(b), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	got, err := openDamaged(t, dir, ends)
	if got&ends == 0 {
		t.Errorf("%v (%v)", [...]string{1: "nobody noticed", 2: "it does not start", 4: "it is not made whole"}[got], err)
	}
	if got == whole && strings.HasPrefix(file, "axis/content/chunks/") {
		if b, err := os.ReadFile(path); err != nil || fmt.Sprintf("%x", sha256.Sum256(b)) != filepath.Base(path) {
			t.Errorf("nobody noticed: %s is not what its name says (%v)", path, err)
		}
	}
	if got == refusedStart && filepath.Ext(path) != ".blk" { // of blocks the broker speaks
		saysWhatToDo(t, err, path)
	}
}

// largest is the largest file that a pattern finds.
func largest(t *testing.T, pattern string) string {
	t.Helper()
	all, err := filepath.Glob(pattern)
	if err != nil || len(all) == 0 {
		t.Fatalf("no %s (%v)", pattern, err)
	}
	best, size := "", int64(-1)
	for _, path := range all {
		if info, err := os.Stat(path); err == nil && info.Size() > size {
			best, size = path, info.Size()
		}
	}
	return best
}

// openDamaged starts everything and looks at it until it is whole, or it is clear that
// it does not become so.
func openDamaged(t *testing.T, dir string, ends end) (end, error) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	w, err := hubtest.Reopen(ctx, hubtest.Config{Dir: dir, Retry: quick, Restart: true})
	if err != nil {
		return refusedStart, err
	}
	defer func() {
		if err := w.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	for range 10 {
		if err = hubtest.Check(ctx, w); err == nil || ends&whole == 0 || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return reported, err
	}
	return whole, nil
}

// saysWhatToDo: in both languages, with the file or its folder.
func saysWhatToDo(t *testing.T, err error, path string) {
	t.Helper()
	var both *lang.Error
	if !errors.As(err, &both) {
		t.Errorf("it is said in no language of people: %v", err)
		return
	}
	for l, advice := range map[lang.Language]string{lang.English: "back|Move", lang.Vietnamese: "khôi phục|chuyển"} {
		text := lang.Say(err, l)
		one, other, _ := strings.Cut(advice, "|")
		if !strings.Contains(text, filepath.Base(path)) && !strings.Contains(text, filepath.Dir(path)) {
			t.Errorf("%s: it does not name %s: %s", fmt.Sprint(l), path, text)
		}
		if !strings.Contains(text, one) && !strings.Contains(text, other) {
			t.Errorf("%s: it does not say what to do: %s", fmt.Sprint(l), text)
		}
	}
}
