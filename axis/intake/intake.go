// Package intake owns acceptance: it checks what is submitted, decides in journal
// order, and answers only when the decision is durable.
package intake

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// ErrDecideAgain says that another writer was faster: nothing was written, and
// every pending record must be decided again on the newer state.
var ErrDecideAgain = errors.New("the journal has moved on; decide again")

// Log is where decided records become durable. It belongs to the appender's
// goroutine.
type Log interface {
	// Commit writes records as one block, all or none, and applies it, so that the
	// next decision sees it. An answer may leave once it returns nil.
	// ErrDecideAgain: nothing was written. Any other error means that it is not
	// known what was written: the process must stop and start clean.
	Commit(ctx context.Context, records []*axispb.Record) (Committed, error)
	// Epoch is the epoch of the next record, Size its leaf index, Time the journal
	// time of the last one.
	Epoch() uint64
	Size() uint64
	Time() time.Time
}

// Committed says where a block's records came to lie.
type Committed struct {
	FirstLeaf uint64
	Size      uint64 // of the tree, with the block
}

// Registry is what a decision needs of the registry, as of the tail.
type Registry interface {
	Serves(endpoint, code string) bool
	// Route finds who serves a recipient code.
	Route(code string, at time.Time) (Route, error)
	// Group resolves a group to the codes that somebody serves.
	Group(under string, level axispb.Level, at time.Time) (served []Route, unserved int)
	// Seal refuses a certificate that may not seal an agency's documents.
	Seal(code string, certificate [32]byte, at time.Time) error
	// Security is the highest security level that may enter the axis.
	Security() string
	// Pinned lists the certificates ever admitted as seals of an agency.
	Pinned(code string) []*x509.Certificate
	// Names lists every code that means an agency: its own and those of the agencies
	// that it took over from, with their aliases.
	Names(code string) []string
	// Check refuses a change that contradicts the registry.
	Check(change *axispb.RegistryChange, at time.Time) error
}

// Route is a recipient code, the code that serves it, and its endpoint.
type Route struct {
	Code, Serving, Endpoint string
	// Routed: the named code is closed and Serving took over.
	Routed bool
}

// Ledger is what a decision needs of what was accepted, as of the tail.
type Ledger interface {
	ByIdentity(ctx context.Context, sender, id string) (Known, bool, error)
	ByPosition(ctx context.Context, position uint64) (Known, bool, error)
	// ByCommitment finds a document by the record under which it was accepted.
	ByCommitment(ctx context.Context, commitment []byte) (Known, bool, error)
	// Recovered finds the record that has what an earlier epoch had.
	Recovered(ctx context.Context, commitment []byte) (position uint64, found bool, err error)
	// EpochAt is the epoch of the record at a position.
	EpochAt(ctx context.Context, position uint64) (uint64, error)
	// First finds the first evidence of an event by an issuer.
	First(ctx context.Context, document uint64, code string, event axispb.Event, issuer string) (Said, bool, error)
	ByCounter(ctx context.Context, issuer string, counter uint64) (Said, bool, error)
	// Copy is what is true of a document at a code.
	Copy(ctx context.Context, document uint64, code string) (evidence.Copy, bool, error)
	HadRow(ctx context.Context, endpoint string, document uint64, code string) (bool, error)
	// Received reports whether an endpoint has, or had, a mailbox row of a document;
	// Recipients lists those of some codes that are recipients of it.
	Received(ctx context.Context, document uint64, endpoint string) (bool, error)
	Recipients(ctx context.Context, document uint64, codes []string) ([]string, error)
	Holding(ctx context.Context, document uint64) (Holding, bool, error)
	// SaidSince counts the statements of one event after a journal time, and gives
	// the time of the oldest of them.
	SaidSince(ctx context.Context, document uint64, code string, event axispb.Event, sinceMS int64) (n int, oldestMS int64, err error)
}

// Known is an accepted document.
type Known struct {
	Position   uint64 // of the record that has it now
	Epoch      uint64 // under which it was accepted
	Leaf       uint64 // in that epoch: what evidence and receipts name
	Sender, ID string
	Manifest   []byte
	Commitment []byte
	Endpoint   string
	Lane       axispb.Lane
	DeadlineMS int64
}

// Said is a journaled evidence.
type Said struct {
	Position uint64
	Digest   []byte
	Standing axispb.Standing
	Event    axispb.Event
	Issuer   string
}

// Content is the chunk store, as far as an acceptance needs it.
type Content interface {
	// PutAboard stores whole chunks of some files as if the endpoint had uploaded each; nil
	// when they are durable. It refuses chunks that the files do not list.
	PutAboard(ctx context.Context, endpoint string, files []*axispb.FileContent, chunks [][]byte) error
	// CheckFile refuses a file whose chunks this endpoint did not upload, or whose
	// digest differs.
	CheckFile(ctx context.Context, endpoint string, file *axispb.FileContent, digest [32]byte) error
	// Accepted says that an accepted document holds these chunks.
	Accepted(ctx context.Context, endpoint string, digests [][]byte) error
}

// Proofs makes receipts and checks what a statement says of the log.
type Proofs interface {
	// Receipt proves the record at a leaf.
	Receipt(ctx context.Context, leaf uint64) ([]byte, error)
	// Body gives the exact bytes that are journaled at a leaf.
	Body(ctx context.Context, leaf uint64) ([]byte, error)
	// Has reports whether this log has a record at a leaf.
	Has(ctx context.Context, leaf uint64, header []byte) (bool, error)
	// Signed reports whether this log had this root at this size.
	Signed(ctx context.Context, ref *axispb.CheckpointRef) (bool, error)
}

// Config has limits and what is injected.
type Config struct {
	Now func() time.Time
	// Monotonic is what Now is held against; see axis.Config.
	Monotonic func() time.Duration
	// Behind: an operator confirmed before that the clock is behind the last record.
	Behind bool
	Random io.Reader
	Log    *slog.Logger
	// Largest file in bytes; default 2 GiB.
	MaxFile uint64
	// Refusals of one endpoint that are journaled within an hour; default 1,000.
	RefusalQuota uint64
	// Policies of agencies; the defaults where nil.
	Policies Policies
	// Documents and bytes of their files that one endpoint may have accepted within a
	// day; default 100,000 and 1 TiB.
	DocumentQuota, ByteQuota uint64
	// Changes of the registry that one endpoint may have journaled within a day;
	// default 1,000.
	RegistrationQuota uint64
}

const (
	// MaxEvidence is the number of statements that one request may offer.
	MaxEvidence = 100
	// bulkBytes is from how many bytes on a document counts as large.
	bulkBytes = 16 << 20
	// maxDocument bounds all files of a document together, in bytes: each is hashed
	// once before it is accepted.
	maxDocument = 4 << 30
	// clockTolerance is how far a claimed time may be off, and the clock may jump.
	clockTolerance = 10 * time.Minute
)

// Intake accepts or refuses. Run owns every decision; Submit, Evidence and
// Registry may be called by any goroutine.
type Intake struct {
	log       Log
	registry  Registry
	registrar Registrar
	ledger    Ledger
	content   Content
	proofs    Proofs
	past      Past
	trust     *evidence.Trust
	signer    func() (*evidence.Signer, error)
	cfg       Config

	queue   chan *candidate
	ended   chan struct{} // closed when Run has returned
	small   chan struct{} // places for the checks of small documents: one a core
	bulk    *turns        // the place for those of large ones, so that they hold up only each other
	clock   *clock        // moved by Run alone
	judging *judging
	// Quotas of endpoints, owned by Run.
	quota         *quota // refusals an hour
	documents     *quota // accepted, a day
	bytes         *quota // of accepted documents' files, a day
	registrations *quota // changes of the registry, a day
}

// Parts are what an Intake is made of.
type Parts struct {
	Log      Log
	Registry Registry
	// Registrar judges what endpoints ask of the registry.
	Registrar Registrar
	Ledger    Ledger
	Content   Content
	Proofs    Proofs
	Past      Past
	// Files judges files for senders whose policy asks for it; nil where none can.
	Files Files
	Trust *evidence.Trust // verifies statements
	// Signer signs as the axis. It is asked each time, since certificates end.
	Signer func() (*evidence.Signer, error)
}

// New makes an Intake; Run must be started for it to decide anything.
func New(p Parts, cfg Config) *Intake {
	if cfg.MaxFile == 0 {
		cfg.MaxFile = 2 << 30
	}
	if cfg.RefusalQuota == 0 {
		cfg.RefusalQuota = 1000
	}
	cfg.DocumentQuota = cmp.Or(cfg.DocumentQuota, defaultDocuments)
	cfg.ByteQuota = cmp.Or(cfg.ByteQuota, defaultBytes)
	cfg.RegistrationQuota = cmp.Or(cfg.RegistrationQuota, defaultRegistrations)
	clock := newClock(cfg.Now, cfg.Monotonic, p.Log.Time())
	clock.behind = cfg.Behind
	ended := make(chan struct{})
	return &Intake{
		log: p.Log, registry: p.Registry, registrar: p.Registrar, ledger: p.Ledger, content: p.Content, proofs: p.Proofs, past: p.Past,
		trust: p.Trust, signer: p.Signer, cfg: cfg,
		queue: make(chan *candidate, queueLength),
		ended: ended,
		small: make(chan struct{}, cores()),
		bulk:  newTurns(1, 1),
		clock: clock, judging: newJudging(p.Files, cfg.Now, ended),
		quota: newQuota(cfg.RefusalQuota, time.Hour), documents: newQuota(cfg.DocumentQuota, day), bytes: newQuota(cfg.ByteQuota, day),
		registrations: newQuota(cfg.RegistrationQuota, day),
	}
}

// sign states something as the axis.
func (in *Intake) sign(st *axispb.Statement) ([]byte, error) {
	signer, err := in.signer()
	if err != nil {
		return nil, fmt.Errorf("the axis's evidence key: %w", err)
	}
	return signer.Sign(st)
}
