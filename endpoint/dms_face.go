package endpoint

import (
	"context"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/systems"
	"docaxis/endpoint/vxp"
)

// Face is how document-management systems reach an endpoint: the national axis's
// protocol over HTTP. An endpoint that has no system, and no vxp.listen in its settings,
// does not listen.
type Face struct {
	a      *Agent
	config vxp.ServerConfig
	server atomic.Pointer[vxp.Server] // nil until somebody may call
}

// OpenFace begins to listen where that is asked for already. Its errors are for whoever
// wrote the settings. The caller calls Run, or Close where it does not.
func OpenFace(a *Agent) (*Face, error) {
	settings := a.cfg.Settings.VXP
	f := &Face{a: a, config: settings.server()}
	f.config.Log = a.log
	for _, path := range []*string{&f.config.Certificate, &f.config.Key} {
		if *path != "" {
			*path = within(a.dir, *path)
		}
	}
	if !f.wanted() {
		return f, nil
	}
	return f, f.listen()
}

// wanted reports whether somebody may call.
func (f *Face) wanted() bool {
	some := f.a.cfg.Settings.VXP.Listen != ""
	err := f.a.db.View(func(tx *bbolt.Tx) error {
		all, err := systems.In(tx).List()
		some = some || len(all) > 0
		return err
	})
	return some && err == nil
}

func (f *Face) listen() error {
	server, err := vxp.Listen(f.config, vxp.Handler(Exchange(f.a), vxp.Options{
		Log: f.a.log, Language: f.config.Language, PackageBytes: f.a.cfg.Settings.Limits.FileBytes,
	}))
	if err != nil {
		return err
	}
	f.server.Store(server)
	f.a.log.Info("vxp: listening", "address", f.Addr(), "https", f.config.Certificate != "")
	return nil
}

// Addr is where it listens, host:port; empty while it does not.
func (f *Face) Addr() string {
	if s := f.server.Load(); s != nil {
		return s.Addr().String()
	}
	return ""
}

// Run serves until ctx ends, from the first system on.
func (f *Face) Run(ctx context.Context) error {
	if f.server.Load() == nil && !f.await(ctx) {
		return nil
	}
	return f.server.Load().Run(ctx)
}

// await waits for a first system, and for the address to be free: by then the endpoint
// runs, and its other work must not end because of a port.
func (f *Face) await(ctx context.Context) bool {
	look := time.NewTicker(time.Second)
	defer look.Stop()
	told := false
	for {
		select {
		case <-ctx.Done():
			return false
		case <-look.C:
		}
		if !f.wanted() {
			continue
		}
		err := f.listen()
		if err == nil {
			return true
		}
		if !told {
			f.a.log.Error("vxp: cannot listen, and tries again", "err", err)
		}
		told = true
	}
}

// Close stops listening where Run was never called.
func (f *Face) Close() error {
	if s := f.server.Load(); s != nil {
		return s.Close()
	}
	return nil
}
