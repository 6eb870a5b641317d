package endpoint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Days that are not set have their defaults; 0 is a number of days like any other.
func TestRetentionSettings(t *testing.T) {
	load := func(text string) (Settings, error) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, SettingsFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return LoadSettings(dir)
	}
	s, err := load("")
	if err != nil || s.Retention.outbox() != 30*day || s.Retention.inbox() != 90*day || s.Retention.QuotaBytes != 0 {
		t.Errorf("without settings: %s, %s, %v", s.Retention.outbox(), s.Retention.inbox(), err)
	}
	s, err = load("[retention]\noutbox_days = 0\ninbox_days = 400000\nquota_bytes = 5\n[limits]\nfree_bytes = 7\n")
	if err != nil || s.Retention.outbox() != 0 || s.Retention.inbox() != 36500*day || s.Retention.QuotaBytes != 5 || s.Limits.FreeBytes != 7 {
		t.Errorf("with settings: %+v, %v", s, err)
	}
	if s.Retention.inbox() < time.Duration(0) {
		t.Error("many days became less than none")
	}
	if _, err := load("[retention]\ninbox_days = -1\n"); err == nil || !strings.Contains(err.Error(), "retention.inbox_days is negative") {
		t.Errorf("negative days: %v", err)
	}
}
