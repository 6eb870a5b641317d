// Package endpoint owns the agent that acts for agencies on the axis: it wires the
// stores to the conversation and runs its loops.
//
// Open, Run and Close are its life; Send, Inbox, Document, Confirm, Show and Wait
// are what a face for the DMS or the clerk calls. They work from what is on the
// disk, whether or not the axis can be reached.
//
// Every change of state is one transaction (endpoint/store), made before anybody is
// told; an attempt is recorded before it is made. Fault points, each as NAME.before
// and NAME.after:
//
//	seal           the envelope of a new document is sealed
//	outbox.add     its entry is committed
//	attempt        an attempt to submit is recorded
//	put            a file is uploaded
//	submit         the envelope is offered
//	receipt.store  the axis's answer is committed
//	pull           a page is asked for
//	t1             a page, or its part, is committed
//	fetch          a file is fetched
//	t2             the consignment of a document is committed
//	evidence.send  statements are offered
//	evidence.store the answers to them are committed
//	recover        records of earlier epochs are offered
//	recover.store  the answers to them are committed
//	release        what is kept no longer is marked
//	unlink         a file that nobody needs is removed
//	renew          a new certificate is asked for, and kept beside the old one
//	promote        it takes the old one's place
//	label          labels of documents' files are committed, with what policies say of them
package endpoint

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sync/errgroup"

	"docaxis/endpoint/directory"
	"docaxis/endpoint/files"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/labels"
	"docaxis/endpoint/link"
	"docaxis/endpoint/outbox"
	"docaxis/endpoint/store"
	"docaxis/endpoint/systems"
	"docaxis/internal/evidence"
	"docaxis/internal/inspect"
	"docaxis/proto/axispb"
)

// Agent is an endpoint. Its methods may be called concurrently.
type Agent struct {
	dir    string
	cfg    Config
	log    *slog.Logger
	db     *store.DB
	files  *files.Store
	trust  *evidence.Trust
	recent envelopes
	// seals by code of the sending agency, newest first; never changed after Open.
	seals map[string][]seal
	watch watchers
	wake  bells
	disk  disk
	quota quota
	// judge labels files; newly are documents of this endpoint that were just accepted,
	// which is a time to judge them by.
	judge *inspect.Judge
	newly chan labels.Key
	// keys seal the secrets of the systems.
	keys *systems.Keys
	// givenBack: files are kept that were given back to their sender.
	givenBack atomic.Bool

	// Replaced when the certificate is renewed.
	identity atomic.Pointer[link.Identity]
	signer   atomic.Pointer[evidence.Signer]

	// link is the conversation while Run has one, else nil.
	link atomic.Pointer[link.Link]

	// receipted is the checkpoint of a receipt that was not yet compared with
	// those of the pulls; nil where there is none.
	receipted atomic.Pointer[evidence.Checkpoint]

	// recovering is how far it is with giving back what the axis lost.
	recovering recovering
	// mending are the files that are to be fetched again.
	mending chan mending
	// submitting and fetching are first attempts that are recorded and not yet made.
	submitting, fetching begun
	// apart is how long content does not travel inside submissions.
	apart apart
	// wanted are chunks that the axis asked for.
	wanted chan []*axispb.Wanted

	// The pull loop's own.
	pulling pullState
}

// bells wake the loops. Each holds at most one ring: a lost one costs a delay.
type bells struct {
	pull, submit, bulkSubmit, fetch, bulkFetch, evidence, connected, unparked, recover, clean, seal, label chan struct{}
}

func newBells() bells {
	b := func() chan struct{} { return make(chan struct{}, 1) }
	return bells{b(), b(), b(), b(), b(), b(), b(), b(), b(), b(), b(), b()}
}

func ring(bells ...chan struct{}) {
	for _, b := range bells {
		select {
		case b <- struct{}{}:
		default:
		}
	}
}

// Open reads what is in an endpoint's folder. The endpoint must have joined
// (link.Join), else the error is link.ErrNotJoined. Nothing is sent before Run.
func Open(dir string, cfg Config) (*Agent, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	a := &Agent{dir: dir, cfg: cfg, log: cfg.Log, wake: newBells(), mending: make(chan mending, maxMending), wanted: make(chan []*axispb.Wanted, 1), newly: make(chan labels.Key, maxNewly)}
	a.keys = systems.NewKeys(dir, cfg.Rand)
	if err := a.loadIdentity(); err != nil {
		return nil, err
	}
	if a.seals, err = loadSeals(dir, cfg.Settings.Seals, cfg.tokens()); err != nil {
		return nil, err
	}
	if err := a.openStores(); err != nil {
		return nil, errors.Join(err, closeSeals(a.seals))
	}
	return a, nil
}

// openStores opens what lies in the endpoint's folder.
func (a *Agent) openStores() (err error) {
	dir, cfg := a.dir, a.cfg
	if err := os.MkdirAll(filepath.Join(dir, "content"), 0o700); err != nil {
		return fmt.Errorf("make folder of contents: %w", err)
	}
	if a.files, err = files.Open(filepath.Join(dir, "content")); err != nil {
		return err
	}
	if err := a.openDisk(); err != nil {
		return err
	}
	if err := checkGone(dir); err != nil {
		return err
	}
	if a.db, err = store.OpenWith(filepath.Join(dir, "endpoint.db"), cfg.StoreFaults); err != nil {
		return err
	}
	if err := errors.Join(a.prepare(), a.openJudge()); err != nil {
		return errors.Join(err, a.db.Close())
	}
	return nil
}

func (a *Agent) loadIdentity() error {
	id, err := link.LoadIdentity(a.dir)
	if err != nil {
		return err
	}
	a.trust = evidence.NewTrust(id.CA)
	if err := a.trust.AddEpochs(id.Epochs); err != nil {
		return link.Damaged(filepath.Join(a.dir, "identity"), fmt.Errorf("epochs.pb: %w", err))
	}
	return a.useIdentity(id)
}

// useIdentity signs, and later dials, with this certificate.
func (a *Agent) useIdentity(id link.Identity) error {
	signer, err := newSigner(id)
	if err != nil {
		return err
	}
	a.identity.Store(&id)
	a.signer.Store(signer)
	return nil
}

// prepare makes the buckets and trusts the epochs learned since enrolment.
func (a *Agent) prepare() error {
	init := func(tx *bbolt.Tx) error {
		return errors.Join(outbox.Init(tx), inbox.Init(tx), directory.Init(tx), systems.Init(tx), labels.Init(tx), a.countOn(tx))
	}
	// Where nothing is missing nothing is written: what is on a full disk can be read.
	err := a.db.View(init)
	if errors.Is(err, berrors.ErrTxNotWritable) {
		err = a.db.Update(context.Background(), init)
	}
	if err != nil {
		return err
	}
	return a.db.View(func(tx *bbolt.Tx) error {
		if err := a.trust.AddEpochs(store.Epochs(tx)); err != nil {
			return fmt.Errorf("epochs learned earlier: %w", err)
		}
		p, err := store.Progress(tx)
		a.pulling.fresh = p.GetCounter() <= a.identity.Load().Counter
		return err
	})
}

// Close closes the stores, and ends the signers. Run must have returned.
func (a *Agent) Close() error { return errors.Join(closeSeals(a.seals), a.db.Close()) }

// Name is the endpoint's name on the axis.
func (a *Agent) Name() string { return a.identity.Load().Endpoint }

// Check lists every invariant of the stores that does not hold. It reads all of
// the store, but no contents of files.
func (a *Agent) Check() error {
	return a.db.View(func(tx *bbolt.Tx) error {
		p, err := store.Progress(tx)
		if err != nil {
			return err
		}
		return errors.Join(outbox.Check(tx), inbox.Check(tx, p.Counter), directory.Check(tx), systems.Check(tx), labels.Check(tx))
	})
}

// errParked ends a conversation that a person must let go on.
var errParked = errors.New("the endpoint is parked")

// Run talks with the axis until ctx ends, and then returns nil. While the endpoint
// is parked (Status says why) it waits for Unpark. Beside that it looks at the files of
// documents, parked or not. An error means that the store cannot be relied on: restart
// the process.
func (a *Agent) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, loop := range []func(context.Context) error{a.converse, a.label, a.judge.Run} {
		g.Go(func() error { return loop(ctx) })
	}
	return g.Wait()
}

// converse has one conversation after the other.
func (a *Agent) converse(ctx context.Context) error {
	for {
		if stop, err := a.waitUnparked(ctx); stop || err != nil {
			return err
		}
		err := a.talk(ctx)
		if !errors.Is(err, errParked) {
			return err
		}
	}
}

// waitUnparked returns at once where the endpoint is not parked; stop reports that
// ctx ended.
func (a *Agent) waitUnparked(ctx context.Context) (stop bool, err error) {
	for {
		var why *axispb.Trouble
		err := a.db.View(func(tx *bbolt.Tx) (err error) {
			why, err = store.Parked(tx)
			return err
		})
		if err != nil {
			return true, err
		}
		if ctx.Err() != nil {
			return true, nil
		}
		if why == nil {
			return false, nil
		}
		a.log.Error("parked: nothing is sent or received until an operator decides", troubleAttr(why))
		select {
		case <-ctx.Done():
		case <-a.wake.unparked:
		}
	}
}

// talk has one conversation: one connection, all loops.
func (a *Agent) talk(ctx context.Context) error {
	conn, err := a.cfg.Dial(ctx, *a.identity.Load())
	if err != nil {
		return fmt.Errorf("dial the axis: %w", err)
	}
	defer conn.Close()
	a.link.Store(link.New(conn, a.cfg.Now))
	defer a.link.Store(nil)
	conn.OnBell(func() { ring(a.wake.pull) })
	conn.OnConnect(a.connected)

	was, err := a.progress()
	if err != nil {
		return err
	}
	a.recovering.epoch.Store(was.Epoch)
	g, ctx := errgroup.WithContext(ctx)
	for _, loop := range a.loops(conn) {
		g.Go(func() error { return loop(ctx) })
	}
	return g.Wait()
}

func (a *Agent) loops(conn link.Conn) []func(context.Context) error {
	return []func(context.Context) error{
		a.pull,
		a.recoverPast,
		a.pool(smallJobs, a.wake.submit, a.dueSubmissions(outbox.Small), a.submit).run,
		a.pool(1, a.wake.bulkSubmit, a.dueSubmissions(outbox.Bulk), a.submit).run,
		a.caughtUp(a.pool(smallFetches, a.wake.fetch, a.whenRoom(a.dueFetches(inbox.Small)), a.fetch).run),
		a.caughtUp(a.pool(1, a.wake.bulkFetch, a.whenRoom(a.dueFetches(inbox.Bulk)), a.fetch).run),
		a.caughtUp(a.sendEvidence),
		a.mendFiles,
		a.giveWanted,
		func(ctx context.Context) error { return a.renew(ctx, conn) },
		a.clean,
		a.stateOverdue,
		a.sealAwaited,
	}
}

// connected wakes everything: what was due while there was no connection.
func (a *Agent) connected() {
	w := a.wake
	a.recovering.begin()
	a.apart.end()
	ring(w.recover, w.pull, w.submit, w.bulkSubmit, w.fetch, w.bulkFetch, w.evidence, w.connected)
}

// step does something between its two fault points.
func (a *Agent) step(name string, do func() error) error {
	if err := a.cfg.Faults.At(name + ".before"); err != nil {
		return err
	}
	if err := do(); err != nil {
		a.heedRecovering(err)
		return err
	}
	return a.cfg.Faults.At(name + ".after")
}

// commit is a step that changes the store. What is known is stored even when the
// agent is being stopped.
func (a *Agent) commit(ctx context.Context, name string, change func(*bbolt.Tx) error) error {
	return a.step(name, func() error { return a.db.Update(context.WithoutCancel(ctx), change) })
}

// fatal reports whether an error means that the store cannot be relied on.
func fatal(err error) bool {
	return errors.Is(err, store.ErrBroken) || errors.Is(err, store.ErrClosed) || errors.Is(err, inbox.ErrCounter)
}

// watchers are those who wait for a document's state to change.
type watchers struct {
	mu sync.Mutex
	by map[string][]chan struct{}
}

// nap waits until the time is over or one of the bells rings; false when ctx ended.
func nap(ctx context.Context, d time.Duration, bell <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-bell:
	}
	return ctx.Err() == nil
}
