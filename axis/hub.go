// Package axis is the hub: it wires the parts by their interfaces and owns the
// order in which they start and stop.
package axis

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	operator "docaxis/axis/admin"
	"docaxis/axis/broker"
	"docaxis/axis/content"
	"docaxis/axis/intake"
	"docaxis/axis/journal"
	"docaxis/axis/ledger"
	"docaxis/axis/mailbox"
	"docaxis/axis/registry"
	"docaxis/axis/sealing"
	axistlog "docaxis/axis/tlog"
	"docaxis/internal/admin"
	"docaxis/internal/bus"
	"docaxis/internal/diskspace"
	"docaxis/internal/evidence"
	"docaxis/internal/fault"
	"docaxis/internal/lang"
)

// Config of a Hub: what its file says, and what is injected.
type Config struct {
	File
	// Now is the clock of every decision; the machine's by default.
	Now func() time.Time
	// Random makes keys, nonces and secrets; the machine's by default.
	Random io.Reader
	Log    *slog.Logger
	// Faults makes steps fail in tests.
	Faults fault.Hook
	// MaxStreamBytes ends a stream of the journal; 4 GiB by default.
	MaxStreamBytes uint64
	// ExpireEvery is how often passed deadlines are looked for; 30 s by default.
	ExpireEvery time.Duration
	// ReleaseEvery is how often content is looked for that need not be kept any more;
	// an hour by default.
	ReleaseEvery time.Duration
	// ScrubEvery is how often the slow reading of journal and content goes on; a minute
	// by default.
	ScrubEvery time.Duration
	// SealEvery is how often it is looked whether it is time to seal a checkpoint; every
	// minute by default.
	SealEvery time.Duration
	// HealthEvery is how often disks and JetStream are looked at; 2 s by default.
	HealthEvery time.Duration
	// Space asks for the free space of a folder's disk; diskspace.Of by default.
	Space func(dir string) (diskspace.Space, error)
	// RecoverHold is for how long, after the first endpoint came, nothing that
	// endpoints submit is journaled in an epoch that may have lost records, so that
	// what others know of the registry is there first; 60 s by default, negative
	// for not at all.
	RecoverHold time.Duration
	// LabelEvery is how often files are looked for that are to be looked at again; 10 s
	// by default.
	LabelEvery time.Duration
	// Transport asks the authorities of certificates; made from the settings by default.
	Transport http.RoundTripper
	// Monotonic is what Now is held against: how long this process has been running.
	// Where it is nil, the monotonic reading in Now's times, which the machine's
	// have, is taken.
	Monotonic func() time.Duration
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.ExpireEvery == 0 {
		c.ExpireEvery = 30 * time.Second
	}
	c.ReleaseEvery = cmp.Or(c.ReleaseEvery, releaseEvery)
	c.ScrubEvery = cmp.Or(c.ScrubEvery, scrubEvery)
	c.SealEvery = cmp.Or(c.SealEvery, leastEvery)
	c.HealthEvery = cmp.Or(c.HealthEvery, healthEvery)
	if c.Space == nil {
		c.Space = diskspace.Of
	}
	if c.RecoverHold == 0 {
		c.RecoverHold = time.Minute
	}
	return c
}

// floodBar is how long an endpoint that floods the axis must stay away.
const floodBar = 10 * time.Second

// Hub is one axis over its folder.
type Hub struct {
	dir string
	cfg Config
	log *slog.Logger

	ca       atomic.Pointer[registry.CA] // replaced by RollKey
	guard    *axistlog.Guard
	trust    *evidence.Trust
	registry *registry.State
	broker   *broker.Broker
	journal  *journal.Journal
	ledger   *ledger.Ledger
	content  *content.Store
	signer   *axisSigner
	mailbox  *mailbox.Mailbox
	intake   *intake.Intake
	server   *bus.Server
	admin    *admin.Server
	chain    *chain
	disks    *disks
	scrub    scrub
	sealer   *sealing.Sealer // nil where no authority is configured
	token    tokenSeal       // where the seal is in one
	recovery recovery

	contentService *content.Service
	labels         labelling
	ready          atomic.Bool   // the registry may be asked
	spoiled        atomic.Bool   // the ledger is damaged: Close sets it aside
	damaged        chan error    // has the error that told so
	recalled       chan struct{} // rings when a document was recalled from everybody
	started        time.Time
	heard          heard
}

// Open starts everything up to the point where endpoints may connect; Run keeps
// it going, and Close must be called whether or not it ran. One process owns a
// folder: a second one is refused.
func Open(ctx context.Context, dir string, cfg Config) (*Hub, error) {
	cfg = cfg.withDefaults()
	h := &Hub{dir: dir, cfg: cfg, log: cfg.Log, registry: registry.NewState(), started: cfg.Now(), damaged: make(chan error, 1), recalled: make(chan struct{}, 1)}
	if err := h.open(ctx); err != nil {
		h.heed(err)
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

func (h *Hub) open(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		h.openKeys, h.openBroker, h.openJournal, h.recover, h.openRecovery, h.openContent, h.openLabels, h.openDisks, h.openSealing, h.openServices,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	h.ready.Store(true)
	return nil
}

func (h *Hub) now() time.Time { return h.cfg.Now() }

func (h *Hub) keys() string { return filepath.Join(h.dir, "keys") }

func (h *Hub) keyPath(epoch uint64) string {
	return filepath.Join(h.keys(), fmt.Sprintf("log-%06d.key", epoch))
}

func (h *Hub) openKeys(context.Context) error {
	ca, err := registry.OpenCA(h.keys(), registry.CAConfig{Now: h.cfg.Now, Faults: h.cfg.Faults})
	if err != nil {
		return lostKeys(h.keys(), err)
	}
	h.ca.Store(ca)
	if h.guard, err = axistlog.OpenGuard(filepath.Join(h.keys(), "guard")); errors.Is(err, axistlog.ErrGuardHeld) {
		return lang.Errorf("Một tiến trình axis khác đang chạy trên thư mục %s; không có gì thay đổi. Hãy dừng tiến trình đó trước.",
			"Another axis runs on folder %s; nothing was changed. Stop that one first.", h.dir).Because(err)
	}
	if err != nil {
		return lostGuard(filepath.Join(h.keys(), "guard"), err)
	}
	h.trust = evidence.NewTrust(ca.First())
	return nil
}

// checkListen finds out before anything is written whether endpoints could connect:
// the server would say so in words that nobody can act on.
func (h *Hub) checkListen() error {
	l, err := net.Listen("tcp", h.cfg.Listen)
	if err != nil {
		return lang.Errorf("Không mở được địa chỉ %s cho các điểm kết nối: chương trình khác đang dùng cổng này, hoặc địa chỉ không thuộc máy này. Hãy dừng chương trình đó hoặc sửa listen trong %s.",
			"Address %s cannot be opened for endpoints: another program uses the port, or the address is not this machine's. Stop that program or change listen in %s.",
			h.cfg.Listen, filepath.Join(h.dir, FileName)).Because(err)
	}
	return l.Close()
}

func (h *Hub) openBroker(context.Context) error {
	err := h.checkListen()
	if err != nil {
		return err
	}
	h.broker, err = broker.Start(broker.Config{
		Dir: filepath.Join(h.dir, "journal"), Listen: h.cfg.Listen,
		TLS:       &tls.Config{GetCertificate: h.serverCertificate()},
		Authority: authority{h}, Now: h.cfg.Now, Log: h.log,
	})
	return err
}

func (h *Hub) openJournal(ctx context.Context) error {
	var err error
	if h.journal, err = h.readJournal(ctx); err == nil {
		err = h.broker.Opened()
	}
	if err != nil {
		return fmt.Errorf("open the journal: %w", err)
	}
	h.chain = &chain{
		journal: h.journal, guard: h.guard, faults: h.cfg.Faults,
		project: &projector{registry: h.registry},
	}
	return nil
}

func (h *Hub) openContent(context.Context) error {
	var err error
	h.content, err = openStore(filepath.Join(h.dir, "content"), content.Config{
		Now: h.cfg.Now, Faults: h.cfg.Faults, Log: h.log,
	})
	if err != nil {
		return fmt.Errorf("open the content store: %w", err)
	}
	h.contentService = content.NewService(h.content, h.ledger)
	return nil
}

func (h *Hub) records() records { return records{h.journal} }

func (h *Hub) openServices(ctx context.Context) error {
	h.signer = &axisSigner{ca: h.ca.Load, now: h.cfg.Now, dir: h.keys()}
	if _, err := h.signer.get(); err != nil {
		return err
	}
	behind, err := h.confirmedBehind(ctx)
	if err != nil {
		return err
	}
	h.intake = intake.New(intake.Parts{
		Log: h.chain, Registry: routes{h.registry}, Registrar: registrar{h.registry}, Ledger: accepted{h.ledger}, Content: h.content,
		Proofs: proofs{h.ledger, h.records(), h.trust}, Past: past{h}, Trust: h.trust, Signer: h.signer.get, Files: h.gatekeeper(),
	}, intake.Config{
		Now: h.cfg.Now, Monotonic: h.cfg.Monotonic, Behind: behind, Random: h.cfg.Random, Log: h.log, MaxFile: h.cfg.MaxFileBytes,
		Policies: h.registry, DocumentQuota: h.cfg.DocumentsPerDay, ByteQuota: h.cfg.BytesPerDay, RegistrationQuota: h.cfg.RegistrationsPerDay,
	})
	h.warnOfClock()
	h.mailbox = mailbox.New(boxes{h.ledger}, h.records(), chunks{h})
	if h.server, err = bus.Serve(h.broker.Services(), h.services(), bus.ServeConfig{
		Now: h.cfg.Now, Log: h.log, Excess: func(endpoint string) {
			h.log.Warn("cut off an endpoint that asks too much at once", "endpoint", endpoint, "for", floodBar)
			h.broker.Bar(endpoint, floodBar)
		},
	}); err != nil {
		return fmt.Errorf("answer endpoints: %w", err)
	}
	h.chain.told = h.tell
	if h.admin, err = admin.Listen(h.dir, h.cfg.Admin, operator.Handler(desk{h})); err != nil {
		return err
	}
	return nil
}

// Run decides and answers until ctx ends. An error means that the state on disk is
// not known: start again.
func (h *Hub) Run(ctx context.Context) error {
	err := h.run(ctx)
	h.heed(err)
	return err
}

// heed looks at an error for a damaged ledger: it is rebuilt at the next start.
func (h *Hub) heed(err error) {
	if err == nil || !ledger.Damaged(err) {
		return
	}
	h.spoiled.Store(true)
	select {
	case h.damaged <- err:
	default:
	}
}

func (h *Hub) run(ctx context.Context) error {
	g, running := errgroup.WithContext(ctx)
	// Intake ends last: what was taken from endpoints is decided first.
	deciding, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g.Go(func() error { return h.intake.Run(deciding) })
	g.Go(func() error { return h.content.Run(running) })
	g.Go(func() error { return h.expire(running) })
	g.Go(func() error { return h.release(running) })
	g.Go(func() error { return h.scrubLoop(running) })
	g.Go(func() error { return h.labels.judge.Run(running) })
	g.Go(func() error { return h.labels.labeller.Run(running) })
	g.Go(func() error { return h.sealing(running) })
	g.Go(func() error {
		err := h.watchHealth(running)
		if err != nil {
			stop() // whoever waits for the journal would wait for ever
		}
		return err
	})
	g.Go(func() error { return h.admin.Run(running) })
	g.Go(func() error {
		select {
		case err := <-h.damaged:
			return fmt.Errorf("the ledger is damaged and must be rebuilt: %w", err)
		case <-running.Done():
			return nil
		}
	})
	g.Go(func() error {
		select {
		case err := <-h.recovery.behind:
			return err
		case <-running.Done():
			return nil
		}
	})
	g.Go(func() error {
		<-running.Done()
		drain, cancel := context.WithTimeout(deciding, 5*time.Second)
		defer cancel()
		err := h.server.Drain(drain)
		stop()
		return err
	})
	return g.Wait()
}

// tell rings whoever has something new, after it was committed, and ends the
// connections of endpoints that were just revoked or re-issued, also those still
// logging in.
func (h *Hub) tell(a ledger.Applied) {
	for _, name := range h.chain.project.revoked {
		h.broker.Cut(name)
	}
	h.chain.project.revoked = nil
	h.labels.labeller.Ring()
	if a.Recalled {
		select {
		case h.recalled <- struct{}{}:
		default:
		}
	}
	if a.Everybody {
		for _, name := range h.broker.Connected() {
			h.server.Ring(name)
		}
		return
	}
	for name := range a.Endpoints {
		h.server.Ring(name)
	}
}

// Addr is where endpoints connect.
func (h *Hub) Addr() string { return h.broker.Addr() }

// Close stops everything that Open started, in the opposite order.
func (h *Hub) Close() error {
	var errs []error
	if h.broker != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		errs = append(errs, h.broker.Stop(ctx))
		cancel()
	}
	for _, c := range []io.Closer{closer(h.labels.store), closer(h.content), closer(h.ledger), closer(h.guard), &h.token} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	if h.spoiled.Load() {
		errs = append(errs, setAside(h.ledgerPath(), h.now()))
	}
	return errors.Join(errs...)
}

// closer turns a nil pointer into a nil interface.
func closer[T any, P interface {
	*T
	io.Closer
}](p P) io.Closer {
	if p == nil {
		return nil
	}
	return p
}
