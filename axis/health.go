package axis

import (
	"context"
	"time"

	"docaxis/internal/lang"
)

// sickLooks is how often in a row JetStream must be found ill.
const sickLooks = 3

// watchHealth looks at disks and JetStream until ctx ends. JetStream that met a failed
// write answers nobody from then on, and goes on when it is started again: so the
// axis stops with an error that says it, instead of waiting for ever. A single look may
// come while the server is at work on a stream.
func (h *Hub) watchHealth(ctx context.Context) error {
	tick := time.NewTicker(h.cfg.HealthEvery)
	defer tick.Stop()
	for bad := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		h.disks.tell()
		err := h.broker.Health()
		if err == nil {
			bad = 0
			continue
		}
		if bad++; bad == sickLooks && ctx.Err() == nil {
			return lang.Errorf("Kho của sổ ghi không ghi được nữa: %v. Hãy kiểm tra đĩa của thư mục %s rồi chạy lại trục; không có gì đã hứa bị mất.",
				"The journal's store cannot write any more: %v. Look at the disk of folder %s and start the axis again; nothing that was promised is lost.", err, h.dir).Because(err)
		}
	}
}
