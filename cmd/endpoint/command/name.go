package command

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// safeName makes a file name of a title, which came from outside: no folders, no
// control or reserved characters, no names that Windows keeps for devices.
func safeName(title string, n int) string {
	name := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, title)
	name = strings.Trim(name, ". ")
	if len(name) > 200 {
		ext := filepath.Ext(name)
		if len(ext) > 20 {
			ext = ""
		}
		name = strings.ToValidUTF8(name[:200-len(ext)], "") + ext
	}
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	if name == "" || reserved(base) {
		return fmt.Sprintf("%03d-%s", n+1, name)
	}
	return name
}

func reserved(base string) bool {
	switch base {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(base) == 4 && (strings.HasPrefix(base, "COM") || strings.HasPrefix(base, "LPT"))
}

// create makes a new file, numbered where the name is taken.
func create(dir, name string) (*os.File, error) {
	ext := filepath.Ext(name)
	for i := 1; ; i++ {
		try := name
		if i > 1 {
			try = fmt.Sprintf("%s (%d)%s", strings.TrimSuffix(name, ext), i, ext)
		}
		f, err := os.OpenFile(filepath.Join(dir, try), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if !errors.Is(err, os.ErrExist) || i == 1000 {
			return f, err
		}
	}
}
