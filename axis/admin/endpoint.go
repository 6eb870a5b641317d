package admin

import (
	"context"
	"net/http"

	"docaxis/internal/admin"
)

// Endpoints is what the axis does for an operator about endpoints.
type Endpoints interface {
	// ListEndpoints lists all, by name.
	ListEndpoints(ctx context.Context) ([]EndpointLine, error)
	// ShowEndpoint tells all that is known of one; REASON_NOT_FOUND where there is
	// none.
	ShowEndpoint(ctx context.Context, name string) (EndpointDetail, error)
	// Revoke ends an endpoint for good and cuts its connections.
	Revoke(ctx context.Context, req Revoke) (Revoked, error)
	// Reissue makes an invitation for an endpoint that exists. Nothing ends before
	// it is used.
	Reissue(ctx context.Context, req Reissue) (Invited, error)
}

// EndpointLine is an endpoint in a list.
type EndpointLine struct {
	Name string `json:"name"`
	// Codes that it serves, or that wait for another where it is revoked.
	Codes     []string `json:"codes"`
	Connected bool     `json:"connected"`
	Revoked   bool     `json:"revoked,omitempty"`
	// HeardMS is when it last asked the axis something, since the axis was started; 0
	// where it did not. A connected one asks every minute or so.
	HeardMS int64 `json:"heard_ms,omitempty"`
	// UntilMS is the end of its newest certificate.
	UntilMS int64 `json:"until_ms"`
	// Waiting documents that it has not consigned, and since when the oldest.
	Waiting  uint64 `json:"waiting"`
	OldestMS int64  `json:"oldest_ms,omitempty"`
}

// EndpointDetail is all that is known of an endpoint.
type EndpointDetail struct {
	EndpointLine
	EnrolledMS   int64         `json:"enrolled_ms"`
	RevokedMS    int64         `json:"revoked_ms,omitempty"`
	ReissuedMS   int64         `json:"reissued_ms,omitempty"`
	Certificates []Certificate `json:"certificates"` // oldest first
	Invitations  []OpenInvite  `json:"invitations,omitempty"`
	// WaitingUrgent and WaitingNormal are Waiting by lane.
	WaitingUrgent uint64 `json:"waiting_urgent"`
	WaitingNormal uint64 `json:"waiting_normal"`
	// Said is the newest evidence of it; nil where there is none.
	Said    *EndpointSaid `json:"said,omitempty"`
	History []Deed        `json:"history"` // newest first
}

// EndpointSaid is what an endpoint's newest evidence shows of it.
type EndpointSaid struct {
	LeafIndex uint64 `json:"leaf_index"`
	// TimeMS is the journal's time of it, ClaimedMS the endpoint's own. Where they
	// are far apart, its clock is wrong or it was offline.
	TimeMS    int64 `json:"time_ms"`
	ClaimedMS int64 `json:"claimed_ms"`
	// SeenEpoch and SeenSize name the checkpoint that it had verified.
	SeenEpoch uint64 `json:"seen_epoch"`
	SeenSize  uint64 `json:"seen_size"`
	Counter   uint64 `json:"counter"`
}

// Certificate is a certificate of an endpoint.
type Certificate struct {
	Digest    string `json:"digest"`     // SHA-256, hex
	LeafIndex uint64 `json:"leaf_index"` // record that brought it
	IssuedMS  int64  `json:"issued_ms"`
	FromMS    int64  `json:"from_ms"`
	UntilMS   int64  `json:"until_ms"`
	// EndedMS is when the endpoint was re-issued or revoked; 0 while it counts.
	EndedMS int64 `json:"ended_ms,omitempty"`
}

// OpenInvite is an invitation that can still be used.
type OpenInvite struct {
	Reissue   bool  `json:"reissue"`
	ExpiresMS int64 `json:"expires_ms"`
}

// Revoke asks to end an endpoint.
type Revoke struct {
	Why
	Endpoint string `json:"endpoint"`
}

// Revoked says what nobody takes any more.
type Revoked struct {
	Endpoint string   `json:"endpoint"`
	Codes    []string `json:"codes"` // unserved now
	Waiting  uint64   `json:"waiting"`
}

// Reissue asks for an invitation to re-issue an endpoint.
type Reissue struct {
	Why
	Endpoint string `json:"endpoint"`
	Hours    int    `json:"hours,omitempty"` // 168 where 0
}

// Paths of the API about endpoints.
const (
	PathInvite       = "/endpoint/invite"
	PathRevoke       = "/endpoint/revoke"
	PathReissue      = "/endpoint/reissue"
	PathEndpoints    = "/endpoint/list"
	PathEndpointShow = "/endpoint/show"
)

func handleEndpoints(mux *http.ServeMux, o Endpoints) {
	mux.HandleFunc("GET "+PathEndpoints, func(w http.ResponseWriter, r *http.Request) {
		v, err := o.ListEndpoints(r.Context())
		admin.Answer(w, v, err)
	})
	mux.HandleFunc("GET "+PathEndpointShow, func(w http.ResponseWriter, r *http.Request) {
		v, err := o.ShowEndpoint(r.Context(), r.FormValue("name"))
		admin.Answer(w, v, err)
	})
	post(mux, PathRevoke, o.Revoke)
	post(mux, PathReissue, o.Reissue)
}
