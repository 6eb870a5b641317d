package vxp

import (
	"context"
	"sync"
	"time"
)

// gate lets so many requests in at once, half of them of any one system: a system that
// calls without end must not keep the others out. It comes after the signature, so it
// knows only systems that exist.
type gate struct {
	all      chan struct{}
	each     int
	patience time.Duration

	mu      sync.Mutex // guards systems
	systems map[string]chan struct{}
}

func newGate(most int, patience time.Duration) *gate {
	return &gate{
		all: make(chan struct{}, most), each: (most + 1) / 2, patience: patience,
		systems: map[string]chan struct{}{},
	}
}

// enter waits for a place, for a while. The caller calls leave when it is done.
func (g *gate) enter(ctx context.Context, system string) (leave func(), err error) {
	wait, cancel := context.WithTimeout(ctx, g.patience)
	defer cancel()
	own := g.of(system)
	if !take(wait, own) {
		return nil, busy()
	}
	if !take(wait, g.all) {
		<-own
		return nil, busy()
	}
	return func() { <-g.all; <-own }, nil
}

func (g *gate) of(system string) chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.systems[system] == nil {
		g.systems[system] = make(chan struct{}, g.each)
	}
	return g.systems[system]
}

func take(ctx context.Context, places chan struct{}) bool {
	select {
	case places <- struct{}{}:
		return true
	default:
	}
	select {
	case places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}
