package ledger

import (
	"context"
	"fmt"
)

// RowCounts counts the rows of every table.
func (l *Ledger) RowCounts(ctx context.Context) (map[string]uint64, error) {
	counts := make(map[string]uint64, len(tables))
	for _, t := range tables {
		var n uint64
		if err := l.read.QueryRowContext(ctx, `SELECT count(*) FROM `+t.name).Scan(&n); err != nil {
			return nil, fmt.Errorf("count the rows of %s: %w", t.name, err)
		}
		counts[t.name] = n
	}
	return counts, nil
}
