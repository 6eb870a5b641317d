package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	quietLines  = 50
	quietWindow = 10 * time.Second
	maxLogLine  = 300
)

// serverLog gives the server's warnings and errors to slog. What clients sent
// must not get there: lines are cut short, a snippet of the protocol is taken
// out, and nobody can flood the log by misbehaving.
type serverLog struct {
	log   *slog.Logger
	quiet *quiet

	mu    sync.Mutex // guards what follows
	first error
}

func newServerLog(log *slog.Logger, now func() time.Time) *serverLog {
	return &serverLog{log: log, quiet: newQuiet(now)}
}

// fatal is the first error after which the server did not go on starting.
func (l *serverLog) fatal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first
}

// Noticef drops what goes as it should.
func (l *serverLog) Noticef(string, ...any) {}

// Debugf drops.
func (l *serverLog) Debugf(string, ...any) {}

// Tracef drops: it would hold what clients sent.
func (l *serverLog) Tracef(string, ...any) {}

// Warnf logs a warning, except for one that every start would give because of
// our own choice.
func (l *serverLog) Warnf(format string, v ...any) {
	if !strings.Contains(format, "TLS Handshake First") {
		l.write(slog.LevelWarn, format, v)
	}
}

// Errorf logs an error, except for a refused log-in: the authenticator has said why,
// and to an operator it is none.
func (l *serverLog) Errorf(format string, v ...any) {
	if !strings.Contains(fmt.Sprintf(format, v...), server.ErrAuthentication.Error()) {
		l.write(slog.LevelError, format, v)
	}
}

// Fatalf logs, and keeps the error for Start. The server does not go on after it,
// and the process does not end here.
func (l *serverLog) Fatalf(format string, v ...any) {
	line := clean(fmt.Sprintf(format, v...))
	l.log.Error("the broker cannot go on", slog.String("nats", line))
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first == nil {
		l.first = errors.New(line)
	}
}

func (l *serverLog) write(level slog.Level, format string, v []any) {
	missed, ok := l.quiet.may()
	if !ok {
		return
	}
	l.log.Log(context.Background(), level, "broker", slog.String("nats", clean(fmt.Sprintf(format, v...))), slog.Int("unlogged", missed))
}

func clean(line string) string {
	line, _, _ = strings.Cut(line, "proto=")
	if len(line) > maxLogLine {
		line = line[:maxLogLine] + "…"
	}
	return strings.ToValidUTF8(line, "?")
}

// quiet lets a number of lines through in each window of time and counts the
// rest.
type quiet struct {
	now func() time.Time

	mu     sync.Mutex // guards what follows
	since  time.Time
	lines  int
	missed int
}

func newQuiet(now func() time.Time) *quiet { return &quiet{now: now} }

// may says whether a line may be logged, and how many were not since the last.
func (q *quiet) may() (missed int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if now := q.now(); now.Sub(q.since) > quietWindow || now.Before(q.since) {
		q.since, q.lines = now, 0
	}
	if q.lines >= quietLines {
		q.missed++
		return 0, false
	}
	q.lines++
	missed, q.missed = q.missed, 0
	return missed, true
}
