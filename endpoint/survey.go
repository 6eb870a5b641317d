package endpoint

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
	"docaxis/internal/envelope"
	"docaxis/proto/axispb"
)

type digest = [sha256.Size]byte

// holding is a document as a cleanup sees it.
type holding struct {
	id   string    // of a submission
	key  inbox.Key // of a received document, else zero
	sent bool
	// envelope is kept for ever, or, where it is a draft, until it is sealed; files as
	// long as released is false.
	envelope digest
	draft    bool
	files    []digest
	released bool
	pending  bool // its files are being fetched
	// incomplete: its files need not all be here, because they have still to come, or
	// never did.
	incomplete bool
	deadline   time.Time
	// since is from when nobody needs the files any more; zero where somebody does.
	since time.Time
	// early: its files may go before their days are over.
	early bool
	why   string // it is to be released now
}

func (h *holding) String() string {
	if h.sent {
		return h.id
	}
	return h.key.String()
}

// survey is everything that the endpoint keeps files for.
type survey struct {
	all []*holding
	// sizes of the files that documents name.
	sizes map[digest]uint64
}

// surveyed reads every entry, and the envelope of each whose files are here. An
// envelope that cannot be read is an error: what it needs is not known, and
// everything might be.
func (a *Agent) surveyed(ctx context.Context, now time.Time) (*survey, error) {
	s := &survey{sizes: make(map[digest]uint64)}
	err := a.db.View(func(tx *bbolt.Tx) error {
		return errors.Join(
			outbox.In(tx).Each(func(e *axispb.OutboxEntry) error { return s.add(sentHolding(e)) }),
			inbox.In(tx).Each(func(e *axispb.InboxEntry) error { return s.add(receivedHolding(e)) }))
	})
	if err != nil {
		return nil, err
	}
	for _, h := range s.all {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if h.released {
			continue
		}
		if err := a.look(s, h); err != nil {
			return nil, fmt.Errorf("files of %s: %w", h, err)
		}
	}
	return s, a.settle(s, now)
}

func (s *survey) add(h *holding, envelope []byte) error {
	if len(envelope) != sha256.Size {
		return fmt.Errorf("%s: digest of an envelope has %d bytes", h, len(envelope))
	}
	h.envelope = digest(envelope)
	s.all = append(s.all, h)
	return nil
}

func sentHolding(e *axispb.OutboxEntry) (*holding, []byte) {
	h := &holding{id: e.Id, sent: true, released: e.ReleasedMs != 0, early: true, draft: outbox.Unsealed(e)}
	if h.draft {
		return h, e.DraftDigest
	}
	return h, e.EnvelopeDigest
}

func receivedHolding(e *axispb.InboxEntry) (*holding, []byte) {
	h := &holding{key: inbox.KeyOf(e), released: e.ReleasedMs != 0, pending: inbox.Pending(e)}
	h.since, _ = inbox.Finished(e)
	h.incomplete = h.pending || e.State == axispb.State_STATE_CONSIGNMENT_FAILED ||
		e.State == axispb.State_STATE_WITHDRAWN || len(e.Journaled) > 0
	// What the agency refused it may still want to take.
	h.early = e.State != axispb.State_STATE_HANDOVER_FAILED
	return h, e.EnvelopeDigest
}

// look reads which files a document has.
func (a *Agent) look(s *survey, h *holding) error {
	raw, err := a.files.Read(h.envelope, envelope.MaxSize)
	if err != nil {
		return err
	}
	if h.draft {
		return s.drafted(h, raw)
	}
	env, err := envelope.Parse(raw)
	if err != nil && !h.sent && !h.since.IsZero() {
		// It came like this, and was refused: nothing was fetched for it.
		return nil
	}
	if err != nil {
		return err
	}
	contents, err := contentsOf(env)
	if err != nil {
		return err
	}
	h.deadline = env.Document.Deadline
	for _, c := range contents {
		h.files = append(h.files, c.Digest)
		s.sizes[c.Digest] = c.Size
	}
	return nil
}

// drafted reads which files a draft has.
func (s *survey) drafted(h *holding, raw []byte) error {
	doc, parts, err := parseDraft(raw)
	if err != nil {
		return err
	}
	h.deadline = doc.Deadline
	for _, f := range parts {
		h.files = append(h.files, f.Content.Digest)
		s.sizes[f.Content.Digest] = f.Content.Size
	}
	return nil
}

// settle finds out which submissions nobody needs any more, now that their deadlines
// are known.
func (a *Agent) settle(s *survey, now time.Time) error {
	return a.db.View(func(tx *bbolt.Tx) error {
		o := outbox.In(tx)
		for _, h := range s.all {
			if !h.sent || h.released {
				continue
			}
			e, err := o.Get(h.id)
			if err != nil {
				return err
			}
			since, finished, err := o.Finished(e, h.deadline, now)
			if err != nil {
				return err
			}
			if finished {
				h.since = since
			}
		}
		return nil
	})
}

// uses counts for every file how many documents need it.
func (s *survey) uses() map[digest]int {
	uses := make(map[digest]int, len(s.sizes))
	for _, h := range s.all {
		if h.released {
			continue
		}
		for _, d := range h.files {
			uses[d]++
		}
	}
	return uses
}

// bytes is the size of all files that are needed, each once.
func (s *survey) bytes(uses map[digest]int) (total uint64) {
	for d := range uses {
		total += s.sizes[d]
	}
	return total
}

// CheckFiles lists what should be in the file store and is not: every envelope, and the
// files of every document that has them and was not released. Contents are not read.
func (a *Agent) CheckFiles(ctx context.Context) error {
	s, err := a.surveyed(ctx, a.cfg.Now())
	if err != nil {
		return err
	}
	var found []error
	for _, h := range s.all {
		if h.released {
			continue
		}
		missing := 0
		for _, d := range h.files {
			if !a.files.Has(d, s.sizes[d]) {
				missing++
			}
		}
		if missing > 0 && !h.incomplete {
			found = append(found, fmt.Errorf("%s: %d of its files are not here", h, missing))
		}
	}
	return errors.Join(found...)
}
