package pades

import (
	"errors"
	"fmt"
	"io"
)

// errCoverage: the byte range of a signature is not what it must be.
var errCoverage = errors.New("ByteRange")

// covered finds the revision that a signature covers. Its two ranges must begin at
// the first byte, leave out this dictionary's Contents and nothing else, and end
// where a revision does (ETSI EN 319 142-1 clause 5.5, ISO 32000-2 clause 12.8.1).
func (f *file) covered(d dictionaryOf) (rev int, err error) {
	r := d.ranges
	switch {
	case d.contents.at < 0:
		return 0, fmt.Errorf("%w: the signature lies in an object stream, which it would have to sign", errCoverage)
	case r[0] != 0:
		return 0, fmt.Errorf("%w begins at %d, not at the first byte", errCoverage, r[0])
	case r[1] != d.contents.at || r[2] != d.contents.at+int64(len(d.contents.raw)):
		return 0, fmt.Errorf("%w leaves out %d to %d; Contents is at %d to %d", errCoverage,
			r[1], r[2], d.contents.at, d.contents.at+int64(len(d.contents.raw)))
	case r[3] > f.size-r[2]:
		return 0, fmt.Errorf("%w ends at %d, behind the end of the file at %d", errCoverage, r[2]+r[3], f.size)
	}
	end := r[2] + r[3]
	for i, v := range f.revisions {
		if v.end == 0 || end < v.end || end > v.full+16 {
			continue
		}
		if end <= v.full {
			return i, nil
		}
		b, err := f.read(v.full, end, int(end-v.full))
		if err != nil {
			return 0, err
		}
		if isBlank(b) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%w ends at %d, where no revision of the file ends", errCoverage, end)
}

// signed reads what the ranges of a signature leave of the file.
func (f *file) signed(r [4]int64) io.Reader {
	return &honest{io.MultiReader(io.NewSectionReader(f.r, r[0], r[1]), io.NewSectionReader(f.r, r[2], r[3])), r[1] + r[3]}
}

// honest says so where the file turns out shorter than it was said to be: an end
// that comes early must not be taken for the end of what was signed.
type honest struct {
	r    io.Reader
	left int64
}

func (h *honest) Read(b []byte) (int, error) {
	n, err := h.r.Read(b)
	if h.left -= int64(n); err == io.EOF && h.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
