package axis

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"docaxis/internal/bus"
	"docaxis/internal/durable"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// gateFile says, in the axis's folder, that the hold of an epoch is over. Without it
// the hold begins again.
const gateFile = "recovery.json"

// gate keeps the order of an epoch that may have lost records: an endpoint gives
// back what it knows of the registry before it is served anything that rests on it,
// and nobody is served what is journaled before the others had the time to do so.
// So an endpoint whose revocation was lost does not slip in before it is known.
type gate struct {
	epoch  uint64 // 0: nothing can have been lost
	hold   time.Duration
	now    func() time.Time
	path   string
	others func() []string // every endpoint that is not revoked

	mu    sync.Mutex
	since time.Time // when the first endpoint came
	done  map[string]bool
	open  bool // the hold is over
	// rolled: the epoch was opened by a running axis, which lost nothing.
	rolled bool
}

type gateState struct {
	Epoch  uint64 `json:"epoch"`
	Open   bool   `json:"open"`
	Rolled bool   `json:"rolled,omitempty"`
}

// openGate reads whether the hold of an epoch is over.
func openGate(g *gate) (*gate, error) {
	g.done = map[string]bool{}
	raw, err := os.ReadFile(g.path)
	if errors.Is(err, os.ErrNotExist) {
		return g, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read how far the recovery is: %w", err)
	}
	var s gateState
	if json.Unmarshal(raw, &s) == nil && s.Epoch == g.epoch {
		g.open, g.rolled = s.Open, s.Rolled
	}
	return g, nil
}

// pass refuses, for the time being, what an endpoint may not ask yet.
func (g *gate) pass(s bus.Service, endpoint string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.epoch == 0 || g.rolled {
		return nil
	}
	if g.since.IsZero() {
		g.since = g.now()
	}
	switch s {
	case bus.Pull, bus.Proof, bus.Recover, bus.Renew, bus.Enrol:
		return nil
	}
	recovering := reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "recovering")
	if !g.done[endpoint] {
		return recovering
	}
	if s != bus.Submit && s != bus.Evidence && s != bus.Register || g.open {
		return nil
	}
	if g.now().Sub(g.since) < g.hold && !g.complete() {
		return recovering
	}
	return g.release()
}

// complete needs the lock.
func (g *gate) complete() bool {
	for _, name := range g.others() {
		if !g.done[name] {
			return false
		}
	}
	return true
}

// release needs the lock. What it remembers only saves the next start the wait.
func (g *gate) release() error {
	raw, err := json.Marshal(gateState{Epoch: g.epoch, Open: true, Rolled: g.rolled})
	if err == nil {
		err = durable.WriteFile(g.path, raw, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep how far the recovery is: %w", err)
	}
	g.open = true
	return nil
}

// said notes that an endpoint has no registry record left to give back.
func (g *gate) said(endpoint string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.done[endpoint] = true
}

// held reports whether what rests on the recovered records must still wait.
func (g *gate) held() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.epoch != 0 && !g.open
}
