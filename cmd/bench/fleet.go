package main

import (
	"context"
	"fmt"
	"time"

	"docaxis/endpoint/link"
	"docaxis/internal/bus"
)

// One address may make so many connections at once and so many a second after that
// (axis/broker); the fleet has one address, so it comes no faster.
const (
	connectAtOnce  = 250
	connectASecond = 45
)

// fleet lets very many endpoints be known, and many of them be there.
func (p plan) fleet(ctx context.Context, w *world) (*Fleet, error) {
	f := p.Fleet
	out := &Fleet{Registered: f.Registered, Connected: f.Connected}
	known, err := w.enrol(ctx, "G22")
	if err != nil {
		return nil, err
	}
	kept, err := w.register(ctx, f.Registered-1, f.Connected)
	if err != nil {
		return nil, fmt.Errorf("register the endpoints: %w", err)
	}
	begun := time.Now()
	if err := w.startAxis(ctx); err != nil {
		return nil, err
	}
	out.StartSeconds = time.Since(begun).Seconds()
	begun = time.Now()
	conns, err := f.connect(ctx, known, kept[:f.Connected])
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	if err != nil {
		return nil, err
	}
	out.ConnectSeconds = time.Since(begun).Seconds()
	if err := pause(ctx, f.Settle); err != nil {
		return nil, err
	}
	out.AxisMiB, _ = residentMiB(w.axis, "VmRSS")
	begun = time.Now()
	err = w.axis.stop()
	out.StopSeconds = time.Since(begun).Seconds()
	return out, err
}

// connect makes the connections, as fast as one address may, and checks in the end that
// all are there.
func (f fleetPlan) connect(ctx context.Context, known *member, kept []identity) (conns []*bus.Conn, err error) {
	as, err := link.LoadIdentity(known.dir)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	for len(conns) < len(kept) {
		due := connectAtOnce + int(time.Since(begun).Seconds()*connectASecond)
		if len(conns) >= due {
			if err := pause(ctx, 20*time.Millisecond); err != nil {
				return conns, err
			}
			continue
		}
		conn, err := connect(ctx, as.Address, kept[len(conns)], as.CA)
		if err != nil {
			return conns, err
		}
		conns = append(conns, conn)
	}
	for i, c := range conns {
		if !c.Connected() {
			return conns, fmt.Errorf("%s was connected and is not any more: %w", kept[i].name, c.Trouble())
		}
	}
	return conns, nil
}
