package admin

import (
	"context"
	"net/http"

	"docaxis/internal/admin"
)

// PathSizes of the API.
const PathSizes = "/sizes"

// Sizer says what the axis takes of its disks.
type Sizer interface {
	Sizes(ctx context.Context) (Sizes, error)
}

// Sizes is what everything takes.
type Sizes struct {
	Parts   []Size            `json:"parts"`
	Streams uint64            `json:"streams"` // of the journal
	Rows    map[string]uint64 `json:"rows"`    // of the ledger, by table
}

// Size is what one part takes.
type Size struct {
	Name  string `json:"name"`
	Files uint64 `json:"files"`
	Bytes uint64 `json:"bytes"`
}

func sizes(mux *http.ServeMux, o Operator) {
	s, ok := o.(Sizer)
	if !ok {
		return
	}
	mux.HandleFunc("GET "+PathSizes, func(w http.ResponseWriter, r *http.Request) {
		v, err := s.Sizes(r.Context())
		admin.Answer(w, v, err)
	})
}
