package endpoint

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"docaxis/agency"
	"docaxis/endpoint/directory"
	"docaxis/endpoint/files"
	"docaxis/endpoint/outbox"
	"docaxis/internal/business"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Draft is a document to send.
type Draft struct {
	// Document is what document.json will say. Version, Created and Files are
	// filled in, and ID where it is empty. One who may have to ask again, because
	// an answer was lost, gives the ID (a UUIDv7): the same document under the
	// same ID is sent once.
	Document envelope.Document
	Files    []DraftFile
}

// DraftFile is a file to send, read from Content or, where that is nil, from Path.
type DraftFile struct {
	Title, Type string
	Path        string
	Content     io.Reader
	// Bytes is the size, where it is known before Content is read: what there is no
	// room for is then refused at once.
	Bytes uint64
}

// Send takes a document. When it returns an id, the document is sealed and on the
// disk, and will be submitted whatever happens; Show says how far it is. Its errors
// are *reason.Error where the sender can mend something.
func (a *Agent) Send(ctx context.Context, d Draft) (id string, err error) {
	doc := d.Document
	key, err := a.checkDraft(&doc)
	if err != nil {
		return "", err
	}
	e, err := a.keep(ctx, &doc, d.Files, key)
	if err != nil {
		return "", a.noRoom(err)
	}
	a.log.Info("queued", slog.String("id", e.Id), slog.String("sender", e.Sender), slog.String("lane", e.Lane.String()))
	a.watch.changed(e.Id)
	ring(a.wake.submit, a.wake.bulkSubmit, a.wake.label)
	return e.Id, nil
}

// keep makes a document durable: its files, its envelope, then the entry that names
// them. Until that is committed, the files are held: nothing else says that somebody
// needs them.
func (a *Agent) keep(ctx context.Context, doc *envelope.Document, drafts []DraftFile, key seal) (*axispb.OutboxEntry, error) {
	if err := a.admitFiles(ctx, drafts); err != nil {
		return nil, err
	}
	hold := a.files.Hold()
	defer hold.Release()
	sealed, err := a.keepFiles(ctx, hold, drafts)
	if err != nil {
		return nil, err
	}
	if err := a.checkFiles(ctx, doc.Sender, sealed, hold.Settle); err != nil {
		return nil, err
	}
	e, err := a.seal(doc, hold, sealed, key)
	if err != nil {
		return nil, err
	}
	added, undo := false, a.beginSubmission(e)
	err = a.commit(ctx, "outbox.add", func(tx *bbolt.Tx) (err error) {
		added, err = a.addOnce(tx, e)
		return err
	})
	if err != nil || !added {
		undo()
	}
	if err == nil {
		a.quota.added(e.Bytes)
	}
	return e, err
}

// addOnce queues an entry. The same document under the same id is there already
// when the sender asks again; where it was refused, whoever asks again has mended
// the cause, and it goes once more.
func (a *Agent) addOnce(tx *bbolt.Tx, e *axispb.OutboxEntry) (added bool, err error) {
	err = a.add(tx, e)
	if !errors.Is(err, outbox.ErrExists) {
		return err == nil, err
	}
	o := outbox.In(tx)
	was, err := o.Get(e.Id)
	if err != nil {
		return false, err
	}
	if was.Sender != e.Sender || !bytes.Equal(was.ManifestDigest, e.ManifestDigest) {
		return false, reason.Permanent(axispb.ReasonCode_REASON_ID_COLLISION, e.Id)
	}
	if was.State == axispb.State_STATE_REJECTED {
		return false, o.Again(e, a.cfg.Now())
	}
	return false, nil
}

// add puts an entry into the outbox, queued or, where no seal could sign it, parked. A
// document that its agency seems to have sent before is flagged for people.
func (a *Agent) add(tx *bbolt.Tx, e *axispb.OutboxEntry) (err error) {
	o := outbox.In(tx)
	e = proto.Clone(e).(*axispb.OutboxEntry)
	if e.DuplicateOf, err = o.Twin(e); err != nil {
		return err
	}
	if outbox.Unsealed(e) {
		return o.AddUnsealed(e, e.Trouble)
	}
	if err := o.Add(e); err != nil {
		return err
	}
	return a.lookAtSent(tx, e)
}

// checkDraft refuses at once what the axis would refuse later, as far as this
// endpoint can know, and fills in what it decides.
func (a *Agent) checkDraft(doc *envelope.Document) (seal, error) {
	have := a.unattended(doc.Sender)
	if len(have) == 0 {
		return seal{}, a.noSeal(doc.Sender)
	}
	if err := a.checkWords(doc); err != nil {
		return seal{}, err
	}
	return a.checkDirectory(doc, have)
}

// unattended are the seals of an agency that sign without a person, newest first.
func (a *Agent) unattended(code string) []seal { return a.seals[code] }

// checkWords is what of checkDraft needs neither seal nor directory.
func (a *Agent) checkWords(doc *envelope.Document) error {
	if err := doc.CheckSecurity(a.cfg.Settings.Security); err != nil {
		return err
	}
	for _, code := range append([]string{doc.Sender}, doc.To...) {
		if _, err := agency.Parse(code); err != nil {
			return reason.Permanent(axispb.ReasonCode_REASON_BAD_CODE, clip(code)).Because(err)
		}
	}
	now := a.cfg.Now()
	if !doc.Deadline.IsZero() && doc.Deadline.Before(now) {
		return reason.Permanent(axispb.ReasonCode_REASON_DEADLINE_PASSED, reason.Time(doc.Deadline))
	}
	doc.Version, doc.Files = 1, nil
	return a.name(doc)
}

// noSeal tells a code that only lacks its seal here from one that is another's.
func (a *Agent) noSeal(sender string) error {
	codes, err := a.Codes()
	if err != nil {
		return err
	}
	if slices.Contains(codes, sender) {
		return reason.Permanent(axispb.ReasonCode_REASON_NO_SEAL, sender)
	}
	return reason.Permanent(axispb.ReasonCode_REASON_SENDER_NOT_SERVED, sender)
}

// name fills in id and time. One who asks again under the same id means the same
// time: otherwise nothing would ever be the same document.
func (a *Agent) name(doc *envelope.Document) error {
	if doc.ID == "" {
		id, err := a.newID()
		if err != nil {
			return err
		}
		doc.ID = id
	}
	if !doc.Created.IsZero() {
		return nil
	}
	doc.Created = a.cfg.Now()
	e, err := a.Sent(doc.ID)
	if errors.Is(err, outbox.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	env, err := a.envelope(e.EnvelopeDigest)
	if err == nil {
		doc.Created = env.Document.Created
	}
	return err
}

// newID makes a UUIDv7 (RFC 9562 section 5.7) from this endpoint's clock.
func (a *Agent) newID() (string, error) {
	var id uuid.UUID
	if _, err := io.ReadFull(a.cfg.Rand, id[6:]); err != nil {
		return "", fmt.Errorf("make id: %w", err)
	}
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(a.cfg.Now().UnixMilli()))
	copy(id[:6], ms[2:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id.String(), nil
}

// checkDirectory asks the directory, which works without the axis. Where it is
// empty, or says nothing, the axis decides.
func (a *Agent) checkDirectory(doc *envelope.Document, have []seal) (key seal, err error) {
	err = a.db.View(func(tx *bbolt.Tx) error {
		if err := checkOwnChange(tx, doc); err != nil {
			return err
		}
		d := directory.In(tx)
		if d.Empty() {
			key, err = chooseSeal(tx, doc.Sender, have, a.cfg.Now())
			return err
		}
		if err := a.checkParties(d, doc); err != nil {
			return err
		}
		if key, err = chooseSeal(tx, doc.Sender, have, a.cfg.Now()); err != nil {
			return err
		}
		return checkPolicy(d, doc, key)
	})
	return key, err
}

// checkUnsealed is what of checkDraft needs no seal.
func (a *Agent) checkUnsealed(doc *envelope.Document) error {
	if err := a.checkWords(doc); err != nil {
		return err
	}
	return a.db.View(func(tx *bbolt.Tx) error {
		if err := checkOwnChange(tx, doc); err != nil {
			return err
		}
		d := directory.In(tx)
		if d.Empty() {
			return nil
		}
		return a.checkParties(d, doc)
	})
}

// checkParties asks the directory about sender and recipients.
func (a *Agent) checkParties(d directory.Directory, doc *envelope.Document) error {
	for _, code := range doc.To {
		if err := checkRecipient(d, code); err != nil {
			return err
		}
	}
	sender, err := d.Lookup(doc.Sender)
	if err != nil || sender != nil && sender.Endpoint != "" && sender.Endpoint != a.Name() {
		return errors.Join(err, reason.Permanent(axispb.ReasonCode_REASON_SENDER_NOT_SERVED, doc.Sender))
	}
	return nil
}

// checkRecipient refuses a code that nobody has. Closed and unserved agencies are
// the axis's to judge: the directory may lag.
func checkRecipient(d directory.Directory, code string) error {
	e, err := d.Lookup(code)
	if err != nil || e != nil {
		return err
	}
	if _, err := agency.Parse(code); err != nil {
		return reason.Permanent(axispb.ReasonCode_REASON_BAD_CODE, code).Because(err)
	}
	return reason.Permanent(axispb.ReasonCode_REASON_UNKNOWN_CODE, code)
}

// keepFiles puts the files into the store; seal waits until they are durable.
func (a *Agent) keepFiles(ctx context.Context, hold *files.Hold, drafts []DraftFile) ([]envelope.File, error) {
	var sealed []envelope.File
	for _, f := range drafts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		one, err := a.keepFile(hold, f)
		if err != nil {
			return nil, err
		}
		sealed = append(sealed, one)
	}
	return sealed, nil
}

func (a *Agent) keepFile(hold *files.Hold, f DraftFile) (envelope.File, error) {
	content := f.Content
	if content == nil {
		opened, err := os.Open(f.Path)
		if err != nil {
			return envelope.File{}, fmt.Errorf("file to send: %w", err)
		}
		defer opened.Close()
		content = opened
	}
	limit := a.cfg.Settings.Limits.FileBytes
	file, err := hold.AddSoon(&guarded{r: content, guard: a.disk.contents}, limit)
	if errors.Is(err, files.ErrTooLarge) {
		return envelope.File{}, tooLarge(f.Title, "> "+strconv.FormatUint(limit, 10), limit)
	}
	return envelope.File{Title: f.Title, Type: f.Type, Content: file}, err
}

func tooLarge(title, size string, limit uint64) error {
	return reason.Permanent(axispb.ReasonCode_REASON_FILE_TOO_LARGE, clip(title), size, strconv.FormatUint(limit, 10))
}

// seal makes the envelope, keeps it, and describes it as an entry. When it returns, the
// envelope and all files that were added through hold are durable.
func (a *Agent) seal(doc *envelope.Document, hold *files.Hold, sealed []envelope.File, key seal) (*axispb.OutboxEntry, error) {
	var raw []byte
	err := a.step("seal", func() (err error) {
		raw, err = envelope.Seal(doc, sealed, key)
		return err
	})
	if err != nil {
		return nil, away(doc.Sender, err)
	}
	env, err := envelope.Parse(raw)
	if err != nil {
		return nil, err
	}
	kept, err := hold.AddSoon(bytes.NewReader(raw), envelope.MaxSize)
	if err != nil {
		return nil, fmt.Errorf("keep envelope: %w", err)
	}
	// The disk was at work on the files meanwhile.
	if err := hold.Settle(); err != nil {
		return nil, fmt.Errorf("keep files and envelope: %w", err)
	}
	a.recent.remember(kept.Digest, env)
	e := a.entry(doc, sealed)
	e.EnvelopeDigest, e.ManifestDigest = kept.Digest[:], env.ManifestDigest[:]
	return e, nil
}

// entry describes a document, due at once.
func (a *Agent) entry(doc *envelope.Document, files []envelope.File) *axispb.OutboxEntry {
	now := a.cfg.Now().UnixMilli()
	e := &axispb.OutboxEntry{
		Id: doc.ID, Sender: doc.Sender, Lane: doc.Lane(), Subject: doc.Subject,
		Recipients: slices.Clone(doc.To), Grouped: len(doc.Groups) > 0,
		CreatedMs: now, NextAttemptMs: now, Files: uint32(len(files)), After: follows(doc),
		DocumentId: doc.Name(), Kind: string(doc.Kind), Body: doc.Body,
		Number: doc.Number, Notation: doc.Notation, Issued: doc.Issued,
	}
	if target, ok := doc.Target(); ok {
		e.TargetSender, e.TargetId = target.Sender, target.ID
		if asks := what(doc); business.IsRequest(asks) {
			e.Asks = asks
		}
	}
	for _, f := range files {
		e.Bytes += f.Content.Size
	}
	return e
}

// follows names what must be accepted before this document can be: its target and
// what it replaces, where they are still in this outbox.
func follows(doc *envelope.Document) []string {
	var ids []string
	for _, r := range doc.References {
		if r.Relation != envelope.RelationRelated && r.ID != doc.ID {
			ids = append(ids, r.ID)
		}
	}
	return ids
}
