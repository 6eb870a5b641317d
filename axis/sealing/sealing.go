// Package sealing owns the time of the log: at most once in an interval, when the log
// has grown, it seals the newest checkpoint, has an authority outside time-stamp the
// seal, and gives both to the journal. Nobody waits for it, and while no authority
// answers nothing is journaled: the first token after that covers everything before it.
package sealing

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/evidence"
	"docaxis/internal/fault"
	"docaxis/internal/lang"
	"docaxis/proto/axispb"
	"docaxis/signing"
)

// Log is what is sealed.
type Log interface {
	// Newest is the newest signed checkpoint, and how it stands to what was sealed.
	Newest(ctx context.Context) (Newest, error)
	// Journal makes a sealed checkpoint of an epoch a record, and returns once that is
	// durable. It reports false where the log has begun another epoch meanwhile:
	// nothing was journaled, and the newest checkpoint is another one.
	Journal(ctx context.Context, epoch uint64, sealed []byte) (bool, error)
}

// Newest is a log's newest checkpoint.
type Newest struct {
	Epoch uint64
	Note  []byte // signed, exact bytes
	// Grown: there are records that no sealed checkpoint covers, other than sealed
	// checkpoints.
	Grown bool
	// Sealed is when a checkpoint was sealed last; zero for never.
	Sealed time.Time
}

// Authorities add a time-stamp to a signer of a signature; an error is worth another
// try later.
type Authorities interface {
	Signature(ctx context.Context, signature []byte, signer int) ([]byte, error)
}

// Config of a Sealer.
type Config struct {
	// Every is the least time between two sealed checkpoints, and between two tries.
	Every time.Duration
	// Look is how often it is looked whether it is time.
	Look time.Duration
	Now  func() time.Time
	Log  *slog.Logger
	// Seal gives the key to seal with, and its certificates.
	Seal        func() (crypto.Signer, []*x509.Certificate, error)
	Authorities Authorities
	// Faults makes steps fail in tests: seal.sign, seal.stamp and seal.journal, each
	// .before and .after. Unlike a failure of the step itself it ends Run.
	Faults fault.Hook
}

// Sealer seals a log's checkpoints.
type Sealer struct {
	cfg  Config
	log  Log
	turn chan struct{} // held by whoever tries

	mu     sync.Mutex
	tried  time.Time // guarded by mu
	failed State     // guarded by mu
}

// State is what people are shown.
type State struct {
	// Since is from when on no checkpoint could be sealed; zero while they can.
	Since time.Time
	// Problem is why, at the last try.
	Problem error
}

// New makes a Sealer.
func New(l Log, c Config) *Sealer {
	return &Sealer{cfg: c, log: l, turn: make(chan struct{}, 1)}
}

// State tells how it goes.
func (s *Sealer) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// Run seals when it is time, until ctx ends. Its error is a fault's.
func (s *Sealer) Run(ctx context.Context) error {
	tick := time.NewTicker(s.cfg.Look)
	defer tick.Stop()
	for {
		var stop *stopped
		if err := s.look(ctx); errors.As(err, &stop) {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look seals if it is time.
func (s *Sealer) look(ctx context.Context) error {
	n, err := s.log.Newest(ctx)
	if err != nil || !n.Grown {
		return s.told(ctx, err)
	}
	s.mu.Lock()
	tried := s.tried
	s.mu.Unlock()
	now := s.cfg.Now()
	// A time that is far from now was told by a clock that has jumped since.
	if now.Sub(n.Sealed).Abs() < s.cfg.Every || now.Sub(tried).Abs() < s.cfg.Every {
		return nil
	}
	_, err = s.Seal(ctx)
	return err
}

// Seal seals the newest checkpoint at once, whenever one was sealed last; it reports
// false where nothing new is there to be sealed. Authorities may take minutes. An error
// is worth another try.
func (s *Sealer) Seal(ctx context.Context) (bool, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	n, err := s.log.Newest(ctx)
	if err != nil || !n.Grown {
		return false, s.told(ctx, err)
	}
	done, err := s.seal(ctx, n)
	return done, s.told(ctx, err)
}

func (s *Sealer) seal(ctx context.Context, n Newest) (bool, error) {
	s.mu.Lock()
	s.tried = s.cfg.Now()
	s.mu.Unlock()
	sealed, err := s.stamped(ctx, n.Note)
	if err != nil {
		return false, err
	}
	if err := s.at("seal.journal.before"); err != nil {
		return false, err
	}
	done, err := s.log.Journal(ctx, n.Epoch, sealed)
	if err != nil {
		return false, fmt.Errorf("journal a sealed checkpoint: %w", err)
	}
	s.recovered()
	return done, s.at("seal.journal.after")
}

// stamped makes the marshalled SealedCheckpoint of a checkpoint.
func (s *Sealer) stamped(ctx context.Context, note []byte) ([]byte, error) {
	if err := s.at("seal.sign.before"); err != nil {
		return nil, err
	}
	key, chain, err := s.cfg.Seal()
	if err != nil {
		return nil, lang.Errorf("con dấu số của trục không dùng được: %v", "the axis's seal cannot be used: %v", err).Because(err)
	}
	seal, err := signing.Sign(note, key, chain)
	if err != nil {
		return nil, lang.Errorf("con dấu số của trục không ký được: %v", "the axis's seal cannot sign: %v", err).Because(err)
	}
	if err := errors.Join(s.at("seal.sign.after"), s.at("seal.stamp.before")); err != nil {
		return nil, err
	}
	if seal, err = s.cfg.Authorities.Signature(ctx, seal, 0); err != nil {
		return nil, err
	}
	if err := s.at("seal.stamp.after"); err != nil {
		return nil, err
	}
	sealed, err := proto.Marshal(&axispb.SealedCheckpoint{Version: 1, Checkpoint: note, Seal: seal})
	if err == nil && len(sealed) > evidence.MaxSealed {
		err = lang.Errorf("dấu thời gian dài %d byte, quá giới hạn; đề nghị chọn đơn vị cấp khác", "the seal with its time-stamp has %d bytes, which is too much; choose another authority", len(sealed))
	}
	return sealed, err
}

// told keeps what people are shown of a failure, and logs the first of a row.
func (s *Sealer) told(ctx context.Context, err error) error {
	var stop *stopped
	if err == nil || ctx.Err() != nil || errors.As(err, &stop) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed.Since.IsZero() {
		s.failed.Since = s.cfg.Now()
		s.cfg.Log.Warn("no checkpoint could be sealed and time-stamped; it is tried again, and documents go on", "error", err)
	}
	s.failed.Problem = err
	return err
}

func (s *Sealer) recovered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.failed.Since.IsZero() {
		s.cfg.Log.Info("checkpoints are sealed and time-stamped again", "failed since", s.failed.Since.UTC())
	}
	s.failed = State{}
}

// stopped is a fault: as if the process had ended there.
type stopped struct{ error }

func (s *stopped) Unwrap() error { return s.error }

func (s *Sealer) at(point string) error {
	if err := s.cfg.Faults.At(point); err != nil {
		return &stopped{err}
	}
	return nil
}
