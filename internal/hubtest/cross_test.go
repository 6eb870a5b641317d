package hubtest_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// world founds an axis with the endpoints of the demo.
func world(t *testing.T, cfg hubtest.Config, codes ...string) *hubtest.World {
	t.Helper()
	cfg.Dir = t.TempDir()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(logOf{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	w, err := hubtest.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, code := range codes {
		if _, err := w.Join(t.Context(), code); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// logOf writes what the parts log into the test's own log.
type logOf struct{ t *testing.T }

func (l logOf) Write(b []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

func send(t *testing.T, m *hubtest.Member, d clerk.Draft, contents ...[]byte) string {
	t.Helper()
	var files []clerk.File
	for i, c := range contents {
		info := clerk.FileInfo{Title: "tệp " + string(rune('1'+i)) + ".bin", Type: "application/octet-stream", Bytes: uint64(len(c))}
		files = append(files, clerk.File{FileInfo: info, Content: bytes.NewReader(c)})
	}
	if d.Subject == "" {
		d.Subject = "Công văn"
	}
	sent, err := endpoint.Clerk(m.Agent()).Send(t.Context(), d, files)
	if err != nil {
		t.Fatal(err)
	}
	return sent.ID
}

func wait(t *testing.T, m *hubtest.Member, id string, state axispb.State) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := m.Agent().Wait(ctx, id, state); err != nil {
		t.Fatalf("%s at %s does not reach %v: %v\nevidence: %q", id, m.Code, state, err, steps(t, m, id))
	}
}

func TestADocumentCrossesAndItsReceiptsComeBack(t *testing.T) {
	w := world(t, hubtest.Config{}, "G22", "H41")
	content := bytes.Repeat([]byte("Nghệ An "), 300_000) // three chunks
	id := send(t, w.Member("G22"), clerk.Draft{To: []string{"H41"}}, content, []byte{})
	wait(t, w.Member("G22"), id, axispb.State_STATE_CONSIGNED)
	wait(t, w.Member("H41"), id, axispb.State_STATE_CONSIGNED)

	receiver := endpoint.Clerk(w.Member("H41").Agent())
	f, err := receiver.Content(t.Context(), id, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	_, err = got.ReadFrom(f)
	f.Close()
	if err != nil || !bytes.Equal(got.Bytes(), content) {
		t.Fatalf("the content differs (%v)", err)
	}
	if done, err := receiver.Confirm(t.Context(), clerk.Confirm{ID: id}); err != nil || done.State != "HANDED_OVER" || done.Unread {
		t.Fatalf("confirmed: %+v, %v", done, err)
	}
	wait(t, w.Member("G22"), id, axispb.State_STATE_HANDED_OVER)

	stories, err := endpoint.Clerk(w.Member("G22").Agent()).Show(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var events []string
	for _, s := range stories[0].Steps {
		if !s.Verified || s.Problem != "" {
			t.Errorf("step %s is not proved: %s", s.Event, s.Problem)
		}
		events = append(events, s.Event)
	}
	want := " SubmissionAcceptance ContentConsignment ContentHandover"
	if got := strings.Join(events, " "); got != want {
		t.Errorf("events %q, not %q", got, want)
	}
}
