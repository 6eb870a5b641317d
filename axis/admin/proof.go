package admin

import (
	"context"
	"net/http"

	"docaxis/internal/admin"
)

// Proofs is what the axis hands out to whoever verifies.
type Proofs interface {
	// Proofs gives everything that proves the stories of an id; REASON_NOT_FOUND
	// where there is none.
	Proofs(ctx context.Context, id string) (ProofSet, error)
}

// ProofSet proves the stories of an id to somebody who has nothing but the CA's key
// from elsewhere. Bytes are exact.
type ProofSet struct {
	CA     []byte   `json:"ca"`     // DER
	Epochs [][]byte `json:"epochs"` // SignedEpoch, oldest first
	// One for each record, in the journal's order.
	Records []ProofRecord `json:"records"`
}

// ProofRecord is a record with its receipt.
type ProofRecord struct {
	LeafIndex uint64 `json:"leaf_index"`
	// Event names an evidence's event; empty for the document itself.
	Event  string `json:"event,omitempty"`
	Sender string `json:"sender,omitempty"`
	Code   string `json:"code,omitempty"`
	// Body is the Envelope or the Evidence, Receipt its Receipt.
	Body    []byte `json:"body"`
	Receipt []byte `json:"receipt"`
	// Time is its TimeProof; empty while no time-stamp covers it.
	Time []byte `json:"time,omitempty"`
}

// PathProofs is where the API gives proofs.
const PathProofs = "/proofs"

func handleProofs(mux *http.ServeMux, o Proofs) {
	mux.HandleFunc("GET "+PathProofs, func(w http.ResponseWriter, r *http.Request) {
		v, err := o.Proofs(r.Context(), r.FormValue("id"))
		admin.Answer(w, v, err)
	})
}
