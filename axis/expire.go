package axis

import (
	"context"
	"time"
)

// overdueAtOnce is how many passed deadlines one look takes up.
const overdueAtOnce = 500

// expire states passed deadlines until ctx ends.
func (h *Hub) expire(ctx context.Context) error {
	tick := time.NewTicker(h.cfg.ExpireEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := h.expireNow(ctx); err != nil && ctx.Err() == nil {
			h.log.Warn("passed deadlines could not be stated; they will be", "error", err)
		}
	}
}

func (h *Hub) expireNow(ctx context.Context) error {
	if h.recovery.gate.held() {
		return nil // what was consigned in time may still come back
	}
	overdue, err := h.ledger.Overdue(ctx, h.now().UnixMilli(), overdueAtOnce)
	if err != nil {
		return err
	}
	for _, o := range overdue {
		if err := h.intake.Expire(ctx, o.Document, o.Code); err != nil {
			return err
		}
	}
	return nil
}
