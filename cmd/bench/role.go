package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"runtime/pprof"

	"golang.org/x/sync/errgroup"

	"docaxis/axis"
	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/admin"
	"docaxis/internal/cli"
)

// ready is the line by which a role says that it serves.
const ready = "ready"

// role is a process that the benchmark starts of itself. It ends when its standard
// input does, so that none is left behind, however the benchmark ends.
type role struct {
	Dir     string `arg:""`
	Profile string `help:"Path of the profiles, without their endings."`
}

type (
	axisRole     struct{ role }
	endpointRole struct{ role }
)

// Run serves as cmd/axis does.
func (r axisRole) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	return r.serve(ctx, g, func(ctx context.Context) error {
		f, err := axis.LoadFile(r.Dir)
		if err != nil {
			return err
		}
		h, err := axis.Open(ctx, r.Dir, axis.Config{File: f, Log: logTo(o.Err)})
		if err != nil {
			return err
		}
		fmt.Fprintln(o.Out, ready)
		return errors.Join(h.Run(ctx), h.Close())
	})
}

// Run serves as cmd/endpoint does.
func (r endpointRole) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	cli.CollectSeldom()
	return r.serve(ctx, g, func(ctx context.Context) error {
		settings, err := endpoint.LoadSettings(r.Dir)
		if err != nil {
			return err
		}
		a, err := endpoint.Open(r.Dir, endpoint.Config{Settings: settings, Log: logTo(o.Err)})
		if err != nil {
			return err
		}
		api, err := admin.Listen(r.Dir, settings.Listen, clerk.Handler(endpoint.Clerk(a)))
		if err != nil {
			return errors.Join(err, a.Close())
		}
		face, err := endpoint.OpenFace(a)
		if err != nil {
			return errors.Join(err, a.Close())
		}
		fmt.Fprintln(o.Out, ready)
		running, ctx := errgroup.WithContext(ctx)
		running.Go(func() error { return a.Run(ctx) })
		running.Go(func() error { return face.Run(ctx) })
		running.Go(func() error { return api.Run(ctx) })
		return errors.Join(running.Wait(), a.Close())
	})
}

func logTo(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// serve runs until the input ends, under a profile where one is wanted.
func (r role) serve(ctx context.Context, g *grammar, run func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		io.Copy(io.Discard, g.in) //nolint:errcheck // its end is all that matters
		stop()
	}()
	if r.Profile == "" {
		return run(ctx)
	}
	return r.profiled(ctx, run)
}

func (r role) profiled(ctx context.Context, run func(context.Context) error) error {
	cpu, err := os.Create(r.Profile + ".cpu.pprof")
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return errors.Join(err, cpu.Close())
	}
	err = run(ctx)
	pprof.StopCPUProfile()
	return errors.Join(err, cpu.Close(), r.heap())
}

// heap writes what was allocated since the start, and what is still in use.
func (r role) heap() error {
	f, err := os.Create(r.Profile + ".heap.pprof")
	if err != nil {
		return err
	}
	runtime.GC()
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}
