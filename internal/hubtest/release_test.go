package hubtest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/hubtest"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// late is a world whose clock a test moves.
type late struct {
	*hubtest.World
	t     *testing.T
	ahead *atomic.Int64
}

func newLate(t *testing.T, cfg hubtest.Config, codes ...string) *late {
	ahead := new(atomic.Int64)
	cfg.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	cfg.Retry, cfg.PullEvery = quick, time.Second
	return &late{World: world(t, cfg, codes...), t: t, ahead: ahead}
}

// at is so many days after the test began. Endpoints that were running start again
// there, as one does that is switched off and on.
func (l *late) at(days float64, codes ...string) {
	l.t.Helper()
	for _, code := range codes {
		if err := l.Member(code).Stop(); err != nil {
			l.t.Fatal(err)
		}
	}
	l.ahead.Store(int64(days * 24 * float64(time.Hour)))
	for _, code := range codes {
		if err := l.Member(code).Start(l.t.Context()); err != nil {
			l.t.Fatal(err)
		}
	}
}

func (l *late) release(documents, chunks int) {
	l.t.Helper()
	done, err := l.Hub().ReleaseNow(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	if done.Documents != documents || done.Chunks != chunks {
		l.t.Errorf("released %d documents and removed %d chunks, not %d and %d", done.Documents, done.Chunks, documents, chunks)
	}
}

// wantChunk looks whether the axis has a file's only chunk.
func (l *late) wantChunk(data []byte, there bool) {
	l.t.Helper()
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:])
	_, err := os.Stat(filepath.Join(l.AxisDir(), "content", "chunks", name[:2], name))
	if (err == nil) != there || err != nil && !errors.Is(err, os.ErrNotExist) {
		l.t.Errorf("the chunk of %q: %v, wanted: %v", data, err, there)
	}
}

// Content stays while anybody waits for it, for 400 days after that, and then until
// the grace is over and nobody has a document with it that is kept.
func TestContentIsReleasedAndRemoved(t *testing.T) {
	t.Parallel()
	l := newLate(t, hubtest.Config{ExpireEvery: 20 * time.Millisecond}, "G22", "H41", "H41.11")
	g22, away := l.Member("G22"), l.Member("H41.11")
	if err := away.Stop(); err != nil {
		t.Fatal(err)
	}
	mine, shared, missed, kept := []byte("only here"), []byte("in two documents"), []byte("nobody came for it"), []byte("still waited for")
	had := send(t, g22, clerk.Draft{To: []string{"H41"}}, mine, shared)
	expired := send(t, g22, clerk.Draft{To: []string{"H41.11"}, Deadline: time.Now().Add(time.Hour).UnixMilli()}, missed)
	waiting := send(t, g22, clerk.Draft{To: []string{"H41.11"}}, kept)
	wait(t, g22, had, axispb.State_STATE_CONSIGNED)
	wait(t, g22, waiting, axispb.State_STATE_ACCEPTED)
	wait(t, g22, expired, axispb.State_STATE_ACCEPTED)
	l.at(0.1)
	waitSteps(t, g22, expired, "SubmissionAcceptance", "ContentConsignmentFailure")
	l.at(230, "G22", "H41")
	l.release(0, 0)
	l.at(399, "G22", "H41")
	l.release(0, 0)
	l.at(401)
	l.release(2, 0)
	again := send(t, g22, clerk.Draft{To: []string{"H41"}}, shared)
	wait(t, g22, again, axispb.State_STATE_CONSIGNED)
	l.at(408)
	l.release(0, 0)
	l.at(410, "G22", "H41")
	wait(t, g22, send(t, g22, clerk.Draft{To: []string{"H41"}}, []byte("journal time goes on")), axispb.State_STATE_CONSIGNED)
	l.release(0, 2)
	for _, c := range []struct {
		data  []byte
		there bool
	}{{mine, false}, {missed, false}, {shared, true}, {kept, true}} {
		l.wantChunk(c.data, c.there)
	}

	// Who was away for all that time is told, and the sender sees it.
	if err := away.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	wait(t, away, waiting, axispb.State_STATE_CONSIGNED)
	wait(t, g22, waiting, axispb.State_STATE_CONSIGNED)
	line := l.failed(away, expired, "H41.11")
	if !strings.Contains(line, "The axis has not kept this document's content since") {
		t.Errorf("the recipient is told: %s", line)
	}
	allSaid(t, l.World)
	check(t, l.World)
}

// allSaid waits until no endpoint has a statement that the axis has not answered.
func allSaid(t *testing.T, w *hubtest.World) {
	t.Helper()
	for _, m := range w.Members() {
		eventually(t, m.Code+" has said everything", func() error { return unsent(t, m) })
	}
}

func unsent(t *testing.T, m *hubtest.Member) error {
	s, err := endpoint.Clerk(m.Agent()).Status(t.Context())
	if err == nil && s.Unsent > 0 {
		err = fmt.Errorf("%d statements are left", s.Unsent)
	}
	return err
}

// failed waits until a document's consignment has failed, and gives the reason.
func (l *late) failed(m *hubtest.Member, id, code string) (why string) {
	l.t.Helper()
	eventually(l.t, "the consignment fails", func() error {
		story, err := m.Agent().Show(id)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(story.Received, func(r endpoint.Line) bool { return r.Code == code })
		if i < 0 || story.Received[i].State != axispb.State_STATE_CONSIGNMENT_FAILED {
			return errors.New("it has not")
		}
		for _, s := range story.Received[i].Steps {
			if s.State == axispb.State_STATE_CONSIGNMENT_FAILED {
				why += reason.Sentence(s.Reason, reason.English) + " (" + s.Issuer + ") "
			}
		}
		return nil
	})
	return why
}
