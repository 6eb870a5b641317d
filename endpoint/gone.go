package endpoint

import (
	"errors"
	"os"
	"path/filepath"

	"docaxis/internal/lang"
)

// checkGone refuses to begin a new store beside bodies of an old one: what was sent and
// confirmed would be forgotten without a word, and its counters used again.
func checkGone(dir string) error {
	path := filepath.Join(dir, "endpoint.db")
	info, err := os.Stat(path)
	if err == nil && info.Size() > 0 || err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	bodies, err := filepath.Glob(filepath.Join(dir, "content", "files", "*", "*"))
	if err != nil || len(bodies) == 0 {
		return err
	}
	return lang.Errorf("Tệp %s bị mất hoặc rỗng, trong khi nội dung văn bản vẫn còn; không có gì thay đổi. Hãy khôi phục cả thư mục từ bản sao lưu: endpoint restore. Nếu không có bản sao lưu, hãy xin quản trị trục lời mời mới và gia nhập bằng một thư mục khác.",
		"File %s is gone or empty, though contents of documents are there; nothing was changed. Put the whole folder back from a backup: endpoint restore. Without a backup, ask the operator of the axis for a new invitation and join with another folder.",
		path)
}
