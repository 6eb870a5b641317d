package hubtest_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/hubtest"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// toldToReissue holds a parked endpoint to say, in both languages, what to do.
func toldToReissue(t *testing.T, parked *axispb.Trouble) {
	t.Helper()
	if parked.GetReason().GetCode() != axispb.ReasonCode_REASON_COUNTER_REUSED {
		t.Fatalf("parked for %v", parked)
	}
	vi, en := reason.Sentence(parked.Reason, reason.Vietnamese), reason.Sentence(parked.Reason, reason.English)
	if !strings.Contains(vi, "thư mời") || !strings.Contains(en, "invitation") {
		t.Errorf("it does not say what to do: %q, %q", vi, en)
	}
}

func parked(a *endpoint.Agent) *axispb.Trouble {
	s, err := a.Status()
	if err != nil {
		return nil
	}
	return s.Parked
}

// An endpoint that was restored from an old copy of its folder may read; the first
// thing that it states gives it away. It stops, what was sent to it waits, and after
// it was re-issued it goes on.
func TestAnOldCopyOfAnEndpointIsStoppedAndReissued(t *testing.T) {
	t.Parallel()
	w := world(t, hubtest.Config{Retry: quick}, "G22", "H41")
	sender, m := w.Member("G22"), w.Member("H41")
	one := send(t, sender, clerk.Draft{To: []string{"H41"}}, []byte("một"))
	wait(t, sender, one, axispb.State_STATE_CONSIGNED)
	stop(t, m)
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(m.Dir)); err != nil {
		t.Fatal(err)
	}
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	confirm(t, m, one)
	wait(t, sender, one, axispb.State_STATE_HANDED_OVER)
	counted := counter(t, m)
	stop(t, m)

	if err := errors.Join(os.RemoveAll(m.Dir), os.CopyFS(m.Dir, os.DirFS(copied)), m.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the old copy reads", func() error {
		if s := statusOf(t, m); !s.Connected || counter(t, m) >= counted {
			return errors.New("it does not")
		}
		return nil
	})
	if why := parked(m.Agent()); why != nil {
		t.Fatalf("it stopped before it stated anything: %v", why)
	}
	two := send(t, sender, clerk.Draft{To: []string{"H41"}}, []byte("hai"))
	eventually(t, "it stops", func() error {
		if parked(m.Agent()) == nil {
			return errors.New("it goes on")
		}
		return nil
	})
	toldToReissue(t, parked(m.Agent()))
	wait(t, sender, two, axispb.State_STATE_ACCEPTED)
	stop(t, m)

	again, err := w.Reissue(t.Context(), m, m.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	wait(t, sender, two, axispb.State_STATE_CONSIGNED)
	three := send(t, sender, clerk.Draft{To: []string{"H41"}}, []byte("ba"))
	wait(t, sender, three, axispb.State_STATE_CONSIGNED)
	stop(t, again)

	// What the lost machine had done since the copy was made, only an empty folder
	// learns: that is what operators are told to join with.
	empty, err := w.Reissue(t.Context(), again, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := empty.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	wait(t, empty, one, axispb.State_STATE_HANDED_OVER)
	checked(t, w)
}

// Two copies of one endpoint that run at once: one of them is stopped by the first
// counter that both used, and nothing that a sender has a receipt for is lost.
func TestTwoCopiesOfAnEndpointRunAtOnce(t *testing.T) {
	t.Parallel()
	w := world(t, hubtest.Config{Retry: quick}, "G22", "H41")
	sender, m := w.Member("G22"), w.Member("H41")
	stop(t, m)
	copied := t.TempDir()
	if err := errors.Join(os.CopyFS(copied, os.DirFS(m.Dir)), m.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	settings, err := endpoint.LoadSettings(copied)
	if err != nil {
		t.Fatal(err)
	}
	clone, err := endpoint.Open(copied, endpoint.Config{
		Settings: settings, Log: slog.New(slog.DiscardHandler), Retry: quick, PullEvery: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- clone.Run(ctx) }()
	defer func() {
		cancel()
		if err := errors.Join(<-ended, clone.Close()); err != nil {
			t.Error(err)
		}
	}()

	var ids []string
	eventually(t, "one of the two stops", func() error {
		if why := parked(clone); why != nil {
			return nil
		}
		if why := parked(m.Agent()); why != nil {
			return nil
		}
		if len(ids) < 10 {
			id := send(t, sender, clerk.Draft{To: []string{"H41"}}, []byte("một"))
			wait(t, sender, id, axispb.State_STATE_CONSIGNED)
			ids = append(ids, id)
		}
		return errors.New("both go on")
	})
	for _, why := range []*axispb.Trouble{parked(clone), parked(m.Agent())} {
		if why != nil {
			toldToReissue(t, why)
		}
	}
	stop(t, m)
	again, err := w.Reissue(t.Context(), m, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := send(t, sender, clerk.Draft{To: []string{"H41"}}, []byte("cuối"))
	wait(t, sender, last, axispb.State_STATE_CONSIGNED)
	for _, id := range ids {
		wait(t, again, id, axispb.State_STATE_CONSIGNED)
	}
	checked(t, w)
}
