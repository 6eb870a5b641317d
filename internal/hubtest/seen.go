package hubtest

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	operator "docaxis/axis/admin"
	"docaxis/endpoint"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/link"
	"docaxis/endpoint/outbox"
	"docaxis/proto/axispb"
)

// Seen is everything that a world shows: what its endpoints answer, the bytes of
// its journal, what its ledger answers. Check judges it.
type Seen struct {
	// CA of the axis, as an endpoint pinned it.
	CA *x509.Certificate
	// Anchors are whom to believe about the axis's seal and about time.
	Anchors []*x509.Certificate
	// Blocks of the journal, exact bytes.
	Blocks [][]byte
	// Size and Root of the log as the axis tells them.
	Size uint64
	Root tlog.Hash
	// Stories is what the axis tells of documents, by id.
	Stories map[string][]operator.Document
	// Ledger and Rebuilt are the rows of the ledger, and of one that was made anew
	// from the journal.
	Ledger, Rebuilt string
	// Chunks is the folder of the content store's chunks.
	Chunks    string
	Endpoints []*SeenEndpoint
	// Held are receipts that somebody was shown earlier; Look gathers none.
	Held []Held
	// Problems is what the parts' own checks found, and what could not be seen.
	Problems []error
}

// Held is a receipt that was shown at some time, whatever happened since.
type Held struct {
	// Who was shown it, and of what, for messages.
	Who string
	// Receipt, and the body that it is of; nil where only the journal has that.
	Receipt, Body []byte
}

// SeenEndpoint is what one endpoint shows.
type SeenEndpoint struct {
	Name     string
	Progress *axispb.Progress
	Outbox   []*axispb.OutboxEntry
	Inbox    []*axispb.InboxEntry
	// Stories by id, of all that was sent or received.
	Stories map[string]endpoint.Timeline
	// Files are the digests of the content of each received document that is said
	// to be here, as read.
	Files map[inbox.Key][][sha256.Size]byte
	// Unsettled says what the endpoint has still to do, or cannot do.
	Unsettled []error
}

// Look gathers what a world shows. It must have settled, with everything running.
func Look(ctx context.Context, w *World) (*Seen, error) {
	s := &Seen{Anchors: w.cfg.Anchors, Stories: map[string][]operator.Document{}, Chunks: filepath.Join(w.AxisDir(), "content", "chunks")}
	for _, m := range w.Members() {
		e, err := m.look()
		if err != nil {
			return nil, fmt.Errorf("look at %s: %w", m.Code, err)
		}
		s.Endpoints = append(s.Endpoints, e)
		if err := m.Agent().Check(); err != nil {
			s.Problems = append(s.Problems, fmt.Errorf("%s: %w", m.Code, err))
		}
		id, err := link.LoadIdentity(m.Dir)
		if err != nil {
			return nil, err
		}
		s.CA = id.CA
	}
	return s, s.axis(ctx, w)
}

func (s *Seen) axis(ctx context.Context, w *World) error {
	h := w.Hub()
	err := h.Blocks(ctx, func(raw []byte) error {
		s.Blocks = append(s.Blocks, raw)
		return nil
	})
	if err != nil {
		s.Problems = append(s.Problems, fmt.Errorf("read the journal: %w", err))
	}
	status, err := h.Status(ctx)
	if err != nil {
		return err
	}
	root, err := base64.StdEncoding.DecodeString(status.Root)
	if err != nil || len(root) != tlog.HashSize {
		return fmt.Errorf("the axis names %q as root", status.Root)
	}
	s.Size, s.Root = status.Size, tlog.Hash(root)
	if err := h.CheckContent(ctx); err != nil {
		s.Problems = append(s.Problems, fmt.Errorf("content: %w", err))
	}
	return errors.Join(s.dumps(ctx, w), s.stories(ctx, w))
}

func (s *Seen) dumps(ctx context.Context, w *World) error {
	dir, err := os.MkdirTemp(w.cfg.Dir, "rebuilt-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var now, anew strings.Builder
	if err := w.Hub().DumpLedger(ctx, &now); err != nil {
		return err
	}
	if err := w.Hub().DumpRebuilt(ctx, filepath.Join(dir, "ledger.db"), &anew); err != nil {
		s.Problems = append(s.Problems, fmt.Errorf("rebuild the ledger: %w", err))
	}
	s.Ledger, s.Rebuilt = now.String(), anew.String()
	return nil
}

// stories asks the axis for every document that an endpoint accepted or received.
func (s *Seen) stories(ctx context.Context, w *World) error {
	for _, e := range s.Endpoints {
		for id, t := range e.Stories {
			if s.Stories[id] != nil || t.Sent != nil && t.Sent.State != axispb.State_STATE_ACCEPTED {
				continue
			}
			var err error
			if s.Stories[id], err = w.Hub().Documents(ctx, id); err != nil {
				s.Problems = append(s.Problems, fmt.Errorf("the axis on %s: %w", id, err))
			}
		}
	}
	return nil
}

func (m *Member) look() (*SeenEndpoint, error) {
	a := m.Agent()
	e := &SeenEndpoint{
		Name: m.Name, Stories: map[string]endpoint.Timeline{}, Files: map[inbox.Key][][sha256.Size]byte{},
	}
	status, err := a.Status()
	if err != nil {
		return nil, err
	}
	e.Progress = status.Progress
	if status.Parked != nil {
		e.Unsettled = append(e.Unsettled, fmt.Errorf("the endpoint is parked: %v", status.Parked))
	}
	if e.Outbox, err = a.Outbox(outbox.Filter{Limit: math.MaxInt}); err != nil {
		return nil, err
	}
	if e.Inbox, err = a.Inbox(inbox.Filter{Limit: math.MaxInt}); err != nil {
		return nil, err
	}
	bad, err := a.Quarantined(10)
	for _, q := range bad {
		e.Unsettled = append(e.Unsettled, fmt.Errorf("an item was put aside: %v %s", q.Reason, q.Detail))
	}
	return e, errors.Join(err, e.unsent(m), e.read(a))
}

// unsent asks what the axis has not answered yet.
func (e *SeenEndpoint) unsent(m *Member) error {
	s, err := endpoint.Clerk(m.Agent()).Status(context.Background())
	if s.Unsent > 0 {
		e.Unsettled = append(e.Unsettled, fmt.Errorf("%d statements are not sent yet", s.Unsent))
	}
	return err
}

func (e *SeenEndpoint) read(a *endpoint.Agent) error {
	for _, o := range e.Outbox {
		t, err := a.Show(o.Id)
		if err != nil {
			return err
		}
		e.Stories[o.Id] = t
	}
	for _, i := range e.Inbox {
		t, err := a.Show(i.Id)
		if err != nil {
			return err
		}
		e.Stories[i.Id] = t
		if err := e.files(a, i); err != nil {
			return err
		}
	}
	return nil
}

// files reads the content of a document that is said to be here.
func (e *SeenEndpoint) files(a *endpoint.Agent, i *axispb.InboxEntry) error {
	if !here(i) {
		return nil
	}
	key := inbox.KeyOf(i)
	doc, err := a.Document(key)
	if err != nil {
		return err
	}
	digests := make([][sha256.Size]byte, 0, len(doc.Envelope.Document.Files))
	for n := range doc.Envelope.Document.Files {
		f, err := doc.Kept(n)
		if err != nil {
			e.Unsettled = append(e.Unsettled, fmt.Errorf("%s: %w", key, err))
			continue
		}
		sum := sha256.New()
		_, err = io.Copy(sum, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		digests = append(digests, [sha256.Size]byte(sum.Sum(nil)))
	}
	e.Files[key] = digests
	return nil
}

// here reports whether the content of a received document must be at the endpoint.
// What it only knows from the journal, another took, or its own lost store; and what
// the agency has taken or refused may have been removed.
func here(i *axispb.InboxEntry) bool {
	if len(i.Evidence) == 0 {
		return false
	}
	switch i.State {
	case axispb.State_STATE_CONSIGNED:
		return true
	case axispb.State_STATE_HANDED_OVER, axispb.State_STATE_HANDOVER_FAILED:
		return i.ReleasedMs == 0
	}
	return false
}
