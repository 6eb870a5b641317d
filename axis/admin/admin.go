// Package admin owns what an operator's commands ask of a running axis, and in
// which form.
package admin

import (
	"context"
	"net/http"

	"docaxis/internal/admin"
)

// Operator is what the axis does for an operator.
type Operator interface {
	Agencies
	Endpoints
	Seals
	Waitings
	Proofs
	Deeds
	Checks
	Status(ctx context.Context) (Status, error)
	// Documents finds the documents of an id.
	Documents(ctx context.Context, id string) ([]Document, error)
	Invite(ctx context.Context, req Invite) (Invited, error)
	ConfirmClock(ctx context.Context, req Why) (Done, error)
	Keeper
	// RollKey replaces one of the axis's keys.
	RollKey(ctx context.Context, req Roll) (Rolled, error)
}

// Why says who acts and for what reason; it is journaled.
type Why struct {
	Actor  string `json:"actor"`
	Reason string `json:"reason"`
}

// Done says that something was journaled.
type Done struct {
	OK bool `json:"ok"`
}

// Status is an axis at a glance.
type Status struct {
	Name      string `json:"name"`
	Address   string `json:"address"`
	StartedMS int64  `json:"started_ms"`
	Epoch     uint64 `json:"epoch"`
	Origin    string `json:"origin"`
	Size      uint64 `json:"size"` // records in the journal
	Blocks    uint64 `json:"blocks"`
	Root      string `json:"root"` // base64
	TimeMS    int64  `json:"time_ms"`
	Agencies  int    `json:"agencies"`
	// Requests of endpoints that wait for an operator.
	Requests  int               `json:"requests,omitempty"`
	Endpoints []Endpoint        `json:"endpoints"`
	Documents uint64            `json:"documents"`
	Evidence  uint64            `json:"evidence"`
	Refused   uint64            `json:"refused"`
	States    map[string]uint64 `json:"states"` // recipients, by state
	Disks     []Disk            `json:"disks"`
	// Lost counts the records that earlier epochs signed and this journal had not,
	// as far as is known; CameBack those that the present epoch got back.
	Lost     uint64 `json:"lost,omitempty"`
	CameBack uint64 `json:"came_back,omitempty"`
	// Recovering: endpoints have still to give back before others are served.
	Recovering bool `json:"recovering,omitempty"`
	// Damage is what was found of journal and content that a disk harmed.
	Damage []Damage `json:"damage,omitempty"`
	// Timestamps of the log's checkpoints, by authorities outside.
	Timestamps Timestamps `json:"timestamps"`
	// Clock is there while the axis's clock is in doubt: nothing is decided then.
	Clock *Clock `json:"clock,omitempty"`
	// Signatures within files.
	Signatures *Signatures `json:"signatures,omitempty"`
}

// Disk is a folder's disk, in bytes.
type Disk struct {
	Folder string `json:"folder"`
	Free   uint64 `json:"free"`
	Total  uint64 `json:"total"`
	Keep   uint64 `json:"keep"`   // with less free, new documents wait
	Resume uint64 `json:"resume"` // with so much free again, they go on
	Full   bool   `json:"full"`
	// EvidenceFull: evidence waits, too.
	EvidenceFull bool  `json:"evidence_full,omitempty"`
	SinceMS      int64 `json:"since_ms,omitempty"`
}

// Endpoint is an enrolled endpoint.
type Endpoint struct {
	Name       string   `json:"name"`
	Codes      []string `json:"codes"`
	Connected  bool     `json:"connected"`
	Revoked    bool     `json:"revoked,omitempty"`
	EnrolledMS int64    `json:"enrolled_ms"`
}

// Document is a document's story.
type Document struct {
	ID         string `json:"id"`
	Sender     string `json:"sender"`
	Subject    string `json:"subject"`
	Kind       string `json:"kind"`
	Epoch      uint64 `json:"epoch"`
	LeafIndex  uint64 `json:"leaf_index"`
	Commitment string `json:"commitment"` // hex
	Manifest   string `json:"manifest"`   // hex
	Endpoint   string `json:"endpoint"`
	AcceptedMS int64  `json:"accepted_ms"`
	Files      int    `json:"files"`
	Bytes      uint64 `json:"bytes"`
	Urgent     bool   `json:"urgent"`
	// Refused is the reason's word where the submission was refused as a whole.
	Refused string `json:"refused,omitempty"`
	// RefusedWhy is the reason in both languages, as the journaled refusal says it.
	RefusedWhy   string      `json:"refused_why,omitempty"`
	RefusedWhyVI string      `json:"refused_why_vi,omitempty"`
	Recipients   []Recipient `json:"recipients"`
	Evidence     []Evidence  `json:"evidence"`
	// Told is what was told about it, in journal order.
	Told []Told `json:"told,omitempty"`
	// Labels of its files; nil where they were not looked at yet.
	Labels *Labels `json:"labels,omitempty"`
}

// Told is what the sender of a document asked of a recipient, or a business state that
// the recipient told.
type Told struct {
	LeafIndex uint64 `json:"leaf_index"` // of the record that tells it
	Code      string `json:"code"`       // the recipient
	// What is a business state, 01 to 16, or recall, update or replacement.
	What string `json:"what"`
	// Issuer is the agency, or the endpoint, that tells it.
	Issuer string `json:"issuer"`
	TimeMS int64  `json:"time_ms"`
	// Unusual is a word for what is unusual about it after those before; empty for
	// nothing.
	Unusual string `json:"unusual,omitempty"`
}

// Recipient is a document's state at a code; refused ones have a reason instead.
type Recipient struct {
	Code     string `json:"code"`
	Serving  string `json:"serving,omitempty"`
	Endpoint string `json:"endpoint,omitempty"`
	State    string `json:"state"`
	SinceMS  int64  `json:"since_ms,omitempty"`
	// Business is the last business state that was told of it; empty for none.
	Business string `json:"business,omitempty"`
	// Reason in both languages, for one that was refused.
	Reason   string `json:"reason,omitempty"`
	ReasonVI string `json:"reason_vi,omitempty"`
}

// Evidence is a journaled statement.
type Evidence struct {
	LeafIndex uint64 `json:"leaf_index"`
	Code      string `json:"code"`
	Event     string `json:"event"`
	Issuer    string `json:"issuer"`
	Standing  string `json:"standing"`
	TimeMS    int64  `json:"time_ms"`
}

// Invite asks for an invitation.
type Invite struct {
	Why
	Codes []string `json:"codes"`
	// Endpoint is the name that it will have; made from the first code where empty.
	Endpoint string `json:"endpoint,omitempty"`
	Hours    int    `json:"hours,omitempty"` // 168 where 0
}

// Invited is an invitation; its text is shown once and kept nowhere.
type Invited struct {
	Invitation string   `json:"invitation"`
	Endpoint   string   `json:"endpoint"`
	Codes      []string `json:"codes"`
	ExpiresMS  int64    `json:"expires_ms"`
}

// Paths of the API.
const (
	PathStatus   = "/status"
	PathDocument = "/document"
	PathClock    = "/clock/confirm"
	PathRoll     = "/key/roll"
)

// Handler serves an operator's commands.
func Handler(o Operator) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PathStatus, func(w http.ResponseWriter, r *http.Request) {
		v, err := o.Status(r.Context())
		admin.Answer(w, v, err)
	})
	mux.HandleFunc("GET "+PathDocument, func(w http.ResponseWriter, r *http.Request) {
		v, err := o.Documents(r.Context(), r.FormValue("id"))
		admin.Answer(w, v, err)
	})
	post(mux, PathInvite, o.Invite)
	post(mux, PathClock, o.ConfirmClock)
	handleAgencies(mux, o)
	handleEndpoints(mux, o)
	handleSeals(mux, o)
	handleWaiting(mux, o)
	handleProofs(mux, o)
	handleDeeds(mux, o)
	giveJournal(mux, o)
	post(mux, PathRoll, o.RollKey)
	sizes(mux, o)
	serveChecks(mux, o)
	return mux
}

func post[Q, A any](mux *http.ServeMux, path string, f func(context.Context, Q) (A, error)) {
	mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		var req Q
		if err := admin.Read(r, &req); err != nil {
			admin.Answer(w, nil, err)
			return
		}
		v, err := f(r.Context(), req)
		admin.Answer(w, v, err)
	})
}
