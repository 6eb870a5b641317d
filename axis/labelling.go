package axis

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"docaxis/axis/content"
	"docaxis/axis/intake"
	"docaxis/axis/labels"
	"docaxis/axis/ledger"
	"docaxis/internal/envelope"
	"docaxis/internal/inspect"
	"docaxis/proto/axispb"
)

// labelling is what looks at the signatures within files: for the labels of what was
// accepted, on nobody's way, and for senders whose policy asks for it, before.
type labelling struct {
	judge    *inspect.Judge
	store    *labels.Store
	labeller *labels.Labeller
}

// openLabels takes up what files are judged by, and what is known of them.
func (h *Hub) openLabels(ctx context.Context) (err error) {
	h.labels.judge, err = inspect.Open(inspect.Config{
		Folder: h.dir, Settings: h.cfg.Signatures, Now: h.cfg.Now, Random: h.cfg.Random, Transport: h.cfg.Transport,
	})
	if err != nil {
		return err
	}
	if h.labels.store, err = labels.Open(ctx, filepath.Join(h.dir, labels.FileName), h.log); err != nil {
		return err
	}
	h.labels.labeller = labels.New(h.labels.store, documents{h.ledger, h.content, h.records()}, h.labels.judge, labels.Config{
		Now: h.cfg.Now, Log: h.log, Faults: h.cfg.Faults, Every: h.cfg.LabelEvery,
	})
	return nil
}

// documents are the accepted ones as the labelling sees them.
type documents struct {
	ledger  *ledger.Ledger
	content *content.Store
	records records
}

func (d documents) Next(ctx context.Context, after int64) (labels.Document, bool, error) {
	a, found, err := d.ledger.NextAccepted(ctx, after)
	return labels.Document(a), found, err
}

func (d documents) Last(ctx context.Context, before int64) (labels.Document, bool, error) {
	a, found, err := d.ledger.LastAccepted(ctx, before)
	return labels.Document(a), found, err
}

func (d documents) Find(ctx context.Context, commitment []byte) (labels.Document, bool, error) {
	a, found, err := d.ledger.AcceptedAs(ctx, commitment)
	return labels.Document(a), found, err
}

func (d documents) Waiting(ctx context.Context, after, before int64) (uint64, error) {
	return d.ledger.CountAccepted(ctx, after, before)
}

// Open gives the files out of what was journaled. Of a recovered document its own time
// counts, which its receipt proves, not that of its coming back.
func (d documents) Open(ctx context.Context, doc labels.Document) (out labels.Contents, err error) {
	released, err := d.ledger.Released(ctx, doc.Position)
	if err != nil {
		return out, err
	}
	if released > 0 {
		return out, labels.ErrGone
	}
	record, err := recordAt(ctx, d.ledger, d.records, doc.Position)
	if err != nil {
		return out, err
	}
	if past := pastOf(record); past != nil {
		record = past.Record
	}
	e, err := envelope.Parse(record.GetBody())
	if err != nil {
		return out, fmt.Errorf("read a journaled envelope: %w", err)
	}
	if out.AcceptedMS, err = journalTimeOf(record); err != nil {
		return out, err
	}
	out.Files, err = filesOf(ctx, d.content, e)
	return out, err
}

// filesOf opens the files of a document, under their true names.
func filesOf(ctx context.Context, store *content.Store, e *envelope.Envelope) (all []labels.File, err error) {
	for i, f := range e.Document.Files {
		r, err := store.Reader(ctx, e.Pb.GetContents()[i])
		if err != nil {
			return nil, err
		}
		all = append(all, labels.File{Name: f.Title, Type: f.Type, Size: r.Size(), Content: r})
	}
	return all, nil
}

// gatekeeper judges the files of those senders whose policy asks for it, before they are
// accepted. It has judges of its own, as many as intake asks at once, so that whoever
// looks at labels keeps nobody waiting.
type gatekeeper struct {
	hub    *Hub
	judges chan *inspect.Judge
}

func (h *Hub) gatekeeper() gatekeeper {
	g := gatekeeper{h, make(chan *inspect.Judge, intake.MostLooks)}
	for range intake.MostLooks {
		g.judges <- h.labels.judge.Beside()
	}
	return g
}

// Asks is what a sender's policy asks of the files that it sends.
func (g gatekeeper) Asks(sender string) axispb.FilePolicy {
	return g.hub.registry.Policy(sender).SentFiles
}

// Refuses looks at the files, one after another, by what is known here: nobody outside
// is asked.
func (g gatekeeper) Refuses(ctx context.Context, p axispb.FilePolicy, e *envelope.Envelope) (*axispb.Reason, error) {
	if err := g.hub.cfg.Faults.At("files.judge.before"); err != nil {
		return nil, err
	}
	files, err := filesOf(ctx, g.hub.content, e)
	if err != nil {
		return nil, err
	}
	judge := <-g.judges
	defer func() { g.judges <- judge }()
	for _, f := range files {
		label, _, err := judge.Label(ctx, f.Name, f.Type, f.Content, f.Size, time.Time{})
		if err != nil {
			return nil, err
		}
		if why := judge.Refuses(p, e.Document.Sender, label); why != nil {
			return why, nil
		}
	}
	return nil, g.hub.cfg.Faults.At("files.judge.after")
}
