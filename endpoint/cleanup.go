package endpoint

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/files"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
)

// Why a cleanup removes something.
const (
	// CleanSent: every recipient has what was sent, or will not get it, and the days
	// are over; CleanReceived: the agency took or refused it, and the days are over.
	CleanSent     = "sent"
	CleanReceived = "received"
	// CleanQuota: nobody needs it, and it went early because of the quota.
	CleanQuota = "quota"
	// CleanLeft: no document names it: a crash left it behind.
	CleanLeft = "left"
	// CleanPartial: it was being fetched, and its document is not any more.
	CleanPartial = "partial"
)

// Cleaned is what a cleanup removed, or would remove, for one reason.
type Cleaned struct {
	Why       string
	Documents int
	Files     int
	Bytes     uint64
	// Oldest is since when the oldest of the documents was not needed; zero where
	// there are none.
	Oldest time.Time
}

// Cleanup is what a cleanup did.
type Cleanup struct {
	// Removed, reason by reason, in the order of the constants.
	Removed []Cleaned
	// Kept is the size of the files of all documents that still have theirs, Quota
	// what it may be; 0 for no bound.
	Kept, Quota uint64
	// Failed files could not be removed; the next cleanup tries again.
	Failed int
}

// OverQuota reports whether what is needed is more than the quota allows.
func (c Cleanup) OverQuota() bool { return c.Quota > 0 && c.Kept > c.Quota }

// markAtOnce bounds the documents that one commit marks.
const markAtOnce = 200

// cleaning is a cleanup under way.
type cleaning struct {
	*Agent
	dry   bool
	now   time.Time
	sweep *files.Sweep
	found *survey
	// reason for which a file goes, for those of documents that are released now.
	reasons map[digest]string
	by      map[string]*Cleaned
	result  Cleanup
}

// Clean removes the files that nobody needs and that are kept no longer, or, with
// dry, says what it would remove. First the documents are marked, in the store; then
// the files go that no document needs. A crash between the two leaves files that the
// next cleanup finds. Its error is files.ErrSweeping where one is going on already.
func (a *Agent) Clean(ctx context.Context, dry bool) (Cleanup, error) {
	sweep, err := a.files.Sweep()
	if err != nil {
		return Cleanup{}, err
	}
	defer sweep.End()
	c := &cleaning{
		Agent: a, dry: dry, now: a.cfg.Now(), sweep: sweep, reasons: make(map[digest]string), by: make(map[string]*Cleaned),
		result: Cleanup{Quota: a.cfg.Settings.Retention.QuotaBytes},
	}
	if c.found, err = a.surveyed(ctx, c.now); err != nil {
		return Cleanup{}, err
	}
	for _, step := range []func(context.Context) error{c.choose, c.mark, c.remove} {
		if err := step(ctx); err != nil {
			return Cleanup{}, err
		}
	}
	return c.finish(), nil
}

// choose picks what is kept no longer: first by its age, then, above the quota, what
// nobody needs, the oldest first.
func (c *cleaning) choose(context.Context) error {
	uses := c.found.uses()
	kept := c.found.bytes(uses)
	var early []*holding
	for _, h := range c.found.all {
		switch {
		case h.released || h.since.IsZero():
		case c.now.Sub(h.since) >= c.keeps(h):
			kept -= c.release(h, uses, agedOut(h))
		case h.early:
			early = append(early, h)
		}
	}
	c.chooseEarly(early, uses, kept)
	return nil
}

// chooseEarly picks, above the quota, the oldest of those that nobody needs. One whose
// files all stay for somebody else's sake would be given up for nothing.
func (c *cleaning) chooseEarly(early []*holding, uses map[digest]int, kept uint64) {
	firm := maps.Clone(uses)
	for _, h := range early {
		for _, d := range h.files {
			firm[d]--
		}
	}
	early = slices.DeleteFunc(early, func(h *holding) bool {
		return !slices.ContainsFunc(h.files, func(d digest) bool { return firm[d] == 0 })
	})
	slices.SortStableFunc(early, func(x, y *holding) int { return cmp.Or(x.since.Compare(y.since), cmp.Compare(x.String(), y.String())) })
	for _, h := range early {
		if quota := c.result.Quota; quota == 0 || kept <= quota {
			break
		}
		kept -= c.release(h, uses, CleanQuota)
	}
}

func agedOut(h *holding) string {
	if h.sent {
		return CleanSent
	}
	return CleanReceived
}

// keeps is for how long a document's files are kept once nobody needs them.
func (c *cleaning) keeps(h *holding) time.Duration {
	if h.sent {
		return c.cfg.Settings.Retention.outbox()
	}
	return c.cfg.Settings.Retention.inbox()
}

// release picks a document, and says how many bytes nobody else needs then.
func (c *cleaning) release(h *holding, uses map[digest]int, why string) (freed uint64) {
	h.why = why
	for _, d := range h.files {
		if uses[d]--; uses[d] == 0 {
			delete(uses, d)
			freed += c.found.sizes[d]
		}
	}
	return freed
}

// mark records in the store that the files of what was chosen are not here any more,
// before they are removed: a document whose files are gone never claims to have them.
// What somebody has come to need meanwhile is left out.
func (c *cleaning) mark(ctx context.Context) error {
	var chosen []*holding
	for _, h := range c.found.all {
		if h.why != "" {
			chosen = append(chosen, h)
		}
	}
	for some := range slices.Chunk(chosen, markAtOnce) {
		if err := c.markSome(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

func (c *cleaning) markSome(ctx context.Context, some []*holding) error {
	var refused map[*holding]bool
	if !c.dry {
		err := c.commit(ctx, "release", func(tx *bbolt.Tx) error {
			refused = make(map[*holding]bool)
			for _, h := range some {
				err := c.markOne(tx, h)
				if refused[h] = errors.Is(err, outbox.ErrState) || errors.Is(err, inbox.ErrState); err != nil && !refused[h] {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, h := range some {
		if !refused[h] {
			c.marked(h)
		}
	}
	return nil
}

func (c *cleaning) markOne(tx *bbolt.Tx, h *holding) error {
	if h.sent {
		return outbox.In(tx).Release(h.id, h.deadline, c.now)
	}
	return inbox.In(tx).Release(h.key, c.now)
}

func (c *cleaning) marked(h *holding) {
	h.released = true
	line := c.line(h.why)
	line.Documents++
	if line.Oldest.IsZero() || h.since.Before(line.Oldest) {
		line.Oldest = h.since
	}
	for _, d := range h.files {
		c.reasons[d] = h.why
	}
	if !c.dry {
		id := h.id
		if !h.sent {
			id = h.key.ID
		}
		c.watch.changed(id)
	}
}

func (c *cleaning) line(why string) *Cleaned {
	line, ok := c.by[why]
	if !ok {
		line = &Cleaned{Why: why}
		c.by[why] = line
	}
	return line
}

// remove removes every file that no document needs.
func (c *cleaning) remove(ctx context.Context) error {
	needed := c.found.uses()
	c.result.Kept = c.found.bytes(needed)
	fetching := make(map[digest]bool)
	for _, h := range c.found.all {
		needed[h.envelope]++
		for _, d := range h.files {
			fetching[d] = fetching[d] || h.pending
		}
	}
	return c.files.Walk(func(k files.Kept) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if needed[k.Digest] > 0 && !k.Partial || k.Partial && fetching[k.Digest] {
			return nil
		}
		return c.drop(k)
	})
}

// drop removes one file. One that cannot be removed just now, as Windows has it with
// one that is being read, is left to the next cleanup.
func (c *cleaning) drop(k files.Kept) error {
	if !c.dry {
		removed, failed := false, error(nil)
		err := c.step("unlink", func() error {
			removed, failed = c.sweep.Remove(k)
			return nil
		})
		if err != nil {
			return err
		}
		if failed != nil {
			c.result.Failed++
			c.log.Warn("a file that is not needed could not be removed", slog.Any("error", failed))
		}
		if failed != nil || !removed {
			return nil
		}
	}
	line := c.line(c.reasonFor(k))
	line.Files++
	line.Bytes += k.Bytes
	return nil
}

func (c *cleaning) reasonFor(k files.Kept) string {
	if k.Partial {
		return CleanPartial
	}
	return cmp.Or(c.reasons[k.Digest], CleanLeft)
}

func (c *cleaning) finish() Cleanup {
	for _, why := range []string{CleanSent, CleanReceived, CleanQuota, CleanLeft, CleanPartial} {
		if line, ok := c.by[why]; ok {
			c.result.Removed = append(c.result.Removed, *line)
		}
	}
	if !c.dry {
		c.quota.learn(c.result.Kept, c.now)
		c.logCleanup()
	}
	return c.result
}

func (c *cleaning) logCleanup() {
	for _, line := range c.result.Removed {
		c.log.Info("cleaned up", slog.String("why", line.Why), slog.Int("documents", line.Documents),
			slog.Int("files", line.Files), slog.Uint64("bytes", line.Bytes))
	}
	if c.result.OverQuota() {
		c.log.Error("what documents under way need is over the quota: nothing can be sent until some of them are done",
			slog.Uint64("kept", c.result.Kept), slog.Uint64("quota", c.result.Quota))
	}
}
