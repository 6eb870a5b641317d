package hubtest_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/inbox"
	"docaxis/internal/business"
	"docaxis/internal/envelope"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// changes is a world in which G22 changes what it sent to H41 and H41.11.
type changes struct {
	*hubtest.World
	t             *testing.T
	sender, first *hubtest.Member
}

func newChanges(t *testing.T, cfg hubtest.Config) *changes {
	t.Helper()
	cfg.Retry = quick
	w := world(t, cfg, "G22", "H41", "H41.11")
	return &changes{World: w, t: t, sender: w.Member("G22"), first: w.Member("H41")}
}

// end waits until everybody has heard of everything, and holds them to the promises.
func (c *changes) end() {
	c.t.Helper()
	allSaid(c.t, c.World)
	eventually(c.t, "promises 1 to 3 hold", func() error { return hubtest.Check(c.t.Context(), c.World) })
}

// new sends a document and waits until its recipients have it.
func (c *changes) new(to ...string) string {
	c.t.Helper()
	id := send(c.t, c.sender, clerk.Draft{To: to}, []byte("nội dung "+newID(c.t)))
	wait(c.t, c.sender, id, consigned)
	return id
}

// asks are the four ways in which a sender changes a document.
func asks() []string {
	return []string{business.Recall, business.TakeBack, business.Update, business.Replacement}
}

// about makes a change of a document by its agency.
func about(t *testing.T, from, what, sender, id string, to ...string) envelope.Document {
	t.Helper()
	doc := envelope.Document{
		ID: newID(t), Sender: from, To: to, Kind: envelope.Kind(what), Subject: "Về việc " + what, Reason: "Ban hành nhầm",
		References: []envelope.Reference{{Sender: sender, ID: id, Relation: envelope.RelationTarget}},
	}
	if slices.Contains(business.States(), what) {
		doc.Kind, doc.Status, doc.Subject = envelope.KindStatus, what, ""
	}
	return doc
}

// tell sends a change and waits until the axis has it.
func (c *changes) tell(m *hubtest.Member, doc envelope.Document) string {
	c.t.Helper()
	id, err := m.Agent().Send(c.t.Context(), draft(doc, [][]byte{[]byte("kèm theo " + doc.ID)}))
	if err != nil {
		c.t.Fatal(err)
	}
	wait(c.t, m, id, accepted)
	return id
}

// ask is tell for a change by the sender, and waits until it arrived.
func (c *changes) ask(what, id string, to ...string) string {
	c.t.Helper()
	change := c.tell(c.sender, about(c.t, "G22", what, "G22", id, to...))
	wait(c.t, c.sender, change, consigned)
	return change
}

// entry is a received document of a code.
func (c *changes) entry(m *hubtest.Member, id string) *axispb.InboxEntry {
	c.t.Helper()
	all, err := m.Agent().Inbox(inbox.Filter{Code: m.Code, Limit: 1000})
	if err != nil {
		c.t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(e *axispb.InboxEntry) bool { return e.Id == id })
	if i < 0 {
		c.t.Fatalf("%s did not receive %s", m.Code, id)
	}
	return all[i]
}

func (c *changes) fetch(m *hubtest.Member, id string) {
	c.t.Helper()
	f, err := endpoint.Clerk(m.Agent()).Content(c.t.Context(), id, "", 0)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		c.t.Fatal(err)
	}
}

func (c *changes) confirm(m *hubtest.Member, id, refuse string) {
	c.t.Helper()
	if _, err := endpoint.Clerk(m.Agent()).Confirm(c.t.Context(), clerk.Confirm{ID: id, Refuse: refuse}); err != nil {
		c.t.Fatal(err)
	}
}

func (c *changes) restart(m *hubtest.Member) {
	c.t.Helper()
	if err := errors.Join(m.Stop(), m.Start(c.t.Context())); err != nil {
		c.t.Fatal(err)
	}
}

// shows waits until the sender sees a document at a recipient in a state and with a
// business state.
func (c *changes) shows(id, code string, state axispb.State, said string) {
	c.t.Helper()
	eventually(c.t, fmt.Sprintf("G22 sees %s at %s as %s %q", id, code, state, said), func() error {
		line, err := c.line(id, code)
		if err == nil && (line.State != state || line.BusinessState != said) {
			err = fmt.Errorf("it sees %s %q", line.State, line.BusinessState)
		}
		return err
	})
}

func (c *changes) line(id, code string) (endpoint.Line, error) {
	t, err := c.sender.Agent().Show(id)
	if err != nil {
		return endpoint.Line{}, err
	}
	for _, l := range t.Recipients {
		if l.Code == code {
			return l, nil
		}
	}
	return endpoint.Line{}, fmt.Errorf("no recipient %s", code)
}

// situation is what the agency did with a document before a change of it came.
type situation struct {
	name string
	// bring a document there.
	bring func(*changes) string
	// taken: the agency has it, and must be asked.
	taken bool
	// state of its copy at the end, where it was not taken; unchanged for none.
	state axispb.State
}

func situations() []situation {
	toFirst := func(c *changes) string { return c.new("H41") }
	return []situation{
		{"not taken", toFirst, false, withdrawn},
		{"fetched", func(c *changes) string { id := c.new("H41"); c.fetch(c.first, id); return id }, true, consigned},
		{"handed over", func(c *changes) string {
			id := c.new("H41")
			c.fetch(c.first, id)
			c.confirm(c.first, id, "")
			return id
		}, true, handedOver},
		{"taken unread", func(c *changes) string { id := c.new("H41"); c.confirm(c.first, id, ""); return id }, true, handedOver},
		{"refused unread", func(c *changes) string { id := c.new("H41"); c.confirm(c.first, id, "sai nơi nhận"); return id }, false, withdrawn},
		{"refused", func(c *changes) string {
			id := c.new("H41")
			c.fetch(c.first, id)
			c.confirm(c.first, id, "sai")
			return id
		}, true, sentBack},
		{"withdrawn already", func(c *changes) string {
			id := c.new("H41")
			c.shows(c.ask(business.Update, id, "H41"), "H41", consigned, business.Agreed)
			return id
		}, false, withdrawn},
		{"recalled already", func(c *changes) string {
			id := c.new("H41")
			c.shows(c.ask(business.Recall, id, "H41"), "H41", withdrawn, business.Agreed)
			return id
		}, false, withdrawn},
	}
}

// Every way of changing a document meets every state in which its copy may be. What the
// agency has nothing of is taken back at once, and the endpoint agrees for it; else the
// agency is asked.
func TestAChangeMeetsItsTarget(t *testing.T) {
	t.Parallel()
	c := newChanges(t, hubtest.Config{})
	for _, what := range asks() {
		for _, s := range situations() {
			id := s.bring(c)
			c.restart(c.first)
			change := c.ask(what, id, "H41")
			c.restart(c.first)
			c.judge(what+", "+s.name, what, s, id, change)
		}
	}
	c.end()
}

func (c *changes) judge(row, what string, s situation, id, change string) {
	c.t.Helper()
	// Nothing is asked of the agency any more: the request goes with what it is about.
	done, answer := consigned, ""
	if !s.taken {
		answer = business.Agreed
		if business.TakesBack(what) {
			done = withdrawn
		}
	}
	c.shows(change, "H41", done, answer)
	target, request := c.entry(c.first, id), c.entry(c.first, change)
	if target.State != s.state || target.Answered != answer {
		c.t.Errorf("%s: the target is %s, answered %q", row, target.State, target.Answered)
	}
	if request.State != done || request.Answered != answer {
		c.t.Errorf("%s: the change is %s, answered %q", row, request.State, request.Answered)
	}
	if gone := target.ReleasedMs != 0; gone != (!s.taken && (business.TakesBack(what) || s.name == "recalled already")) {
		c.t.Errorf("%s: content released: %v", row, gone)
	}
	if !s.taken {
		if _, err := endpoint.Clerk(c.first.Agent()).Content(c.t.Context(), id, "", 0); err == nil {
			c.t.Errorf("%s: a withdrawn document is given out", row)
		}
	}
}

// answer sends a status document of the recipient.
func (c *changes) answer(status, sender, id string) string {
	c.t.Helper()
	told := c.tell(c.first, about(c.t, "H41", status, sender, id, "G22"))
	wait(c.t, c.first, told, consigned)
	return told
}

// An agency that has the document answers for itself, naming the request or, as
// systems in the field do, the document. Agreed, what was recalled is not kept here any
// more, its envelope and proofs are; refused, nothing changes but the record.
func TestAnAgencyAnswersAChange(t *testing.T) {
	t.Parallel()
	c := newChanges(t, hubtest.Config{})
	for i, what := range asks() {
		for j, s := range situations() {
			for k, status := range []string{business.Agreed, business.Disagreed} {
				named := []string{"request", "document"}[(i+j+k)%2]
				if s.taken {
					c.answered(fmt.Sprintf("%s, %s, %s naming the %s", what, s.name, status, named), what, status, named, s)
				}
			}
		}
	}
	allSaid(t, c.World)
	if _, err := c.first.Agent().Clean(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	c.end()
	if err := c.first.Agent().CheckFiles(t.Context()); err != nil {
		t.Error(err)
	}
}

func (c *changes) answered(row, what, status, named string, s situation) {
	c.t.Helper()
	id := s.bring(c)
	before := c.entry(c.first, id)
	change := c.ask(what, id, "H41")
	about := change
	if named == "document" {
		about = id
	}
	c.restart(c.first)
	c.answer(status, "G22", about)
	given := status == business.Agreed && business.TakesBack(what)
	state := s.state
	if given && state != handedOver {
		state = withdrawn
	}
	target, request := c.entry(c.first, id), c.entry(c.first, change)
	if target.State != state || target.Answered != status || (target.ReleasedMs != 0) != given {
		c.t.Errorf("%s: the target is %s, answered %q, released %d", row, target.State, target.Answered, target.ReleasedMs)
	}
	if request.State != consigned || request.Answered != status || request.ReleasedMs != 0 {
		c.t.Errorf("%s: the request is %s, answered %q", row, request.State, request.Answered)
	}
	if !slices.Equal(target.EnvelopeDigest, before.EnvelopeDigest) || len(target.Receipt) == 0 {
		c.t.Errorf("%s: envelope or proof is gone", row)
	}
	if !given {
		c.fetch(c.first, id)
		return
	}
	if _, err := endpoint.Clerk(c.first.Agent()).Content(c.t.Context(), id, "", 0); err == nil {
		c.t.Errorf("%s: what was given back is given out", row)
	}
}

// An answer counts once, for the newest request that is open; one that nobody asked for
// changes nothing here.
func TestAnAnswerCountsOnce(t *testing.T) {
	t.Parallel()
	c := newChanges(t, hubtest.Config{})
	id := c.new("H41")
	c.fetch(c.first, id)
	c.answer(business.Agreed, "G22", id)
	if e := c.entry(c.first, id); e.Answered != "" || e.ReleasedMs != 0 {
		t.Errorf("an answer to nothing: answered %q, released %d", e.Answered, e.ReleasedMs)
	}
	update, recall := c.ask(business.Update, id, "H41"), c.ask(business.Recall, id, "H41")
	for i, step := range []struct{ status, update, recall, target string }{
		{business.Disagreed, "", business.Disagreed, business.Disagreed},
		{business.Agreed, business.Agreed, business.Disagreed, business.Agreed},
		{business.Agreed, business.Agreed, business.Disagreed, business.Agreed},
	} {
		c.answer(step.status, "G22", id)
		u, r, d := c.entry(c.first, update), c.entry(c.first, recall), c.entry(c.first, id)
		if u.Answered != step.update || r.Answered != step.recall || d.Answered != step.target || d.ReleasedMs != 0 {
			t.Errorf("step %d: update %q, recall %q, document %q, released %d", i, u.Answered, r.Answered, d.Answered, d.ReleasedMs)
		}
	}
	again := c.ask(business.TakeBack, id, "H41")
	if e := c.entry(c.first, id); e.Answered != "" {
		t.Errorf("asked again, and still answered %q", e.Answered)
	}
	c.answer(business.Agreed, "G22", again)
	if e := c.entry(c.first, id); e.Answered != business.Agreed || e.State != withdrawn || e.ReleasedMs == 0 {
		t.Errorf("given back: %s, answered %q", e.State, e.Answered)
	}
	c.end()
}

// A recall goes to each recipient for itself, and to whom the document never came it is
// only shown.
func TestARecallOfOneRecipientLeavesTheOther(t *testing.T) {
	t.Parallel()
	c := newChanges(t, hubtest.Config{})
	id := c.new("H41", "H41.11")
	one := c.ask(business.Recall, id, "H41")
	c.shows(one, "H41", withdrawn, business.Agreed)
	c.shows(id, "H41", withdrawn, "")
	c.shows(id, "H41.11", consigned, "")

	only := c.new("H41.11")
	elsewhere := c.ask(business.Recall, only, "H41")
	c.shows(elsewhere, "H41", consigned, "")
	if e := c.entry(c.first, elsewhere); e.Answered != "" || e.Target != axispb.Target_TARGET_ELSEWHERE {
		t.Errorf("of what never came: answered %q, %s", e.Answered, e.Target)
	}
	c.confirm(c.first, elsewhere, "")
	c.shows(elsewhere, "H41", handedOver, "")
	c.end()
}

// A recall that was sent right behind a document waits for it, however long its content
// takes, and then takes it back: no agency is shown what was recalled before it came.
func TestARecallWaitsForALargeTarget(t *testing.T) {
	t.Parallel()
	stuck := &barriers{set: map[string]bool{"H41 fetch.before": true}}
	c := newChanges(t, hubtest.Config{EndpointFaults: stuck.hook})
	large := send(t, c.sender, clerk.Draft{To: []string{"H41"}}, make([]byte, 3<<20))
	wait(t, c.sender, large, accepted)
	recall := c.tell(c.sender, about(t, "G22", business.Recall, "G22", large, "H41"))
	later := c.new("H41.11")
	wait(t, c.first, recall, axispb.State_STATE_WAITING)
	for range 2 {
		if target, request := c.entry(c.first, large), c.entry(c.first, recall); target.State != axispb.State_STATE_FETCHING || request.State != axispb.State_STATE_WAITING {
			t.Errorf("the target is %s, its recall %s", target.State, request.State)
		}
		c.restart(c.first)
	}
	stuck.put("H41 fetch.before", false)
	c.shows(recall, "H41", withdrawn, business.Agreed)
	c.shows(large, "H41", withdrawn, "")
	c.shows(later, "H41.11", consigned, "")
	waitSteps(t, c.sender, large, "SubmissionAcceptance", "ContentConsignment", "ContentWithdrawal")
	waitSteps(t, c.sender, recall, "SubmissionAcceptance", "ContentConsignment", "BusinessState", "ContentWithdrawal")
	c.end()
}

// A replacement takes back everything that it replaces.
func TestAReplacementTakesBackEverythingThatItReplaces(t *testing.T) {
	t.Parallel()
	c := newChanges(t, hubtest.Config{})
	old, older := c.new("H41"), c.new("H41")
	doc := about(t, "G22", business.Replacement, "G22", old, "H41")
	doc.References = append(doc.References, envelope.Reference{Sender: "G22", ID: older, Relation: envelope.RelationReplaces})
	c.shows(c.tell(c.sender, doc), "H41", consigned, business.Agreed)
	for _, id := range []string{old, older} {
		c.shows(id, "H41", withdrawn, "")
	}
	one, other := c.new("H41"), c.new("H41")
	c.fetch(c.first, other)
	doc = about(t, "G22", business.Replacement, "G22", one, "H41")
	doc.References = append(doc.References, envelope.Reference{Sender: "G22", ID: other, Relation: envelope.RelationReplaces})
	c.shows(c.tell(c.sender, doc), "H41", consigned, "")
	c.shows(one, "H41", withdrawn, "")
	c.shows(other, "H41", consigned, "")
	c.end()
}

// A recall may be recalled while nobody answered it: then it asks for nothing, and what
// it was about stays.
func TestARecallIsRecalled(t *testing.T) {
	t.Parallel()
	c := newChanges(t, hubtest.Config{})
	id := c.new("H41")
	c.fetch(c.first, id)
	recall := c.ask(business.Recall, id, "H41")
	back := c.ask(business.Recall, recall, "H41")
	c.shows(back, "H41", withdrawn, business.Agreed)
	c.shows(recall, "H41", withdrawn, "")
	c.answer(business.Agreed, "G22", id)
	c.answer(business.Agreed, "G22", recall)
	if r := c.entry(c.first, recall); r.Answered != business.Agreed {
		t.Errorf("named by itself, the recall is answered %q", r.Answered)
	}
	c.consistent()
	other := c.new("H41")
	c.fetch(c.first, other)
	asked := c.ask(business.Recall, other, "H41")
	c.ask(business.TakeBack, asked, "H41")
	c.answer(business.Agreed, "G22", other)
	if e := c.entry(c.first, other); e.State != consigned || e.Answered != "" || e.ReleasedMs != 0 {
		t.Errorf("after all it is %s, answered %q, released %d", e.State, e.Answered, e.ReleasedMs)
	}
	c.consistent()
	c.end()
}

// Whatever is asked, answered and done in whatever order: nothing that an agency was
// given nothing of waits for its answer, and just what it gave back is gone.
func TestRandomChanges(t *testing.T) {
	t.Parallel()
	c := newChanges(t, hubtest.Config{})
	random := rand.New(rand.NewPCG(45, 1))
	pick := func(of []string) string { return of[random.IntN(len(of))] }
	ids := []string{c.new("H41"), c.new("H41"), c.new("H41")}
	requests := slices.Clone(ids)
	for range 60 {
		id := pick(ids)
		switch random.IntN(6) {
		case 0:
			if e := c.entry(c.first, id); e.State == consigned || e.State == handedOver && e.ReleasedMs == 0 {
				c.fetch(c.first, id)
			}
		case 1:
			if e := c.entry(c.first, id); e.State == consigned {
				c.confirm(c.first, id, pick([]string{"", "sai"}))
			}
		case 2, 3:
			change := c.ask(pick(asks()), pick(requests), "H41")
			requests = append(requests, change)
		case 4:
			c.answer(pick([]string{business.Agreed, business.Disagreed, business.Registered}), "G22", pick(requests))
		case 5:
			c.restart(c.first)
		}
		c.consistent()
	}
	c.end()
}

// consistent holds the first recipient's inbox to what may be true of it.
func (c *changes) consistent() {
	c.t.Helper()
	a := c.first.Agent()
	if err := a.Check(); err != nil {
		c.t.Fatal(err)
	}
	all, err := a.Inbox(inbox.Filter{Limit: 10_000})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, d := range all {
		given := false
		for _, r := range all {
			if r.TargetId != d.Id || inbox.Request(r) == "" {
				continue
			}
			given = given || r.Answered == business.Agreed && business.TakesBack(inbox.Request(r))
			if r.State == consigned && r.Answered == "" && (d.State == consigned && !d.Fetched || d.State == withdrawn && !given) {
				c.t.Errorf("%s asks about %s, which is %s and was never given out", r.Id, d.Id, d.State)
			}
		}
		if given != (d.ReleasedMs != 0) {
			c.t.Errorf("%s (%s) was given back: %v, released %d", d.Id, d.State, given, d.ReleasedMs)
		}
	}
}
