package axis

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

// restart opens a hub over a folder, gives its newest epoch, and closes it.
func restart(t *testing.T, dir string, cfg Config) (*axispb.Epoch, uint64, error) {
	t.Helper()
	file, err := LoadFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	file.Listen = "127.0.0.1:0"
	cfg.File, cfg.Log = file, slog.New(slog.DiscardHandler)
	h, err := Open(t.Context(), dir, cfg)
	if err != nil {
		return nil, 0, err
	}
	epoch, _ := h.trust.Newest()
	size := h.chain.Size()
	return epoch, size, h.Close()
}

func founded(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := Init(dir, DefaultFile(), Config{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestALogGoesOnUnderItsKeyWhenNothingIsMissing(t *testing.T) {
	dir := founded(t)
	for range 3 {
		epoch, size, err := restart(t, dir, Config{})
		if err != nil || epoch.GetNumber() != 1 || size != 1 {
			t.Fatalf("epoch %d, %d records, %v", epoch.GetNumber(), size, err)
		}
	}
}

func TestWhatIsMissingOpensANewEpoch(t *testing.T) {
	for name, lose := range map[string]func(dir string) error{
		"the guard":   func(dir string) error { return os.Remove(filepath.Join(dir, "keys", "guard")) },
		"the key":     func(dir string) error { return os.Remove(filepath.Join(dir, "keys", "log-000001.key")) },
		"the journal": func(dir string) error { return os.RemoveAll(filepath.Join(dir, "journal")) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := founded(t)
			first, _, err := restart(t, dir, Config{})
			if err != nil {
				t.Fatal(err)
			}
			if err := lose(dir); err != nil {
				t.Fatal(err)
			}
			second, _, err := restart(t, dir, Config{})
			if err != nil {
				t.Fatal(err)
			}
			if second.GetNumber() <= first.GetNumber() || second.GetVerifierKey() == first.GetVerifierKey() ||
				second.GetOrigin() == first.GetOrigin() || second.GetPrevious() == nil {
				t.Errorf("after %v came %v", first, second)
			}
			third, _, err := restart(t, dir, Config{})
			if err != nil || !proto.Equal(second, third) {
				t.Errorf("and then %v (%v)", third, err)
			}
		})
	}
}

// A start may die between any two steps of opening an epoch; the next one must
// come up, and never with a key that may have signed something else.
func TestAStartThatDiesWhileItOpensAnEpoch(t *testing.T) {
	for _, point := range []string{"append.before", "append.after", "sign.before", "guard.before", "guard.after", "apply.before", "apply.after"} {
		t.Run(point, func(t *testing.T) {
			dir := founded(t)
			died := errors.New("died")
			_, _, err := restart(t, dir, Config{Faults: func(p string) error {
				if p == point {
					return died
				}
				return nil
			}})
			if err == nil && point != "append.before" && point != "append.after" { // the journal settles these by itself
				t.Fatal("it did not die")
			}
			epoch, size, err := restart(t, dir, Config{})
			if err != nil || size == 0 {
				t.Fatalf("the next start: %d records, %v", size, err)
			}
			again, _, err := restart(t, dir, Config{})
			if err != nil || !proto.Equal(epoch, again) {
				t.Errorf("the start after that: %v, not %v (%v)", again, epoch, err)
			}
		})
	}
}
