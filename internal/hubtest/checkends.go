package hubtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"docaxis/axis"
	operator "docaxis/axis/admin"
	"docaxis/endpoint"
	"docaxis/endpoint/inbox"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// endpoint judges what one endpoint shows.
func (c *checker) endpoint(e *SeenEndpoint) {
	for _, err := range e.Unsettled {
		c.complain("%s: %w", e.Name, err)
	}
	c.refRoot(e.Name, e.Progress.GetSeen())
	c.counters(e)
	for _, o := range e.Outbox {
		c.sent(e, o)
	}
	for _, i := range e.Inbox {
		c.received(e, i)
	}
}

// counters asks whether the journal has every statement that the endpoint made. A
// re-issued one begins anew beyond what it may have said before, and says again what
// only its lost store knew.
func (c *checker) counters(e *SeenEndpoint) {
	said := c.book.counters[e.Name]
	registered, _ := c.book.registry.Endpoint(e.Name)
	for n := uint64(1); n <= e.Progress.GetCounter() && registered.Reissued().IsZero(); n++ {
		if said[n] == nil {
			c.complain("%s: statement %d is not in the journal", e.Name, n)
		}
	}
	for n := range said {
		if n > e.Progress.GetCounter() {
			c.complain("%s: the journal has statement %d, and it counts only to %d", e.Name, n, e.Progress.GetCounter())
		}
	}
	for _, s := range said {
		c.refRoot(e.Name, s.statement.Checkpoint)
	}
}

// sent judges a submission.
func (c *checker) sent(e *SeenEndpoint, o *axispb.OutboxEntry) {
	who := fmt.Sprintf("%s: sent %s", e.Name, o.Id)
	c.refusedBefore(who, o)
	switch o.State {
	case axispb.State_STATE_QUEUED, axispb.State_STATE_SUBMITTED, axispb.State_STATE_PARKED:
		c.complain("%s: not settled: %s (%v)", who, o.State, o.Trouble)
	case axispb.State_STATE_ACCEPTED:
		c.accepted(who, e, o)
	case axispb.State_STATE_REJECTED:
		c.rejected(who, o)
	default:
		c.complain("%s: impossible state %s", who, o.State)
	}
}

// accepted is promise 1: what the sender has a receipt for is there.
func (c *checker) accepted(who string, e *SeenEndpoint, o *axispb.OutboxEntry) {
	r := c.receipt(who, o.Receipt, nil)
	if r == nil {
		return
	}
	d := c.book.of(r)
	if d == nil || sha256.Sum256(r.record.Body) != [sha256.Size]byte(o.EnvelopeDigest) {
		c.complain("%s: its receipt is of another record", who)
		return
	}
	if d.endpoint != e.Name {
		c.complain("%s: the journal has it from %s", who, d.endpoint)
	}
	c.recipients(who, e.Stories[o.Id], d)
}

// recipients holds what the sender sees to what was decided and stated.
func (c *checker) recipients(who string, t endpoint.Timeline, d *document) {
	shown := map[string]bool{}
	for _, l := range t.Recipients {
		if shown[l.Code] {
			c.complain("%s: %s is shown twice", who, l.Code)
		}
		shown[l.Code] = true
		c.recipient(fmt.Sprintf("%s at %s", who, l.Code), l, d)
	}
	for code, r := range d.rows {
		reported := r.state != axispb.State_STATE_ACCEPTED || slices.Contains(d.envelope.Document.To, code)
		if reported && !shown[code] {
			c.complain("%s: recipient %s is missing", who, code)
		}
	}
	for code := range d.refused {
		if !shown[code] {
			c.complain("%s: refused recipient %s is missing", who, code)
		}
	}
}

func (c *checker) recipient(who string, l endpoint.Line, d *document) {
	r := d.rows[l.Code]
	switch {
	case r == nil && d.refused[l.Code]:
		if l.State != axispb.State_STATE_REJECTED {
			c.complain("%s: %s, but it was refused", who, l.State)
		}
		return
	case r == nil:
		c.complain("%s: no recipient of it", who)
		return
	case l.State != r.state:
		c.complain("%s: %s is shown, the journal's evidence gives %s", who, l.State, r.state)
	}
	proved := l.State == axispb.State_STATE_ACCEPTED // by the receipt
	for _, s := range l.Steps[min(1, len(l.Steps)):] {
		if len(s.Evidence) == 0 {
			c.told(who, s, d)
			continue
		}
		if c.proof(who, s, d, l.Code) == l.State {
			proved = true
		}
	}
	if !proved {
		c.complain("%s: nothing proves %s", who, l.State)
	}
}

// told holds a step to be a status message that the journal has, about the document.
func (c *checker) told(who string, s endpoint.Step, about *document) {
	e := c.receipt(who, s.Receipt, nil)
	if e == nil {
		return
	}
	m := c.book.of(e)
	if m == nil {
		c.complain("%s: told by a record that is no document", who)
		return
	}
	doc := m.envelope.Document
	target, ok := doc.Target()
	if !ok || target.Sender != about.sender || target.ID != about.id || doc.Status != s.Business || doc.Sender != s.Issuer {
		c.complain("%s: told %s by %s, which the journal has otherwise", who, s.Business, s.Issuer)
	}
}

// proof verifies an evidence with its receipt from scratch, and gives the state
// that it proves.
func (c *checker) proof(who string, s endpoint.Step, d *document, code string) axispb.State {
	e := c.receipt(who, s.Receipt, s.Evidence)
	if e == nil {
		return axispb.State_STATE_UNSPECIFIED
	}
	given := e.decision.GetEvidence().GetStanding() == s.Standing || e.now.GetEvidence().GetStanding() == s.Standing
	if e.statement == nil || !given {
		c.complain("%s: an evidence with a standing that the journal did not give it", who)
		return axispb.State_STATE_UNSPECIFIED
	}
	state, err := c.states(s.Evidence, d, code)
	if err != nil {
		c.complain("%s: %w", who, err)
	}
	if !evidence.Counts(s.Standing) {
		return axispb.State_STATE_UNSPECIFIED
	}
	return state
}

// states verifies an evidence about a document and code, and gives the state that
// it states.
func (c *checker) states(raw []byte, d *document, code string) (axispb.State, error) {
	st, err := c.book.statement(raw)
	if err == nil {
		err = evidence.Matches(st, d.proven(), d.described())
	}
	if err == nil && st.Code != code {
		err = fmt.Errorf("evidence about %s", st.Code)
	}
	if err != nil {
		return axispb.State_STATE_UNSPECIFIED, err
	}
	return evidence.StateAfter(st.Event), nil
}

// rejected asks for the axis's own signed refusal of this very envelope.
func (c *checker) rejected(who string, o *axispb.OutboxEntry) {
	st := c.refusal(who, &axispb.Proof{Evidence: o.Rejection, Receipt: o.RejectionReceipt})
	if st != nil && !bytes.Equal(st.EnvelopeDigest, o.EnvelopeDigest) {
		c.complain("%s: its refusal is about something else", who)
	}
}

// refusedBefore asks for signed refusals of this document, under whatever seal.
func (c *checker) refusedBefore(who string, o *axispb.OutboxEntry) {
	for _, p := range o.Refused {
		st := c.refusal(who, p)
		if st != nil && !bytes.Equal(st.ManifestDigest, o.ManifestDigest) {
			c.complain("%s: an earlier refusal is about something else", who)
		}
	}
}

func (c *checker) refusal(who string, p *axispb.Proof) *axispb.Statement {
	st, err := c.book.statement(p.Evidence)
	switch {
	case err != nil:
		c.complain("%s: its refusal: %w", who, err)
		return nil
	case st.Event != axispb.Event_EVENT_SUBMISSION_REJECTION:
		c.complain("%s: its refusal is about something else", who)
	case c.book.refused[sha256.Sum256(p.Evidence)] == nil:
		c.complain("%s: its refusal is not in the journal", who)
	case len(p.Receipt) > 0:
		c.receipt(who+": its refusal", p.Receipt, p.Evidence)
	}
	return st
}

// received judges a document in an inbox.
func (c *checker) received(e *SeenEndpoint, i *axispb.InboxEntry) {
	who := fmt.Sprintf("%s: received %s for %s", e.Name, i.Id, i.Code)
	r := c.receipt(who, i.Receipt, nil)
	if r == nil {
		c.inboxes[place{e.Name, i.Sender, i.Id, i.Code}]++
		return
	}
	d := c.book.of(r)
	if d == nil || d.sender != i.Sender || d.id != i.Id || !bytes.Equal(d.envelope.ManifestDigest[:], i.ManifestDigest) {
		c.complain("%s: the record that brought it is of something else", who)
		return
	}
	row := d.rows[i.Code]
	c.copy(e, i, row)
	if row == nil {
		return // the count of copies tells
	}
	if i.State != row.state && row.holder() == e.Name {
		c.complain("%s: %s is shown, the journal's evidence gives %s", who, i.State, row.state)
	}
	c.own(who, e, i, d)
	if here(i) {
		c.files(who, e.Files[inbox.KeyOf(i)], d)
	}
}

// copy counts a copy. One that was given up because its code moved, or that is
// flagged as a second one, does not count, but there must be another's that does.
func (c *checker) copy(e *SeenEndpoint, i *axispb.InboxEntry, r *row) {
	given := i.SecondCopy || i.State == axispb.State_STATE_CONSIGNMENT_FAILED
	if r != nil && given && r.had(e.Name) && r.holder() != e.Name {
		return
	}
	c.inboxes[place{e.Name, i.Sender, i.Id, i.Code}]++
}

// own verifies what the endpoint itself stated about a document.
func (c *checker) own(who string, e *SeenEndpoint, i *axispb.InboxEntry, d *document) {
	proved := false
	for _, l := range e.Stories[i.Id].Received {
		if l.Code != i.Code || l.Key != inbox.KeyOf(i) {
			continue
		}
		for _, s := range l.Steps[min(1, len(l.Steps)):] {
			state, err := c.states(s.Evidence, d, i.Code)
			if err != nil {
				c.complain("%s: %w", who, err)
			}
			journaled := slices.ContainsFunc(i.Journaled, func(raw []byte) bool { return bytes.Equal(raw, s.Evidence) })
			proved = proved || state == i.State
			if journaled {
				continue
			}
			if len(s.Receipt) == 0 {
				c.complain("%s: a statement without a receipt", who)
			} else if r := c.receipt(who, s.Receipt, nil); r != nil && r.statement == nil {
				c.complain("%s: the receipt of a statement is of something else", who)
			}
		}
	}
	if !proved {
		c.complain("%s: nothing proves %s", who, i.State)
	}
}

// files compares what the recipient has on its disk with what was sealed.
func (c *checker) files(who string, digests [][sha256.Size]byte, d *document) {
	sealed := d.envelope.Files()
	if len(digests) != len(sealed) {
		c.complain("%s: %d files are here, not %d", who, len(digests), len(sealed))
		return
	}
	for n, f := range sealed {
		if f.Content.Digest != digests[n] {
			c.complain("%s: file %d is not what was sealed", who, n+1)
		}
	}
}

// content asks the axis's disk for every chunk of an accepted document.
func (c *checker) content(d *document) {
	if d.released {
		return
	}
	for _, f := range d.envelope.Pb.GetContents() {
		for _, id := range f.GetChunks() {
			if err := c.chunk([sha256.Size]byte(id)); err != nil {
				c.complain("content of %s: %w", d.id, err)
			}
		}
	}
}

func (c *checker) chunk(id [sha256.Size]byte) error {
	err, known := c.chunks[id]
	if known {
		return err
	}
	name := hex.EncodeToString(id[:])
	data, err := os.ReadFile(filepath.Join(c.seen.Chunks, name[:2], name))
	if err == nil && sha256.Sum256(data) != id {
		err = errors.New("chunk " + name + " does not have its digest")
	}
	c.chunks[id] = err
	return err
}

// story holds the ledger to what the journal gives.
func (c *checker) story(d *document) {
	i := slices.IndexFunc(c.seen.Stories[d.id], func(s operator.Document) bool { return s.Sender == d.sender })
	if i < 0 {
		c.complain("the ledger does not know %s of %s", d.id, d.sender)
		return
	}
	s := c.seen.Stories[d.id][i]
	if s.LeafIndex != d.leaf || s.Epoch != d.header.Epoch {
		c.complain("the ledger has %s at %d, the journal at %d", d.id, s.LeafIndex, d.leaf)
	}
	if n := len(d.rows) + len(d.refused); len(s.Recipients) != n {
		c.complain("the ledger has %d recipients of %s, the journal %d", len(s.Recipients), d.id, n)
	}
	said := 0
	for _, shown := range s.Recipients {
		r := d.rows[shown.Code]
		switch {
		case r == nil && !d.refused[shown.Code]:
			c.complain("the ledger has %s as recipient of %s", shown.Code, d.id)
		case r != nil && shown.State != axis.StateName(r.state):
			c.complain("the ledger shows %s at %s as %s, the journal's evidence gives %s", d.id, shown.Code, shown.State, r.state)
		}
	}
	for _, r := range d.rows {
		said += len(r.said)
	}
	if len(s.Evidence) != said {
		c.complain("the ledger has %d evidence about %s, the journal %d", len(s.Evidence), d.id, said)
	}
}
