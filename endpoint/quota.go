package endpoint

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"docaxis/endpoint/files"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// quota knows how much the files of documents take, without counting them each time.
type quota struct {
	mu sync.Mutex
	// counted is when a cleanup counted; zero before the first.
	counted time.Time
	kept    uint64
}

// recount is how soon, at the earliest, what is over the quota is counted again.
const recount = time.Minute

// learn takes over what a cleanup counted.
func (q *quota) learn(kept uint64, at time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.kept, q.counted = kept, at
}

// age is for how long the last count holds.
func (q *quota) age(now time.Time) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	return now.Sub(q.counted)
}

// added counts files that came in. Those that were here already count twice until the
// next cleanup: before anything is refused, it is counted anew.
func (q *quota) added(bytes uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.kept += bytes
}

// admit refuses new files that would be over the quota, after a cleanup has made what
// room it can.
func (q *quota) admit(ctx context.Context, a *Agent, need uint64) error {
	limit := a.cfg.Settings.Retention.QuotaBytes
	if limit == 0 {
		return nil
	}
	if q.stale(limit, need, a.cfg.Now()) {
		// One that is going on already will do as well.
		if _, err := a.Clean(ctx, false); err != nil && !errors.Is(err, files.ErrSweeping) {
			return err
		}
	}
	if kept := q.look(); over(kept, need, limit) {
		return reason.Temporary(axispb.ReasonCode_REASON_CONTENT_QUOTA, strconv.FormatUint(kept, 10), strconv.FormatUint(limit, 10))
	}
	return nil
}

// stale reports whether it is time to count anew: it never was, or the quota seems to
// be reached and the count is not quite new.
func (q *quota) stale(limit, need uint64, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	age := now.Sub(q.counted)
	return q.counted.IsZero() || limit > 0 && over(q.kept, need, limit) && (age < 0 || age >= recount)
}

func (q *quota) look() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.kept
}

func over(kept, need, limit uint64) bool { return kept > limit || need > limit-kept }
