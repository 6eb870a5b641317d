package auditor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"docaxis/internal/lang"
)

// source is a file that is read while nobody may change it. Its errors say that
// somebody did.
type source struct {
	*os.File
	path string
	size int64
	// written is when it was last written, as far as its file system knows.
	written time.Time
}

// open opens what is a file, and nothing that a reader might wait on for ever.
func open(path string) (*source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, lang.Errorf("%s không phải là tệp thường. Hãy chép ra một tệp rồi kiểm tra tệp đó.",
			"%s is no regular file. Copy it into one and verify that.", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	if info, err = f.Stat(); err != nil {
		return nil, errors.Join(unreadable(path, err), f.Close())
	}
	return &source{f, path, info.Size(), info.ModTime()}, nil
}

func unreadable(path string, err error) error {
	var e *lang.Error
	switch {
	case errors.As(err, &e):
		return err
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return lang.Errorf("Không có %s. Hãy kiểm tra tên tệp và thư mục.", "There is no %s. Check its name and folder.", path).Because(err)
	case errors.Is(err, fs.ErrPermission):
		return lang.Errorf("Không có quyền đọc %s. Hãy chạy bằng người dùng được phép, hoặc sửa quyền của tệp.",
			"%s may not be read. Run this as a user who may, or change its permissions.", path).Because(err)
	}
	return lang.Errorf("Không đọc được %s. Hãy chép lại tệp từ nguồn rồi thử lại.",
		"%s cannot be read. Copy it from its source again and try once more.", path).Because(err)
}

// still fails where the file is not as it was when it was opened.
func (s *source) still() error {
	info, err := s.Stat()
	switch {
	case err != nil:
		return unreadable(s.path, err)
	case info.Size() != s.size || !info.ModTime().Equal(s.written):
		return s.changed()
	}
	return nil
}

func (s *source) changed() error {
	return lang.Errorf("%s bị thay đổi trong khi đang đọc nên không kết luận gì. Hãy thử lại khi không còn chương trình nào ghi vào tệp.",
		"%s changed while it was being read, so nothing is concluded. Try again when no program writes to it.", s.path)
}

// ReadAt is the file's. A file that became shorter is an error of reading, and no end.
func (s *source) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.File.ReadAt(p, off)
	switch {
	case err == nil:
		return n, nil
	case !errors.Is(err, io.EOF):
		return n, unreadable(s.path, err)
	case off+int64(n) < s.size:
		return n, s.changed()
	}
	return n, err
}

// content reads the file once, as long as it was when it was opened; a longer one is
// another file, too.
func (s *source) content() io.Reader { return &steady{s, io.NewSectionReader(s, 0, s.size)} }

type steady struct {
	s *source
	r io.Reader
}

// Read gives the next part.
func (r *steady) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	if changed := r.s.still(); changed != nil {
		return n, changed
	}
	return n, err
}

// whole is all of a small file.
func (s *source) whole(most int64) ([]byte, error) {
	if s.size > most {
		return nil, fmt.Errorf("%d bytes, over the limit of %d", s.size, most)
	}
	return io.ReadAll(s.content())
}
