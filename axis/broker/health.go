package broker

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
)

// Health asks the server whether JetStream still works. An error is for good: after a
// failed write a stream takes nothing and answers nobody until the server is started
// again, and when its disk is full JetStream ends altogether.
func (b *Broker) Health() error {
	if !b.srv.Running() {
		return nil
	}
	if !b.srv.JetStreamEnabled() {
		return errors.New("JetStream is disabled")
	}
	status := b.srv.Healthz(&server.HealthzOptions{Details: true})
	if status.Status == "ok" && status.Error == "" && len(status.Errors) == 0 {
		return nil
	}
	var errs []error
	for _, e := range status.Errors {
		if !b.making(e) {
			errs = append(errs, errors.New(e.Error))
		}
	}
	if status.Error != "" {
		errs = append(errs, errors.New(status.Error))
	}
	if err := errors.Join(errs...); err != nil || len(status.Errors) > 0 {
		return err
	}
	return fmt.Errorf("JetStream reports %s", status.Status)
}

// making reports whether an error is about a stream that is being made: its folder is
// there before the server knows it, for as long as the disk takes, and no block in it
// has anything. The server says of it what it says of one that it lost.
func (b *Broker) making(e server.HealthzError) bool {
	if e.Type != server.HealthzErrorStream || !strings.HasSuffix(e.Error, "could not be recovered") {
		return false
	}
	has, err := filled(filepath.Join(b.kept.streams(), e.Stream))
	return err == nil && !has
}
