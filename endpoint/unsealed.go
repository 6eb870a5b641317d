package endpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"docaxis/endpoint/files"
	"docaxis/endpoint/outbox"
	"docaxis/internal/chunk"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
	"docaxis/signing/asic"
)

// A document of a system whose agency has no seal here that signs without a person is
// kept as a draft until it has one: the DMS has done its part, and is not to send again.

// keepDraft keeps a checked document as a draft, and describes it as an entry. why is
// what a person has to mend.
func (a *Agent) keepDraft(doc *envelope.Document, hold *files.Hold, parts []envelope.File, why error) (*axispb.OutboxEntry, error) {
	draft, err := draftOf(doc, parts)
	if err != nil {
		return nil, err
	}
	kept, err := hold.Add(bytes.NewReader(draft), envelope.MaxSize)
	if err != nil {
		return nil, fmt.Errorf("keep draft: %w", err)
	}
	e := a.entry(doc, parts)
	e.DraftDigest, e.Trouble = kept.Digest[:], a.trouble(why)
	return e, nil
}

// draftOf writes a document and its files as they will be sealed.
func draftOf(doc *envelope.Document, parts []envelope.File) ([]byte, error) {
	d := *doc
	d.Files = nil
	pb := &axispb.UnsealedDraft{Version: 1}
	for i, f := range parts {
		name := asic.FileName(i+1, f.Title)
		d.Files = append(d.Files, envelope.FileInfo{Name: name, Title: f.Title, Type: f.Type, Size: f.Content.Size})
		content := &axispb.FileContent{Name: name, Size: f.Content.Size}
		for _, id := range f.Content.Chunks {
			content.Chunks = append(content.Chunks, id[:])
		}
		pb.Files = append(pb.Files, &axispb.DraftFile{Title: f.Title, Type: f.Type, Digest: f.Content.Digest[:], Content: content})
	}
	var err error
	if pb.Document, err = envelope.Marshal(&d); err != nil {
		return nil, err
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(pb)
}

// parseDraft reads what draftOf wrote.
func parseDraft(raw []byte) (*envelope.Document, []envelope.File, error) {
	var pb axispb.UnsealedDraft
	if err := proto.Unmarshal(raw, &pb); err != nil {
		return nil, nil, fmt.Errorf("read draft: %w", err)
	}
	doc, err := envelope.ParseDocument(pb.Document)
	if err != nil {
		return nil, nil, fmt.Errorf("read draft: %w", err)
	}
	var parts []envelope.File
	for _, f := range pb.Files {
		if len(f.Digest) != 32 {
			return nil, nil, fmt.Errorf("read draft: a digest has %d bytes", len(f.Digest))
		}
		part := envelope.File{Title: f.Title, Type: f.Type, Content: chunk.File{Digest: [32]byte(f.Digest), Size: f.Content.GetSize()}}
		for _, raw := range f.Content.GetChunks() {
			id, err := chunk.ParseID(raw)
			if err != nil {
				return nil, nil, fmt.Errorf("read draft: %w", err)
			}
			part.Content.Chunks = append(part.Content.Chunks, id)
		}
		parts = append(parts, part)
	}
	return doc, parts, nil
}

// draft reads the draft of an entry that waits for a seal.
func (a *Agent) draft(digest []byte) (*envelope.Document, []envelope.File, error) {
	if len(digest) != 32 {
		return nil, nil, fmt.Errorf("digest of a draft has %d bytes", len(digest))
	}
	raw, err := a.files.Read([32]byte(digest), envelope.MaxSize)
	if err != nil {
		return nil, nil, err
	}
	return parseDraft(raw)
}

// sealDraft seals what waited for a seal, and queues it. Where there is still none, or
// it would be refused, the error says so and it waits on.
func (a *Agent) sealDraft(ctx context.Context, e *axispb.OutboxEntry) error {
	doc, parts, err := a.draft(e.DraftDigest)
	if err != nil {
		return err
	}
	key, err := a.checkDraft(doc)
	if err != nil {
		return err
	}
	for _, f := range parts {
		if !a.files.Has(f.Content.Digest, f.Content.Size) || !a.files.Whole(f.Content.Digest) {
			return reason.Permanent(axispb.ReasonCode_REASON_DIGEST_MISMATCH, clip(f.Title))
		}
	}
	if err := a.checkFiles(ctx, doc.Sender, parts, nil); err != nil {
		return err
	}
	hold := a.files.Hold()
	defer hold.Release()
	made, err := a.seal(doc, hold, parts, key)
	if err != nil {
		return err
	}
	err = a.commit(ctx, "outbox.add", func(tx *bbolt.Tx) error {
		return errors.Join(outbox.In(tx).Sealed(e.Id, made.EnvelopeDigest, made.ManifestDigest, a.cfg.Now()), a.lookAtSent(tx, made))
	})
	if err != nil {
		return err
	}
	a.log.Info("sealed what waited for a seal", slog.String("id", e.Id), slog.String("sender", e.Sender))
	a.watch.changed(e.Id)
	ring(a.wake.submit, a.wake.bulkSubmit, a.wake.label)
	return nil
}
