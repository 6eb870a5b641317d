package intake

import "time"

// quota counts, for each endpoint, what it may do so often within a period. The
// appender's goroutine owns it.
type quota struct {
	limit  int
	period time.Duration

	since time.Time
	used  map[string]int
}

func newQuota(limit int, period time.Duration) *quota {
	return &quota{limit: limit, period: period, used: map[string]int{}}
}

// take uses one; false where none is left in this period.
func (q *quota) take(who string, now time.Time) bool {
	if now.Sub(q.since) >= q.period || now.Before(q.since) {
		q.since, q.used = now, map[string]int{}
	}
	if q.used[who] >= q.limit {
		return false
	}
	q.used[who]++
	return true
}
