package revocation

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// maxWaiting bounds the notes of Want that nobody took up yet.
const maxWaiting = 4096

// ErrRunning says that Run or Refresh is at work already. There is nothing to do:
// what is wanted is looked after.
var ErrRunning = errors.New("revocation: already running")

// Store is a folder of lists and answers. All its methods may be used by several
// goroutines at once; the folder belongs to one Store.
type Store struct {
	dir string
	cfg Config

	// keeper is held by whoever looks after things: Run, Refresh, or nobody.
	keeper  chan *keeper
	wants   chan []*x509.Certificate
	damaged chan string
	dropped atomic.Uint64
	parsed  memory

	// What the keeper tells others: it alone writes.
	shown       sync.Map // key of a target to *shown
	authorities sync.Map // host to Authority
}

// shown is a target as others see it. It is replaced, never changed.
type shown struct {
	target
	kept     *description // nil: nothing
	size     int64
	err      error
	since    time.Time
	next     time.Time
	failures int
}

// Open takes up a folder, which is made where there is none. Files that are damaged
// are removed, to be fetched again. The error is about the folder.
func Open(dir string, cfg Config) (*Store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder of revocation data: %w", err)
	}
	s := &Store{
		dir:     dir,
		cfg:     cfg.withDefaults(),
		keeper:  make(chan *keeper, 1),
		wants:   make(chan []*x509.Certificate, maxWaiting),
		damaged: make(chan string, 64),
	}
	k := newKeeper(s)
	if err := k.load(); err != nil {
		return nil, fmt.Errorf("read the folder of revocation data: %w", err)
	}
	s.keeper <- k
	return s, nil
}

// Want asks for the certificates of a chain, the last one (the anchor) excepted, to
// be looked after from now on: signer first, each followed by its issuer. It only
// leaves a note; call it each time that a chain is judged. Beyond what can wait,
// notes are dropped and counted (Status). Call it with chains that lead to an
// anchor: anybody can make others, with addresses of their choice.
func (s *Store) Want(chain []*x509.Certificate) {
	select {
	case s.wants <- chain:
	default:
		s.dropped.Add(1)
	}
}

// Run looks after what is wanted until the context ends, then returns nil once no
// request is under way. At most one Run or Refresh is at work at a time; another
// gets ErrRunning.
func (s *Store) Run(ctx context.Context) error { return s.work(ctx, false) }

// Refresh asks for what is due now, waits for the answers and returns: for programs
// that run once. That an authority does not answer is no error but in Status.
func (s *Store) Refresh(ctx context.Context) error { return s.work(ctx, true) }

func (s *Store) work(ctx context.Context, once bool) error {
	select {
	case k := <-s.keeper:
		k.work(ctx, once)
		s.keeper <- k
		return nil
	default:
		return ErrRunning
	}
}

// Item is a list or an answer as it was received.
type Item struct {
	Bytes []byte
	// URL is where it came from, Obtained when.
	URL      string
	Obtained time.Time
	// ThisUpdate and NextUpdate bound what it speaks about; NextUpdate may be zero.
	ThisUpdate, NextUpdate time.Time
}

// Known is what is known about one certificate; nil is nothing.
type Known struct {
	Certificate *x509.Certificate
	CRL, OCSP   *Item
}

// Data gives what is known about each certificate of a chain but the last, from the
// disk alone: nobody is asked, and nothing is changed. What is given may have ended
// meanwhile; whoever judges it compares the times. Files are
// read whole each time; checks of signatures have Revocation.
func (s *Store) Data(chain []*x509.Certificate) []Known {
	var all []Known
	links(chain, func(cert, issuer *x509.Certificate) {
		k := Known{Certificate: cert}
		for _, t := range targetsOf(cert, issuer) {
			if t.kind == OCSP {
				k.OCSP = s.item(t, cert)
			} else {
				k.CRL = s.item(t, cert)
			}
		}
		all = append(all, k)
	})
	return all
}

// item reads what is kept for a target, if it speaks about the certificate. A
// damaged file is reported to the keeper.
func (s *Store) item(t target, cert *x509.Certificate) *Item {
	key := t.key()
	d := s.kept(key)
	if d == nil || !d.Answer.about(cert) {
		return nil
	}
	raw, d, err := readFile(s.path(key), s.cfg.MaxCRL)
	if err != nil {
		s.report(key, err)
		return nil
	}
	if !d.Answer.about(cert) {
		return nil
	}
	return &Item{
		Bytes: raw, URL: d.URL, Obtained: d.Obtained,
		ThisUpdate: d.Answer.ThisUpdate, NextUpdate: d.Answer.NextUpdate,
	}
}

func (s *Store) kept(key string) *description {
	v, ok := s.shown.Load(key)
	if !ok {
		return nil
	}
	return v.(*shown).kept
}

// report leaves a note about a damaged file. One that finds no room is left again
// by whoever reads the file next.
func (s *Store) report(key string, err error) {
	if !errors.Is(err, errDamaged) {
		return
	}
	select {
	case s.damaged <- key:
	default:
	}
}

func (s *Store) path(key string) string { return filepath.Join(s.dir, key+extension) }

// about reports whether a list is about certificates of this sort (RFC 5280 section
// 6.3.3 step b).
func (a *answer) about(cert *x509.Certificate) bool {
	return !(a.UsersOnly && cert.IsCA || a.AuthoritiesOnly && !cert.IsCA)
}
