package timestamp_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"docaxis/internal/timestamp"
	"docaxis/signing"
	"docaxis/signing/signingtest"
)

// world is an authority that may be made to fail, on a real line, beside others.
type world struct {
	root signingtest.Identity
	now  time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	now := time.Now().Truncate(time.Second)
	root, err := signingtest.NewRoot("Root", now.AddDate(-1, 0, 0), now.AddDate(10, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return &world{root, now}
}

func (w *world) clock() time.Time { return w.now }

// authority serves one that says a time, and counts what it is asked.
func (w *world) authority(t *testing.T, by signingtest.Identity, says func() time.Time) (url string, asked *atomic.Int32) {
	t.Helper()
	tsa, err := by.NewTimestampAuthority("TSA", says)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, timestamp.Handler(tsa.Respond))
}

func serve(t *testing.T, h http.Handler) (url string, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

func (w *world) client(t *testing.T, urls ...string) *timestamp.Client {
	t.Helper()
	config := timestamp.Config{
		Trust: signing.NewTrust([]*x509.Certificate{w.root.Certificate()}, nil), Now: w.clock, Timeout: 20 * time.Second,
	}
	for _, url := range urls {
		config.Authorities = append(config.Authorities, timestamp.Authority{URL: url, Policies: []asn1.ObjectIdentifier{signingtest.Policy}})
	}
	c, err := timestamp.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestASignatureGetsItsTimestamp over a real line.
func TestASignatureGetsItsTimestamp(t *testing.T) {
	w := newWorld(t)
	url, _ := w.authority(t, w.root, w.clock)
	seal, err := w.root.Issue("Seal", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	content := []byte("content")
	signature, err := signing.Sign(content, seal.Key, seal.Chain)
	if err != nil {
		t.Fatal(err)
	}
	stamped, err := w.client(t, url).Signature(t.Context(), signature, 0)
	if err != nil {
		t.Fatal(err)
	}
	trust := signing.NewTrust([]*x509.Certificate{w.root.Certificate()}, nil)
	verdicts, err := signing.Verify(stamped, content, signing.Options{At: w.now.Add(time.Hour), Trust: trust, Timestamping: trust})
	if err != nil || !verdicts[0].Passed() || verdicts[0].TimeSource != signing.TimeTimestamp {
		t.Errorf("%+v, %v", verdicts, err)
	}
}

// TestAnotherAuthorityIsAsked: whatever one does wrong, the next is asked, and the
// one that failed is asked last for a while.
func TestAnotherAuthorityIsAsked(t *testing.T) {
	w := newWorld(t)
	stranger := newWorld(t)
	other, err := w.root.NewTimestampAuthority("TSA", w.clock)
	if err != nil {
		t.Fatal(err)
	}
	replayed := func() http.Handler {
		var kept []byte
		return timestamp.Handler(func(request []byte) []byte {
			if kept == nil {
				kept = other.Respond(append([]byte(nil), request...))
				return []byte("no answer")
			}
			return kept
		})
	}()
	byStranger, _ := w.authority(t, stranger.root, w.clock)
	late, _ := w.authority(t, w.root, func() time.Time { return w.now.Add(-time.Hour) })
	early, _ := w.authority(t, w.root, func() time.Time { return w.now.Add(time.Hour) })
	handlers := map[string]http.Handler{
		"error":     http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) }),
		"elsewhere": http.RedirectHandler(byStranger, http.StatusTemporaryRedirect),
		"refusal":   timestamp.Handler(func([]byte) []byte { return other.Respond(nil) }),
		"noise":     timestamp.Handler(func([]byte) []byte { return []byte("noise") }),
		"endless":   timestamp.Handler(func([]byte) []byte { return make([]byte, signing.MaxSize+1) }),
		"old":       replayed,
		"cut off": http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}),
	}
	urls := map[string]string{"stranger": byStranger, "an hour late": late, "an hour early": early, "nobody": "http://127.0.0.1:1"}
	for name, h := range handlers {
		urls[name], _ = serve(t, h)
	}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			good, asked := w.authority(t, w.root, w.clock)
			c := w.client(t, url, good)
			for n := range int32(2) {
				token, err := c.Stamp(t.Context(), []byte("content"))
				if err != nil {
					t.Fatal(err)
				}
				if v, err := signing.ParseTimestamp(token); err != nil || !v.Time.Equal(w.now) || asked.Load() != n+1 {
					t.Errorf("%v, %v, asked %d times", v.Time, err, asked.Load())
				}
			}
			_, err := w.client(t, url).Stamp(t.Context(), []byte("content"))
			if err == nil || !strings.Contains(err.Error(), url) {
				t.Errorf("alone: %v", err)
			}
		})
	}
}

// TestTheOneThatFailedRests, and is asked first again afterwards.
func TestTheOneThatFailedRests(t *testing.T) {
	w := newWorld(t)
	tsa, err := w.root.NewTimestampAuthority("TSA", w.clock)
	if err != nil {
		t.Fatal(err)
	}
	var down atomic.Bool
	first, askedFirst := serve(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if down.Load() {
			http.Error(rw, "down", http.StatusServiceUnavailable)
			return
		}
		timestamp.Handler(tsa.Respond).ServeHTTP(rw, r)
	}))
	second, askedSecond := w.authority(t, w.root, w.clock)
	c := w.client(t, first, second)
	step := func(wantFirst, wantSecond int32) {
		t.Helper()
		if _, err := c.Stamp(t.Context(), []byte("content")); err != nil {
			t.Fatal(err)
		}
		if askedFirst.Load() != wantFirst || askedSecond.Load() != wantSecond {
			t.Errorf("asked %d and %d times, want %d and %d", askedFirst.Load(), askedSecond.Load(), wantFirst, wantSecond)
		}
	}
	step(1, 0)
	down.Store(true)
	step(2, 1)
	down.Store(false)
	step(2, 2)
	w.now = w.now.Add(6 * time.Minute)
	step(3, 2)
}

func TestStampEnds(t *testing.T) {
	w := newWorld(t)
	started := make(chan struct{})
	url, asked := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		// The server looks for a line that was cut only after the request.
		_, _ = io.Copy(io.Discard, r.Body)
		close(started)
		<-r.Context().Done()
	}))
	next, askedNext := w.authority(t, w.root, w.clock)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-started; cancel() }()
	if _, err := w.client(t, url, next).Stamp(ctx, []byte("content")); !errors.Is(err, context.Canceled) || asked.Load() != 1 || askedNext.Load() != 0 {
		t.Errorf("%v, asked %d and %d times", err, asked.Load(), askedNext.Load())
	}
	if _, err := timestamp.New(timestamp.Config{}); !errors.Is(err, timestamp.ErrNoAuthority) {
		t.Errorf("nobody to ask: %v", err)
	}
	bad, err := timestamp.New(timestamp.Config{Authorities: []timestamp.Authority{{URL: url}}, Random: bytes.NewReader(nil)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bad.Stamp(t.Context(), nil); err == nil {
		t.Error("asked without a nonce")
	}
}
