package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"docaxis/internal/chunk"
	"docaxis/internal/envelope"
	"docaxis/internal/hubtest"
)

// accept lets connections without endpoints submit sealed documents as fast as the axis
// accepts them. Every document of a sender has the same file, uploaded before, so that
// acceptance alone is measured: form, seal, content, journal, tree, ledger, receipt.
func (p plan) accept(ctx context.Context, w *world) (*Accept, error) {
	a := p.Accept
	s := &submitters{to: a.Codes, atOnce: a.AtOnce}
	defer s.close()
	for _, code := range a.Codes {
		if err := s.add(ctx, w, code, p.FileBytes); err != nil {
			return nil, fmt.Errorf("%s: %w", code, err)
		}
	}
	bare, err := hubtest.OpenBareStream(ctx, filepath.Join(w.dir, "bare"))
	if err != nil {
		return nil, err
	}
	out := &Accept{Senders: len(a.Codes), AtOnce: a.AtOnce * len(a.Codes), Documents: a.Documents}
	err = a.runs(ctx, w, s, bare, out)
	if stopped := bare.Close(ctx); err == nil {
		err = stopped
	}
	return out, err
}

func (a acceptPlan) runs(ctx context.Context, w *world, s *submitters, bare *hubtest.BareStream, out *Accept) error {
	var rates, singles []float64
	var cpu used
	for range a.Runs {
		sealed, err := s.seal(ctx, a.Documents)
		if err != nil {
			return err
		}
		single, err := singleRate(ctx, bare, a.SingleFor, sealed[0][0])
		if err != nil {
			return err
		}
		before := w.used()
		took, err := s.submit(ctx, sealed)
		if err != nil {
			return err
		}
		cpu = cpu.plus(before, w.used())
		rates, singles = append(rates, float64(a.Documents)/took.Seconds()), append(singles, single)
		out.RecordBytes = len(sealed[0][0])
	}
	out.PerSecond, out.SinglePerSecond = spread(rates), spread(singles)
	if cost := cpu.perDocument(a.Runs * a.Documents); cost != nil {
		out.AxisMS = cost.AxisMS
	}
	return nil
}

// singleRate is how many messages like one a second a single writer stores, each synced
// before the next is sent.
func singleRate(ctx context.Context, bare *hubtest.BareStream, d time.Duration, message []byte) (float64, error) {
	n, begun := 0, time.Now()
	for time.Since(begun) < d {
		if err := bare.Publish(ctx, message); err != nil {
			return 0, err
		}
		n++
	}
	return float64(n) / time.Since(begun).Seconds(), nil
}

// submitters are connections that submit, each with a file that the axis has.
type submitters struct {
	callers []*caller
	files   []chunk.File
	to      []string
	atOnce  int // requests under way on each
}

func (s *submitters) add(ctx context.Context, w *world, code string, size int) error {
	c, err := w.call(ctx, code)
	if err != nil {
		return err
	}
	s.callers = append(s.callers, c)
	f, err := c.put(ctx, newContent().bytes(size))
	s.files = append(s.files, f)
	return err
}

func (s *submitters) close() {
	for _, c := range s.callers {
		c.close()
	}
}

// seal makes so many documents, shared out among the senders, on every core.
func (s *submitters) seal(ctx context.Context, documents int) ([][][]byte, error) {
	all := make([][][]byte, len(s.callers))
	for n := range documents {
		i := n % len(all)
		all[i] = append(all[i], nil)
	}
	g, _ := errgroup.WithContext(ctx)
	g.SetLimit(cores())
	for i, c := range s.callers {
		g.Go(func() (err error) {
			for n := range all[i] {
				to := envelope.Document{To: []string{s.to[(i+1)%len(s.to)]}}
				if all[i][n], err = c.compose(to, s.files[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return all, g.Wait()
}

// submit offers everything and returns how long it took until the last was accepted.
func (s *submitters) submit(ctx context.Context, sealed [][][]byte) (time.Duration, error) {
	g, ctx := errgroup.WithContext(ctx)
	begun := time.Now()
	for i, c := range s.callers {
		var next atomic.Int64
		for range s.atOnce {
			g.Go(func() error {
				for n := next.Add(1); n <= int64(len(sealed[i])); n = next.Add(1) {
					if err := c.submit(ctx, sealed[i][n-1]); err != nil {
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
