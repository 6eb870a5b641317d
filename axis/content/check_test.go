package content_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docaxis/axis/content"
	"docaxis/internal/chunk"
)

// Check sees every kind of harm that it is there for.
func TestCheckFindsHarm(t *testing.T) {
	data, other := bytesOf(1, 1000), bytesOf(2, 10)
	for name, c := range map[string]struct {
		harm func(dir string) error
		want string
	}{
		"chunk gone":      {func(d string) error { return os.Remove(chunkFile(d, data)) }, "is not there with 1000 bytes"},
		"chunk shortened": {func(d string) error { return os.Truncate(chunkFile(d, data), 7) }, "is not there with 1000 bytes"},
		"chunk empty":     {func(d string) error { return os.WriteFile(chunkFile(d, other), nil, 0o600) }, "is no file of"},
		"chunk too large": {func(d string) error {
			return os.WriteFile(chunkFile(d, other), make([]byte, chunk.Size+1), 0o600)
		}, "is no file of"},
		"wrong folder": {func(d string) error {
			return os.Rename(chunkFile(d, data), filepath.Join(d, "chunks", otherFolder(data), filepath.Base(chunkFile(d, data))))
		}, "is not named as a chunk"},
		"wrong name":     {func(d string) error { return os.WriteFile(filepath.Join(d, "chunks", "00", "readme"), data, 0o600) }, "is not named as a chunk"},
		"capital letter": {func(d string) error { return os.Rename(chunkFile(d, data), upper(chunkFile(d, data))) }, "is not named as a chunk"},
		"part misnamed": {func(d string) error {
			return os.WriteFile(filepath.Join(d, "parts", "e-e1", "x.part"), data, 0o600)
		}, "is not named as a part"},
		"usage":    {func(d string) error { return change(d, `UPDATE usage SET bytes = bytes + 1`) }, "usage of e1"},
		"no usage": {func(d string) error { return change(d, `DELETE FROM usage`) }, "usage of e1"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := &rig{t: t, dir: dir}
			s.start(content.Config{})
			defer s.Close()
			mustUpload(t, s, "e1", data)
			if err := s.Check(); err != nil {
				t.Fatalf("before the harm: %v", err)
			}
			if err := c.harm(dir); err != nil {
				t.Fatal(err)
			}
			if err := s.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func otherFolder(data []byte) string {
	if idOf(data).String()[:2] == "00" {
		return "01"
	}
	return "00"
}

func upper(path string) string {
	return filepath.Join(filepath.Dir(path), strings.ToUpper(filepath.Base(path)))
}

func change(dir, statement string) error {
	db, err := sql.Open("sqlite", filepath.Join(dir, "content.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(statement)
	return err
}

func TestVerifyFindsDamage(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, content.Config{})
	data := bytesOf(1, 1000)
	mustUpload(t, s, "e1", data, bytesOf(2, 1000))
	if err := s.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	writeFile(t, chunkFile(dir, data), bytesOf(3, 1000))
	err := s.Verify(t.Context())
	if err == nil || !strings.Contains(err.Error(), idOf(data).String()) {
		t.Errorf("error %v", err)
	}
}
