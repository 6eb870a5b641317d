package admin

import (
	"context"
	"net/http"
	"strconv"

	"docaxis/internal/admin"
)

// Deeds is what the axis tells an operator of what was done.
type Deeds interface {
	// Deeds lists registry changes and acts, newest first, at most limit, none before
	// a time (Unix milliseconds; 0 for all).
	Deeds(ctx context.Context, sinceMS int64, limit int) ([]Deed, error)
}

// Deed is a journaled registry change or act: who did what, when and why.
type Deed struct {
	LeafIndex uint64 `json:"leaf_index"`
	TimeMS    int64  `json:"time_ms"`
	Actor     string `json:"actor"`
	Reason    string `json:"reason"`
	Steps     []Step `json:"steps"`
	// More steps that are not listed.
	More int `json:"more,omitempty"`
}

// Step is a part of a deed. What names its kind, as proto/registry.proto and
// proto/journal.proto do: put_agency, close_agency, serve_code, admit_seal,
// retire_seal, invite, use_invitation, put_endpoint, revoke_endpoint, put_policy,
// request_agency, settle_request, clock_confirmed, content_released, log_was_longer.
type Step struct {
	What     string   `json:"what"`
	Code     string   `json:"code,omitempty"`
	Name     string   `json:"name,omitempty"` // of an agency
	Codes    []string `json:"codes,omitempty"`
	Endpoint string   `json:"endpoint,omitempty"`
	Digest   string   `json:"digest,omitempty"` // of a certificate, SHA-256, hex
	Reissue  bool     `json:"reissue,omitempty"`
	// Detail is the rest, for those who know the formats.
	Detail string `json:"detail,omitempty"`
}

// PathDeeds is where the API lists what was done.
const PathDeeds = "/deeds"

func handleDeeds(mux *http.ServeMux, o Deeds) {
	mux.HandleFunc("GET "+PathDeeds, func(w http.ResponseWriter, r *http.Request) {
		since, _ := strconv.ParseInt(r.FormValue("since_ms"), 10, 64)
		v, err := o.Deeds(r.Context(), since, limitOf(r))
		admin.Answer(w, v, err)
	})
}

// limitOf is how much is asked for; the default where that is nothing.
func limitOf(r *http.Request) int {
	const byDefault = 1000
	limit, err := strconv.Atoi(r.FormValue("limit"))
	if err != nil || limit <= 0 {
		return byDefault
	}
	return limit
}
