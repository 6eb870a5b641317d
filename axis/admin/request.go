package admin

import (
	"net/http"

	"docaxis/internal/admin"
)

// AgencyRequest is what an endpoint asked of the registry and an operator decides.
type AgencyRequest struct {
	ID       string `json:"id"`
	Endpoint string `json:"endpoint"`
	// What is asked: add, change or close.
	What   string `json:"what"`
	Code   string `json:"code"`
	Name   string `json:"name,omitempty"`
	Parent string `json:"parent,omitempty"`
	Level  string `json:"level,omitempty"`
	Mail   string `json:"mail,omitempty"`
	Phone  string `json:"phone,omitempty"`
	Fax    string `json:"fax,omitempty"`
	// Known is the name of the agency as the registry has it; empty for a new one.
	Known   string `json:"known,omitempty"`
	AskedMS int64  `json:"asked_ms"`
	// State: open, approved, refused, or replaced by a later request.
	State     string `json:"state"`
	SettledMS int64  `json:"settled_ms,omitempty"`
	By        string `json:"by,omitempty"`
	Why       string `json:"why,omitempty"`
	LeafIndex uint64 `json:"leaf_index"` // of the record that changed it last
}

// Settle decides on a request.
type Settle struct {
	Why
	ID      string `json:"id"`
	Approve bool   `json:"approve"`
}

// Paths of the API about requests.
const (
	PathRequests = "/agency/requests"
	PathSettle   = "/agency/settle"
)

func handleRequests(mux *http.ServeMux, o Agencies) {
	mux.HandleFunc("GET "+PathRequests, func(w http.ResponseWriter, r *http.Request) {
		v, err := o.ListRequests(r.Context(), r.FormValue("all") == "true")
		admin.Answer(w, v, err)
	})
	post(mux, PathSettle, o.SettleRequest)
}
