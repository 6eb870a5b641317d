package intake

import (
	"context"
	"strconv"
	"time"

	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// quota counts, for each endpoint, what it may do so much of within a period. The
// appender's goroutine owns it. It begins anew with the process: it keeps a broken
// program from filling the disks, not a patient one.
type quota struct {
	limit  uint64
	period time.Duration

	since time.Time
	used  map[string]uint64
}

func newQuota(limit uint64, period time.Duration) *quota {
	return &quota{limit: limit, period: period, used: map[string]uint64{}}
}

// take uses so many; false where they are not left in this period. Who has used
// nothing in it may use any number once, so that nothing is refused for ever.
func (q *quota) take(who string, n uint64, now time.Time) bool {
	if !q.has(who, n, now) {
		return false
	}
	q.used[who] += n
	return true
}

// has reports whether take would succeed.
func (q *quota) has(who string, n uint64, now time.Time) bool {
	if now.Sub(q.since) >= q.period || now.Before(q.since) {
		q.since, q.used = now, map[string]uint64{}
	}
	used := q.used[who]
	return used == 0 || used < q.limit && n <= q.limit-used
}

// over is the refusal of who has used up a quota: what it is, and when the next
// period begins.
func (q *quota) over(what string) error {
	return reason.Temporary(axispb.ReasonCode_REASON_QUOTA, strconv.FormatUint(q.limit, 10)+" "+what, reason.Time(q.since.Add(q.period)))
}

const (
	defaultDocuments = 100_000
	defaultBytes     = 1 << 40
	// businessQuota is how many business states an endpoint may state of one document
	// and code within a day: each is a record that the sender is given.
	businessQuota = 100
	day           = 24 * time.Hour
)

// afford refuses a document that would be over a quota of its endpoint.
func (b *block) afford(s *submission) error {
	switch {
	case !b.in.documents.has(s.endpoint, 1, b.at):
		return b.in.documents.over("documents a day")
	case !b.in.bytes.has(s.endpoint, s.bytes(), b.at):
		return b.in.bytes.over("bytes a day")
	}
	return nil
}

// spend counts a document that became a record.
func (b *block) spend(s *submission) {
	b.in.documents.take(s.endpoint, 1, b.at)
	b.in.bytes.take(s.endpoint, s.bytes(), b.at)
}

func (s *submission) bytes() (total uint64) {
	for _, f := range s.envelope.Document.Files {
		total += f.Size
	}
	return total
}

// tooOften refuses a further business state of a document and code where there were
// too many within a day.
func (b *block) tooOften(ctx context.Context, s *statement, who recipient) error {
	if s.st.GetEvent() != axispb.Event_EVENT_BUSINESS_STATE {
		return nil
	}
	since := b.at.Add(-day)
	n, oldest, err := b.in.ledger.SaidSince(ctx, who.document, who.code, s.st.GetEvent(), since.UnixMilli())
	if err != nil {
		return err
	}
	if n+b.business[who] < businessQuota {
		return nil
	}
	again := b.at.Add(day)
	if n > 0 {
		again = time.UnixMilli(oldest).Add(day)
	}
	return reason.Temporary(axispb.ReasonCode_REASON_QUOTA, strconv.Itoa(businessQuota)+" business states of one document a day", reason.Time(again))
}
