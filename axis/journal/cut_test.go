package journal

import (
	"errors"
	"fmt"
	"os"
	"testing"
)

// A page of the last file is zeros: the server cuts the file there and expects what it
// counted before. Nothing waits for it; after another start of the server the journal
// goes on behind what is left.
func TestAPageOfZeros(t *testing.T) {
	dir := t.TempDir()
	srv := startServer(t, dir, 0)
	j := open(t, connect(t, srv), Config{})
	const blocks = 60
	for i := range blocks {
		mustAppend(t, j, fmt.Sprint(i)+string(make([]byte, 300)))
	}
	stopServer(srv)
	file := blkFile(t, dir, "JOURNAL-000001")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := len(b) / 2 / 4096 * 4096
	clear(b[at : at+4096])
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}

	srv = startServer(t, dir, 0)
	_, err = Open(testContext(t), connect(t, srv), Config{AcceptLost: true})
	var cut *CutError
	if !errors.As(err, &cut) || cut.Counter != blocks || cut.Last.Seq == 0 || cut.Last.Seq >= blocks {
		t.Fatalf("open: %v", err)
	}
	stopServer(srv)
	again := open(t, connect(t, startServer(t, dir, 0)), Config{AcceptLost: true})
	if got := again.Tail().Location; got != cut.Last {
		t.Errorf("tail at %v, not %v", got, cut.Last)
	}
	mustAppend(t, again, "new")
	if got := bodies(t, again); len(got) != int(cut.Last.Seq)+1 {
		t.Errorf("%d blocks", len(got))
	}
}
