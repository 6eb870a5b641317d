package broker

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

func TestLocalUserNeedsTheSecretOfThisStart(t *testing.T) {
	a := newAuthenticator(Config{Now: time.Now})
	for user, l := range a.locals {
		if _, err := a.admitLocal(&server.ClientOpts{Username: user, Password: l.secret}); err != nil {
			t.Errorf("%s: %v", user, err)
		}
		for _, wrong := range []string{"", "x", newAuthenticator(Config{}).locals[user].secret} {
			if _, err := a.admitLocal(&server.ClientOpts{Username: user, Password: wrong}); err == nil {
				t.Errorf("%s with %q", user, wrong)
			}
		}
	}
}

func TestCutDuringALogInDecidesAgain(t *testing.T) {
	a := &authenticator{conns: newConnections(time.Now)}
	a.conns.alive = func(uint64) bool { return true }
	revoked := false
	_, _, err := a.enter(1, func() (*server.User, error) {
		if revoked {
			return nil, errors.New("revoked")
		}
		// The registry said yes; now the operator revokes, and nothing is there to
		// be cut yet.
		revoked = true
		if got := a.conns.remove("h41"); len(got) != 0 {
			t.Errorf("cut %v", got)
		}
		return &server.User{Username: "h41"}, nil
	})
	if err == nil || a.conns.has("h41") {
		t.Errorf("the revoked endpoint slipped through: %v", err)
	}
}

func TestCutOfAnotherOnlyDecidesAgain(t *testing.T) {
	a := &authenticator{conns: newConnections(time.Now)}
	a.conns.alive = func(uint64) bool { return true }
	times := 0
	user, _, err := a.enter(1, func() (*server.User, error) {
		if times++; times == 1 {
			a.conns.remove("h42")
		}
		return &server.User{Username: "h41"}, nil
	})
	if err != nil || user == nil || times != 2 || !a.conns.has("h41") {
		t.Errorf("%v, %v after %d decisions", user, err, times)
	}
}

func TestEndedConnectionsDoNotCount(t *testing.T) {
	c := newConnections(time.Now)
	ended := map[uint64]bool{}
	c.alive = func(id uint64) bool { return !ended[id] }
	for id := range uint64(3) {
		ended[1] = id == 2
		if old, err := c.add("h41", id, c.cuts()); len(old) != 0 || err != nil {
			t.Errorf("%d: %v, %v", id, old, err)
		}
	}
	if old, err := c.add("h41", 3, c.cuts()); !slices.Equal(old, []uint64{0}) || err != nil {
		t.Errorf("%v, %v", old, err)
	}
}

func TestConnectionsForgetWhatEnded(t *testing.T) {
	now := time.Unix(1000, 0)
	c := newConnections(func() time.Time { return now })
	c.alive = func(id uint64) bool { return id == 7 }
	c.bar("barred", now.Add(time.Second))
	now = now.Add(time.Minute)
	for id := range uint64(sweepAfter + 10) {
		if _, err := c.add("name"+string(rune('a'+id%20)), id, c.cuts()); err != nil {
			t.Fatal(err)
		}
	}
	all := func(string) bool { return true }
	if got := c.names(all); !slices.Equal(got, []string{"nameh"}) {
		t.Errorf("%v", got)
	}
	if len(c.byID) != 1 || len(c.byName) != 1 || len(c.barred) != 0 {
		t.Errorf("left over: %d ids, %d names, %d barred", len(c.byID), len(c.byName), len(c.barred))
	}
}

func TestLogHoldsNothingOfClients(t *testing.T) {
	var out strings.Builder
	now := time.Unix(1000, 0)
	l := newServerLog(slog.New(slog.NewTextHandler(&out, nil)), func() time.Time { return now })
	l.Errorf("parser ERROR, state=1, proto='%s...'", "SECRET")
	l.Warnf("subject %s", strings.Repeat("y", 10000))
	l.Noticef("SECRET")
	l.Debugf("SECRET")
	l.Tracef("SECRET")
	if got := out.String(); strings.Contains(got, "SECRET") || len(got) > 1000 || strings.Count(got, "\n") != 2 {
		t.Errorf("%s", got)
	}
	if l.fatal() != nil {
		t.Error(l.fatal())
	}
	l.Fatalf("no %s", "disk")
	l.Fatalf("second")
	if err := l.fatal(); err == nil || err.Error() != "no disk" {
		t.Error(err)
	}
}

func TestLogCannotBeFlooded(t *testing.T) {
	var out strings.Builder
	now := time.Unix(1000, 0)
	l := newServerLog(slog.New(slog.NewTextHandler(&out, nil)), func() time.Time { return now })
	for range 10 * quietLines {
		l.Errorf("Publish Violation")
	}
	if n := strings.Count(out.String(), "\n"); n != quietLines {
		t.Errorf("%d lines", n)
	}
	now = now.Add(2 * quietWindow)
	l.Errorf("later")
	if !strings.Contains(out.String(), "later unlogged=450") {
		t.Error(out.String()[out.Len()-100:])
	}
}
