package ledger

import (
	"context"
	"database/sql"
	"fmt"
)

// Identity names a document as its sender does.
type Identity struct{ Sender, ID string }

// enoughDocuments of an endpoint that have one chunk: it may have forgotten some.
const enoughDocuments = 4

// Parties lists documents with a chunk whose content is kept and of which an endpoint is
// a party, at most four.
func (l *Ledger) Parties(ctx context.Context, endpoint string, digest []byte) ([]Identity, error) {
	rows, err := l.look.QueryContext(ctx, `SELECT d.sender, d.id FROM chunk c
		JOIN document d ON d.position = c.document JOIN holding h ON h.document = d.position AND h.released_ms = 0
		JOIN endpoint e ON e.name = ?2
		WHERE c.digest = ?1 AND (d.endpoint = e.id OR EXISTS (SELECT 1 FROM recipient r WHERE r.document = d.position AND r.endpoint = e.id))
		ORDER BY d.position DESC LIMIT ?3`, digest, endpoint, enoughDocuments)
	if err != nil {
		return nil, fmt.Errorf("look for documents of a party: %w", err)
	}
	return collect(rows, func(rows *sql.Rows, d *Identity) error { return rows.Scan(&d.Sender, &d.ID) })
}
