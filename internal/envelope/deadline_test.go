package envelope_test

import (
	"math"
	"testing"
	"time"

	"docaxis/internal/envelope"
)

func TestDeadlines(t *testing.T) {
	accepted := time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC)
	own := accepted.Add(90 * time.Minute)
	for _, tt := range []struct {
		name              string
		doc               envelope.Document
		hours             int
		consign, handover time.Time
	}{
		{"none", envelope.Document{}, 0, time.Time{}, time.Time{}},
		{"its own", envelope.Document{Deadline: own}, 0, own, own},
		{"its own before the policy's", envelope.Document{Deadline: own}, 1, own, own},
		{"the policy's", envelope.Document{Kind: envelope.KindDocument}, 48, accepted.Add(48 * time.Hour), accepted.Add(48 * time.Hour)},
		{"a status message", envelope.Document{Kind: envelope.KindStatus}, 48, accepted.Add(48 * time.Hour), time.Time{}},
		{"a status message with its own", envelope.Document{Kind: envelope.KindStatus, Deadline: own}, 48, own, own},
		{"more than a time can be", envelope.Document{}, math.MaxUint32, accepted.Add(366 * 24 * time.Hour), accepted.Add(366 * 24 * time.Hour)},
		{"less than nothing", envelope.Document{}, -1, time.Time{}, time.Time{}},
	} {
		if got := tt.doc.ConsignBy(accepted, tt.hours); !got.Equal(tt.consign) {
			t.Errorf("%s: consigned by %v, not %v", tt.name, got, tt.consign)
		}
		if got := tt.doc.HandoverBy(accepted, tt.hours); !got.Equal(tt.handover) {
			t.Errorf("%s: handed over by %v, not %v", tt.name, got, tt.handover)
		}
	}
}
