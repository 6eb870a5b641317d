package admin

import (
	"context"
	"net/http"

	"docaxis/internal/admin"
)

// Paths of what is asked about systems.
const (
	PathSystems      = "/systems"
	PathSystemChange = "/system"
)

// SystemKeeper keeps the document-management systems that speak the national axis's
// protocol to the endpoint.
type SystemKeeper interface {
	Systems(ctx context.Context) ([]System, error)
	ChangeSystem(ctx context.Context, c SystemChange) (SystemChanged, error)
}

// System is a document-management system.
type System struct {
	Name      string   `json:"name"`
	Codes     []string `json:"codes"`
	CreatedMS int64    `json:"created_ms"`
	// Secrets that are good now, newest first; never themselves.
	Secrets []SystemSecret `json:"secrets"`
	// Documents and Statuses are listed to it now.
	Documents int `json:"documents"`
	Statuses  int `json:"statuses"`
}

// SystemSecret says since when, and until when, a secret is good.
type SystemSecret struct {
	CreatedMS int64 `json:"created_ms"`
	EndsMS    int64 `json:"ends_ms,omitempty"` // 0 for no end
}

// Held is what of the systems' documents waits for a person.
type Held struct {
	Systems int `json:"systems,omitempty"`
	// ParkedDeliveries were not taken by their systems too often; endpoint retry lists
	// one again. ParkedID is one of them.
	ParkedDeliveries int    `json:"parked_deliveries,omitempty"`
	ParkedID         string `json:"parked_id,omitempty"`
	// Unsealed documents wait for a seal; of these, Sealable have one by now: endpoint
	// retry seals them. UnsealedID is one, of those that have a seal where there are any.
	Unsealed   int    `json:"unsealed,omitempty"`
	Sealable   int    `json:"sealable,omitempty"`
	UnsealedID string `json:"unsealed_id,omitempty"`
	// Away documents wait for a token that holds the seal; they go by themselves when it
	// signs. AwayID is one of them.
	Away   int    `json:"away,omitempty"`
	AwayID string `json:"away_id,omitempty"`
}

// What is done to a system.
const (
	SystemAdd      = "add"
	SystemRotate   = "rotate"
	SystemAllow    = "allow"
	SystemDisallow = "disallow"
	SystemRemove   = "remove"
)

// SystemChange is what is to be done to a system.
type SystemChange struct {
	Do    string   `json:"do"`
	Name  string   `json:"name"`
	Codes []string `json:"codes,omitempty"`
	// Now ends the old secret at once.
	Now bool `json:"now,omitempty"`
}

// SystemChanged is the system as it is now.
type SystemChanged struct {
	System
	// Secret is new; nobody is told it again.
	Secret string `json:"secret,omitempty"`
	// Strange codes are neither served by this endpoint nor is there a seal of them.
	Strange []string `json:"strange,omitempty"`
}

func serveSystems(mux *http.ServeMux, k SystemKeeper) {
	get(mux, PathSystems, func(r *http.Request) (any, error) { return k.Systems(r.Context()) })
	mux.HandleFunc("POST "+PathSystemChange, func(w http.ResponseWriter, r *http.Request) {
		var c SystemChange
		if err := admin.Read(r, &c); err != nil {
			admin.Answer(w, nil, err)
			return
		}
		v, err := k.ChangeSystem(r.Context(), c)
		admin.Answer(w, v, err)
	})
}
