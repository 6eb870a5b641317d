package archive

import (
	"errors"
	"io/fs"

	"docaxis/internal/diskspace"
	"docaxis/internal/lang"
)

// What a reader may find, for errors.Is; each has a text for people.
var (
	// ErrDamaged: the file was cut, or bytes of it changed. Use another copy.
	ErrDamaged = errors.New("the backup is damaged")
	// ErrKey: no key that was given opens it.
	ErrKey = errors.New("no key opens the backup")
	// ErrNoArchive: it is something else than a backup.
	ErrNoArchive = errors.New("no backup")
	// ErrNewer: a newer program wrote it.
	ErrNewer = errors.New("a backup of a newer program")
	// ErrExists: there is a file of that name, which is never overwritten.
	ErrExists = errors.New("the file exists")
	// ErrFull: there is no room on the disk.
	ErrFull = errors.New("the disk is full")
)

// Damaged is what a reader says whose container holds what it should not.
func Damaged(cause error) error { return damaged(cause) }

func damaged(cause error) error {
	var own *fs.PathError
	if cause == nil || errors.Is(cause, ErrDamaged) || errors.As(cause, &own) {
		return cause
	}
	return lang.Errorf("Bản sao lưu bị hỏng hoặc bị cắt cụt (%v); không có gì thay đổi. Hãy dùng một bản khác.",
		"The backup is damaged or was cut short (%v); nothing was changed. Use another copy.", cause).Because(errors.Join(ErrDamaged, cause))
}

func notArchive(cause error) error {
	var own *fs.PathError
	if errors.Is(cause, ErrDamaged) || errors.As(cause, &own) {
		return cause
	}
	return lang.Errorf("Tệp này không phải là bản sao lưu của trục hay điểm kết nối, hoặc bị hỏng ngay ở đầu. Hãy kiểm tra tên tệp.",
		"The file is no backup of an axis or endpoint, or is damaged at its very beginning. Check its name.").Because(errors.Join(ErrNoArchive, cause))
}

func newer(m Manifest) error {
	return lang.Errorf("Bản sao lưu do phiên bản mới hơn ghi (%s, dạng %d; chương trình này đọc được dạng %d). Hãy dùng phiên bản đó.",
		"The backup was written by a newer version (%s, format %d; this program reads %d). Use that one.",
		m.Program, m.Version, Version).Because(ErrNewer)
}

// OtherKind is the error for a backup of an axis where one of an endpoint was to be
// given, or the other way.
func OtherKind(m Manifest) error {
	return lang.Errorf("Đây là bản sao lưu của %s %s. Hãy dùng lệnh: %s restore", "This is a backup of %s %s. Use the command: %s restore",
		m.Kind, m.Name, m.Kind).Because(ErrNoArchive)
}

// DiskError is an error with words for a full disk, where it is of one.
func DiskError(folder string, err error) error {
	if !diskspace.Exhausted(err) {
		return err
	}
	return lang.Errorf("Hết chỗ trên đĩa của %s; không có gì được giữ lại. Hãy giải phóng chỗ hoặc chọn nơi khác, rồi chạy lại.",
		"The disk of %s is full; nothing was kept. Make room or choose another place, then run this again.", folder).Because(errors.Join(ErrFull, err))
}
