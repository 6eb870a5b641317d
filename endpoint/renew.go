package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"docaxis/endpoint/link"
	"docaxis/internal/bus"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// reconnectTime is how long the new certificate may take to be let in.
const reconnectTime = 2 * time.Minute

// renew keeps the certificate young. It is the only service that an expired one
// may still ask, so it does not wait for anything else.
func (a *Agent) renew(ctx context.Context, conn link.Conn) error {
	for attempts := uint32(0); ; {
		wait := a.cfg.RenewEvery
		if link.RenewalDue(*a.identity.Load(), a.cfg.Now()) {
			err := a.renewNow(ctx, conn)
			switch {
			case ctx.Err() != nil:
				return nil
			case err != nil:
				a.log.Warn("the certificate could not be renewed", slog.Any("error", err))
				attempts++
				wait = a.cfg.Retry.wait(attempts)
			default:
				attempts = 0
			}
		}
		if !nap(ctx, wait, a.wake.connected) {
			return nil
		}
	}
}

func (a *Agent) renewNow(ctx context.Context, conn link.Conn) error {
	if !conn.Connected() {
		return errors.New("not connected")
	}
	id := *a.identity.Load()
	old := id.Certificate
	var next tls.Certificate
	err := a.step("renew", func() (err error) {
		next, err = link.Renew(ctx, a.dir, id, a.link.Load())
		return err
	})
	if err != nil {
		return err
	}
	if err := a.tryCertificate(ctx, conn, func() error { return conn.SetCertificate(next) }); err != nil {
		return errors.Join(fmt.Errorf("the new certificate: %w", err), conn.SetCertificate(old))
	}
	promoted := a.step("promote", func() error { return link.Promote(a.dir) })
	// Where only the last sync failed, the new pair has taken the old one's place all
	// the same: going on with the old one would ask for a third.
	if id, err = link.LoadIdentity(a.dir); promoted != nil && (err != nil || !id.Certificate.Leaf.Equal(next.Leaf)) {
		return promoted
	}
	if err != nil {
		return err
	}
	a.log.Info("the certificate was renewed", slog.Time("until", next.Leaf.NotAfter))
	return errors.Join(promoted, a.useIdentity(id))
}

// tryCertificate connects anew and asks something, whatever it is: an answer shows
// that the axis lets the new certificate in.
func (a *Agent) tryCertificate(ctx context.Context, conn link.Conn, set func() error) error {
	ctx, cancel := context.WithTimeout(ctx, reconnectTime)
	defer cancel()
	select {
	case <-a.wake.connected:
		// Of an earlier connection.
	default:
	}
	if err := set(); err != nil {
		return err
	}
	select {
	case <-a.wake.connected:
	case <-ctx.Done():
		return ctx.Err()
	}
	var answer axispb.ProofAnswer
	err := conn.Call(ctx, bus.Proof, &axispb.ProofRequest{}, &answer)
	if err != nil && reason.IsTemporary(err) {
		return err
	}
	return nil
}
