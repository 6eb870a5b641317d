package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"docaxis/axis/broker"
	"docaxis/axis/intake"
	"docaxis/axis/journal"
	"docaxis/axis/ledger"
	"docaxis/axis/registry"
	axistlog "docaxis/axis/tlog"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// stock writes records into the journal of an axis that does not run, as its appender
// would, block by block, each synced. What it spares is the conversation: everything is
// signed and sealed as ever, and the axis's own start projects it.
type stock struct {
	dir     string // of the axis
	broker  *broker.Broker
	journal *journal.Journal
	ca      *registry.CA
	tree    axistlog.Tree
	epoch   uint64
	lastMS  int64
}

// openStock opens the journal where the axis left it by a clean stop.
func openStock(ctx context.Context, dir string) (*stock, error) {
	s := &stock{dir: dir}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	return s, nil
}

func (s *stock) open(ctx context.Context) (err error) {
	if err := s.follow(ctx); err != nil {
		return err
	}
	if s.ca, err = registry.OpenCA(filepath.Join(s.dir, "keys"), registry.CAConfig{}); err != nil {
		return err
	}
	s.broker, err = broker.Start(broker.Config{Dir: filepath.Join(s.dir, "journal"), Alone: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if s.journal, err = journal.Open(ctx, s.broker.Journal(), journal.Config{}); err != nil {
		return err
	}
	if next := s.journal.Tail().NextLeaf; next != s.tree.Size() {
		return fmt.Errorf("the journal has %d records, the ledger %d", next, s.tree.Size())
	}
	return nil
}

// follow takes the tree from the ledger, which has every record after a clean stop.
func (s *stock) follow(ctx context.Context) error {
	l, err := ledger.Open(ctx, filepath.Join(s.dir, ledgerFile))
	if err != nil {
		return err
	}
	defer l.Close()
	at, err := l.Position(ctx)
	if err != nil {
		return err
	}
	s.epoch, s.lastMS = at.Epoch, at.TimeMS
	s.tree, err = axistlog.Load(at.Size, l)
	return err
}

// ledgerFile is the ledger in the axis's folder.
const ledgerFile = "ledger.db"

func (s *stock) close(ctx context.Context) error {
	if s.broker == nil {
		return nil
	}
	return s.broker.Stop(ctx)
}

// record makes a record of this moment.
func (s *stock) record(kind axispb.Kind, body []byte, d *axispb.Decision) (*axispb.Record, error) {
	s.lastMS = max(s.lastMS, time.Now().UnixMilli())
	return intake.NewRecord(rand.Reader, s.epoch, kind, time.UnixMilli(s.lastMS), body, d)
}

// append stores records as one block and gives the leaf index of the first.
func (s *stock) append(ctx context.Context, records []*axispb.Record) (first uint64, err error) {
	first = s.tree.Size()
	leaves := make([]axistlog.Hash, len(records))
	for i, r := range records {
		leaves[i] = evidence.LeafHash(r.GetHeader())
	}
	next, _, err := s.tree.Extend(leaves)
	if err != nil {
		return 0, err
	}
	root := s.tree.Root()
	for {
		tail := s.journal.Tail()
		_, err = s.journal.Append(ctx, &axispb.Block{
			Version: 1, Epoch: s.epoch, Number: tail.Blocks, FirstLeaf: tail.NextLeaf,
			RootBefore: root[:], PreviousDigest: tail.Digest, Records: records,
		})
		if !errors.Is(err, journal.ErrFull) {
			break
		}
		if _, err := s.journal.Rotate(ctx, s.epoch, root[:]); err != nil {
			return 0, err
		}
	}
	if err != nil {
		return 0, err
	}
	s.tree = next
	return first, nil
}
