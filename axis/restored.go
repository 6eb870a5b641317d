package axis

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"docaxis/internal/durable"
)

// RestoredFile is the name, in the folder of the keys, of the file that says that
// the axis was restored from a backup. The next start opens a new epoch whatever
// guard and journal say, and removes it when that is durable.
const RestoredFile = "restored"

// Restored is what the file says.
type Restored struct {
	// Who restored it, as the host knows them, when, and why.
	Who    string    `json:"who"`
	When   time.Time `json:"when"`
	Reason string    `json:"reason"`
	// BackupTime is when the backup was made; zero where that is not known.
	BackupTime time.Time `json:"backup_time,omitzero"`
}

// MarkRestored writes the file into the folder of the keys, durably. Whoever puts a
// backup in the place of an axis's folder calls it before the axis is started.
func MarkRestored(keys string, r Restored) error {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("mark the axis as restored: %w", err)
	}
	if err := durable.WriteFile(filepath.Join(keys, RestoredFile), append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("mark the axis as restored: %w", err)
	}
	return nil
}

// restored reads the file; false where there is none. One that cannot be read still
// says that the axis was restored.
func (h *Hub) restored() (Restored, bool, error) {
	raw, err := os.ReadFile(filepath.Join(h.keys(), RestoredFile))
	if errors.Is(err, os.ErrNotExist) {
		return Restored{}, false, nil
	}
	if err != nil {
		return Restored{}, false, fmt.Errorf("read whether the axis was restored: %w", err)
	}
	var r Restored
	if err := json.Unmarshal(raw, &r); err != nil {
		h.log.Warn("the file that says who restored the axis cannot be read", "error", err)
	}
	return r, true, nil
}

// unmark removes the file, once the epoch that it asked for is durable.
func (h *Hub) unmark() error {
	err := os.Remove(filepath.Join(h.keys(), RestoredFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = durable.SyncDir(h.keys())
	}
	if err != nil {
		return fmt.Errorf("forget that the axis was restored: %w", err)
	}
	return nil
}

// why is the reason that the epoch names.
func (r Restored) why() string {
	why := "the axis was restored from a backup"
	if !r.BackupTime.IsZero() {
		why += " of " + r.BackupTime.UTC().Format(time.RFC3339)
	}
	if r.Reason != "" {
		why += ": " + r.Reason
	}
	return why
}
