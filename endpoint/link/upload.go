package link

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"docaxis/internal/bus"
	"docaxis/internal/chunk"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// askAtOnce bounds the digests of one have request (service.proto).
const askAtOnce = 4096

// File is a file to upload.
type File struct {
	chunk.File
	// Content of the file.
	Content io.ReaderAt
}

// Upload brings to the axis what it lacks of a file. ask says to ask first what it
// holds; without that every chunk is begun, which saves a round trip for what was
// never tried. between is called after each range and may end the upload by its
// error. moved reports whether anything was newly taken.
func (l *Link) Upload(ctx context.Context, f File, ask bool, between func() error) (moved bool, err error) {
	held := make([]*axispb.Held, len(f.Chunks))
	if ask {
		if held, err = l.have(ctx, f.Chunks); err != nil {
			return false, err
		}
	}
	u := &upload{link: l, file: f, held: held, between: between}
	err = u.run(ctx)
	return u.moved.Load(), err
}

// upload is a file on its way up.
type upload struct {
	link    *Link
	file    File
	held    []*axispb.Held
	between func() error
	next    atomic.Int64
	moved   atomic.Bool
}

// run moves one chunk after the other, and while the line is fast a second beside it.
func (u *upload) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	beside := make(chan struct{}, 1)
	for u.left() {
		if u.link.up.wide() {
			select {
			case beside <- struct{}{}:
				g.Go(func() error {
					defer leave(beside)
					return u.one(ctx)
				})
			default:
			}
		}
		if err := u.one(ctx); err != nil {
			g.Go(func() error { return err })
			break
		}
	}
	return g.Wait()
}

func (u *upload) left() bool { return u.next.Load() < int64(len(u.file.Chunks)) }

// one moves the next chunk that the axis lacks.
func (u *upload) one(ctx context.Context) error {
	for {
		i := u.next.Add(1) - 1
		if i >= int64(len(u.held)) {
			return nil
		}
		if u.held[i].GetComplete() {
			continue
		}
		put, err := u.link.chunk(ctx, u.file, uint64(i), u.held[i].GetBytes(), u.between)
		if put {
			u.moved.Store(true)
		}
		return err
	}
}

// PutAgain uploads one chunk of a file, the i-th, which the axis lost. between is as for
// Upload.
func (l *Link) PutAgain(ctx context.Context, f File, i int, between func() error) error {
	_, err := l.chunk(ctx, f, uint64(i), 0, between)
	return err
}

func (l *Link) have(ctx context.Context, ids []chunk.ID) ([]*axispb.Held, error) {
	var held []*axispb.Held
	for len(held) < len(ids) {
		part := ids[len(held):min(len(held)+askAtOnce, len(ids))]
		digests := make([][]byte, len(part))
		for i, id := range part {
			digests[i] = id[:]
		}
		var answer axispb.HaveAnswer
		if err := l.Call(ctx, bus.Have, &axispb.HaveRequest{Digests: digests}, &answer); err != nil {
			return nil, err
		}
		if len(answer.Held) != len(part) {
			return nil, odd("answered for %d chunks, asked for %d", len(answer.Held), len(part))
		}
		held = append(held, answer.Held...)
	}
	return held, nil
}

// chunk puts one chunk range by range, from what the axis holds. Every answer says
// where to go on; one that leads nowhere new twice is given up for now.
func (l *Link) chunk(ctx context.Context, f File, i uint64, at uint32, between func() error) (moved bool, err error) {
	size := chunk.Length(f.Size, i)
	stuck := false
	for {
		// All of it and yet not complete: the axis died before it had named the
		// chunk. An empty range at the end lets it finish.
		if at > size {
			return moved, odd("it holds %d bytes of a chunk of %d", at, size)
		}
		held, err := l.put(ctx, f, i, at, size)
		if err != nil {
			return moved, err
		}
		if held.GetComplete() {
			return true, between()
		}
		if held.GetBytes() <= at {
			if stuck {
				return moved, odd("it holds %d bytes after it was given more", held.GetBytes())
			}
			stuck = true
		} else {
			moved = true
		}
		at = held.GetBytes()
		if err := between(); err != nil {
			return moved, err
		}
	}
}

func (l *Link) put(ctx context.Context, f File, i uint64, at, size uint32) (*axispb.Held, error) {
	var answer axispb.PutAnswer
	err := l.ranged(ctx, l.up, size-at, func(n uint32) error {
		room := l.rooms.Get().(*[chunk.MaxRange]byte)
		defer l.rooms.Put(room) // the call has copied it
		data := room[:n]
		if _, err := f.Content.ReadAt(data, int64(i*chunk.Size+uint64(at))); err != nil && n > 0 {
			return fmt.Errorf("read the file to upload: %w", err)
		}
		req := &axispb.PutRequest{Digest: f.Chunks[i][:], Size: size, Offset: at, Data: data}
		return l.Call(ctx, bus.Put, req, &answer)
	})
	return answer.Held, err
}

// odd is an answer that no axis of this version gives.
func odd(format string, args ...any) error {
	return reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "the axis's answer makes no sense").
		Because(fmt.Errorf(format, args...))
}
