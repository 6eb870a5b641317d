package endpoint

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"docaxis/endpoint/files"
)

// clean cleans up now and then, and when the quota is reached, until ctx ends.
func (a *Agent) clean(ctx context.Context) error {
	for {
		wait := a.cfg.CleanEvery
		_, err := a.Clean(ctx, false)
		if err == nil {
			err = a.pruneAnswers(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case fatal(err):
			return err
		case err != nil && !errors.Is(err, files.ErrSweeping):
			a.log.Error("cleaning up failed; it is tried again", slog.Any("error", err))
			wait = min(wait, time.Hour)
		}
		if !a.untilDirty(ctx, a.cfg.Now().Add(wait)) {
			return nil
		}
	}
}

// untilDirty sleeps until the agent's clock shows a time, the quota is reached, or
// something was given back to its sender; false when ctx ended. The clock is looked at again every minute: a machine that
// slept must not sleep on.
func (a *Agent) untilDirty(ctx context.Context, at time.Time) bool {
	for {
		now := a.cfg.Now()
		if limit := a.cfg.Settings.Retention.QuotaBytes; limit > 0 && a.quota.stale(limit, 0, now) || !at.After(now) {
			return ctx.Err() == nil
		}
		if a.quota.age(now) >= recount && a.givenBack.Swap(false) {
			return ctx.Err() == nil
		}
		if !nap(ctx, min(at.Sub(now), idle), a.wake.clean) {
			return false
		}
	}
}
