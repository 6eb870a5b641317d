package admin

import (
	"context"
	"net/http"

	"docaxis/internal/admin"
)

// PathCheck reads all of journal and content.
const PathCheck = "/check"

// Kinds of Damage.
const (
	DamagedBlock = "block"
	DamagedChunk = "chunk"
)

// Damage is something of the axis's store that a disk harmed.
type Damage struct {
	Kind string `json:"kind"` // DamagedBlock or DamagedChunk
	// Place is a block's stream and sequence, or a chunk's digest.
	Place string `json:"place"`
	What  string `json:"what,omitempty"`
}

// Checked is what a look at everything found.
type Checked struct {
	Blocks uint64   `json:"blocks"`
	Damage []Damage `json:"damage"`
}

// Checks looks at the whole store.
type Checks interface {
	Check(ctx context.Context) (Checked, error)
}

func serveChecks(mux *http.ServeMux, o Checks) {
	mux.HandleFunc("GET "+PathCheck, func(w http.ResponseWriter, r *http.Request) {
		v, err := o.Check(r.Context())
		admin.Answer(w, v, err)
	})
}
