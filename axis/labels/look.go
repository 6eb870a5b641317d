package labels

import (
	"context"
	"errors"
	"slices"
	"time"

	"docaxis/internal/inspect"
	"docaxis/proto/axispb"
)

const (
	// dueTurn is after how many steps one is for what has been put off, whatever is new.
	dueTurn = 8
	// often is how many looks a document is worth, over about a month; after that it is
	// looked at rarely: an authority that is gone for good would else have all documents
	// of years read every day.
	often  = 36
	rarely = 30 * 24 * time.Hour
)

// step takes up one document; false where there is nothing to do.
func (l *Labeller) step(ctx context.Context) (bool, error) {
	if !l.at.begun {
		if err := l.begin(ctx); err != nil {
			return false, err
		}
	}
	order := []func(context.Context) (bool, error){l.takeNew, l.takeAgain, l.takeOld, l.takeDue}
	if l.caughtUp {
		order = order[:1] // each look at what may be due costs as much as a small document
	} else if l.steps++; l.steps%dueTurn == 0 {
		slices.Reverse(order)
	}
	for _, take := range order {
		if worked, err := take(ctx); worked || err != nil {
			return worked, err
		}
	}
	l.caughtUp = true
	return false, nil
}

// takeNew takes up the next document that was accepted.
func (l *Labeller) takeNew(ctx context.Context) (bool, error) {
	d, found, err := l.source.Next(ctx, l.at.after)
	if err != nil || !found {
		return false, err
	}
	p := l.at
	p.after, p.position, p.commitment = int64(d.Position), d.Position, d.Commitment
	return true, l.takeUp(ctx, d, p)
}

// takeOld takes up the newest document that is left from earlier.
func (l *Labeller) takeOld(ctx context.Context) (bool, error) {
	d, found, err := l.source.Last(ctx, l.at.before)
	if err != nil || !found {
		return false, err
	}
	p := l.at
	p.before = int64(d.Position)
	return true, l.takeUp(ctx, d, p)
}

// takeUp looks at a document for the first time, or puts a large one off, and moves the
// place with it.
func (l *Labeller) takeUp(ctx context.Context, d Document, p place) error {
	known, err := l.store.Get(ctx, d.Commitment)
	if err != nil {
		return err
	}
	switch {
	case known != nil:
		err = l.store.move(ctx, p)
	case d.Bytes >= l.cfg.Large:
		err = l.keep(ctx, d, &axispb.DocumentLabels{Version: 1, AgainMs: l.cfg.Now().UnixMilli()}, &p)
	default:
		var looked *axispb.DocumentLabels
		if looked, err = l.look(ctx, d, nil); err == nil {
			err = l.keep(ctx, d, looked, &p)
		}
	}
	if err == nil {
		l.at = p
	}
	return err
}

// takeAgain looks again at the document that has been due for longest, takeDue at that
// or one that was put off.
func (l *Labeller) takeAgain(ctx context.Context) (bool, error) { return l.take(ctx, 1) }

func (l *Labeller) takeDue(ctx context.Context) (bool, error) { return l.take(ctx, 0) }

func (l *Labeller) take(ctx context.Context, looks uint32) (bool, error) {
	commitment, err := l.store.due(ctx, l.cfg.Now().UnixMilli(), looks)
	if err != nil || commitment == nil {
		return false, err
	}
	d, found, err := l.source.Find(ctx, commitment)
	if err != nil {
		return false, err
	}
	if !found { // a journal that was set back has lost it
		return true, l.store.drop(ctx, commitment)
	}
	known, err := l.store.Get(ctx, commitment)
	if err != nil {
		return false, err
	}
	looked, err := l.look(ctx, d, known)
	if err != nil {
		return false, err
	}
	return true, l.keep(ctx, d, looked, nil)
}

func (l *Labeller) keep(ctx context.Context, d Document, labels *axispb.DocumentLabels, p *place) error {
	if err := l.cfg.Faults.At("labels.row.before"); err != nil {
		return err
	}
	if err := l.store.put(ctx, d.Commitment, labels, p); err != nil {
		return err
	}
	l.caughtUp = l.caughtUp && labels.GetAgainMs() == 0
	return l.cfg.Faults.At("labels.row.after")
}

// look looks at every file of a document. What could not be read now is due again, and
// what was known of it before stays. Errors are ctx's and the tests' alone.
func (l *Labeller) look(ctx context.Context, d Document, known *axispb.DocumentLabels) (*axispb.DocumentLabels, error) {
	if err := l.cfg.Faults.At("labels.look.before"); err != nil {
		return nil, err
	}
	out := &axispb.DocumentLabels{Version: 1, Looks: known.GetLooks() + 1}
	c, err := l.source.Open(ctx, d)
	var retry time.Time
	switch {
	case errors.Is(err, ErrGone):
		out.Files = known.GetFiles()
	case err != nil:
		retry, out.Files = l.cfg.Now(), known.GetFiles()
		l.cfg.Log.Debug("a document's files cannot be read now", "record", d.Position, "error", err)
	default:
		retry = l.lookAt(ctx, d, c, known, out)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	inspect.Fit(out)
	now := l.cfg.Now()
	out.LookedMs = now.UnixMilli()
	out.AgainMs = againMS(retry, now, out.Looks)
	return out, l.cfg.Faults.At("labels.look.after")
}

// againMS is when a document is looked at again after so many looks; 0 for never.
func againMS(retry, now time.Time, looks uint32) int64 {
	again := inspect.Again(retry, now, looks)
	if again.IsZero() {
		return 0
	}
	if rare := now.Add(rarely); looks >= often && again.Before(rare) {
		again = rare
	}
	return again.UnixMilli()
}

// lookAt labels the files one after another and says when the earliest is worth another
// look.
func (l *Labeller) lookAt(ctx context.Context, d Document, c Contents, known, out *axispb.DocumentLabels) (retry time.Time) {
	for i, f := range c.Files {
		label, again, err := l.judge.Label(ctx, f.Name, f.Type, f.Content, f.Size, time.UnixMilli(c.AcceptedMS))
		if err != nil {
			again = l.cfg.Now()
			label = unread(f, known, i)
			l.cfg.Log.Debug("a file cannot be read now", "record", d.Position, "file", i+1, "error", err)
		}
		out.Files = append(out.Files, label)
		if !again.IsZero() && (retry.IsZero() || again.Before(retry)) {
			retry = again
		}
		if l.pause(ctx, l.restAfter(f.Size)); ctx.Err() != nil {
			return retry
		}
	}
	return retry
}

// unread is what is said of a file that cannot be read now: what was known.
func unread(f File, known *axispb.DocumentLabels, i int) *axispb.FileLabel {
	if i < len(known.GetFiles()) {
		return known.GetFiles()[i]
	}
	return &axispb.FileLabel{
		Name: f.Name, SentenceVi: "Hiện chưa đọc được nội dung tệp; trục sẽ tự xem lại.",
		SentenceEn: "The file's content cannot be read now; the axis looks again by itself.",
	}
}

// share is how many times as long as it works it leaves processor and disk to others: a
// burst of documents is accepted first, and labelled after. busyShare counts while
// documents come in.
const (
	share     = 3
	busyShare = 30
	// gather is how long the files of a document wait for those of others: while it
	// passes axis and endpoints nothing else should take the processor.
	gather = 200 * time.Millisecond
)

// restAfter is how long the disk is left to others after so many bytes.
func (l *Labeller) restAfter(size int64) time.Duration {
	return time.Duration(float64(size) / float64(l.cfg.BytesPerSecond) * float64(time.Second))
}

// pause waits, unless nothing bounds this labeller, or ctx ends.
func (l *Labeller) pause(ctx context.Context, d time.Duration) {
	if l.cfg.BytesPerSecond < 0 || d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	began := time.Now()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	l.rested += time.Since(began)
}
