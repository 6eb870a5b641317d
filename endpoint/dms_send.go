package endpoint

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strconv"

	"go.etcd.io/bbolt"

	"docaxis/edxml"
	"docaxis/endpoint/files"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
	"docaxis/endpoint/systems"
	"docaxis/endpoint/vxp"
	"docaxis/internal/chunk"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// packageType is the MIME type of an edXML package.
const packageType = "application/xml"

// incoming is a package on its way into the outbox.
type incoming struct {
	exchange
	system string
	p      vxp.Package
	// is names it, once its bytes and its sender are known.
	is systems.Package
	// answer was given to the same package before.
	answer *axispb.SentEntry
	doc    *envelope.Document
	// key seals it; unsealed is why no seal can, where none can yet.
	key      seal
	unsealed error
}

// errAnswered ends the taking of a package that was taken before.
var errAnswered = errors.New("the same package was answered before")

// Send takes a package. Nothing is kept of one that is refused; what is answered is in
// the outbox, and so is the answer, in the same commit.
func (x exchange) Send(ctx context.Context, system string, p vxp.Package) (vxp.Sent, error) {
	in := &incoming{exchange: x, system: system, p: p, is: systems.Package{System: system}}
	if err := x.a.admitFiles(ctx, []DraftFile{{Content: p.Body, Bytes: p.Bytes}}); err != nil {
		return vxp.Sent{}, err
	}
	hold := x.a.files.Hold()
	defer hold.Release()
	file, err := in.read(hold)
	if errors.Is(err, errAnswered) {
		return in.answered()
	}
	if err != nil {
		return vxp.Sent{}, x.a.noRoom(err)
	}
	if err := x.a.checkFiles(ctx, in.doc.Sender, in.parts(file), nil); err != nil {
		return vxp.Sent{}, x.a.noRoom(err)
	}
	e, err := in.entry(hold, file)
	if err != nil {
		return vxp.Sent{}, x.a.noRoom(err)
	}
	if err := in.commit(ctx, e); err != nil {
		return vxp.Sent{}, x.a.noRoom(err)
	}
	return in.answered()
}

// read keeps the package, once it was judged.
func (in *incoming) read(hold *files.Hold) (chunk.File, error) {
	limit := in.a.cfg.Settings.Limits.FileBytes
	file, err := hold.AddJudged(&guarded{r: in.p.Body, guard: in.a.disk.contents}, limit, func(r io.ReaderAt, f chunk.File) error {
		return in.judge(r, f, int64(limit))
	})
	if errors.Is(err, files.ErrTooLarge) {
		return file, tooLarge("edXML", "> "+strconv.FormatUint(limit, 10), limit)
	}
	return file, err
}

// judge finds out what a package is, and refuses it before anything is kept of it.
func (in *incoming) judge(r io.ReaderAt, f chunk.File, limit int64) error {
	in.is.Digest = f.Digest
	if in.p.Check != nil {
		if err := in.p.Check(f.Digest); err != nil {
			return err
		}
	}
	if err := in.sender(in.p.From); err != nil && in.p.From != in.system {
		return err
	}
	if err := in.look(); err != nil {
		return err
	}
	p, err := edxml.Open(r, int64(f.Size), edxml.Limits{Size: limit})
	if err != nil {
		return envelope.PackageError(err)
	}
	if err := in.fits(p); err != nil {
		return err
	}
	if err := in.understand(p); err != nil {
		return err
	}
	return in.choose()
}

// sender takes a code as the sending agency, where it is one of the system's.
func (in *incoming) sender(text string) error {
	return in.a.db.View(func(tx *bbolt.Tx) (err error) {
		in.is.Code, err = actsFor(tx, in.system, text)
		return err
	})
}

// look asks whether the package was answered before.
func (in *incoming) look() error {
	if in.is.Code == "" {
		return nil
	}
	err := in.a.db.View(in.before)
	if err == nil && in.answer != nil {
		return errAnswered
	}
	return err
}

// before finds what the same package was answered, as long as that is true of a
// document that somebody has or gets: what was refused or withdrawn may be sent anew.
func (in *incoming) before(tx *bbolt.Tx) error {
	in.answer = nil
	was, err := systems.In(tx).Sent(in.is, in.a.cfg.Now().Add(-in.a.cfg.Settings.VXP.keep()))
	if was == nil || err != nil {
		return err
	}
	e, err := outbox.In(tx).Get(was.Id)
	if errors.Is(err, outbox.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	gone, err := outbox.In(tx).Nobodys(e)
	if err == nil && !gone {
		in.answer = was
	}
	return err
}

// fits compares what the request says of a package with what is in it.
func (in *incoming) fits(p *edxml.Package) error {
	class, from := vxp.Documents, edxml.OrganID("")
	if p.Status != nil {
		class, from = vxp.Statuses, p.Status.From.OrganID
	} else {
		from = p.Document.From.OrganID
	}
	if class != in.p.Class {
		return reason.Permanent(axispb.ReasonCode_REASON_BAD_PACKAGE, "messagetype", "must be "+string(class))
	}
	named := in.is.Code
	if err := in.sender(string(from)); err != nil {
		return err
	}
	if named != "" && named != in.is.Code {
		return reason.Permanent(axispb.ReasonCode_REASON_BAD_PACKAGE, "MessageHeader/From/OrganId", "must be "+named)
	}
	return in.look()
}

// understand makes the document that carries the package. Its codes are those of the
// directory, so that a change names its target as the axis knows it.
func (in *incoming) understand(p *edxml.Package) error {
	id, err := in.a.newID()
	if err != nil {
		return err
	}
	doc, err := envelope.FromPackage(p, envelope.Reading{ID: id, Now: in.a.cfg.Now(), Resolve: in.resolve})
	if err != nil {
		return err
	}
	doc.Sender = in.is.Code
	in.doc = doc
	return in.a.db.View(func(tx *bbolt.Tx) error { return directoryCodes(tx, doc) })
}

// directoryCodes writes the codes of a document as the directory has them. A recipient
// that was named by two of its codes gets it once.
func directoryCodes(tx *bbolt.Tx, doc *envelope.Document) (err error) {
	to := doc.To
	doc.To = nil
	for _, code := range to {
		if code, err = canonical(tx, code); err != nil {
			return err
		}
		if !slices.Contains(doc.To, code) {
			doc.To = append(doc.To, code)
		}
	}
	for i, r := range doc.References {
		if doc.References[i].Sender, err = canonical(tx, r.Sender); err != nil {
			return err
		}
	}
	return nil
}

// resolve finds the document that an agency calls by a name among what was sent from
// here and what the acting agency received, or any agency here: the newest one that is
// no change and was not refused, else the newest change but for recalls and status
// messages.
func (in *incoming) resolve(sender, name string) (id string, err error) {
	err = in.a.db.View(func(tx *bbolt.Tx) error {
		code, err := canonical(tx, sender)
		if err != nil {
			return err
		}
		sent, err := outbox.In(tx).Named(code, name)
		if err != nil {
			return err
		}
		best := candidate{}
		for _, e := range sent {
			if e.State != axispb.State_STATE_REJECTED {
				best.offer(e.Id, e.Kind)
			}
		}
		received, err := inbox.In(tx).Named(code, name, in.is.Code)
		if err == nil && len(received) == 0 {
			received, err = inbox.In(tx).Named(code, name, "")
		}
		for _, e := range received {
			best.offer(e.Id, e.Kind)
		}
		id = best.id
		return err
	})
	return id, err
}

// candidate is the likeliest of several documents of one name.
type candidate struct {
	id    string
	whole bool // it is no change
}

// offer takes a document, in the order of ids, where it is likelier.
func (c *candidate) offer(id, kind string) {
	switch envelope.Kind(kind) {
	case envelope.KindStatus, envelope.KindRecall:
	case envelope.KindDocument, envelope.KindReply, "":
		if !c.whole || id > c.id {
			*c = candidate{id, true}
		}
	default:
		if !c.whole && id > c.id {
			c.id = id
		}
	}
}

// choose finds the seal, and refuses what would be refused later.
func (in *incoming) choose() (err error) {
	in.key, err = in.a.checkDraft(in.doc)
	if reason.Is(err, axispb.ReasonCode_REASON_NO_SEAL) {
		in.unsealed, err = err, in.a.checkUnsealed(in.doc)
	}
	return err
}

func (in *incoming) parts(file chunk.File) []envelope.File {
	return []envelope.File{{Title: in.doc.Name() + ".edxml", Type: packageType, Content: file}}
}

// entry seals the document or, where no seal signs without a person, makes a draft of
// it that waits for one.
func (in *incoming) entry(hold *files.Hold, file chunk.File) (*axispb.OutboxEntry, error) {
	a, doc := in.a, in.doc
	sealed := in.parts(file)
	var (
		e   *axispb.OutboxEntry
		err error
	)
	if in.unsealed != nil {
		e, err = a.keepDraft(doc, hold, sealed, in.unsealed)
	} else {
		e, err = a.seal(doc, hold, sealed, in.key)
		if isAway(err) {
			in.unsealed = err
			e, err = a.keepDraft(doc, hold, sealed, err)
		}
	}
	if err != nil {
		return nil, err
	}
	e.System = in.system
	if a.cfg.DocID != nil {
		e.DocId = a.cfg.DocID(e.Id)
	}
	return e, nil
}

// commit queues the document with the answer that is given for it, unless another
// request with the same package was faster.
func (in *incoming) commit(ctx context.Context, e *axispb.OutboxEntry) error {
	added, undo := false, in.a.beginSubmission(e)
	err := in.a.commit(ctx, "outbox.add", func(tx *bbolt.Tx) error {
		added = false
		if err := in.before(tx); err != nil || in.answer != nil {
			return err
		}
		now := in.a.cfg.Now()
		in.answer = &axispb.SentEntry{Id: e.Id, DocId: docIDOf(e), TimeMs: now.UnixMilli()}
		added = true
		return errors.Join(in.a.add(tx, e), systems.In(tx).Answer(in.is, e.Id, docIDOf(e), now))
	})
	if err != nil || !added {
		undo()
		return err
	}
	in.a.quota.added(e.Bytes)
	in.a.log.Info("taken from a system", slog.String("id", e.Id), slog.String("sender", e.Sender),
		slog.String("system", in.system), slog.Bool("sealed", !outbox.Unsealed(e)))
	in.a.watch.changed(e.Id)
	ring(in.a.wake.submit, in.a.wake.bulkSubmit, in.a.wake.label)
	if awaits(e) {
		ring(in.a.wake.seal)
	}
	return nil
}

// docIDOf is what a DMS calls a submission.
func docIDOf(e *axispb.OutboxEntry) string {
	if e.DocId != "" {
		return e.DocId
	}
	return e.Id
}

// answered is the answer to a package that is safe.
func (in *incoming) answered() (vxp.Sent, error) {
	sent := vxp.Sent{DocID: in.answer.DocId}
	e, err := in.a.Sent(in.answer.Id)
	if err == nil && outbox.Unsealed(e) {
		sent.Waiting = reason.Sentence(e.Trouble.GetReason(), reason.Vietnamese)
	}
	return sent, err
}
