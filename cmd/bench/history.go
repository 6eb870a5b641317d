package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"docaxis/proto/axispb"
)

// history measures an axis whose journal grows long: what a document costs and how long
// the axis takes to start, with few records and with very many, and how fast it rebuilds
// its ledger. The records are made once and used for all of it.
func (p plan) history(ctx context.Context, w *world) (*History, error) {
	h := &historian{
		plan: p.History, world: w, size: p.FileBytes, out: &History{Rebuilt: p.History.Rebuilt},
		past: &past{axisDir: w.axisDir(), scratch: w.dir, files: p.History.Files},
	}
	for _, step := range []func(context.Context) error{h.few, h.rebuild, h.many, h.cleanStarts, h.cost, h.killedStarts} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return h.out, nil
}

// historian is a measurement of history under way. Between its steps nothing runs.
type historian struct {
	plan  historyPlan
	world *world
	past  *past
	size  int // of a document's file
	out   *History
}

// stock lets the journal have so many records; the axis has not seen them then.
func (h *historian) stock(ctx context.Context, records int) error {
	if err := h.world.close(); err != nil {
		return err
	}
	begun := time.Now()
	err := h.past.write(ctx, records)
	h.out.StockSeconds += time.Since(begun).Seconds()
	h.out.Records, h.out.Chunks = int(h.past.tree.Size()), h.past.chunks
	return err
}

// apply starts the axis, so that its ledger has everything, and stops it.
func (h *historian) apply(ctx context.Context) error {
	if err := h.world.startAxis(ctx); err != nil {
		return err
	}
	return h.world.axis.stop()
}

// startAll starts the axis and the endpoints, and waits until they are connected.
func (w *world) startAll(ctx context.Context) error {
	if err := w.startAxis(ctx); err != nil {
		return err
	}
	for _, m := range w.members {
		if err := w.restart(ctx, m); err != nil {
			return err
		}
	}
	return w.ready(ctx)
}

func (h *historian) few(ctx context.Context) (err error) {
	if err := h.stock(ctx, h.plan.Few); err != nil {
		return err
	}
	if h.out.FewMS, err = h.crossing(ctx); err != nil {
		return err
	}
	h.out.Few = h.out.Records
	return nil
}

// crossing is the axis's processor time of a document that crosses, in ms; 0 where this
// system does not tell. Everything runs when it returns.
func (h *historian) crossing(ctx context.Context) (float64, error) {
	if err := h.world.startAll(ctx); err != nil {
		return 0, err
	}
	l := load{from: h.world.members, to: h.world.members, documents: h.plan.Warmup, atOnce: h.plan.AtOnce, size: h.size}
	if _, err := l.run(ctx); err != nil {
		return 0, err
	}
	var costs []float64
	for range h.plan.Runs {
		before := h.world.used()
		l.documents = h.plan.Documents
		if _, err := l.run(ctx); err != nil {
			return 0, err
		}
		cost := used{}.plus(before, h.world.used()).perDocument(h.plan.Documents)
		if cost == nil {
			return 0, nil
		}
		costs = append(costs, cost.AxisMS)
	}
	return spread(costs).Median, nil
}

// rebuild deletes the ledger: the start after that takes longer, by what it takes to
// apply the whole journal.
func (h *historian) rebuild(ctx context.Context) error {
	if err := h.stock(ctx, h.plan.Rebuilt); err != nil {
		return err
	}
	if err := h.world.forgetLedger(); err != nil {
		return err
	}
	whole, err := h.timedStart(ctx)
	if err != nil {
		return err
	}
	without, err := h.timedStart(ctx)
	if err != nil {
		return err
	}
	h.out.Rebuilt = h.out.Records
	h.out.RebuildPerSecond = float64(h.out.Records) / (whole - without)
	h.out.InsertPerSecond, err = h.world.insertRate(ctx, wall)
	return err
}

// forgetLedger deletes the ledger of an axis that does not run.
func (w *world) forgetLedger() error {
	ledgers, err := filepath.Glob(filepath.Join(w.axisDir(), ledgerFile+"*"))
	for _, path := range ledgers {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// timedStart is how many seconds pass from the axis's start until a pull is answered; the
// axis is stopped then.
func (h *historian) timedStart(ctx context.Context) (float64, error) {
	took, err := h.serving(ctx)
	if err != nil {
		return 0, err
	}
	return took, h.world.axis.stop()
}

func (h *historian) serving(ctx context.Context) (float64, error) {
	begun := time.Now()
	if err := h.world.startAxis(ctx); err != nil {
		return 0, err
	}
	c, err := h.world.members[0].call(ctx)
	if err != nil {
		return 0, err
	}
	defer c.close()
	_, err = c.pull(ctx, &axispb.Cursor{Lane: axispb.Lane_LANE_NORMAL})
	return time.Since(begun).Seconds(), err
}

func (h *historian) many(ctx context.Context) error {
	if err := h.stock(ctx, h.plan.Records); err != nil {
		return err
	}
	return h.apply(ctx)
}

func (h *historian) cleanStarts(ctx context.Context) error {
	var all []float64
	for range h.plan.Starts {
		took, err := h.timedStart(ctx)
		if err != nil {
			return err
		}
		all = append(all, took)
	}
	h.out.CleanStart = spread(all)
	return nil
}

func (h *historian) cost(ctx context.Context) (err error) {
	if h.out.ManyMS, err = h.crossing(ctx); err != nil {
		return err
	}
	if h.out.FewMS > 0 {
		h.out.Growth = h.out.ManyMS / h.out.FewMS
	}
	h.out.AxisMiB, _ = residentMiB(h.world.axis, "VmHWM")
	return h.world.close() // so that its profile is written
}

// killedStarts kills the axis while documents cross, again and again.
func (h *historian) killedStarts(ctx context.Context) error {
	var all []float64
	for range h.plan.Starts {
		if err := h.world.startAll(ctx); err != nil {
			return err
		}
		took, err := h.killedStart(ctx)
		if err != nil {
			return err
		}
		all = append(all, took)
	}
	h.out.KilledStart = spread(all)
	return nil
}

func (h *historian) killedStart(ctx context.Context) (float64, error) {
	loading, enough := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l := load{from: h.world.members, to: h.world.members, documents: 1 << 30, atOnce: h.plan.AtOnce, size: h.size}
		l.run(loading) //nolint:errcheck // it ends when the axis is killed
	}()
	err := pause(ctx, h.plan.LoadFor)
	enough()
	err = errors.Join(err, h.world.axis.kill())
	<-ended
	if err = errors.Join(err, h.world.close()); err != nil {
		return 0, err
	}
	return h.timedStart(ctx)
}
