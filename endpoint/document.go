package endpoint

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"docaxis/endpoint/directory"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/store"
	"docaxis/internal/business"
	"docaxis/internal/chunk"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
	"docaxis/signing"
)

// content is a file of a document, under its name in the manifest.
type content struct {
	Name string
	chunk.File
}

// contentsOf lists the files of an envelope.
func contentsOf(env *envelope.Envelope) ([]content, error) {
	sealed := env.Files()
	if len(sealed) != len(env.Document.Files) {
		return nil, errors.New("the envelope names other files than it has")
	}
	all := make([]content, len(sealed))
	for i, f := range sealed {
		all[i] = content{env.Document.Files[i].Name, f.Content}
	}
	return all, nil
}

// arrival is a document that a row brought.
type arrival struct {
	entry *axispb.InboxEntry
	// envelope is nil where it is not as it must be.
	envelope *envelope.Envelope
	// failure is why it cannot be consigned; nil where its files can be fetched.
	failure *axispb.Reason
	// own are this endpoint's statements about it that the journal already has.
	own []*axispb.Statement
	// second: another endpoint's consignment counts.
	second bool
	// whole: its files came with the page and are kept, so that it is consigned in the
	// commit of its arrival.
	whole bool
	// What its commit says. added: it was not here before. consigned: it is now, and
	// touched are the documents that this changed.
	added, consigned bool
	touched          []string
}

// told is what follows when its commit is done.
func (r *arrival) told(a *Agent) {
	if r.consigned {
		a.tellConsigned(inbox.KeyOf(r.entry), claim{event: axispb.Event_EVENT_CONTENT_CONSIGNMENT}, r.entry.Bytes, r.touched)
	}
}

// document takes a document's row: its envelope is kept and its entry made. A
// document that is here already changes nothing.
func (p *part) document(item *axispb.Item, proven evidence.Proven, receipt []byte) (outcome, error) {
	body := item.Record.Body
	// The disk is at work on it while it is judged; the page waits for both.
	file, err := p.hold.AddSoon(bytes.NewReader(body), envelope.MaxSize)
	if err != nil {
		return outcome{}, localError{fmt.Errorf("keep envelope: %w", err)}
	}
	arrived, err := p.arrive(item, proven, receipt, body)
	if err != nil {
		return outcome{}, err
	}
	arrived.entry.EnvelopeDigest = file.Digest[:]
	if arrived.envelope != nil {
		p.agent.recent.remember(file.Digest, arrived.envelope)
	}
	arrived.whole = p.keepContents(&arrived)
	return outcome{
		document: arrived.entry.Id, arrived: &arrived, told: func() { arrived.told(p.agent) },
		apply: func(tx *bbolt.Tx) error { return p.agent.receive(tx, &arrived) },
	}, nil
}

// arrive judges an envelope: its form, its recipient and its seal. A bad one
// becomes an entry with a failure, which the sender is told; the error is for what
// cannot even be named.
func (p *part) arrive(item *axispb.Item, proven evidence.Proven, receipt, body []byte) (arrival, error) {
	now := p.agent.cfg.Now().UnixMilli()
	e := &axispb.InboxEntry{
		Code: item.Code, ServingCode: item.ServingCode, State: axispb.State_STATE_FETCHING, Lane: item.Lane,
		Record: proven.Ref(), Receipt: receipt, Target: item.Target,
		Position: item.Position, Ordinal: item.Ordinal, ReceivedMs: now, SinceMs: now, NextAttemptMs: now,
	}
	a := arrival{entry: e}
	env, err := envelope.Parse(body)
	if err != nil {
		a.failure = reason.Of(err)
		return a, identify(e, body, err)
	}
	a.envelope = env
	describe(e, env)
	e.DeliveryId = p.agent.cfg.DeliveryID(inbox.KeyOf(e))
	if err := nameable(e); err != nil {
		return a, err
	}
	if len(env.Document.Groups) == 0 && !slices.Contains(env.Document.To, item.Code) {
		return a, reason.Permanent(axispb.ReasonCode_REASON_NOT_RECIPIENT, item.Code)
	}
	if a.failure, err = p.checkSeal(item, proven, env); err != nil {
		return a, err
	}
	if e.HandoverByMs, err = p.agent.handoverBy(env.Document, journalTime(proven.Header)); err != nil {
		return a, err
	}
	if a.failure == nil {
		if a.failure, err = p.checkChange(item, env.Document); err != nil {
			return a, err
		}
	}
	return a, p.restore(item, proven, &a)
}

// describe fills in what document.json says.
func describe(e *axispb.InboxEntry, env *envelope.Envelope) {
	doc := env.Document
	repeat(e, doc)
	e.ManifestDigest = env.ManifestDigest[:]
	e.Files = uint32(len(doc.Files))
	for _, f := range doc.Files {
		e.Bytes += f.Size
	}
	if target, ok := doc.Target(); ok {
		e.TargetSender, e.TargetId = target.Sender, target.ID
	} else {
		e.Target = axispb.Target_TARGET_NONE
	}
}

// repeat keeps what lists and systems ask of document.json.
func repeat(e *axispb.InboxEntry, doc *envelope.Document) {
	e.Id, e.Sender, e.Subject = doc.ID, doc.Sender, doc.Subject
	e.DocumentId, e.Kind, e.Status, e.Body = doc.Name(), string(doc.Kind), doc.Status, doc.Body
	e.Number, e.Notation, e.Issued = doc.Number, doc.Notation, doc.Issued
}

// identify finds sender, id and manifest of an envelope that is not as it must be,
// so that the sender can be told. Where they are not there, why is the answer.
func identify(e *axispb.InboxEntry, body []byte, why error) error {
	var pb axispb.Envelope
	if proto.Unmarshal(body, &pb) != nil || len(pb.Manifest) == 0 {
		return why
	}
	doc, err := envelope.ParseDocument(pb.Document)
	if err != nil {
		return why
	}
	digest := sha256.Sum256(pb.Manifest)
	repeat(e, doc)
	e.ManifestDigest = digest[:]
	e.Target = axispb.Target_TARGET_NONE
	if nameable(e) != nil {
		return why
	}
	return nil
}

// nameable holds an entry to be one that a statement can name.
func nameable(e *axispb.InboxEntry) error {
	for _, s := range []string{e.Sender, e.Id, e.Code} {
		if s == "" || len(s) > 128 || strings.ContainsFunc(s, unicode.IsControl) || strings.Contains(s, "~") {
			return reason.Permanent(axispb.ReasonCode_REASON_BAD_CODE, clip(s))
		}
	}
	return nil
}

// checkSeal judges the seal by the seals that the sender had when the document was
// journaled. The axis judged it too; this endpoint does not rely on that. A sender
// whose seal is not known gets a second look: the registry's record of it may be
// newer than the registry part of this page.
func (p *part) checkSeal(item *axispb.Item, proven evidence.Proven, env *envelope.Envelope) (*axispb.Reason, error) {
	at := journalTime(proven.Header)
	opts := signing.Options{At: at}
	err := p.agent.db.View(func(tx *bbolt.Tx) (err error) {
		opts.Pinned, err = directory.In(tx).SealsAt(env.Document.Sender, at)
		return err
	})
	if err != nil {
		return nil, localError{err}
	}
	verdict := env.CheckSeal(opts)
	if verdict.Passed() {
		return nil, nil
	}
	if verdict.Indication == signing.Indeterminate {
		if _, again := p.agent.pulling.doubted.LoadOrStore(rowOf(item), true); !again {
			return nil, errHold
		}
	}
	if len(opts.Pinned) == 0 && verdict.Signer != nil {
		return &axispb.Reason{
			Code: axispb.ReasonCode_REASON_SEAL_NOT_ADMITTED,
			Args: []string{env.Document.Sender, clip(verdict.Signer.Subject.String())},
		}, nil
	}
	r := envelope.SealRefusal(verdict).Reason
	for i, arg := range r.Args {
		r.Args[i] = clip(arg)
	}
	return r, nil
}

// restore takes over what the journal already knows of a document: this endpoint
// had it before and lost its store, or another endpoint served the code. What a
// DMS has taken or refused is not offered to it again, nor is what another endpoint
// holds.
func (p *part) restore(item *axispb.Item, proven evidence.Proven, a *arrival) error {
	e := a.entry
	doc := evidence.Document{Sender: e.Sender, ID: e.Id, ManifestDigest: [32]byte(e.ManifestDigest)}
	var said []*axispb.Statement
	for _, raw := range item.Journaled {
		st, _, err := p.agent.trust.Statement(raw)
		if err == nil {
			err = evidence.Matches(st, proven, doc)
		}
		if err != nil || st.Code != e.Code {
			return reason.Permanent(axispb.ReasonCode_REASON_EVIDENCE_SIGNATURE, "journaled").Because(err)
		}
		e.Journaled = append(e.Journaled, raw)
		if st.Issuer == p.agent.Name() {
			a.own = append(a.own, st)
		}
		if business.IsAnswer(st.BusinessState) {
			e.Answered = st.BusinessState
		}
		said = append(said, st)
	}
	if toldLate(said, p.agent.Name()) {
		e.HandoverByMs = 0
	}
	holder, state, since := consigner(said)
	if state != axispb.State_STATE_UNSPECIFIED {
		e.State, e.SinceMs = state, since
	}
	e.SecondCopy = holder != "" && holder != p.agent.Name()
	a.second = e.SecondCopy && state == axispb.State_STATE_UNSPECIFIED
	return nil
}

// receive is a document's part of T1.
func (a *Agent) receive(tx *bbolt.Tx, arrived *arrival) error {
	in := inbox.In(tx)
	e := proto.Clone(arrived.entry).(*axispb.InboxEntry)
	arrived.added, arrived.consigned = false, false
	if err := a.remember(tx, arrived); err != nil {
		return err
	}
	added, err := in.Add(e)
	arrived.added = added
	switch {
	case err != nil || !added:
		return err
	case arrived.second:
		return a.withdrawSecond(tx, inbox.KeyOf(e))
	case arrived.failure == nil && arrived.whole && e.State == axispb.State_STATE_FETCHING:
		return a.receiveWhole(tx, arrived)
	case arrived.failure == nil:
		return a.toLookAt(tx, inbox.KeyOf(e))
	}
	return a.enter(tx, inbox.KeyOf(e), claim{
		event: axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE, reason: arrived.failure,
	})
}

// remember keeps this endpoint's own earlier statements, and never uses their
// counters again.
func (a *Agent) remember(tx *bbolt.Tx, arrived *arrival) error {
	if len(arrived.own) == 0 {
		return nil
	}
	p, err := store.Progress(tx)
	if err != nil {
		return err
	}
	for _, st := range arrived.own {
		p.Counter = max(p.Counter, st.Counter)
		for _, raw := range arrived.entry.Journaled {
			var ev axispb.Evidence
			var own axispb.Statement
			if proto.Unmarshal(raw, &ev) != nil || proto.Unmarshal(ev.Statement, &own) != nil || own.Counter != st.Counter || own.Issuer != st.Issuer {
				continue
			}
			if err := inbox.In(tx).RestoreEvidence(st.Counter, raw, st.TimeMs); err != nil {
				return err
			}
		}
	}
	return store.PutProgress(tx, p)
}
