package admin

import (
	"context"
	"net/http"

	"docaxis/internal/admin"
)

// Agencies is what the axis does for an operator about agencies.
type Agencies interface {
	ImportAgencies(ctx context.Context, req Import) (Imported, error)
	// ListAgencies lists those that a filter finds, by code.
	ListAgencies(ctx context.Context, f AgencyFilter) (AgencyList, error)
	// ShowAgency tells all that is known of one; REASON_NOT_FOUND where there is none.
	ShowAgency(ctx context.Context, code string) (AgencyDetail, error)
	// CloseAgencies ends agencies and names who takes over, one or several of which
	// may be new; all or nothing.
	CloseAgencies(ctx context.Context, req CloseAgencies) (Closed, error)
	// MoveAgencies gives codes to an endpoint, with what waits for them; all or
	// nothing.
	MoveAgencies(ctx context.Context, req MoveAgencies) (Moved, error)
	// ListRequests lists what endpoints asked, longest waiting first; with all, also
	// what was decided.
	ListRequests(ctx context.Context, all bool) ([]AgencyRequest, error)
	// SettleRequest decides on one. What it asked for may be refused by now.
	SettleRequest(ctx context.Context, req Settle) (AgencyRequest, error)
}

// AgencyFilter narrows a list of agencies. Zero values do not narrow.
type AgencyFilter struct {
	// Search is a part of a code, an alias or the name, in any case.
	Search string
	// Parent is the code of the agency right above.
	Parent string
	// Unserved: nobody takes what is sent to them.
	Unserved bool
	Limit    int // 1000 where 0
}

// AgencyList is a page of agencies.
type AgencyList struct {
	Total    int          `json:"total"` // that the filter finds
	Agencies []AgencyLine `json:"agencies"`
}

// AgencyLine is an agency in a list.
type AgencyLine struct {
	Code     string   `json:"code"`
	Name     string   `json:"name"`
	Level    string   `json:"level"`
	Parent   string   `json:"parent,omitempty"`
	Aliases  []string `json:"aliases,omitempty"`
	Endpoint string   `json:"endpoint,omitempty"`
	// Served says whether that endpoint, or a successor's, takes what is sent.
	Served     bool     `json:"served"`
	ClosedMS   int64    `json:"closed_ms,omitempty"`
	Successors []string `json:"successors,omitempty"`
	Mail       string   `json:"mail,omitempty"`
	Phone      string   `json:"phone,omitempty"`
	Fax        string   `json:"fax,omitempty"`
}

// AgencyDetail is all that is known of an agency.
type AgencyDetail struct {
	AgencyLine
	ValidFromMS int64 `json:"valid_from_ms,omitempty"`
	Children    int   `json:"children"` // right below it
	// ServedBefore lists the endpoints that served it earlier, oldest first.
	ServedBefore []string   `json:"served_before,omitempty"`
	Seals        []SealLine `json:"seals"`
	Policy       PolicyLine `json:"policy"`
	// Waiting documents that its endpoint has not consigned, and since when the
	// oldest.
	Waiting  uint64 `json:"waiting"`
	OldestMS int64  `json:"oldest_ms,omitempty"`
	History  []Deed `json:"history"` // newest first
}

// Import asks to put the agencies of a CSV file into the registry.
type Import struct {
	Why
	CSV string `json:"csv"`
}

// Imported says how many agencies are new, changed and as they were.
type Imported struct {
	Added   int `json:"added"`
	Changed int `json:"changed"`
	Same    int `json:"same"`
}

// CloseAgencies asks to end agencies in favour of successors.
type CloseAgencies struct {
	Why
	Codes      []string `json:"codes"`
	Successors []string `json:"successors,omitempty"`
	// New are those successors that do not exist yet.
	New []NewAgency `json:"new,omitempty"`
}

// NewAgency is a successor that is made in the same change. What is empty it has from
// the first agency that it takes over from.
type NewAgency struct {
	Code   string `json:"code"`
	Name   string `json:"name"`
	Parent string `json:"parent,omitempty"`
	Level  string `json:"level,omitempty"`
	// Endpoint that serves it: where empty, the one that serves all the closed ones,
	// if it is one.
	Endpoint string `json:"endpoint,omitempty"`
}

// Closed says what became of the agencies.
type Closed struct {
	LeafIndex  uint64       `json:"leaf_index"`
	Closed     []AgencyLine `json:"closed"`
	Successors []AgencyLine `json:"successors"`
	// Waiting documents of the closed codes, by the endpoint that is to take them: the
	// one heir's, where there is one, else the one that they were with.
	Waiting map[string]uint64 `json:"waiting,omitempty"`
}

// MoveAgencies asks to give codes to an endpoint.
type MoveAgencies struct {
	Why
	Codes    []string `json:"codes"`
	Endpoint string   `json:"endpoint"`
}

// Moved says what an endpoint was given.
type Moved struct {
	LeafIndex uint64   `json:"leaf_index"`
	Codes     []string `json:"codes"`
	Endpoint  string   `json:"endpoint"`
	// Waiting documents of these codes, which it is given too.
	Waiting uint64 `json:"waiting"`
}

// Paths of the API about agencies.
const (
	PathImport      = "/agency/import"
	PathAgencies    = "/agency/list"
	PathAgencyShow  = "/agency/show"
	PathAgencyClose = "/agency/close"
	PathAgencyMove  = "/agency/move"
)

func handleAgencies(mux *http.ServeMux, o Agencies) {
	mux.HandleFunc("GET "+PathAgencies, func(w http.ResponseWriter, r *http.Request) {
		v, err := o.ListAgencies(r.Context(), AgencyFilter{
			Search: r.FormValue("search"), Parent: r.FormValue("parent"), Unserved: r.FormValue("unserved") == "true", Limit: limitOf(r),
		})
		admin.Answer(w, v, err)
	})
	mux.HandleFunc("GET "+PathAgencyShow, func(w http.ResponseWriter, r *http.Request) {
		v, err := o.ShowAgency(r.Context(), r.FormValue("code"))
		admin.Answer(w, v, err)
	})
	post(mux, PathImport, o.ImportAgencies)
	post(mux, PathAgencyClose, o.CloseAgencies)
	post(mux, PathAgencyMove, o.MoveAgencies)
	handleRequests(mux, o)
}
