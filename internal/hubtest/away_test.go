package hubtest_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	operator "docaxis/axis/admin"
	"docaxis/endpoint"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/link"
	"docaxis/internal/bus"
	"docaxis/internal/envelope"
	"docaxis/internal/fault"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// What an endpoint may have in its hands: a page, which may go over its room by one
// item, and a handful of requests. The heap of this process, which has axis and
// sender, too, would say nothing about it.
const (
	pageBound    = 1<<20 + 2*envelope.MaxSize
	requestBound = 1 << 20
	callsBound   = 8
)

// arrivals looks at the inbox of whoever comes back, each time that a part of a page
// was committed.
type arrivals struct {
	t       *testing.T
	w       *hubtest.World
	expects atomic.Pointer[map[axispb.Lane][]uint64] // positions in the journal, by lane; nil: do not look
	pages   int

	calls                    atomic.Int64 // under way
	mostCalls, page, request atomic.Int64 // the most at once, and bytes of the largest
}

func (a *arrivals) hook(code string) fault.Hook {
	if code != "H41" {
		return nil
	}
	return func(point string) error {
		expects := a.expects.Load()
		if expects == nil || point != "t1.after" {
			return nil
		}
		// Each look reads all that is there, so that not every page is looked at.
		if a.pages++; a.pages%4 == 1 {
			a.look(*expects)
		}
		return nil
	}
}

// look holds what is there to be, in each lane, the beginning of what waited, and
// nothing that is not urgent to be there before all that is.
func (a *arrivals) look(expects map[axispb.Lane][]uint64) {
	all, err := a.w.Member("H41").Agent().Inbox(inbox.Filter{Limit: math.MaxInt})
	if err != nil {
		a.t.Error(err)
		return
	}
	got := map[axispb.Lane][]uint64{}
	for _, e := range all {
		got[e.Lane] = append(got[e.Lane], e.Position)
	}
	for lane, positions := range got {
		slices.Sort(positions)
		if want := expects[lane]; len(positions) > len(want) || !slices.Equal(positions, want[:len(positions)]) {
			a.t.Errorf("after %d pages: lane %v has %d documents, not the first ones that waited", a.pages, lane, len(positions))
		}
	}
	urgent, normal := axispb.Lane_LANE_URGENT, axispb.Lane_LANE_NORMAL
	if len(got[normal]) > 0 && len(got[urgent]) < len(expects[urgent]) {
		a.t.Errorf("after %d pages: %d documents are there before %d urgent ones", a.pages, len(got[normal]), len(expects[urgent])-len(got[urgent]))
	}
}

// weighed is the line of whoever comes back, with everything on it weighed.
type weighed struct {
	link.Conn
	seen *arrivals
}

// Call weighs a request and its answer.
func (l weighed) Call(ctx context.Context, s bus.Service, req, resp proto.Message) error {
	raise(&l.seen.mostCalls, l.seen.calls.Add(1))
	defer l.seen.calls.Add(-1)
	raise(&l.seen.request, int64(proto.Size(req)))
	err := l.Conn.Call(ctx, s, req, resp)
	if s == bus.Pull {
		raise(&l.seen.page, int64(proto.Size(resp)))
	}
	return err
}

func raise(most *atomic.Int64, n int64) {
	for {
		was := most.Load()
		if n <= was || most.CompareAndSwap(was, n) {
			return
		}
	}
}

// weigh puts whoever comes back on a line that is weighed.
func (a *arrivals) weigh(code string, c *endpoint.Config) {
	dial := c.Dial
	if code != "H41" {
		return
	}
	c.Dial = func(ctx context.Context, id link.Identity) (link.Conn, error) {
		conn, err := dial(ctx, id)
		return weighed{conn, a}, err
	}
}

// Promise 5. An endpoint comes back after 400 days: its certificate expired, 10,000
// documents waited, the log's key and the CA were replaced, an agency joined. It
// renews by itself, learns the registry, gets what is urgent, then the rest, in
// order, without holding it all; and every sender has the proof.
func TestNinetyDaysAway(t *testing.T) {
	var clock shifted
	seen := &arrivals{t: t}
	w := world(t, hubtest.Config{
		Now: clock.now, Retry: quick, PullEvery: time.Second, RenewEvery: 20 * time.Millisecond,
		ExpireEvery: 20 * time.Millisecond, EndpointFaults: seen.hook, AdjustEndpoint: seen.weigh, Reconnect: 5 * time.Millisecond,
	}, "G22", "H41")
	seen.w = w
	away := w.Member("H41")
	first := &mail{t: t, w: w, from: "G22"}
	first.send(t.Context(), 0, 1, time.Time{})
	first.consigned()
	if err := away.Stop(); err != nil {
		t.Fatal(err)
	}
	clock.days(310)

	n := waitingDocuments
	mails := []*mail{{t: t, w: w, from: "G22"}, {t: t, w: w, from: "G22"}, {t: t, w: w, from: "G02"}}
	deadline := clock.now().Add(45 * 24 * time.Hour)
	mails[0].send(t.Context(), 1, n/2, deadline)
	roll(t, w, operator.KeyLog)
	clock.days(30)
	mails[1].send(t.Context(), n/2, n*9/10, time.Time{})
	roll(t, w, operator.KeyCA)
	clock.days(30)
	if _, err := w.Join(t.Context(), "G02"); err != nil {
		t.Fatal(err)
	}
	mails[2].send(t.Context(), n*9/10, n+1, time.Time{})
	clock.days(30)
	become(t, w, "CONSIGNMENT_FAILED", mails[0].late)

	before, err := link.LoadIdentity(away.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if !clock.now().After(before.Certificate.Leaf.NotAfter.Add(24 * time.Hour)) {
		t.Fatal("the certificate has not expired")
	}
	expects := mailbox(t, w)
	seen.expects.Store(&expects)
	if err := away.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	updated := 0
	for _, m := range mails {
		updated += len(m.updated)
	}
	if updated == 0 {
		t.Fatal("nothing was updated")
	}
	become(t, w, "CONSIGNED", n+1-updated)
	become(t, w, "WITHDRAWN", updated)
	for _, m := range mails {
		m.consigned()
	}
	newExchange(t, w, 1).settle()
	if after, err := link.LoadIdentity(away.Dir); err != nil || after.Certificate.Leaf.Equal(before.Certificate.Leaf) {
		t.Errorf("the certificate was not renewed (%v)", err)
	}
	if seen.pages < min(5, n/100) {
		t.Errorf("all came in %d pages", seen.pages)
	}
	page, request, calls := seen.page.Load(), seen.request.Load(), seen.mostCalls.Load()
	t.Logf("%d pages, the largest of %d KiB; at most %d requests at once, the largest of %d KiB", seen.pages, page>>10, calls, request>>10)
	if page == 0 || page > pageBound || request > requestBound || calls > callsBound {
		t.Errorf("a page of %d bytes, a request of %d, %d requests at once", page, request, calls)
	}
	superseded, looked := 0, min(20, mails[0].late-len(mails[0].updated))
	for _, id := range mails[0].ids {
		if mails[0].due[id] && !mails[0].updated[id] && slices.Equal(steps(t, w.Member("G22"), id), []string{"SubmissionAcceptance", "ContentConsignmentFailure", "ContentConsignment supersedes"}) {
			superseded++
		}
		if superseded == looked {
			break // each is a few checks of signatures
		}
	}
	if superseded != looked || looked == 0 {
		t.Errorf("%d of the late documents that were looked at are flagged", superseded)
	}
	if err := w.Hub().CheckContent(t.Context()); err != nil {
		t.Error(err)
	}
	if err := away.Agent().Check(); err != nil {
		t.Error(err)
	}
}

func roll(t *testing.T, w *hubtest.World, key string) {
	t.Helper()
	if _, err := w.Hub().RollKey(t.Context(), rollOf(key)); err != nil {
		t.Fatal(err)
	}
}

// become waits until so many recipients are in a state. How long that takes is the
// machine's business: it counts as stuck when nothing moves any more.
func become(t *testing.T, w *hubtest.World, state string, n int) {
	t.Helper()
	// Each look counts all recipients, so that it is not taken all the time.
	for last := uint64(math.MaxUint64); ; <-time.After(200 * time.Millisecond) {
		moved := false
		eventually(t, fmt.Sprintf("%d become %s", n, state), func() error {
			s, err := w.Hub().Status(t.Context())
			now := s.States[state]
			if err == nil && now != uint64(n) && now == last {
				err = fmt.Errorf("%v", s.States)
			}
			moved, last = now != uint64(n), now
			return err
		})
		if !moved {
			return
		}
	}
}

// mail is what one agency sends while another is away. Of each ten documents two are
// urgent, one has a deadline, one is an update of an earlier one, now and then an
// urgent one of one that is not.
type mail struct {
	t    *testing.T
	w    *hubtest.World
	from string
	ids  []string
	due  map[string]bool
	late int
	// updated ones are taken back, since nobody took them before their updates came.
	updated map[string]bool
}

// attachment is the one file that they all have: its content is one chunk.
var attachment = []byte("Phụ lục")

func (m *mail) send(ctx context.Context, from, to int, deadline time.Time) {
	m.t.Helper()
	m.ids, m.due, m.updated = make([]string, to-from), map[string]bool{}, map[string]bool{}
	agent := m.w.Member(m.from).Agent()
	side := max(1, min(200, len(m.ids)/3)) // sent at once; an update comes after its target
	for begin := 0; begin < len(m.ids); begin += side {
		g, ctx := errgroup.WithContext(ctx)
		end := min(begin+side, len(m.ids))
		for i := begin; i < end; i++ {
			doc := m.document(i, begin, deadline)
			g.Go(func() (err error) {
				m.ids[i], err = agent.Send(ctx, endpoint.Draft{Document: doc, Files: []endpoint.DraftFile{{
					Title: "phụ lục.txt", Content: bytes.NewReader(attachment),
				}}})
				return err
			})
		}
		if err := g.Wait(); err != nil {
			m.t.Fatal(err)
		}
		for i := begin; i < end; i++ {
			m.due[m.ids[i]] = !deadline.IsZero() && i%10 == 5
		}
	}
	for _, id := range m.ids {
		if m.due[id] {
			m.late++
		}
		m.wait(id, accepted)
	}
}

// document is the ith; those before begin have been sent.
func (m *mail) document(i, begin int, deadline time.Time) envelope.Document {
	doc := envelope.Document{
		Sender: m.from, To: []string{"H41"}, Kind: envelope.KindDocument, Subject: fmt.Sprintf("Công văn %d", i),
	}
	switch i % 10 {
	case 0, 1:
		doc.Priority = 1
	case 5:
		doc.Deadline = deadline
	case 7:
		if target := begin - 3 - i%5; target >= 0 {
			doc.Kind = envelope.KindUpdate
			m.updated[m.ids[target]] = true
			doc.References = []envelope.Reference{{Sender: m.from, ID: m.ids[target], Relation: envelope.RelationTarget}}
			if i%100 == 7 {
				doc.Priority = 1
			}
		}
	}
	return doc
}

// wait returns when a document is in a state, as its sender has proof of it.
func (m *mail) wait(id string, state axispb.State) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	defer cancel()
	if err := m.w.Member(m.from).Agent().Wait(ctx, id, state); err != nil {
		m.t.Fatalf("%s does not become %v: %v", id, state, err)
	}
}

// consigned holds the sender to have the proof for every document.
func (m *mail) consigned() {
	m.t.Helper()
	for _, id := range m.ids {
		eventually(m.t, id, func() error {
			ctx, cancel := context.WithTimeout(m.t.Context(), patience)
			defer cancel()
			return m.w.Member(m.from).Agent().Wait(ctx, id, consigned)
		})
	}
}

// mailbox reads out of the journal what waits for H41, lane by lane: the cursors
// positions of its documents.
func mailbox(t *testing.T, w *hubtest.World) map[axispb.Lane][]uint64 {
	t.Helper()
	all, leaf := map[axispb.Lane][]uint64{}, uint64(0)
	err := w.Hub().Blocks(t.Context(), func(raw []byte) error {
		for _, r := range blockOf(raw).Records {
			var d axispb.Decision
			if err := proto.Unmarshal(r.Decision, &d); err != nil {
				return err
			}
			if headerOf(r).Kind == axispb.Kind_KIND_DOCUMENT {
				all[d.GetDocument().GetLane()] = append(all[d.GetDocument().GetLane()], leaf)
			}
			leaf++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
