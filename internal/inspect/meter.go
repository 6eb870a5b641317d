package inspect

import (
	"context"
	"errors"
	"io"
)

// errWork says that a file asks for far more reading than its size explains.
var errWork = errors.New("inspect: it asks for too much work")

const (
	// workBase and workEach bound what is read for one file: 64 signatures over a large
	// file, judged twice, would keep everybody else's files waiting for an hour.
	workBase = 4 << 30
	workEach = 16
)

// meter pays for what is read of one file, and ends the reading with its context.
type meter struct {
	ctx  context.Context
	left int64
}

func newMeter(ctx context.Context, size int64) *meter {
	return &meter{ctx: ctx, left: workBase + workEach*size}
}

// of is a reader that the meter pays for; a nil meter pays for anything.
func (m *meter) of(r io.ReaderAt) io.ReaderAt {
	if m == nil {
		return r
	}
	return &metered{r, m}
}

type metered struct {
	r io.ReaderAt
	m *meter
}

// ReadAt reads what is paid for.
func (r *metered) ReadAt(p []byte, off int64) (int, error) {
	if err := r.m.ctx.Err(); err != nil {
		return 0, err
	}
	if r.m.left -= int64(len(p)); r.m.left < 0 {
		return 0, errWork
	}
	return r.r.ReadAt(p, off)
}
