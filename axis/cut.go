package axis

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"docaxis/axis/journal"
	"docaxis/internal/lang"
)

// brokerStop bounds how long the broker may take to stop.
const brokerStop = 10 * time.Second

// readJournal opens the journal. Where the broker cut a damaged file it is started once
// more, since it takes no block before: what was cut off is then missing as after a
// restore, and a new epoch says so.
func (h *Hub) readJournal(ctx context.Context) (*journal.Journal, error) {
	j, err := h.tryJournal(ctx)
	var cut *journal.CutError
	if !errors.As(err, &cut) {
		return j, err
	}
	folder := filepath.Join(h.dir, "journal", "jetstream", "JOURNAL", "streams", cut.Stream, "msgs")
	h.log.Error("a file of the journal is damaged, and the broker cut it there: put the folder journal back from a backup, "+
		"leaving the folder keys as it is, or let endpoints give back what they keep",
		"folder", folder, "last", cut.Last, "lost", cut.Counter-cut.Last.Seq)
	stop, cancel := context.WithTimeout(ctx, brokerStop)
	defer cancel()
	if err := h.broker.Stop(stop); err != nil {
		return nil, fmt.Errorf("start the broker again: %w", err)
	}
	h.broker = nil
	if err := h.openBroker(ctx); err != nil {
		return nil, err
	}
	if j, err = h.tryJournal(ctx); errors.As(err, &cut) {
		return nil, lang.Errorf("Sổ ghi trong thư mục %s bị hỏng sau khối %v. Hãy dừng trục và khôi phục thư mục journal từ bản sao lưu, để nguyên thư mục keys.",
			"The journal in folder %s is damaged after block %v. Stop the axis and put the folder journal back from a backup, leaving the folder keys as it is.",
			folder, cut.Last).Because(err)
	}
	return j, err
}

func (h *Hub) tryJournal(ctx context.Context) (*journal.Journal, error) {
	return journal.Open(ctx, h.broker.Journal(), journal.Config{
		MaxStreamBytes: h.cfg.MaxStreamBytes, Faults: h.cfg.Faults, Log: h.log, AcceptLost: true,
	})
}
