package admin

import (
	"context"
	"net/http"
	"strconv"

	"docaxis/internal/admin"
)

// Waitings is what the axis tells an operator of who has not received.
type Waitings interface {
	// Waiting lists recipients that have not received, longest first.
	Waiting(ctx context.Context, f WaitingFilter) (WaitingList, error)
}

// WaitingFilter narrows a list of who waits. Zero values do not narrow.
type WaitingFilter struct {
	// Code as named or as served.
	Code     string
	Endpoint string
	// BeforeMS: in their state since before this time.
	BeforeMS int64
	Urgent   bool
	// DMS: also those that only wait for their DMS.
	DMS   bool
	Limit int // 1000 where 0
}

// WaitingList is a page of who waits, and how many there are in all.
type WaitingList struct {
	Total uint64 `json:"total"`
	// ByWhy counts all that the filter finds, by the reason.
	ByWhy map[string]uint64 `json:"by_why"`
	Rows  []Waiting         `json:"rows"`
}

// Waiting is a recipient that has not received a document.
type Waiting struct {
	Document  string `json:"document"` // id
	LeafIndex uint64 `json:"leaf_index"`
	Sender    string `json:"sender"`
	Subject   string `json:"subject"`
	Code      string `json:"code"`
	Serving   string `json:"serving"`
	Name      string `json:"name"` // of the agency
	Endpoint  string `json:"endpoint"`
	State     string `json:"state"`
	Urgent    bool   `json:"urgent"`
	SinceMS   int64  `json:"since_ms"`
	// Why: away, fetching, disk (its endpoint has no room), failed, or dms where it
	// waits for its DMS.
	Why string `json:"why"`
	// DeadlineMS is by when it must be consigned or, where it is, handed over; 0 for
	// never.
	DeadlineMS int64 `json:"deadline_ms,omitempty"`
}

// PathWaiting is where the API lists who waits.
const PathWaiting = "/waiting"

func handleWaiting(mux *http.ServeMux, o Waitings) {
	mux.HandleFunc("GET "+PathWaiting, func(w http.ResponseWriter, r *http.Request) {
		before, _ := strconv.ParseInt(r.FormValue("before_ms"), 10, 64)
		v, err := o.Waiting(r.Context(), WaitingFilter{
			Code: r.FormValue("code"), Endpoint: r.FormValue("endpoint"), BeforeMS: before,
			Urgent: r.FormValue("urgent") == "true", DMS: r.FormValue("dms") == "true", Limit: limitOf(r),
		})
		admin.Answer(w, v, err)
	})
}
