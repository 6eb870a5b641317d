package xmldsig

import "io"

// meter bounds the work that a file may ask for: how much is read again, and how much
// is written for digests. Canonical forms can be far larger than the file.
type meter struct{ left int64 }

const (
	freeWork    = 8 << 20
	workPerByte = 24
)

func newMeter(size int) *meter { return &meter{freeWork + workPerByte*int64(size)} }

func (m *meter) spend(n int) error {
	if m.left -= int64(n); m.left < 0 {
		return excessive("its signatures ask for far more work than its size explains")
	}
	return nil
}

// metered is a writer that is paid for.
type metered struct {
	w io.Writer
	m *meter
}

// Write writes, unless too much was written.
func (w metered) Write(p []byte) (int, error) {
	if err := w.m.spend(len(p)); err != nil {
		return 0, err
	}
	return w.w.Write(p)
}
