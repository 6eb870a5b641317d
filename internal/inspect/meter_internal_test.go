package inspect

import (
	"bytes"
	"context"
	"errors"
	"testing"
)

// A file is given up once it has cost too much, and at the end of the context.
func TestMeter(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	m := &meter{ctx: ctx, left: 10}
	r, p := m.of(bytes.NewReader(make([]byte, 100))), make([]byte, 5)
	for _, want := range []error{nil, nil, errWork} {
		if _, err := r.ReadAt(p, 0); !errors.Is(err, want) {
			t.Errorf("%v, not %v", err, want)
		}
	}
	stop()
	if _, err := newMeter(ctx, 1).of(bytes.NewReader(p)).ReadAt(p, 0); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	l := tooMuchWork("a.pdf", PDF)
	if (&Judge{}).Refuses(2, "H41", l) == nil {
		t.Error("what was given up passes a policy that refuses what cannot be read")
	}
}
