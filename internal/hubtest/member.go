package hubtest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/endpoint"
	"docaxis/endpoint/link"
	"docaxis/internal/bus"
	"docaxis/proto/axispb"
)

// Enrol invites an endpoint for codes, lets it join and admits a seal for each
// code, without starting it.
func (w *World) Enrol(ctx context.Context, codes ...string) (*Member, error) {
	invited, err := w.Hub().Invite(ctx, operator.Invite{Why: why, Codes: codes})
	if err != nil {
		return nil, fmt.Errorf("invite %s: %w", codes[0], err)
	}
	return w.EnrolWith(ctx, invited)
}

// EnrolWith is Enrol with an invitation that was made earlier.
func (w *World) EnrolWith(ctx context.Context, invited operator.Invited) (*Member, error) {
	codes := invited.Codes
	dir, err := w.folder(codes[0])
	if err != nil {
		return nil, err
	}
	m := &Member{Name: invited.Endpoint, Code: codes[0], Dir: dir, world: w}
	if err := m.join(ctx, invited.Invitation); err != nil {
		return nil, fmt.Errorf("join as %s: %w", codes[0], err)
	}
	if err := m.seals(ctx, codes); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.members[codes[0]] = m
	return m, nil
}

// join enrols by the endpoint's own clock.
func (m *Member) join(ctx context.Context, invitation string) error {
	invite, err := bus.ParseInvite(invitation)
	if err != nil {
		return err
	}
	now := m.now()
	if now == nil {
		now = time.Now
	}
	_, err = link.JoinWith(ctx, m.Dir, invite, func(ctx context.Context, csr []byte, endpoint string) (*axispb.EnrolAnswer, error) {
		return invite.EnrolBy(ctx, csr, endpoint, now)
	})
	return err
}

// seals makes a seal for each code, writes the settings and has them admitted.
func (m *Member) seals(ctx context.Context, codes []string) error {
	var settings strings.Builder
	settings.WriteString("listen = \"127.0.0.1:0\"\n")
	for _, code := range codes {
		name := "seal-" + code + ".pem"
		cert, err := NewSeal(filepath.Join(m.Dir, name), code)
		if err != nil {
			return err
		}
		fmt.Fprintf(&settings, "\n[[seal]]\ncode = %q\nkey = %q\n", code, name)
		if _, err := m.world.Hub().AdmitSeal(ctx, operator.Seal{Why: why, Code: code, Certificate: cert}); err != nil {
			return fmt.Errorf("admit the seal of %s: %w", code, err)
		}
	}
	return os.WriteFile(filepath.Join(m.Dir, endpoint.SettingsFile), []byte(settings.String()), 0o600)
}

// Start starts the endpoint over its folder.
func (m *Member) Start(ctx context.Context) error {
	r, err := start(ctx, m.open, m.world.cfg.Restart, m.log())
	if err != nil {
		return fmt.Errorf("start %s: %w", m.Code, err)
	}
	m.world.mu.Lock()
	defer m.world.mu.Unlock()
	m.run = r
	return nil
}

func (m *Member) log() *slog.Logger { return m.world.cfg.Log.With("part", m.Code) }

func (m *Member) open(context.Context) (*endpoint.Agent, error) {
	settings, err := endpoint.LoadSettings(m.Dir)
	if err != nil {
		return nil, err
	}
	cfg := endpoint.Config{
		Settings: settings, Log: m.log(), Now: m.now(),
		Retry: m.world.cfg.Retry, PullEvery: m.world.cfg.PullEvery,
		RenewEvery: m.world.cfg.RenewEvery,
	}
	if m.world.cfg.EndpointFaults != nil {
		cfg.Faults = m.world.cfg.EndpointFaults(m.Code)
	}
	cfg.Dial = m.dial(cfg.Faults)
	if adjust := m.world.cfg.AdjustEndpoint; adjust != nil {
		adjust(m.Code, &cfg)
	}
	return endpoint.Open(m.Dir, cfg)
}

// now is the endpoint's clock.
func (m *Member) now() func() time.Time {
	if m.world.cfg.EndpointNow != nil {
		return m.world.cfg.EndpointNow(m.Code)
	}
	return m.world.cfg.Now
}

// Stop stops the endpoint; its folder stays as it is.
func (m *Member) Stop() error {
	m.world.mu.Lock()
	r := m.run
	m.run = nil
	m.world.mu.Unlock()
	if r == nil {
		return nil
	}
	return r.stop()
}

// Agent is the running endpoint.
func (m *Member) Agent() *endpoint.Agent {
	m.world.mu.Lock()
	r := m.run
	m.world.mu.Unlock()
	return r.get()
}
