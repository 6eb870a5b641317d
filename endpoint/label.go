package endpoint

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/inbox"
	"docaxis/endpoint/labels"
	"docaxis/endpoint/outbox"
	"docaxis/internal/envelope"
	"docaxis/internal/inspect"
	"docaxis/proto/axispb"
)

const (
	// looksPerCommit and bytesPerCommit bound what is looked at before it is committed.
	looksPerCommit = 64
	bytesPerCommit = 64 << 20
	// maxNewly bounds the notes of documents that were just accepted. One that finds no
	// room is looked at when its labels say so.
	maxNewly = 1024
	// labelRest is how long the loop rests after a failure of its own.
	labelRest = time.Minute
	// labelShare is how many times as long as it worked the loop leaves processor and disk
	// to others, at most labelPause: who sends and receives is not to notice it.
	labelShare = 3
	labelPause = 2 * time.Second
)

// openJudge is the last part of Open.
func (a *Agent) openJudge() (err error) {
	a.judge, err = inspect.Open(inspect.Config{
		Folder: a.dir, Settings: a.cfg.Settings.Signatures, Now: a.cfg.Now, Random: a.cfg.Rand, Transport: a.cfg.Transport,
	})
	return err
}

// label looks at the files of documents, one after the other, until ctx ends: those that
// are kept from their agency first, then new ones, then those that are due again. It is
// on nobody's way.
func (a *Agent) label(ctx context.Context) error {
	for {
		began, bell := time.Now(), a.wake.label
		wait, err := a.labelSome(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && fatal(err):
			return err
		case err != nil:
			a.log.Warn("labels could not be kept; they will be", slog.Any("error", err))
			wait = labelRest
		case wait == 0:
			wait, bell = min(labelShare*time.Since(began), labelPause), nil
		}
		if !nap(ctx, wait, bell) {
			return nil
		}
	}
}

// labelSome looks at what is due and commits what was found, or else searches for what
// was never looked at. wait is for how long there is nothing to do.
func (a *Agent) labelSome(ctx context.Context) (wait time.Duration, err error) {
	jobs := a.justAccepted()
	var wake time.Time
	searched := true
	err = a.db.View(func(tx *bbolt.Tx) error {
		l := labels.In(tx)
		searched = l.Searched() && l.Basis() == a.judge.Basis()
		due, next, err := l.Due(a.cfg.Now(), looksPerCommit)
		jobs, wake = append(jobs, due...), next
		return err
	})
	if err != nil {
		return 0, err
	}
	switch {
	case len(jobs) > 0:
		return 0, a.labelJobs(ctx, jobs)
	case !searched:
		return 0, a.searchUnlabelled(ctx)
	case wake.IsZero():
		return idle, nil
	}
	return min(max(wake.Sub(a.cfg.Now()), time.Millisecond), idle), nil
}

// justAccepted takes the notes of documents of this endpoint that the axis accepted.
func (a *Agent) justAccepted() (jobs []labels.Job) {
	for len(jobs) < looksPerCommit {
		select {
		case k := <-a.newly:
			jobs = append(jobs, labels.JobFor(k))
		default:
			return jobs
		}
	}
	return jobs
}

func (a *Agent) noteAccepted(e *axispb.OutboxEntry) {
	if e.Files == 0 || a.cfg.Now().Before(time.UnixMilli(e.CreatedMs).Add(a.cfg.LabelAfter)) {
		return // nothing, or it will be looked at for the first time
	}
	select {
	case a.newly <- labels.KeyOf(e.Sender, e.Id, e.ManifestDigest):
		ring(a.wake.label)
	default:
	}
}

// labelJobs looks at documents and commits what it found, together.
func (a *Agent) labelJobs(ctx context.Context, jobs []labels.Job) error {
	var all []*looked
	var bytes uint64
	for _, j := range jobs {
		if bytes >= bytesPerCommit {
			break // they are due still
		}
		one, err := a.lookAt(ctx, j)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			return err
		}
		bytes += one.bytes
		all = append(all, one)
	}
	if len(all) == 0 {
		return ctx.Err()
	}
	err := a.commit(ctx, "label", func(tx *bbolt.Tx) error {
		for _, one := range all {
			if err := a.keepLabels(tx, one); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, one := range all {
		a.tellLooked(one)
	}
	return nil
}

func (a *Agent) tellLooked(one *looked) {
	if one.trouble != nil {
		a.log.Warn("files could not be looked at; they will be", slog.String("id", one.job.Key.ID), slog.Any("error", one.trouble))
	}
	for _, code := range one.refused {
		a.log.Warn("a policy about signatures refused a received document", slog.String("id", one.job.Key.ID), slog.String("code", code))
		ring(a.wake.evidence)
	}
	a.watch.changed(one.job.Key.ID)
}

// looked is what a look at a document found.
type looked struct {
	job    labels.Job
	labels *axispb.DocumentLabels // nil: there is nothing to look at
	// files are the labels in full.
	files []*axispb.FileLabel
	bytes uint64
	// trouble kept the files from being read; what is known stays, and held waits.
	trouble error
	// refused are the codes from which it was kept for good.
	refused []string
}

// subject is a document that is looked at.
type subject struct {
	was      *axispb.DocumentLabels
	envelope []byte
	// receipt proves when it was accepted; empty where it was not yet.
	receipt []byte
	// entry is what was received; nil where it is this endpoint's own.
	entry *axispb.InboxEntry
}

// subject finds a document as far as its files are here; nil where they are not.
func (a *Agent) subject(tx *bbolt.Tx, k labels.Key) (*subject, error) {
	was, err := labels.In(tx).Get(k)
	if err != nil {
		return nil, err
	}
	s := &subject{was: was}
	received, err := copiesFor(tx, k)
	if err != nil {
		return nil, err
	}
	for _, e := range received {
		if !inbox.Pending(e) && e.State != axispb.State_STATE_CONSIGNMENT_FAILED && e.ReleasedMs == 0 {
			s.envelope, s.receipt, s.entry = e.EnvelopeDigest, e.Receipt, e
			return s, nil
		}
	}
	e, err := outbox.In(tx).Get(k.ID)
	if errors.Is(err, outbox.ErrNotFound) {
		return nil, nil
	}
	if err != nil || outbox.Unsealed(e) || e.ReleasedMs != 0 || labels.KeyOf(e.Sender, e.Id, e.ManifestDigest) != k {
		return nil, err
	}
	s.envelope, s.receipt = e.EnvelopeDigest, e.Receipt
	return s, nil
}

// copiesFor lists what was received of a document, by code.
func copiesFor(tx *bbolt.Tx, k labels.Key) ([]*axispb.InboxEntry, error) {
	all, err := inbox.In(tx).Document(k.Sender, k.ID)
	var own []*axispb.InboxEntry
	for _, e := range all {
		if inbox.KeyOf(e).Manifest == k.Manifest {
			own = append(own, e)
		}
	}
	return own, err
}

// lookAt looks at the files of one document. Its error is the store's; what is wrong with
// a file on the disk puts the look off.
func (a *Agent) lookAt(ctx context.Context, j labels.Job) (*looked, error) {
	out := &looked{job: j}
	var s *subject
	err := a.db.View(func(tx *bbolt.Tx) (err error) {
		s, err = a.subject(tx, j.Key)
		return err
	})
	if err != nil || s == nil {
		return out, err
	}
	now := a.cfg.Now()
	out.labels = &axispb.DocumentLabels{Looks: s.was.GetLooks() + 1, LookedMs: now.UnixMilli()}
	var at time.Time
	if ms := timeOf(s.receipt); ms != 0 {
		at = time.UnixMilli(ms)
	}
	retry, err := a.lookFiles(ctx, out, s, at)
	if err != nil {
		out.trouble, out.files = err, nil
		out.labels.Files, out.labels.LookedMs, retry = s.was.GetFiles(), s.was.GetLookedMs(), now
	} else if at.IsZero() && retry.IsZero() && dated(out.files) {
		// Acceptance will prove a time.
		retry = now
	}
	if again := inspect.Again(retry, now, out.labels.Looks); !again.IsZero() {
		out.labels.AgainMs = again.UnixMilli()
	}
	return out, nil
}

// lookFiles labels one file after the other.
func (a *Agent) lookFiles(ctx context.Context, out *looked, s *subject, at time.Time) (retry time.Time, err error) {
	env, err := a.envelope(s.envelope)
	if err != nil {
		return retry, err
	}
	contents, err := contentsOf(env)
	if err != nil {
		return retry, err
	}
	for i, c := range contents {
		var f *os.File
		if s.entry != nil {
			f, err = (&Received{Entry: s.entry, Envelope: env, agent: a}).Kept(i)
		} else {
			f, err = a.files.OpenWhole(c.Digest)
		}
		if err != nil {
			return retry, err
		}
		l, again, err := a.labelFile(ctx, env.Document.Files[i], f, c.Size, at)
		if err != nil {
			return retry, err
		}
		if !again.IsZero() && (retry.IsZero() || again.Before(retry)) {
			retry = again
		}
		out.files, out.bytes = append(out.files, l), out.bytes+c.Size
	}
	out.labels.Files = out.files
	inspect.Fit(out.labels)
	return retry, nil
}

func (a *Agent) labelFile(ctx context.Context, info envelope.FileInfo, f *os.File, size uint64, at time.Time) (l *axispb.FileLabel, retry time.Time, err error) {
	defer func() { err = errors.Join(err, f.Close()) }()
	return a.judge.Label(ctx, info.Title, info.Type, f, int64(size), at)
}

// dated reports whether labels depend on the time they were judged at.
func dated(all []*axispb.FileLabel) bool {
	for _, f := range all {
		if len(f.Signatures) > 0 || dated(f.Within) {
			return true
		}
	}
	return false
}

// keepLabels stores what was found, and does what policies say of it.
func (a *Agent) keepLabels(tx *bbolt.Tx, one *looked) error {
	class := labels.Again
	one.refused = nil
	received, err := copiesFor(tx, one.job.Key)
	if err != nil {
		return err
	}
	for _, e := range received {
		switch {
		case !inbox.Looking(e):
		case one.trouble != nil:
			class = labels.Held
		default:
			if err := a.decide(tx, e, one); err != nil {
				return err
			}
		}
	}
	return labels.In(tx).Done(one.job, class, one.labels)
}
