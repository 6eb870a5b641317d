package axis

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"docaxis/axis/content"
	"docaxis/axis/journal"
	"docaxis/axis/ledger"
	"docaxis/axis/registry"
	axistlog "docaxis/axis/tlog"
	"docaxis/internal/lang"
)

// What a start does, and says, about a file that a disk has damaged: what can be made
// anew is set aside and made anew; of what cannot, the file is named, with what to do.

// lostKeys: nothing else has the axis's CA.
func lostKeys(dir string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return lang.Errorf("Thư mục %s thiếu khóa của trục (ca.key, ca.crt). Nếu là trục mới, hãy chạy axis init. Nếu trục đã hoạt động, hãy khôi phục cả thư mục này từ bản sao lưu.",
			"Folder %s lacks the axis's keys (ca.key, ca.crt). For a new axis run axis init. If the axis was in use, put this whole folder back from a backup.",
			dir).Because(fmt.Errorf("open the CA: %w", err))
	}
	return lang.Errorf("Khóa của trục (ca.key, ca.crt) trong %s bị hỏng; không có gì thay đổi. Hãy khôi phục cả thư mục này từ bản sao lưu.",
		"The axis's keys (ca.key, ca.crt) in %s are damaged; nothing was changed. Put this whole folder back from a backup.",
		dir).Because(fmt.Errorf("open the CA: %w", err))
}

// lostGuard: only a person may decide to go on without what was signed last.
func lostGuard(path string, err error) error {
	if !errors.Is(err, axistlog.ErrNoGuard) {
		return fmt.Errorf("open the guard: %w", err)
	}
	return lang.Errorf("Tệp %s (trục ghi nhớ điều đã ký) bị hỏng; không có gì thay đổi. Hãy chuyển tệp này đi nơi khác rồi khởi động lại: trục sẽ mở kỷ mới.",
		"File %s, in which the axis remembers what it signed, is damaged; nothing was changed. Move it away and start again: the axis then opens a new epoch.",
		path).Because(fmt.Errorf("open the guard: %w", err))
}

func lostLogKey(path string, err error) error {
	return lang.Errorf("Khóa của sổ %s bị hỏng; không có gì thay đổi. Hãy khôi phục tệp từ bản sao lưu, hoặc chuyển tệp đi nơi khác rồi khởi động lại: trục sẽ mở kỷ mới với khóa mới.",
		"The log's key %s is damaged; nothing was changed. Put it back from a backup, or move it away and start again: the axis then opens a new epoch with a new key.",
		path).Because(fmt.Errorf("open the log's key: %w", err))
}

// lostAxisKey: its certificate is the CA's, which gives another to a new key.
func lostAxisKey(dir string, err error) error {
	return lang.Errorf("Khóa ký bằng chứng của trục (%s, %s) bị hỏng. Hãy chuyển cả hai tệp đi nơi khác rồi khởi động lại: trục sẽ tạo khóa mới.",
		"The axis's evidence key (%s, %s) is damaged. Move both files away and start again: the axis then makes a new one.",
		filepath.Join(dir, "axis.key"), filepath.Join(dir, "axis.crt")).Because(fmt.Errorf("the axis's evidence key: %w", err))
}

// rely brings registry and tree to the journal's tail by a ledger that was there. One
// whose rows turn out to be wrong, though SQLite reads them, is rebuilt, too.
func (h *Hub) rely(ctx context.Context) error {
	grown := h.chain.at.Blocks > 0
	err := h.load(ctx)
	var corrupt *journal.CorruptError
	if err == nil || !grown || ctx.Err() != nil || errors.As(err, &corrupt) {
		return err
	}
	h.log.Warn("the ledger is damaged and is rebuilt", "error", err)
	if err := errors.Join(h.ledger.Close(), setAside(h.ledgerPath(), h.now())); err != nil {
		return err
	}
	if h.ledger, err = ledger.Open(ctx, h.ledgerPath()); err != nil {
		return err
	}
	h.registry = registry.NewState()
	h.chain.project.registry = h.registry
	if _, err := h.fits(ctx); err != nil {
		return err
	}
	return h.load(ctx)
}

func (h *Hub) load(ctx context.Context) error {
	if err := h.loadRegistry(ctx); err != nil {
		return err
	}
	if err := h.chain.catchUp(ctx, h.journal.Tail().Blocks); err != nil {
		return fmt.Errorf("apply the journal's last blocks: %w", err)
	}
	return h.trustEpochs(ctx)
}

// openStore opens the content store. What its database knows may be lost (decision
// 0010): a damaged one is set aside, and uploads begin again.
func openStore(dir string, cfg content.Config) (*content.Store, error) {
	s, err := content.Open(dir, cfg)
	if !errors.Is(err, content.ErrDatabase) {
		return s, err
	}
	cfg.Log.Warn("the content store's database is damaged and is begun anew; no content is lost", "error", err)
	if err := setAside(filepath.Join(dir, "content.db"), cfg.Now()); err != nil {
		return nil, err
	}
	return content.Open(dir, cfg)
}
