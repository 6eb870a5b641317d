package endpoint

import (
	"errors"
	"time"

	"docaxis/internal/lang"
)

// Days for which files are kept where nothing else is set.
const (
	defaultOutboxDays = 30
	defaultInboxDays  = 90
)

// Retention says how long the files of documents are kept that nobody needs any
// more. Envelopes, receipts and evidence are not concerned: they are the proof, and
// stay.
type Retention struct {
	// OutboxDays are counted from when every recipient has consigned what was sent,
	// or will not get it; 30 where it is not set.
	OutboxDays *int `toml:"outbox_days"`
	// InboxDays are counted from when the agency took, or refused, what was received;
	// 90 where it is not set.
	InboxDays *int `toml:"inbox_days"`
	// QuotaBytes bounds the files of all documents together: above it, what nobody
	// needs goes earlier, oldest first. 0 means no bound.
	QuotaBytes uint64 `toml:"quota_bytes"`
}

func (r Retention) validate() error {
	var found []error
	for name, days := range map[string]*int{"outbox_days": r.OutboxDays, "inbox_days": r.InboxDays} {
		if days != nil && *days < 0 {
			found = append(found, lang.Errorf("retention.%s không được âm: hãy ghi số ngày, 0 là dọn ngay", "retention.%s is negative: write a number of days, 0 for at once", name))
		}
	}
	return errors.Join(found...)
}

func (r Retention) outbox() time.Duration { return days(r.OutboxDays, defaultOutboxDays) }
func (r Retention) inbox() time.Duration  { return days(r.InboxDays, defaultInboxDays) }

// days is a number of days, no longer than a time.Duration can say.
func days(set *int, otherwise int) time.Duration {
	const most = 100 * 365
	if set != nil {
		otherwise = *set
	}
	return time.Duration(min(otherwise, most)) * 24 * time.Hour
}
