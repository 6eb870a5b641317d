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

// throughput keeps every sender busy, several times.
func (p plan) throughput(ctx context.Context, w *world) (*Throughput, error) {
	return p.exchange(ctx, w, p.Throughput, signAndVerifyP256)
}

// rsa is throughput under RSA-2048 seals.
func (p plan) rsa(ctx context.Context, w *world) (*Throughput, error) {
	return p.exchange(ctx, w, p.RSA, signAndVerifyRSA)
}

// exchange lets the first half of the endpoints send to the second half, several times.
func (p plan) exchange(ctx context.Context, w *world, t throughputPlan, bare cryptography) (*Throughput, error) {
	half := len(w.members) / 2
	l := load{from: w.members[:half], to: w.members[half:], atOnce: t.AtOnce, size: p.FileBytes, documents: t.Warmup}
	out := &Throughput{
		Senders: half, Receivers: len(w.members) - half,
		FileBytes: p.FileBytes, Documents: t.Documents, Warmup: t.Warmup, AtOnce: t.AtOnce,
	}
	if _, err := l.run(ctx); err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	var cpu used
	var rates, limits []float64
	for range t.Runs {
		limit, err := cryptoLimit(t.CryptoFor, bare)
		if err != nil {
			return nil, err
		}
		before := w.used()
		l.documents = t.Documents
		took, err := l.run(ctx)
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

// load is so many documents, each sender's to the recipients in turn, so many under way
// at each sender.
type load struct {
	from, to                []*member
	documents, atOnce, size int
}

// run sends the load and returns how long it took until the evidence of the last one's
// consignment was verified at its sender.
func (l load) run(ctx context.Context) (time.Duration, error) {
	var sent atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	begun := time.Now()
	for _, from := range l.from {
		for range l.atOnce {
			content := newContent()
			g.Go(func() error {
				for n := sent.Add(1); n <= int64(l.documents); n = sent.Add(1) {
					if err := l.cross(ctx, from, int(n), content.bytes(l.size)); err != nil {
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
func (l load) cross(ctx context.Context, from *member, n int, content []byte) error {
	id, err := from.sendBytes(ctx, l.recipient(from, n).code, content)
	if err != nil {
		return err
	}
	return from.wait(ctx, id, consigned)
}

// recipient of the n-th document, never its sender.
func (l load) recipient(from *member, n int) *member {
	to := l.to[n%len(l.to)]
	if to == from {
		to = l.to[(n+1)%len(l.to)]
	}
	return to
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
