package main

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// throughput keeps every endpoint busy sending to the others, several times.
func (p plan) throughput(ctx context.Context, w *world) (*Throughput, error) {
	t := p.Throughput
	out := &Throughput{
		Endpoints: len(w.members), FileBytes: p.FileBytes, Documents: t.Documents, Warmup: t.Warmup, AtOnce: t.AtOnce,
	}
	if _, err := w.burst(ctx, t.Warmup, t.AtOnce, p.FileBytes); err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	var cpu used
	var rates, limits []float64
	for range t.Runs {
		limit, err := cryptoLimit(t.CryptoFor)
		if err != nil {
			return nil, err
		}
		before := w.used()
		took, err := w.burst(ctx, t.Documents, t.AtOnce, p.FileBytes)
		if err != nil {
			return nil, err
		}
		cpu = cpu.plus(before, w.used())
		limits = append(limits, limit)
		rates = append(rates, float64(t.Documents)/took.Seconds())
	}
	out.PerSecond, out.CryptoPerSecond = spread(rates), spread(limits)
	out.CPU = cpu.perDocument(t.Runs * t.Documents)
	return out, nil
}

// burst sends documents, each endpoint to the others in turn, so many under way at
// each, and returns how long it took until the evidence of the last one's
// consignment was verified at its sender.
func (w *world) burst(ctx context.Context, documents, atOnce, size int) (time.Duration, error) {
	var sent atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	begun := time.Now()
	for i := range w.members {
		for range atOnce {
			content := newContent()
			g.Go(func() error {
				for n := sent.Add(1); n <= int64(documents); n = sent.Add(1) {
					if err := w.cross(ctx, i, int(n), content.bytes(size)); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	err := g.Wait()
	return time.Since(begun), err
}

// cross sends the n-th document from a member and waits for its consignment.
func (w *world) cross(ctx context.Context, from, n int, content []byte) error {
	id, err := w.members[from].sendBytes(ctx, w.other(from, n).code, content)
	if err != nil {
		return err
	}
	return w.members[from].wait(ctx, id, consigned)
}

// other is the recipient of a member's n-th document.
func (w *world) other(from, n int) *member {
	return w.members[(from+1+n%(len(w.members)-1))%len(w.members)]
}

// content makes files of which none is like another, cheaply.
type content struct{ *rand.ChaCha8 }

func newContent() content {
	var seed [32]byte
	crand.Read(seed[:]) //nolint:errcheck // it never fails
	return content{rand.NewChaCha8(seed)}
}

func (c content) bytes(n int) []byte {
	b := make([]byte, n)
	c.Read(b) //nolint:errcheck // it never fails
	return b
}

// used is the processor time that each side has used.
type used struct {
	known                   bool
	axis, endpoints, driver time.Duration
}

func (w *world) used() used {
	u := used{known: true}
	read := func(pid int, into *time.Duration) {
		d, ok := processorTime(pid)
		u.known = u.known && ok
		*into += d
	}
	read(w.axis.cmd.Process.Pid, &u.axis)
	for _, m := range w.members {
		read(m.cmd.Process.Pid, &u.endpoints)
	}
	read(os.Getpid(), &u.driver)
	return u
}

// plus adds what was used between two moments.
func (u used) plus(before, after used) used {
	return used{
		known: before.known && after.known, axis: u.axis + after.axis - before.axis,
		endpoints: u.endpoints + after.endpoints - before.endpoints, driver: u.driver + after.driver - before.driver,
	}
}

// perDocument is what one document cost; nil where the system does not tell.
func (u used) perDocument(documents int) *CPU {
	if !u.known {
		return nil
	}
	ms := func(d time.Duration) float64 { return d.Seconds() * 1000 / float64(documents) }
	return &CPU{AxisMS: ms(u.axis), EndpointsMS: ms(u.endpoints), DriverMS: ms(u.driver)}
}
