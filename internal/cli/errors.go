package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"docaxis/internal/admin"
	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Folder says how a program's folder is known and made.
type Folder struct {
	// Marker is a file or folder that every such folder has.
	Marker string
	// Make is the command that makes one, with a place for the folder: "axis init --dir %s".
	Make string
	// Env is the environment variable that names the folder.
	Env string
}

// CheckFolder refuses a folder that is not of this program: most often somebody is
// in another folder than they think.
func (io *IO) CheckFolder(dir string) error {
	f := io.program.Folder
	_, err := os.Stat(filepath.Join(dir, f.Marker))
	if f.Marker == "" || !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	command := fmt.Sprintf(f.Make, dir)
	return lang.Errorf("%s không phải thư mục của %s (không có %s). Hãy nêu đúng thư mục bằng --dir hoặc %s, hoặc tạo mới: %s",
		"%s is no folder of %s (it has no %s). Name the right one with --dir or %s, or make one: %s",
		dir, io.program.Name, f.Marker, f.Env, command)
}

// end reports an error in the user's language and gives its exit code.
func (io *IO) end(err error) int {
	if err == nil {
		return OK
	}
	var code Code
	if errors.As(err, &code) && code.Err == nil {
		return code.Exit
	}
	var away *admin.NotRunning
	if errors.As(err, &away) {
		if wrong := io.CheckFolder(away.Dir); wrong != nil {
			err, away = wrong, nil
		}
	}
	fmt.Fprintf(io.Err, "%s: %s\n", io.program.Name, io.Explain(err))
	switch {
	case code.Exit != 0:
		return code.Exit
	case away != nil:
		return TryAgain
	case reason.Is(err, axispb.ReasonCode_REASON_NOT_FOUND):
		return NotFound
	}
	var e *reason.Error
	if errors.As(err, &e) && e.Temporary() {
		return TryAgain
	}
	return Failed
}

// reasoned is the part of an error that begins with its reason; nil where it has
// none. What stands around it says more.
func reasoned(err error) error {
	var e *reason.Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// Explain says an error to a person.
func (io *IO) Explain(err error) string {
	var (
		away *admin.NotRunning
		said *lang.Error
		path *fs.PathError
	)
	switch {
	case errors.As(err, &away):
		return fmt.Sprintf(io.Say("Chưa có tiến trình nào chạy trên thư mục %s. Hãy chạy: %s serve --dir %s", "Nothing runs on folder %s. Start it: %s serve --dir %s"),
			away.Dir, io.program.Name, away.Dir)
	case errors.As(err, &said) && !errors.Is(reasoned(err), said):
		return lang.Say(err, io.Lang)
	case reason.Of(err) != nil:
		return reason.Sentence(reason.Of(err), io.Lang)
	case errors.Is(err, fs.ErrPermission) && errors.As(err, &path):
		return fmt.Sprintf(io.Say("Không có quyền truy cập %s. Hãy chạy bằng người dùng sở hữu, hoặc sửa quyền của tệp.",
			"%s may not be accessed. Run this as the user who owns it, or change its permissions."), path.Path)
	case errors.Is(err, fs.ErrNotExist) && errors.As(err, &path):
		return fmt.Sprintf(io.Say("Không có %s. Hãy kiểm tra tên tệp và thư mục.", "There is no %s. Check its name and folder."), path.Path)
	}
	return reason.Phrases(err.Error(), io.Lang)
}
