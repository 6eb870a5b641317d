package ledger

import (
	"context"
	"errors"
	"fmt"

	"docaxis/proto/axispb"
)

// ByCommitment finds an accepted document by the commitment of the record under
// which it was accepted, whether or not the journal has that record.
func (l *Ledger) ByCommitment(ctx context.Context, commitment []byte) (Known, bool, error) {
	if k, found := l.recent.byCommitment(commitment); found {
		return k, true, nil
	}
	return scanKnown(l.look.QueryRowContext(ctx, selectByRecord, commitment))
}

// ByRecord finds an accepted document by where it was accepted.
func (l *Ledger) ByRecord(ctx context.Context, epoch, leaf uint64) (Known, bool, error) {
	return scanKnown(l.look.QueryRowContext(ctx, knownColumns+`WHERE d.leaf = ? AND d.epoch = ?`, signed(leaf), signed(epoch)))
}

// Recovered finds the record that has what an earlier epoch had under a commitment.
func (l *Ledger) Recovered(ctx context.Context, commitment []byte) (position uint64, found bool, err error) {
	err = l.look.QueryRowContext(ctx, `SELECT position FROM recovered WHERE commitment = ?`, commitment).Scan(&position)
	found, err = one(err, "look up a recovered record")
	return position, found, err
}

// EpochAt is the epoch in which the record at a position was written.
func (l *Ledger) EpochAt(ctx context.Context, position uint64) (epoch uint64, err error) {
	err = l.look.QueryRowContext(ctx, `SELECT number FROM epoch WHERE lost = 0 AND position <= ? ORDER BY position DESC LIMIT 1`,
		signed(position)).Scan(&epoch)
	_, err = one(err, "look up an epoch")
	return epoch, err
}

// CameBack counts the records that were got back since a position.
func (l *Ledger) CameBack(ctx context.Context, since uint64) (n uint64, err error) {
	err = l.look.QueryRowContext(ctx, `SELECT count(*) FROM recovered WHERE position >= ?`, signed(since)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count recovered records: %w", err)
	}
	return n, nil
}

// WasRecovered reports whether a document, named by its record or by the one that an
// earlier epoch had, came back without what an acceptance guarantees: its content.
func (l *Ledger) WasRecovered(ctx context.Context, leaf uint64) (bool, error) {
	var n int
	err := l.look.QueryRowContext(ctx, `SELECT count(*) FROM document d JOIN recovered r ON r.position = d.position
		WHERE d.leaf = ?1 OR d.position = ?1`,
		signed(leaf)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look up a recovered document: %w", err)
	}
	return n > 0, nil
}

// holds follows a consignment that an earlier epoch had journaled: its issuer has
// the document, whoever serves the code by now, and nobody else is to get it.
func (a *applier) holds(e *Evidence) error {
	if e.Event != axispb.Event_EVENT_CONTENT_CONSIGNMENT || e.State == axispb.State_STATE_UNSPECIFIED {
		return nil
	}
	issuer, err := a.endpoint(e.Issuer)
	if err != nil {
		return err
	}
	code, err := a.code(e.Code)
	if err != nil {
		return err
	}
	return errors.Join(
		a.exec(`INSERT OR IGNORE INTO moved SELECT document, ?4, endpoint FROM recipient
			WHERE document = ?1 AND code = ?2 AND endpoint <> ?3`, *e.Document, code, issuer, e.Code),
		a.exec(`DELETE FROM mailbox WHERE coalesce(record, position) = ?1 AND code = ?2 AND endpoint <> ?3
			AND endpoint IN (SELECT endpoint FROM recipient WHERE document = ?1 AND code = ?2)`, *e.Document, code, issuer),
		a.exec(`UPDATE recipient SET endpoint = ?3 WHERE document = ?1 AND code = ?2`, *e.Document, code, issuer),
	)
}
