package intake

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// brokenLog cannot write.
type brokenLog struct{}

var errDisk = errors.New("disk")

func (brokenLog) Commit(context.Context, []*axispb.Record) (Committed, error) {
	return Committed{}, errDisk
}
func (brokenLog) Epoch() uint64   { return 1 }
func (brokenLog) Size() uint64    { return 0 }
func (brokenLog) Time() time.Time { return time.Time{} }

// Whoever asks an appender that has failed is told at once, so that the axis can
// stop, and start clean, at once.
func TestAnAppenderThatEndedKeepsNobodyWaiting(t *testing.T) {
	in := New(Parts{Log: brokenLog{}}, Config{Now: time.Now, Random: rand.Reader})
	ran := make(chan error, 1)
	go func() { ran <- in.Run(t.Context()) }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for i := range 3 {
		err := in.ConfirmClock(ctx, "test", "test")
		if !reason.Is(err, axispb.ReasonCode_REASON_UNAVAILABLE) || !reason.IsTemporary(err) || ctx.Err() != nil {
			t.Fatalf("attempt %d: %v (%v)", i, err, ctx.Err())
		}
	}
	if err := <-ran; !errors.Is(err, errDisk) {
		t.Fatalf("Run gave %v", err)
	}
}
