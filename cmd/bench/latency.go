package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// latency sends at a gentle rate, whether or not the document before has arrived.
func (p plan) latency(ctx context.Context, w *world) (*Latency, error) {
	l := p.Latency
	out := &Latency{Documents: l.Documents, PerSecond: l.PerSecond, FileBytes: p.FileBytes}
	if _, err := (load{w.members, w.members, l.Warmup, 1, p.FileBytes}).run(ctx); err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	var t stops
	if err := w.pace(ctx, l, p.FileBytes, &t); err != nil {
		return nil, err
	}
	out.Safe, out.Receipt, out.Consignment = timing(t.safe), timing(t.receipt), timing(t.consignment)
	synced, err := probe(l.Probes, syncProbe(filepath.Join(w.dir, "probe"), p.FileBytes))
	if err != nil {
		return nil, err
	}
	trip, closeTrip, err := tlsProbe(p.FileBytes)
	if err != nil {
		return nil, err
	}
	defer closeTrip()
	tripped, err := probe(l.Probes, trip)
	out.Sync, out.RoundTrip = timing(synced), timing(tripped)
	return out, err
}

// stops collects how long documents took to each point of their way.
type stops struct {
	mu                         sync.Mutex
	safe, receipt, consignment []time.Duration
}

// pace begins a document at every tick.
func (w *world) pace(ctx context.Context, l latencyPlan, size int, t *stops) error {
	g, ctx := errgroup.WithContext(ctx)
	tick := time.NewTicker(time.Second / time.Duration(l.PerSecond))
	defer tick.Stop()
	content := newContent()
	for n := range l.Documents {
		select {
		case <-ctx.Done():
			return g.Wait()
		case <-tick.C:
		}
		body := content.bytes(size)
		g.Go(func() error { return w.clock(ctx, n, body, t) })
	}
	return g.Wait()
}

// clock follows one document.
func (w *world) clock(ctx context.Context, n int, content []byte, t *stops) error {
	all := load{from: w.members, to: w.members}
	m, begun := w.members[n%len(w.members)], time.Now()
	id, err := m.sendBytes(ctx, all.recipient(m, n/len(w.members)).code, content)
	if err != nil {
		return err
	}
	safe := time.Since(begun)
	if err := m.wait(ctx, id, accepted); err != nil {
		return err
	}
	receipt := time.Since(begun)
	if err := m.wait(ctx, id, consigned); err != nil {
		return err
	}
	consignment := time.Since(begun)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.safe, t.receipt, t.consignment = append(t.safe, safe), append(t.receipt, receipt), append(t.consignment, consignment)
	return nil
}
