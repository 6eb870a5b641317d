// Package link owns the conversation with the axis: who this endpoint is, how it
// joins and renews its certificate, and how its requests share one thin line.
//
// At most six requests are under way, so that the axis's queue for this endpoint is
// never full; of ranges of content, up or down, only one, and two where each takes no
// tenth of a second. A range is sized to take
// about two seconds, and whoever moves a large file waits in line for each, so
// that small and urgent matters pass between. What travels inside submissions is no more
// at once than such a range.
package link

import (
	"context"
	"crypto/tls"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"google.golang.org/protobuf/proto"

	"docaxis/internal/bus"
	"docaxis/internal/chunk"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// inFlight is below the eight requests that the axis queues for an endpoint.
const inFlight = 6

// Caller asks the axis. Its errors are *reason.Error; those of a call that got no
// answer are temporary, and whether the request was carried out is then unknown. When a
// call returns, nothing looks at the request any more.
type Caller interface {
	Call(ctx context.Context, s bus.Service, req, resp proto.Message) error
}

// Conn is a connection to the axis that heals by itself, as bus.Conn.
type Conn interface {
	Caller
	// Connected reports whether a call has a chance just now.
	Connected() bool
	// OnBell and OnConnect set what is called, quickly, when the axis rings and
	// when the connection is there.
	OnBell(func())
	OnConnect(func())
	// SetCertificate connects again with a renewed certificate.
	SetCertificate(tls.Certificate) error
	Close()
}

// Link is the conversation. Safe for concurrent use.
type Link struct {
	conn     Conn
	now      func() time.Time
	slots    chan struct{}
	ranges   *semaphore.Weighted // of rangeParts
	aboard   *semaphore.Weighted // of aboardParts
	up, down *pace
	// rooms are what ranges are read into that go up, as *[chunk.MaxRange]byte: they are used
	// again, since a large file has thousands.
	rooms sync.Pool
}

// New begins a conversation over a connection. now measures how long a range
// takes.
func New(conn Conn, now func() time.Time) *Link {
	return &Link{
		conn:   conn,
		now:    now,
		slots:  make(chan struct{}, inFlight),
		ranges: semaphore.NewWeighted(rangeParts),
		rooms:  sync.Pool{New: func() any { return new([chunk.MaxRange]byte) }},
		aboard: semaphore.NewWeighted(aboardParts),
		up:     newPace(),
		down:   newPace(),
	}
}

// Connected reports whether a call has a chance just now.
func (l *Link) Connected() bool { return l.conn.Connected() }

// Call asks the axis, waiting while too many requests are under way.
func (l *Link) Call(ctx context.Context, s bus.Service, req, resp proto.Message) error {
	if err := enter(ctx, l.slots); err != nil {
		return err
	}
	defer leave(l.slots)
	return l.conn.Call(ctx, s, req, resp)
}

// Get brings a range of a chunk of a document: at most limit bytes, fewer where
// the line is slow.
func (l *Link) Get(ctx context.Context, leaf uint64, id chunk.ID, offset, limit uint32) ([]byte, error) {
	var answer axispb.GetAnswer
	err := l.ranged(ctx, l.down, limit, func(n uint32) error {
		return l.Call(ctx, bus.Get, &axispb.GetRequest{LeafIndex: leaf, Digest: id[:], Offset: offset, Length: n}, &answer)
	})
	return answer.Data, err
}

// Wide reports whether the line is so fast that two ranges may come at once.
func (l *Link) Wide() bool { return l.down.wide() }

// Range is how many bytes come in about two seconds, as far as that is known.
func (l *Link) Range() uint32 { return l.down.size() }

// ranged moves at most limit bytes when it is this caller's turn, and learns from
// how long it took.
func (l *Link) ranged(ctx context.Context, p *pace, limit uint32, move func(n uint32) error) error {
	parts := p.parts(limit)
	if err := l.ranges.Acquire(ctx, parts); err != nil {
		return stopped(err)
	}
	defer l.ranges.Release(parts)
	n, start := min(limit, p.size()), l.now()
	err := move(n)
	p.learn(n, l.now().Sub(start), err)
	return err
}

func enter(ctx context.Context, places chan struct{}) error {
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return stopped(ctx.Err())
	}
}

func stopped(cause error) error {
	return reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "stopped").Because(cause)
}

func leave(places chan struct{}) { <-places }
