package broker

import (
	"errors"
	"fmt"

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
		errs = append(errs, errors.New(e.Error))
	}
	if status.Error != "" {
		errs = append(errs, errors.New(status.Error))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return fmt.Errorf("JetStream reports %s", status.Status)
}
