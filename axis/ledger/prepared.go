package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"docaxis/internal/sqlite"
)

// prepared is a database that parses its frequent queries once for each connection
// and not each time (measured: a quarter of the axis's processor time).
type prepared struct {
	*sql.DB
	by statements
}

// statements are prepared, by their text.
type statements map[string]*sql.Stmt

// learn prepares queries. It is done before the first use, never during one: a
// transaction that had to wait for a further connection could wait for ever.
func (p *prepared) learn(ctx context.Context, queries []string) error {
	p.by = make(statements, len(queries))
	for _, q := range queries {
		st, err := p.PrepareContext(ctx, q)
		if err != nil {
			return fmt.Errorf("prepare %.40q: %w", q, err)
		}
		p.by[q] = st // closed with the database
	}
	return nil
}

// QueryRowContext runs a query, prepared where it was learned.
func (p *prepared) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	ctx = sqlite.Whole(ctx)
	if st, ok := p.by[query]; ok {
		return st.QueryRowContext(ctx, args...)
	}
	return p.DB.QueryRowContext(ctx, query, args...)
}

// frequentReads are run for every page and receipt.
func frequentReads() []string {
	return []string{selectPosition, selectHash, selectLocation, selectRows, selectPublic, selectJournaled}
}

// frequentLooks are run for every document and evidence.
func frequentLooks() []string {
	return []string{
		selectPosition, selectHash, selectByIdentity, selectByPosition, selectByRecord, selectCopy, selectHadRow, selectSaidSince,
		selectFirst, selectByCounter, selectMayRead, selectReleased, selectNeeded, selectIsRecipient, selectNextAccepted, selectLastAccepted, selectAcceptedAs,
	}
}

// frequentWrites are run for every record.
func frequentWrites() []string {
	return []string{
		selectPosition, insertHash, insertRecord, insertDocument, insertChunk, insertRecipient, insertMailbox,
		selectTarget, insertEvidence, updateRecipient, insertTold, selectEndpoint, insertEndpoint, selectCode, insertCode, insertServed, updatePosition, insertHolding, updateHolding,
	}
}
