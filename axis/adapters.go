package axis

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"docaxis/axis/intake"
	"docaxis/axis/journal"
	"docaxis/axis/ledger"
	"docaxis/axis/mailbox"
	"docaxis/axis/registry"
	axistlog "docaxis/axis/tlog"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"

	"golang.org/x/mod/sumdb/tlog"
	"google.golang.org/protobuf/proto"
)

// The parts of the axis do not know one another: here each is given to the others
// in the form that they asked for.

// routes is the registry as a decision sees it.
type routes struct{ *registry.State }

func (r routes) Route(code string, at time.Time) (intake.Route, error) {
	route, refused := r.State.Route(code, at)
	if refused != nil {
		return intake.Route{}, refused
	}
	return intake.Route{Code: code, Serving: route.Serving, Endpoint: route.Endpoint, Routed: route.Routed}, nil
}

func (r routes) Group(under string, level axispb.Level, at time.Time) ([]intake.Route, int) {
	served, unserved := r.State.Group(under, level, at)
	all := make([]intake.Route, len(served))
	for i, route := range served {
		all[i] = intake.Route{Code: route.Serving, Serving: route.Serving, Endpoint: route.Endpoint}
	}
	return all, unserved
}

func (r routes) Seal(code string, certificate [32]byte, at time.Time) error {
	if _, refused := r.State.Seal(code, certificate, at); refused != nil {
		return refused
	}
	return nil
}

func (r routes) Security() string { return r.State.Policy("").Security }

func (r routes) Pinned(code string) []*x509.Certificate {
	var all []*x509.Certificate
	for _, s := range r.State.Seals(code) {
		if cert, err := x509.ParseCertificate(s.Certificate); err == nil {
			all = append(all, cert)
		}
	}
	return all
}

// accepted is the ledger as a decision sees it.
type accepted struct{ *ledger.Ledger }

func (a accepted) ByIdentity(ctx context.Context, sender, id string) (intake.Known, bool, error) {
	k, found, err := a.Ledger.ByIdentity(ctx, sender, id)
	return intake.Known(k), found, err
}

func (a accepted) ByPosition(ctx context.Context, position uint64) (intake.Known, bool, error) {
	k, found, err := a.Ledger.ByPosition(ctx, position)
	return intake.Known(k), found, err
}

func (a accepted) ByCommitment(ctx context.Context, commitment []byte) (intake.Known, bool, error) {
	k, found, err := a.Ledger.ByCommitment(ctx, commitment)
	return intake.Known(k), found, err
}

func (a accepted) First(ctx context.Context, document uint64, code string, event axispb.Event, issuer string) (intake.Said, bool, error) {
	s, found, err := a.Ledger.First(ctx, document, code, event, issuer)
	return intake.Said(s), found, err
}

func (a accepted) ByCounter(ctx context.Context, issuer string, counter uint64) (intake.Said, bool, error) {
	s, found, err := a.Ledger.ByCounter(ctx, issuer, counter)
	return intake.Said(s), found, err
}

func (a accepted) Holding(ctx context.Context, document uint64) (intake.Holding, bool, error) {
	h, found, err := a.Ledger.Holding(ctx, document)
	return intake.Holding(h), found, err
}

// boxes is the ledger as the mailbox sees it.
type boxes struct{ *ledger.Ledger }

func (b boxes) Snapshot(ctx context.Context) (mailbox.Snapshot, error) {
	s, err := b.Ledger.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return snapshot{s}, nil
}

type snapshot struct{ *ledger.Snapshot }

func (s snapshot) Epoch() uint64      { return s.Position.Epoch }
func (s snapshot) Size() uint64       { return s.Position.Size }
func (s snapshot) Checkpoint() []byte { return s.Position.Checkpoint }

func (s snapshot) Inclusion(leaf uint64) ([][]byte, error) {
	return axistlog.Inclusion(s.Position.Size, leaf, s.Snapshot)
}

func (s snapshot) Consistency(from uint64) ([][]byte, error) {
	return axistlog.Consistency(from, s.Position.Size, s.Snapshot)
}

func (s snapshot) Rows(ctx context.Context, endpoint string, after *axispb.Cursor, limit int) ([]mailbox.Row, error) {
	rows, err := s.Snapshot.Rows(ctx, endpoint, after, limit)
	all := make([]mailbox.Row, len(rows))
	for i, r := range rows {
		all[i] = mailbox.Row{
			Lane: r.Lane, Position: r.Position, Ordinal: r.Ordinal, Record: mailbox.Location(r.Record),
			Kind: r.Kind, Code: r.Code, Serving: r.Serving, Target: r.Target,
		}
	}
	return all, err
}

func (s snapshot) Journaled(ctx context.Context, document uint64, code string) ([]mailbox.Location, error) {
	at, err := s.Snapshot.Journaled(ctx, document, code)
	all := make([]mailbox.Location, len(at))
	for i, l := range at {
		all[i] = mailbox.Location(l)
	}
	return all, err
}

// records reads records out of the journal's blocks.
type records struct{ journal *journal.Journal }

func (r records) Record(ctx context.Context, at mailbox.Location) (*axispb.Record, error) {
	e, err := r.journal.Get(ctx, journal.Location{Stream: at.Stream, Seq: at.Seq})
	if err != nil {
		return nil, err
	}
	all := e.Block.GetRecords()
	if at.Nth >= len(all) || e.Block.GetFirstLeaf()+uint64(at.Nth) != at.Position {
		return nil, fmt.Errorf("the ledger names record %d of block %v, which is another", at.Nth, e.Location)
	}
	return all[at.Nth], nil
}

// proofs makes receipts, and checks what a statement says of the log.
type proofs struct {
	ledger  *ledger.Ledger
	records records
	trust   *evidence.Trust
}

// Receipt proves the record at a leaf under the newest checkpoint. No snapshot is
// needed: neither a record nor a hash of the tree ever changes, and those of the
// position that is read first are all there.
func (p proofs) Receipt(ctx context.Context, leaf uint64) ([]byte, error) {
	at, record, err := p.record(ctx, leaf)
	if err != nil {
		return nil, err
	}
	if past := pastOf(record); past != nil {
		// Its own proof: whoever has it knows the earlier epoch.
		return past.Receipt, nil
	}
	inclusion, err := axistlog.Inclusion(at.Size, leaf, p.ledger)
	if err != nil {
		return nil, err
	}
	return evidence.NewReceipt(record, leaf, inclusion, at.Checkpoint)
}

// Body gives the exact bytes that are journaled at a leaf.
func (p proofs) Body(ctx context.Context, leaf uint64) ([]byte, error) {
	_, record, err := p.record(ctx, leaf)
	if past := pastOf(record); past != nil {
		record = past.Record
	}
	return record.GetBody(), err
}

// pastOf is what a recovered record carries; nil for every other.
func pastOf(r *axispb.Record) *evidence.Past {
	h := new(axispb.RecordHeader)
	if err := proto.Unmarshal(r.GetHeader(), h); err != nil || h.GetKind() != axispb.Kind_KIND_RECOVERED {
		return nil
	}
	past, err := evidence.OpenRecovered(r.GetBody())
	if err != nil {
		return nil
	}
	return past
}

// record reads the record at a leaf, and says under which position it was found.
func (p proofs) record(ctx context.Context, leaf uint64) (ledger.Position, *axispb.Record, error) {
	position, err := p.ledger.Position(ctx)
	if err != nil {
		return position, nil, err
	}
	at, found, err := p.ledger.Locate(ctx, leaf)
	if err != nil {
		return position, nil, err
	}
	if !found || leaf >= position.Size {
		return position, nil, reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "the record is not applied yet")
	}
	record, err := p.records.Record(ctx, mailbox.Location(at))
	return position, record, err
}

// Signed reports whether this log had a root at a size. What an earlier epoch had
// beyond the base of the next is not in this tree: nobody here can contradict it.
func (p proofs) Signed(ctx context.Context, ref *axispb.CheckpointRef) (bool, error) {
	remembered, err := p.ledger.Position(ctx)
	if err != nil {
		return false, err
	}
	return p.signedSince(ctx, remembered, ref)
}

// signedSince is Signed by a position that was remembered. For a moment after a block
// was applied, readers were shown more than that: an endpoint that answers at once must
// not be told that its checkpoint was never signed.
func (p proofs) signedSince(ctx context.Context, remembered ledger.Position, ref *axispb.CheckpointRef) (bool, error) {
	signed, err := p.signedAt(remembered, ref)
	if signed || err != nil {
		return signed, err
	}
	stored, err := p.ledger.Stored(ctx)
	if err != nil || stored.Epoch == remembered.Epoch && stored.Size == remembered.Size {
		return false, err
	}
	return p.signedAt(stored, ref)
}

func (p proofs) signedAt(position ledger.Position, ref *axispb.CheckpointRef) (bool, error) {
	bound := position.Size
	if ref.GetEpoch() != position.Epoch {
		e, known := p.trust.Epoch(ref.GetEpoch())
		if !known || ref.GetEpoch() > position.Epoch {
			return false, nil
		}
		// An epoch that was lost itself has nothing here beyond its base.
		if bound = p.trust.Common(ref.GetEpoch(), position.Epoch); p.lost(ref.GetEpoch()) {
			bound = min(bound, e.GetBaseSize())
		}
		if ref.GetSize() > bound {
			return true, nil
		}
	}
	if ref.GetSize() > bound {
		return false, nil
	}
	root, err := tlog.TreeHash(int64(ref.GetSize()), p.ledger)
	if err != nil {
		return false, fmt.Errorf("root at size %d: %w", ref.GetSize(), err)
	}
	return bytes.Equal(root[:], ref.GetRoot()), nil
}

// lost reports whether an epoch is known by a recovered record alone.
func (p proofs) lost(epoch uint64) bool {
	epochs, err := p.ledger.Epochs(context.Background())
	return err == nil && !slices.ContainsFunc(epochs, func(e ledger.Epoch) bool { return e.Number == epoch && !e.Lost })
}
