package labels

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"docaxis/internal/fault"
	"docaxis/proto/axispb"
)

// ErrGone says that a document's content is not kept any more.
var ErrGone = errors.New("the content is not kept any more")

// Document is an accepted document.
type Document struct {
	Position   uint64 // leaf index of the record that has it now
	Commitment []byte
	Bytes      uint64 // of its files
}

// Contents are a document's files, in the order of document.json.
type Contents struct {
	// AcceptedMS is the journal time of its acceptance: the files existed then.
	AcceptedMS int64
	Files      []File
}

// File is one of its files.
type File struct {
	// Name is the true one, as document.json has it; Type its MIME type, or empty.
	Name, Type string
	Size       int64
	Content    io.ReaderAt
}

// Source is what the axis has of accepted documents.
type Source interface {
	// Next finds the first document with a higher leaf index, Last the last one with a
	// lower one; false where there is none.
	Next(ctx context.Context, after int64) (Document, bool, error)
	Last(ctx context.Context, before int64) (Document, bool, error)
	// Find finds a document by its commitment.
	Find(ctx context.Context, commitment []byte) (Document, bool, error)
	// Waiting counts the documents with a leaf index above one or below another.
	Waiting(ctx context.Context, after, before int64) (uint64, error)
	// Open gives a document's files. ErrGone: they are not kept any more. With any other
	// error it is asked again later.
	Open(ctx context.Context, d Document) (Contents, error)
}

// Judge labels one file; see inspect.Judge, whose Label and Basis these are.
type Judge interface {
	Label(ctx context.Context, name, mediaType string, r io.ReaderAt, size int64, at time.Time) (*axispb.FileLabel, time.Time, error)
	Basis() string
}

// Config of a Labeller; a zero field means its default.
type Config struct {
	Now    func() time.Time
	Log    *slog.Logger
	Faults fault.Hook
	// Every is how often what is due again is looked for; 10 s by default.
	Every time.Duration
	// BytesPerSecond is what it reads of files on average; 32 MiB by default, negative
	// for any, and then it takes all of a core, too, else at most a quarter.
	BytesPerSecond int64
	// Large is from how many bytes on a document waits until no other is new; 64 MiB by
	// default.
	Large uint64
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Every = cmp.Or(c.Every, 10*time.Second)
	c.BytesPerSecond = cmp.Or(c.BytesPerSecond, 32<<20)
	c.Large = cmp.Or(c.Large, 64<<20)
	return c
}

// Labeller looks at the files of accepted documents, one at a time.
type Labeller struct {
	store  *Store
	source Source
	judge  Judge
	cfg    Config
	ring   chan struct{}

	// Owned by Run.
	at    place
	steps int
	// caughtUp: nothing but what is new may be worth a look, until the next tick.
	caughtUp bool
	// rested is for how long this step left processor and disk to others.
	rested time.Duration

	mu      sync.Mutex // guards what follows
	trouble error
	since   time.Time
}

// New makes a Labeller; Run must be started for it to look at anything.
func New(store *Store, source Source, judge Judge, cfg Config) *Labeller {
	return &Labeller{store: store, source: source, judge: judge, cfg: cfg.withDefaults(), ring: make(chan struct{}, 1)}
}

// Ring says that a document was accepted. It never waits.
func (l *Labeller) Ring() {
	select {
	case l.ring <- struct{}{}:
	default:
	}
}

// Run looks at files until ctx ends, then returns nil: nothing that goes wrong here is
// a reason to stop anything else. It is logged, told by Status, and tried again.
func (l *Labeller) Run(ctx context.Context) error {
	tick := time.NewTicker(l.cfg.Every)
	defer tick.Stop()
	for ctx.Err() == nil {
		began := time.Now()
		l.rested = 0
		worked, err := l.step(ctx)
		times, rung := time.Duration(share), false
		select {
		case <-l.ring:
			times, rung = busyShare, true
		default:
		}
		l.pause(ctx, times*(time.Since(began)-l.rested))
		if ctx.Err() != nil {
			break
		}
		l.told(err)
		if (worked || rung) && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
			l.caughtUp = false
		case <-l.ringUnless(err):
			l.pause(ctx, gather)
		}
	}
	return nil
}

// ringUnless is the bell, which is not heard while something is wrong: else every
// document would be a further try.
func (l *Labeller) ringUnless(err error) <-chan struct{} {
	if err != nil {
		return nil
	}
	return l.ring
}

func (l *Labeller) told(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil && l.trouble == nil {
		l.since = l.cfg.Now()
		l.cfg.Log.Warn("the files of documents cannot be labelled; it is tried again", "error", err)
	}
	l.trouble = err
}

// Status is how the labelling stands.
type Status struct {
	// Backlog are documents that were not looked at yet, Again those that will be looked
	// at again, because something outside was missing.
	Backlog, Again uint64
	// Trouble is why nothing can be looked at, since Since; nil for nothing.
	Trouble error
	Since   time.Time
}

// Status looks at what is known. What keeps it from being known is a trouble, too.
func (l *Labeller) Status(ctx context.Context) Status {
	s, err := l.counted(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.trouble != nil:
		s.Trouble, s.Since = l.trouble, l.since
	case err != nil:
		s.Trouble, s.Since = err, l.cfg.Now()
	}
	return s
}

func (l *Labeller) counted(ctx context.Context) (s Status, err error) {
	p, err := l.store.place(ctx)
	if err != nil {
		return s, err
	}
	off, again, err := l.store.counts(ctx)
	if err != nil {
		return s, err
	}
	if !p.begun {
		p.after, p.before = -1, 0
	}
	waiting, err := l.source.Waiting(ctx, p.after, p.before)
	return Status{Backlog: waiting + off, Again: again}, err
}

// begin makes sure that the place belongs to this journal and to what labels rest on
// now; else documents are followed from here, and back.
func (l *Labeller) begin(ctx context.Context) error {
	p, err := l.store.place(ctx)
	if err != nil {
		return err
	}
	if p.begun && len(p.commitment) > 0 {
		d, found, err := l.source.Find(ctx, p.commitment)
		if err != nil {
			return err
		}
		p.begun = found && d.Position == p.position
	}
	if !p.begun {
		if p, err = l.here(ctx, p.basis); err != nil {
			return err
		}
	}
	if basis := l.judge.Basis(); p.basis != basis {
		p.basis = basis
		err = l.store.rebase(ctx, p, l.cfg.Now().UnixMilli())
	} else {
		err = l.store.move(ctx, p)
	}
	l.at = p
	return err
}

// here is the place that begins at the journal's tail: nothing is new, all is left.
func (l *Labeller) here(ctx context.Context, basis string) (place, error) {
	p := place{basis: basis, begun: true, after: -1}
	d, found, err := l.source.Last(ctx, 1<<62)
	if err != nil || !found {
		return p, err
	}
	p.after, p.before = int64(d.Position), int64(d.Position)+1
	p.position, p.commitment = d.Position, bytes.Clone(d.Commitment)
	return p, nil
}
