package endpoint

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"docaxis/endpoint/files"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
	"docaxis/proto/axispb"
)

// shelf is an endpoint whose documents a test puts into whatever state it likes, and
// what the test itself knows of them.
type shelf struct {
	*office
	ahead time.Duration
	known []*shelved
}

// shelved is a document as the test knows it.
type shelved struct {
	id       string
	key      inbox.Key
	sent     bool
	envelope [32]byte
	contents []int
	state    axispb.State
	since    time.Time
}

// done is what the test thinks: nobody needs it.
func (d *shelved) done() bool {
	if d.sent {
		return d.state == axispb.State_STATE_CONSIGNED || d.state == axispb.State_STATE_HANDED_OVER
	}
	return d.state == axispb.State_STATE_HANDED_OVER || d.state == axispb.State_STATE_HANDOVER_FAILED
}

// pooled are the contents that documents share.
func pooled(n int) []byte { return noise(100 * (n + 1)) }

func (s *shelf) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// put sends a document, or takes it as received, in a state, with contents of the pool.
func (s *shelf) put(contents []int, sent bool, state axispb.State) {
	d := draft("H41", "H41")
	for _, n := range contents {
		d = d.with(pooled(n))
	}
	id := s.send(d)
	e, err := s.agent.Sent(id)
	s.must(err)
	one := &shelved{id: id, sent: sent, envelope: [32]byte(e.EnvelopeDigest), contents: contents, state: state, since: s.now()}
	s.known = append(s.known, one)
	s.must(s.agent.db.Update(s.t.Context(), func(tx *bbolt.Tx) error {
		if sent {
			if state == axispb.State_STATE_QUEUED {
				return nil
			}
			r := &axispb.RecipientEntry{Code: "H41", State: state, SinceMs: s.now().UnixMilli()}
			return outbox.In(tx).Accept(id, []byte("receipt"), []*axispb.RecipientEntry{r})
		}
		// The submission it was made with is gone for good.
		if _, err := outbox.In(tx).Reject(id, []byte("no"), nil, nil); err != nil {
			return err
		}
		if err := outbox.In(tx).Release(id, time.Time{}, s.now()); err != nil {
			return err
		}
		in := &axispb.InboxEntry{
			Id: id, Sender: "H41", Code: "H41", ManifestDigest: e.ManifestDigest, EnvelopeDigest: e.EnvelopeDigest, State: state,
			ReceivedMs: s.now().UnixMilli(), SinceMs: s.now().UnixMilli(), Lane: axispb.Lane_LANE_NORMAL,
		}
		one.key = inbox.KeyOf(in)
		_, err := inbox.In(tx).Add(proto.Clone(in).(*axispb.InboxEntry))
		return err
	}))
}

// released asks the store.
func (s *shelf) released(d *shelved) (ms int64) {
	s.must(s.agent.db.View(func(tx *bbolt.Tx) error {
		if d.sent {
			e, err := outbox.In(tx).Get(d.id)
			ms = e.GetReleasedMs()
			return err
		}
		e, err := inbox.In(tx).Get(d.key)
		ms = e.GetReleasedMs()
		return err
	}))
	return ms
}

// confirm makes the agency take what it has not taken.
func (s *shelf) confirm(n int) {
	if len(s.known) == 0 {
		return
	}
	d := s.known[n%len(s.known)]
	if d.sent || d.state != axispb.State_STATE_CONSIGNED {
		return
	}
	s.must(s.agent.db.Update(s.t.Context(), func(tx *bbolt.Tx) error {
		return inbox.In(tx).Move(d.key, axispb.State_STATE_HANDED_OVER, 1, s.now(), nil)
	}))
	d.state, d.since = axispb.State_STATE_HANDED_OVER, s.now()
}

// judge holds what is on the disk against what the test knows. tidy: nothing that no
// document needs may be left.
func (s *shelf) judge(r *rapid.T, keep time.Duration, quota, tidy bool) {
	needed := make(map[[32]byte]bool)
	for _, d := range s.known {
		needed[d.envelope] = true
		if _, err := s.agent.envelope(d.envelope[:]); err != nil {
			r.Fatalf("the envelope of %s: %v", d.id, err)
		}
		gone := s.released(d) != 0
		if gone && !d.done() {
			r.Fatalf("%s was released in %s", d.id, d.state)
		}
		early := quota && d.state != axispb.State_STATE_HANDOVER_FAILED
		if gone && !early && s.now().Sub(d.since) < keep && s.released(d) == s.now().UnixMilli() {
			r.Fatalf("%s was released after %s, is kept %s", d.id, s.now().Sub(d.since), keep)
		}
		if gone {
			continue
		}
		for _, n := range d.contents {
			digest := sha256.Sum256(pooled(n))
			needed[digest] = true
			if !s.agent.files.Has(digest, uint64(len(pooled(n)))) {
				r.Fatalf("%s, %s, lacks content %d", d.id, d.state, n)
			}
		}
	}
	if !tidy {
		return
	}
	err := s.agent.files.Walk(func(k files.Kept) error {
		if !needed[k.Digest] {
			return fmt.Errorf("%x is left over", k.Digest)
		}
		return nil
	})
	if err != nil {
		r.Fatal(err)
	}
}

// Whatever is sent, received, confirmed, and cleaned up with whatever settings and
// crashes: nothing that somebody needs is removed, and nothing else stays.
func TestRandomCleanups(t *testing.T) {
	w := newWorld(t)
	s := &shelf{office: w.office("one", "H41")}
	s.now = func() time.Time { return time.Unix(1_800_000_000, 0).Add(s.ahead) }
	s.open()
	t.Cleanup(func() {
		// These states were never proved: Check has nothing to say here.
		s.stop = nil
		s.must(s.agent.Close())
	})
	states := []axispb.State{
		axispb.State_STATE_QUEUED, axispb.State_STATE_ACCEPTED, axispb.State_STATE_CONSIGNED,
		axispb.State_STATE_FETCHING, axispb.State_STATE_HANDED_OVER, axispb.State_STATE_HANDOVER_FAILED,
	}
	sendable := []axispb.State{axispb.State_STATE_QUEUED, axispb.State_STATE_ACCEPTED, axispb.State_STATE_CONSIGNED, axispb.State_STATE_HANDED_OVER}
	rapid.Check(t, func(r *rapid.T) {
		// Each run goes on where the last one stopped.
		s.agent.cfg.Settings.Retention.QuotaBytes = 0
		for range rapid.IntRange(1, 2).Draw(r, "documents") {
			state := rapid.SampledFrom(states).Draw(r, "state")
			sent := rapid.Bool().Draw(r, "sent")
			if sent && !slices.Contains(sendable, state) || !sent && state <= axispb.State_STATE_ACCEPTED {
				continue
			}
			s.put(rapid.SliceOfN(rapid.IntRange(0, 5), 1, 3).Draw(r, "contents"), sent, state)
		}
		s.confirm(rapid.IntRange(0, 1000).Draw(r, "confirmed"))
		s.ahead += time.Duration(rapid.IntRange(0, 40).Draw(r, "days"))*day + time.Second
		days := rapid.IntRange(0, 60).Draw(r, "kept")
		quota := rapid.SampledFrom([]uint64{0, 0, 1, 500, 1200}).Draw(r, "quota")
		s.agent.cfg.Settings.Retention = Retention{OutboxDays: &days, InboxDays: &days, QuotaBytes: quota}
		if rapid.Bool().Draw(r, "left") {
			_, err := s.agent.files.Add(bytes.NewReader(noise(7)), 100)
			s.must(err)
		}
		if point := rapid.SampledFrom([]string{"", "", "release.before", "release.after", "unlink.before", "unlink.after"}).Draw(r, "crash"); point != "" {
			s.faults.crash(point, rapid.IntRange(1, 3).Draw(r, "nth"))
		}
		_, err := s.agent.Clean(t.Context(), rapid.Bool().Draw(r, "dry"))
		if err != nil && !errors.Is(err, errCrash) {
			r.Fatal(err)
		}
		s.faults.clear()
		keep := time.Duration(days) * day
		s.judge(r, keep, quota > 0, false)
		if _, err := s.agent.Clean(t.Context(), false); err != nil {
			r.Fatal(err)
		}
		s.judge(r, keep, quota > 0, true)
	})
	if len(s.known) < 20 {
		t.Errorf("only %d documents were made", len(s.known))
	}
}
