package admin_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	clerk "docaxis/endpoint/admin"
	"docaxis/internal/admin"
)

// waiter is a Clerk that only waits: for a state that the test grants.
type waiter struct {
	clerk.Clerk
	asked   chan string
	reached chan error
}

func (w waiter) Wait(ctx context.Context, id, state string) error {
	w.asked <- id + " " + state
	select {
	case err := <-w.reached:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func running(t *testing.T, c clerk.Clerk) *admin.Client {
	t.Helper()
	dir := t.TempDir()
	s, err := admin.Listen(dir, "127.0.0.1:0", clerk.Handler(c))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	client, err := admin.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestWaitAnswersOnceTheStateIsReached(t *testing.T) {
	w := waiter{asked: make(chan string, 1), reached: make(chan error)}
	client := running(t, w)
	for _, want := range []error{nil, errors.New("it does not get there")} {
		answered := make(chan error, 1)
		go func() {
			answered <- client.Get(t.Context(), clerk.PathWait, url.Values{"id": {"one"}, "state": {"CONSIGNED"}}, nil)
		}()
		select {
		case got := <-w.asked:
			if got != "one CONSIGNED" {
				t.Errorf("asked for %q", got)
			}
		case err := <-answered:
			t.Fatalf("answered without being asked: %v", err)
		}
		select {
		case err := <-answered:
			t.Fatalf("answered before the state was reached: %v", err)
		default:
		}
		w.reached <- want
		if err := <-answered; (err != nil) != (want != nil) || want != nil && !strings.Contains(err.Error(), want.Error()) {
			t.Errorf("answer %v, not %v", err, want)
		}
	}
}
