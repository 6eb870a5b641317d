package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	clerk "docaxis/endpoint/admin"
	"docaxis/internal/admin"
)

// agent measures the endpoint's own program, as make bin builds it: the benchmark's
// executable has the NATS server and SQLite in it as well.
func (p plan) agent(ctx context.Context, w *world) (*Agent, error) {
	out := &Agent{}
	program := filepath.Join(w.dir, "endpoint")
	if err := p.Agent.Build(ctx, program); err != nil {
		return nil, err
	}
	info, err := os.Stat(program)
	if err != nil {
		return nil, err
	}
	out.BinaryMB = float64(info.Size()) / 1e6
	m := w.members[len(w.members)-1]
	if err := m.stop(); err != nil {
		return nil, err
	}
	var starts []float64
	for range p.Agent.Starts {
		took, held, err := m.serve(ctx, program, p.Agent.Idle/time.Duration(p.Agent.Starts))
		if err != nil {
			return nil, err
		}
		starts = append(starts, took.Seconds()*1000)
		out.IdleMiB = max(out.IdleMiB, held)
	}
	out.StartMS = spread(starts)
	return out, nil
}

// build makes the endpoint program.
func build(ctx context.Context, path string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "docaxis/cmd/endpoint")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the endpoint program: %w\n%s", err, said)
	}
	return nil
}

// serve runs the program over the member's folder, and gives how long it took to answer a
// command and what it held after it had been connected and idle for a while.
func (m *member) serve(ctx context.Context, program string, idle time.Duration) (took time.Duration, held float64, err error) {
	cmd := exec.CommandContext(ctx, program, "serve", "--dir", m.dir)
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, cmd.Process.Signal(os.Interrupt), cmd.Wait()) }()
	if took, err = m.answers(ctx, begun, func(clerk.Status) bool { return true }); err != nil {
		return 0, 0, err
	}
	if _, err := m.answers(ctx, begun, func(s clerk.Status) bool { return s.Connected }); err != nil {
		return 0, 0, err
	}
	if err := pause(ctx, idle); err != nil {
		return 0, 0, err
	}
	held, _ = residentMiB(&process{cmd: cmd}, "VmRSS")
	return took, held, nil
}

// answers waits until the endpoint's local API gives a status that will do.
func (m *member) answers(ctx context.Context, begun time.Time, enough func(clerk.Status) bool) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		var status clerk.Status
		api, err := admin.Open(m.dir)
		if err == nil {
			err = api.Get(ctx, clerk.PathStatus, nil, &status)
		}
		if err == nil && enough(status) {
			return time.Since(begun), nil
		}
		if pause(ctx, time.Millisecond) != nil {
			return 0, fmt.Errorf("the endpoint does not answer: %w", err)
		}
	}
}
