package auditor

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docaxis/internal/lang"
)

// TestAFileThatChanges while it is read is no other file: nothing is concluded.
func TestAFileThatChanges(t *testing.T) {
	for _, size := range []int64{0, 10, 99_999, 100_000, 100_001, 1 << 20} {
		path := filepath.Join(t.TempDir(), "a")
		if err := os.WriteFile(path, []byte("%PDF-1.7\n"+strings.Repeat("x", 100_000-9)), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Truncate(path, size), os.Chtimes(path, time.Time{}, time.Unix(1, 0))); err != nil {
			t.Fatal(err)
		}
		said := func(err error) {
			t.Helper()
			var e *lang.Error
			if !errors.As(err, &e) || !strings.Contains(e.Vietnamese, "bị thay đổi trong khi đang đọc") || !strings.Contains(e.English, "changed while it was being read") {
				t.Errorf("%d bytes: %v", size, err)
			}
		}
		_, err = io.Copy(io.Discard, s.content())
		said(err)
		if size < 100_000 {
			_, err = s.ReadAt(make([]byte, 10), 99_995)
			said(err)
		}
		if f := newAudit(Options{At: time.Unix(1, 0), Lang: lang.English}).file(s); f.Result != Unusable || !strings.Contains(f.Sentence, "changed while") {
			t.Errorf("%d bytes: %+v", size, f)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err = s.ReadAt(make([]byte, 1), 0); err == nil || !strings.Contains(lang.Say(err, lang.Vietnamese), "Không đọc được") {
			t.Errorf("a closed file: %v", err)
		}
	}
}

// TestLinesStayLines: what a file is called or says can neither steer a terminal nor
// break out of its line.
func TestLinesStayLines(t *testing.T) {
	if got := clean("a\nb\x1b[2J\u202ec\u2028d\xff\x00"); got != "a b [2J c d? " {
		t.Errorf("%q", got)
	}
	if long := short(strings.Repeat("ă", maxText)); len(long) > maxText+len("…") {
		t.Errorf("%d bytes", len(long))
	}
}
