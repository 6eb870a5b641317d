package content

import (
	"errors"
	"slices"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// damaged reports whether SQLite met a file that it did not write so; rows against
// their constraints are such, too.
func damaged(err error) bool {
	var e *sqlite.Error
	codes := []int{sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT}
	return errors.As(err, &e) && slices.Contains(codes, e.Code()&0xff) // the rest says where
}
