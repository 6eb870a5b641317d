package content_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"docaxis/axis/content"
	"docaxis/internal/chunk"
	"docaxis/internal/fault"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

func TestPutInRanges(t *testing.T) {
	for _, n := range []int{1, chunk.MinRange, chunk.MaxRange, chunk.MaxRange + 1, chunk.Size - 1, chunk.Size} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := open(t, t.TempDir(), content.Config{})
			data := bytesOf(1, n)
			for at := 0; at < n; at += chunk.MaxRange {
				wantHeld(t, s, "e1", data, at, false)
				h, err := s.Put(t.Context(), "e1", rangeOf(data, at, chunk.MaxRange))
				if err != nil {
					t.Fatal(err)
				}
				after := min(at+chunk.MaxRange, n)
				want := &axispb.Held{Bytes: uint32(after), Complete: after == n}
				if diff := cmp.Diff(want, h, protocmp.Transform()); diff != "" {
					t.Error(diff)
				}
			}
			wantHeld(t, s, "e1", data, n, true)
			wantServed(t, s, data)
		})
	}
}

func TestPutAtAnotherOffsetWritesNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, content.Config{})
	data := bytesOf(1, 1000)
	for _, c := range []struct{ offset, n, held int }{
		{500, 100, 0}, {0, 0, 0}, {0, 400, 400}, {0, 400, 400}, {401, 100, 400}, {399, 601, 400}, {400, 0, 400},
	} {
		h, err := s.Put(t.Context(), "e1", rangeOf(data, c.offset, c.n))
		if err != nil {
			t.Fatal(err)
		}
		if int(h.Bytes) != c.held || h.Complete {
			t.Errorf("%d bytes at %d: held %v, want %d", c.n, c.offset, h, c.held)
		}
		wantHeld(t, s, "e1", data, c.held, false)
	}
	mustUpload(t, s, "e1", data)
	wantServed(t, s, data)
}

func TestPutRefusesWhatIsOutOfBounds(t *testing.T) {
	s := open(t, t.TempDir(), content.Config{})
	id := idOf([]byte("x"))
	for name, req := range map[string]*axispb.PutRequest{
		"empty request": {},
		"short digest":  {Digest: id[:31], Size: 1, Data: []byte("x")},
		"no size":       {Digest: id[:], Data: []byte("x")},
		"large chunk":   {Digest: id[:], Size: chunk.Size + 1, Data: []byte("x")},
		"large range":   {Digest: id[:], Size: chunk.Size, Data: make([]byte, chunk.MaxRange+1)},
		"over the end":  {Digest: id[:], Size: 5, Offset: 5, Data: []byte("x")},
		"far offset":    {Digest: id[:], Size: 5, Offset: 1<<32 - 1, Data: []byte("x")},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Put(t.Context(), "e1", req)
			wantReason(t, err, axispb.ReasonCode_REASON_MALFORMED, false)
		})
	}
}

func TestWrongBytesAreDropped(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, content.Config{QuotaBytes: 20 << 10})
	data := bytesOf(1, 1000)
	bad := rangeOf(data, 0, 1000)
	bad.Data = bytesOf(2, 1000)
	_, err := s.Put(t.Context(), "e1", bad)
	wantReason(t, err, axispb.ReasonCode_REASON_DIGEST_MISMATCH, false)
	wantHeld(t, s, "e1", data, 0, false)
	if left := partFiles(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := os.Stat(chunkFile(dir, data)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the chunk's file: %v", err)
	}
	mustUpload(t, s, "e1", data) // the quota has room for one chunk
	wantServed(t, s, data)
}

func TestAnotherSizeBeginsAgain(t *testing.T) {
	s := open(t, t.TempDir(), content.Config{QuotaBytes: 2 << 20})
	data := bytesOf(1, 1000)
	lie := rangeOf(data, 0, 600)
	lie.Size = chunk.Size
	if _, err := s.Put(t.Context(), "e1", lie); err != nil {
		t.Fatal(err)
	}
	mustUpload(t, s, "e1", data)
	wantServed(t, s, data)
}

// events gathers the file operations and answers of one upload.
type events struct {
	mu   sync.Mutex
	list []string
}

func (e *events) hook() fault.Hook {
	return func(point string) error {
		e.add(point)
		return nil
	}
}

func (e *events) add(s string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, s)
}

func (e *events) take() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.list
	e.list = nil
	return l
}

// An endpoint must not learn from an upload whether others already have it: not
// from the answers, not from what the disk is made to do.
func TestUploadsOfOthersAreNotObservable(t *testing.T) {
	dir, seen := t.TempDir(), &events{}
	s := open(t, dir, content.Config{Faults: seen.hook()})
	data := bytesOf(1, chunk.Size)
	conversation := func(endpoint string) []string {
		ask := func(what string, req *axispb.PutRequest) {
			h, err := s.Put(t.Context(), endpoint, req)
			seen.add(fmt.Sprintf("%s: %d %v %v", what, h.GetBytes(), h.GetComplete(), err))
		}
		have := func() {
			n, whole := heldBy(t, s, endpoint, data)
			seen.add(fmt.Sprintf("have: %d %v", n, whole))
		}
		wrong := rangeOf(data, chunk.Size-chunk.MaxRange, chunk.MaxRange)
		wrong.Data = bytesOf(2, chunk.MaxRange)
		have()
		ask("beyond", rangeOf(data, chunk.Size-10, 10))
		for range 2 {
			for at := 0; at < chunk.Size-chunk.MaxRange; at += chunk.MaxRange {
				ask("range", rangeOf(data, at, chunk.MaxRange))
				have()
			}
			ask("last", wrong)
			wrong = rangeOf(data, chunk.Size-chunk.MaxRange, chunk.MaxRange)
			have()
		}
		return seen.take()
	}
	first := conversation("e1")
	before, err := os.Stat(chunkFile(dir, data))
	if err != nil {
		t.Fatal(err)
	}
	second := conversation("e2")
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the second uploader sees a difference:\n%s", diff)
	}
	after, err := os.Stat(chunkFile(dir, data))
	if err != nil {
		t.Fatal(err)
	}
	if os.SameFile(before, after) {
		t.Error("the second upload was not put in its place")
	}
	if got := count(first, "sync.after") + count(first, "folder.after"); got != 3 {
		t.Errorf("%d syncs, want 3 (a part that was wrong, a part, a folder)", got)
	}
	wantServed(t, s, data)
}

func count(list []string, what string) (n int) {
	for _, l := range list {
		if l == what {
			n++
		}
	}
	return n
}

var points = []string{
	"put.before", "put.after", "sync.before", "sync.after", "rename.before", "rename.after",
	"folder.before", "folder.after", "row.before", "row.after",
}

// fullDatabase is SQLITE_FULL as the driver says it.
type fullDatabase struct{}

func (fullDatabase) Error() string { return "database or disk is full" }
func (fullDatabase) Code() int     { return 13 }

// Each step fails once, not done or done but not told; then the endpoint goes on.
func TestEveryStepFailsOnce(t *testing.T) {
	for _, point := range points {
		for name, cause := range map[string]error{
			"other":         errors.New("made up"),
			"full":          &os.PathError{Op: "write", Path: "p", Err: syscall.ENOSPC},
			"full database": fullDatabase{},
		} {
			full := name != "other"
			t.Run(point+" "+name, func(t *testing.T) {
				failed := false
				s := open(t, t.TempDir(), content.Config{Faults: func(p string) error {
					if p != point || failed {
						return nil
					}
					failed = true
					return cause
				}})
				data := bytesOf(1, chunk.MaxRange+5)
				err := upload(s, "e1", data)
				wantReason(t, err, axispb.ReasonCode_REASON_UNAVAILABLE, true)
				if !errors.Is(err, cause) {
					t.Errorf("the cause is lost: %v", err)
				}
				if got, want := reason.Of(err).Args[0] == "content store: no space left", full; got != want {
					t.Errorf("reason %v", reason.Of(err))
				}
				mustUpload(t, s, "e1", data)
				wantServed(t, s, data)
				wantHeld(t, s, "e1", data, len(data), true)
			})
		}
	}
}

// Each step fails and the process dies there; then a new one goes on.
func TestRestartAtEveryStep(t *testing.T) {
	for _, point := range points {
		t.Run(point, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, content.Config{Faults: func(p string) error {
				if p == point {
					return errors.New("dies here")
				}
				return nil
			}})
			data := bytesOf(1, chunk.MaxRange+5)
			if err := upload(s, "e1", data); err == nil {
				t.Fatal("nothing failed")
			}
			s.restart(content.Config{})
			mustUpload(t, s, "e1", data)
			wantServed(t, s, data)
		})
	}
}

// What a failed sync leaves cannot be trusted, whatever the next sync says.
func TestFailedSyncBeginsAgain(t *testing.T) {
	dir, broken := t.TempDir(), true
	s := open(t, dir, content.Config{Faults: func(p string) error {
		if p == "sync.before" && broken {
			return syscall.EIO
		}
		return nil
	}})
	data := bytesOf(1, 1000)
	wantReason(t, upload(s, "e1", data), axispb.ReasonCode_REASON_UNAVAILABLE, true)
	wantHeld(t, s, "e1", data, 0, false)
	broken = false
	mustUpload(t, s, "e1", data)
}

// A part that is whole but was not completed is completed by any Put of it.
func TestWholePartIsCompletedWithoutData(t *testing.T) {
	for _, offset := range []int{1000, 0, 5} {
		broken := true
		s := open(t, t.TempDir(), content.Config{Faults: func(p string) error {
			if p == "rename.before" && broken {
				return errors.New("made up")
			}
			return nil
		}})
		data := bytesOf(1, 1000)
		wantReason(t, upload(s, "e1", data), axispb.ReasonCode_REASON_UNAVAILABLE, true)
		wantHeld(t, s, "e1", data, 1000, false)
		broken = false
		h, err := s.Put(t.Context(), "e1", rangeOf(data, offset, 10))
		if err != nil || !h.Complete {
			t.Errorf("at %d: %v, %v", offset, h, err)
		}
	}
}

// An upload goes on after a restart; where the restart harmed what was held, the
// sender is not told that it lied, even if its row was lost too.
func TestPartFromBeforeTheStart(t *testing.T) {
	for _, c := range []struct{ harmed, lost bool }{{}, {harmed: true}, {harmed: true, lost: true}} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, content.Config{})
			data := bytesOf(1, 1000)
			if _, err := s.Put(t.Context(), "e1", rangeOf(data, 0, 400)); err != nil {
				t.Fatal(err)
			}
			if c.harmed {
				writeFile(t, partFiles(t, dir)[0], make([]byte, 400))
			}
			s.shut()
			if c.lost {
				loseDatabase(t, dir)
			}
			s.start(content.Config{})
			wantHeld(t, s, "e1", data, 400, false)
			if c.harmed {
				wantReason(t, upload(s, "e1", data), axispb.ReasonCode_REASON_UNAVAILABLE, true)
				wantHeld(t, s, "e1", data, 0, false)
			}
			mustUpload(t, s, "e1", data)
			wantServed(t, s, data)
		})
	}
}

func TestConcurrentPuts(t *testing.T) {
	s := open(t, t.TempDir(), content.Config{})
	var all [][]byte
	for i := range 3 {
		all = append(all, bytesOf(uint64(i), 2*chunk.MaxRange+77))
	}
	var group sync.WaitGroup
	for i := range 12 {
		endpoint := fmt.Sprintf("e%d", i%2)
		group.Go(func() {
			for _, data := range all {
				if err := upload(s, endpoint, data); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	for _, data := range all {
		wantServed(t, s, data)
		wantHeld(t, s, "e0", data, len(data), true)
		wantHeld(t, s, "e1", data, len(data), true)
	}
}

func TestQuota(t *testing.T) {
	now := time.Date(2026, 11, 3, 1, 2, 3, 0, time.UTC)
	s := open(t, t.TempDir(), content.Config{QuotaBytes: 3 << 20, Now: func() time.Time { return now }})
	a, b, c, d := bytesOf(1, chunk.Size), bytesOf(2, chunk.Size), bytesOf(3, chunk.Size), bytesOf(4, 1)
	mustUpload(t, s, "e1", a, b)
	if _, err := s.Put(t.Context(), "e1", rangeOf(c, 0, 10)); err != nil {
		t.Fatal(err)
	}
	err := upload(s, "e1", d)
	wantReason(t, err, axispb.ReasonCode_REASON_QUOTA, true)
	if got := reason.Of(err).Args; len(got) != 2 || got[0] != "3 MiB" || got[1] != "2026-11-10T01:02:03Z" {
		t.Errorf("arguments %q", got)
	}
	mustUpload(t, s, "e1", c) // a begun one counts whole already
	mustUpload(t, s, "e2", a, b, c)

	ids := [][]byte{idBytes(a), idBytes(b)}
	for range 2 {
		if err := s.Accepted(t.Context(), "e1", ids); err != nil {
			t.Fatal(err)
		}
	}
	mustUpload(t, s, "e1", d, bytesOf(5, chunk.Size))
	wantReason(t, upload(s, "e1", bytesOf(6, chunk.Size)), axispb.ReasonCode_REASON_QUOTA, true)
	wantReason(t, upload(s, "e2", d), axispb.ReasonCode_REASON_QUOTA, true)
	wantHeld(t, s, "e1", a, chunk.Size, true)
}

func idBytes(data []byte) []byte {
	id := idOf(data)
	return id[:]
}

// A small chunk costs a file as a large one does.
func TestSmallChunksCountForTheirFiles(t *testing.T) {
	s := open(t, t.TempDir(), content.Config{QuotaBytes: 64 << 10})
	for i := range 4 {
		mustUpload(t, s, "e1", bytesOf(uint64(i), 1+i))
	}
	wantReason(t, upload(s, "e1", bytesOf(9, 9)), axispb.ReasonCode_REASON_QUOTA, true)
}

func TestEndpointsHaveFoldersOfTheirOwn(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, content.Config{})
	names := []string{"a", "A", "../a", "e-a", "con", "", ".", "a/b", "cơ quan", string(make([]byte, 300))}
	data := bytesOf(1, 1000)
	for i, name := range names {
		if _, err := s.Put(t.Context(), name, rangeOf(data, 0, i+1)); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
	}
	for i, name := range names {
		wantHeld(t, s, name, data, i+1, false)
	}
	folders, err := os.ReadDir(filepath.Join(dir, "parts"))
	if err != nil || len(folders) != len(names) {
		t.Errorf("%d folders, %v; want %d", len(folders), err, len(names))
	}
}
