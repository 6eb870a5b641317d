package axis

import (
	"crypto/sha256"
	"fmt"

	"docaxis/axis/journal"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"

	"golang.org/x/mod/sumdb/tlog"
)

// opened is a block taken apart, as far as the block alone allows. It needs nothing of
// the ledger or the registry, so that it may be done ahead of whoever applies blocks.
type opened struct {
	journal.Entry
	leaves  []tlog.Hash
	records []openedRecord
}

// openedRecord is a record taken apart.
type openedRecord struct {
	*axispb.Record
	header   *axispb.RecordHeader
	decision *axispb.Decision
	// By its kind, one of these, or neither.
	envelope  *envelope.Envelope
	statement *statement
	// err is what is wrong with the record. It counts when the record's turn comes: a
	// block on another tree, or a record before this one, is found first.
	err error
}

// statement is a journaled statement, with the digest of its evidence.
type statement struct {
	*axispb.Statement
	digest [sha256.Size]byte
}

func openBlock(e journal.Entry) opened {
	all := opened{Entry: e, leaves: leaves(e.Block), records: make([]openedRecord, len(e.Block.GetRecords()))}
	for i, r := range e.Block.GetRecords() {
		all.records[i] = openRecord(r)
	}
	return all
}

func openRecord(r *axispb.Record) openedRecord {
	o := openedRecord{Record: r}
	if o.header, o.decision, o.err = evidence.OpenRecord(r); o.err != nil {
		return o
	}
	switch o.header.GetKind() {
	case axispb.Kind_KIND_DOCUMENT:
		if o.envelope, o.err = envelope.Parse(r.GetBody()); o.err != nil {
			o.err = fmt.Errorf("read a journaled envelope: %w", o.err)
		}
	case axispb.Kind_KIND_EVIDENCE:
		o.statement, o.err = openStatement(r.GetBody())
	}
	return o
}

func openStatement(raw []byte) (*statement, error) {
	st, err := statementOf(raw)
	if err != nil {
		return nil, err
	}
	return &statement{Statement: st, digest: sha256.Sum256(raw)}, nil
}

func leaves(b *axispb.Block) []tlog.Hash {
	all := make([]tlog.Hash, len(b.GetRecords()))
	for i, r := range b.GetRecords() {
		all[i] = evidence.LeafHash(r.GetHeader())
	}
	return all
}
