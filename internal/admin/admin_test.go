package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"docaxis/internal/admin"
	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// serve runs an API over a folder until the test ends, or stop is called.
func serve(t *testing.T, dir string, h http.Handler) (stop func()) {
	t.Helper()
	s, err := admin.Listen(dir, "127.0.0.1:0", h)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return stop
}

func open(t *testing.T, dir string) *admin.Client {
	t.Helper()
	c, err := admin.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func failing(err error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { admin.Answer(w, nil, err) })
}

func TestACommandReachesTheProcessOfItsFolder(t *testing.T) {
	dir := t.TempDir()
	type message struct{ Text string }
	serve(t, dir, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			admin.Answer(w, message{r.FormValue("id")}, nil)
			return
		}
		var m message
		err := admin.Read(r, &m)
		admin.Answer(w, m, err)
	}))
	var got message
	if err := open(t, dir).Get(t.Context(), "/x", url.Values{"id": {"ệ & 1"}}, &got); err != nil || got.Text != "ệ & 1" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := open(t, dir).Post(t.Context(), "/x", message{"gửi"}, &got); err != nil || got.Text != "gửi" {
		t.Errorf("%+v, %v", got, err)
	}
	err := open(t, dir).Upload(t.Context(), "/x", "application/json", strings.NewReader(`{"Other": 1}`), &got)
	if !reason.Is(err, axispb.ReasonCode_REASON_MALFORMED) {
		t.Errorf("an unknown member: %v", err)
	}
}

// Whoever does not hold the token of the file, in whatever way they ask, gets
// nothing and changes nothing.
func TestTheTokenIsNeeded(t *testing.T) {
	dir := t.TempDir()
	called := 0
	serve(t, dir, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { called++; admin.Answer(w, 1, nil) }))
	var place struct{ Address, Token string }
	raw, err := os.ReadFile(filepath.Join(dir, "admin.json"))
	if err != nil || json.Unmarshal(raw, &place) != nil || len(place.Token) < 20 {
		t.Fatalf("%s (%v)", raw, err)
	}
	for _, header := range []string{"", "Bearer", "Bearer ", "Bearer x", "bearer " + place.Token, place.Token, "Bearer " + place.Token + " ", "Basic " + place.Token} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+place.Address+"/x?token="+place.Token, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", header)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if trimmed := strings.TrimSpace(header); trimmed != "Bearer "+place.Token && (res.StatusCode != http.StatusUnauthorized || len(body) > 0) {
			t.Errorf("%q: %s %s", header, res.Status, body)
		}
	}
	if called > 1 {
		t.Errorf("called %d times", called)
	}
	if runtime.GOOS != "windows" {
		if info, err := os.Stat(filepath.Join(dir, "admin.json")); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("others can read the token: %v (%v)", info.Mode(), err)
		}
	}
}

func TestATokenOfAnotherStartIsRefused(t *testing.T) {
	dir := t.TempDir()
	stop := serve(t, dir, failing(nil))
	old := open(t, dir)
	var place struct{ Address string }
	raw, _ := os.ReadFile(filepath.Join(dir, "admin.json"))
	if err := json.Unmarshal(raw, &place); err != nil {
		t.Fatal(err)
	}
	stop()
	s, err := admin.Listen(dir, place.Address, failing(nil))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	err = old.Get(t.Context(), "/x", nil, nil)
	var said *lang.Error
	if !errors.As(err, &said) || !strings.Contains(said.English, "Run the command again") || said.Vietnamese == said.English {
		t.Errorf("%v", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestOnlyLoopback(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.vn:0", "localhost:0", "[::]:0", "127.0.0.1", "", "127.0.0.1:x"} {
		dir := t.TempDir()
		s, err := admin.Listen(dir, address, http.NotFoundHandler())
		var said *lang.Error
		if s != nil || !errors.As(err, &said) || said.Vietnamese == said.English {
			t.Errorf("%q: %v", address, err)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
			t.Errorf("%q: left %v (%v)", address, entries, err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := admin.Listen(t.TempDir(), l.Addr().String(), http.NotFoundHandler()); err == nil || !strings.Contains(err.Error(), "Write 127.0.0.1:0") {
		t.Errorf("a taken port: %v", err)
	}
}

func TestNobodyRuns(t *testing.T) {
	dir := t.TempDir()
	_, err := admin.Open(dir)
	var away *admin.NotRunning
	if !errors.Is(err, admin.ErrNotRunning) || !errors.As(err, &away) || away.Dir != dir {
		t.Errorf("never ran: %v", err)
	}
	stop := serve(t, dir, failing(nil))
	c := open(t, dir)
	stop()
	if err := c.Get(t.Context(), "/x", nil, nil); !errors.Is(err, admin.ErrNotRunning) || !errors.As(err, &away) || away.Dir != dir {
		t.Errorf("just stopped: %v", err)
	}
	if _, err := admin.Open(dir); !errors.Is(err, admin.ErrNotRunning) {
		t.Errorf("stopped cleanly: %v", err)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Get(stopped, "/x", nil, nil); !errors.Is(err, context.Canceled) || errors.Is(err, admin.ErrNotRunning) {
		t.Errorf("the caller gave up: %v", err)
	}
}

func TestErrorsRoundTrip(t *testing.T) {
	tests := map[string]struct {
		given     error
		reason    *axispb.Reason
		temporary bool
		said      *lang.Error
	}{
		"permanent": {
			given:  reason.Permanent(axispb.ReasonCode_REASON_NOT_SERVED, "G03", "Bộ “Y”\n").Because(errors.New("secret cause")),
			reason: &axispb.Reason{Code: axispb.ReasonCode_REASON_NOT_SERVED, Args: []string{"G03", "Bộ “Y”\n"}},
		},
		"temporary": {
			given:  reason.Temporary(axispb.ReasonCode_REASON_BUSY),
			reason: &axispb.Reason{Code: axispb.ReasonCode_REASON_BUSY}, temporary: true,
		},
		"both languages": {
			given: lang.Errorf("sai %d", "wrong %d", 1),
			said:  &lang.Error{Vietnamese: "sai 1", English: "wrong 1"},
		},
		"plain": {given: errors.New("plain")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			serve(t, dir, failing(tt.given))
			err := open(t, dir).Post(t.Context(), "/x", nil, nil)
			if diff := cmp.Diff(tt.reason, reason.Of(err), protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
			var e *reason.Error
			if errors.As(err, &e) && e.Temporary() != tt.temporary {
				t.Errorf("temporary: %v", e.Temporary())
			}
			var said *lang.Error
			errors.As(err, &said)
			if diff := cmp.Diff(tt.said, said); diff != "" {
				t.Error(diff)
			}
			if tt.reason == nil && tt.said == nil && err.Error() != "plain" {
				t.Errorf("%v", err)
			}
		})
	}
}

// An answer that is cut short must not look like a whole one.
func TestACutAnswerIsAnError(t *testing.T) {
	dir := t.TempDir()
	serve(t, dir, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write(bytes.Repeat([]byte("x"), 100_000)) //nolint:errcheck // it is cut anyway
		panic(http.ErrAbortHandler)
	}))
	answer, err := open(t, dir).Download(t.Context(), "/x", nil)
	if err == nil {
		_, err = io.Copy(io.Discard, answer)
		answer.Close()
	}
	if err == nil {
		t.Error("a cut answer was taken as whole")
	}
}
