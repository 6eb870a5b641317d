package hubtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"docaxis/axis"
	"docaxis/endpoint/link"
)

// Reopen starts the axis and all endpoints whose folders New and Enrol left in
// cfg.Dir, whoever ran on them since: nothing else may run on them now.
func Reopen(ctx context.Context, cfg Config) (*World, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Reconnect == 0 {
		cfg.Reconnect = defaultReconnect
	}
	w := &World{cfg: cfg, members: map[string]*Member{}}
	file, err := axis.LoadFile(w.AxisDir())
	if err != nil {
		return nil, err
	}
	w.listen = file.Listen
	if err := w.StartAxis(ctx); err != nil {
		return nil, err
	}
	if err := w.startMembers(ctx); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *World) startMembers(ctx context.Context) error {
	dirs, err := filepath.Glob(filepath.Join(w.cfg.Dir, "endpoint-*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		id, err := link.LoadIdentity(dir)
		if err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		m := &Member{Name: id.Endpoint, Code: id.Codes[0], Dir: dir, world: w}
		if err := m.Start(ctx); err != nil {
			return err
		}
		w.members[m.Code] = m
	}
	return nil
}
