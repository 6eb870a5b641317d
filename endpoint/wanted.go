package endpoint

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/inbox"
	"docaxis/endpoint/link"
	"docaxis/endpoint/outbox"
	"docaxis/internal/chunk"
	"docaxis/proto/axispb"
)

// heedWanted lets the axis have again what it lost. While earlier ones are under way it
// asks in vain; the next page asks again.
func (a *Agent) heedWanted(wanted []*axispb.Wanted) {
	if len(wanted) == 0 {
		return
	}
	select {
	case a.wanted <- wanted:
	default:
	}
}

// giveWanted puts chunks again that the axis lost, one after the other, until ctx ends.
func (a *Agent) giveWanted(ctx context.Context) error {
	for {
		select {
		case wanted := <-a.wanted:
			given := map[string]bool{} // several documents may have it
			for _, w := range wanted {
				if given[string(w.Digest)] || ctx.Err() != nil {
					continue
				}
				err := a.giveChunk(ctx, w)
				given[string(w.Digest)] = err == nil
				if err != nil {
					a.log.Warn("the axis lost a chunk, which this endpoint could not give", slog.String("id", w.Id), slog.Any("error", err))
				}
			}
		case <-ctx.Done():
			return nil
		}
	}
}

var errNotHere = errors.New("the chunk is in no file here")

// giveChunk finds a chunk in the files of a document, sent or received, and puts it.
func (a *Agent) giveChunk(ctx context.Context, w *axispb.Wanted) error {
	envelopes, err := a.envelopesOf(w.Sender, w.Id)
	if err != nil {
		return err
	}
	for _, digest := range envelopes {
		env, err := a.envelope(digest)
		if err != nil {
			return err
		}
		contents, err := contentsOf(env)
		if err != nil {
			return err
		}
		for _, c := range contents {
			for i, id := range c.Chunks {
				if bytes.Equal(id[:], w.Digest) && a.files.Has(c.Digest, c.Size) {
					return a.putAgain(ctx, c, i)
				}
			}
		}
	}
	return errNotHere
}

func (a *Agent) envelopesOf(sender, id string) (all [][]byte, err error) {
	err = a.db.View(func(tx *bbolt.Tx) error {
		sent, err := outbox.In(tx).Get(id)
		switch {
		case err == nil && sent.Sender == sender:
			all = append(all, sent.EnvelopeDigest)
		case err != nil && !errors.Is(err, outbox.ErrNotFound):
			return err
		}
		received, err := inbox.In(tx).Document(sender, id)
		for _, e := range received {
			all = append(all, e.EnvelopeDigest)
		}
		return err
	})
	return all, err
}

// putAgain uploads one chunk whose bytes are right here: others would be refused, after
// they took the line.
func (a *Agent) putAgain(ctx context.Context, c content, i int) error {
	f, err := a.files.Open(c.Digest)
	if err != nil {
		return err
	}
	defer f.Close()
	part := io.NewSectionReader(f, int64(i)*chunk.Size, int64(chunk.Length(c.Size, uint64(i))))
	sum, err := chunk.Sum(part)
	if err != nil {
		return err
	}
	if sum != c.Chunks[i] {
		return errors.New("its file is damaged here, too")
	}
	err = a.step("put", func() error {
		return a.link.Load().PutAgain(ctx, link.File{File: c.File, Content: f}, i, ctx.Err)
	})
	if err == nil {
		a.log.Info("a chunk that the axis lost was given to it again", slog.String("chunk", c.Chunks[i].String()))
	}
	return err
}
