package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// The server writes a stream's description and then its checksum. A process killed in
// between leaves a stream that the next server passes over: its blocks are there all the
// same, whichever stream of the chain it is.
func TestADescriptionWithoutItsChecksum(t *testing.T) {
	for _, hit := range []string{"JOURNAL-000001", "JOURNAL-000002", "JOURNAL-000003"} {
		t.Run(hit, func(t *testing.T) {
			dir := t.TempDir()
			srv := startServer(t, dir, 0)
			j := open(t, connect(t, srv), Config{MaxStreamBytes: 2000})
			for i := 0; streamsOf(t, dir) < 3; i++ {
				appendRotating(t, j, fmt.Sprint(i)+string(make([]byte, 300)))
			}
			want := len(bodies(t, j))
			stopServer(srv)
			sum := metaFile(t, dir, hit, "meta.sum")
			if err := os.WriteFile(sum, []byte("cf164baba965be49"), 0o600); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the next start, and the one after that
				srv = startServer(t, dir, 0)
				again := open(t, connect(t, srv), Config{MaxStreamBytes: 2000})
				if got := len(bodies(t, again)); got != want {
					t.Errorf("%d blocks, not %d", got, want)
				}
				appendRotating(t, again, "after")
				want = len(bodies(t, again))
				stopServer(srv)
			}
		})
	}
}

func metaFile(t *testing.T, dir, stream, name string) string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", stream, name))
	if err != nil || len(all) != 1 {
		t.Fatalf("%v (%v)", all, err)
	}
	return all[0]
}

func streamsOf(t *testing.T, dir string) int {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
