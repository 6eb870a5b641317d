package pades

import "errors"

// What a file may ask for beside its size. All work is paid for here, so that it
// grows with the file and with nothing that the file says.
const (
	freeBytes     = 8 << 20 // read and inflated without regard to the size
	bytesPerByte  = 8       // read, per byte of the file
	inflatedPer   = 4       // inflated, per byte of the file
	perRead       = 32      // paid for a read at least
	maxNesting    = 64      // of arrays and dictionaries
	maxObject     = 8 << 20 // syntax of one object
	maxRevisions  = 1000
	maxFields     = 200_000
	maxSignatures = 64
	maxFieldDepth = 32
	maxListed     = 100 // changes that are listed one by one
	freeEntries   = 4096
	entriesPer    = 4 // bytes of the file for which an object may be listed
)

// ErrTooMuch says that a file asks for far more work than its size explains. The
// file is hostile or broken; nothing is known about its signatures.
var ErrTooMuch = errors.New("pades: the file asks for more work than its size explains")

// meter counts down what may still be read and inflated.
type meter struct{ read, inflated int64 }

func newMeter(size int64) *meter {
	return &meter{freeBytes + bytesPerByte*size, freeBytes + inflatedPer*size}
}

func (m *meter) pay(n int) error {
	m.read -= int64(max(n, perRead))
	if m.read < 0 {
		return ErrTooMuch
	}
	return nil
}

func (m *meter) payInflated(n int) error {
	m.inflated -= int64(n)
	if m.inflated < 0 {
		return ErrTooMuch
	}
	return nil
}
