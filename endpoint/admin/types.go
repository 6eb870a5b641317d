// Package admin owns what a clerk's commands ask of a running endpoint, and in
// which form.
package admin

import (
	"context"
	"io"

	"docaxis/internal/admin"
	"docaxis/internal/proofset"
)

// Clerk is what the endpoint does for a clerk.
type Clerk interface {
	Status(ctx context.Context) (Status, error)
	// Send seals a document and keeps it until the axis has taken it. It reads the
	// files one after the other, to their ends.
	Send(ctx context.Context, d Draft, files []File) (Sent, error)
	// Outbox and Inbox list documents, newest first, page by page.
	Outbox(ctx context.Context, p Page) ([]Outgoing, error)
	Inbox(ctx context.Context, p Page) ([]Incoming, error)
	// Show tells what happened to a document, sent or received, with the evidence.
	Show(ctx context.Context, id string) ([]Story, error)
	// Wait returns when a document has reached a state, as ACCEPTED or CONSIGNED, or
	// is beyond it, at each of its recipients. It fails where the document will not
	// get there by itself; one that is not known yet is waited for, too.
	Wait(ctx context.Context, id, state string) error
	// Content opens the n-th file of a received document, from 0, and counts it as
	// fetched. Code may be empty where the document came for one code only.
	Content(ctx context.Context, id, code string, n int) (io.ReadCloser, error)
	// Confirm says that the agency took a document, or, with a reason, that it
	// refuses it.
	Confirm(ctx context.Context, req Confirm) (Confirmed, error)
	// Retry lets a parked document go on.
	Retry(ctx context.Context, id string) error
	// Clean removes the files that nobody needs and that are kept no longer; dry, it
	// only says which.
	Clean(ctx context.Context, req Clean) (Cleanup, error)
	// Sizes says what takes how much on the disk. It reads all of the store.
	Sizes(ctx context.Context) (Sizes, error)
	// Agencies lists the directory, which works offline.
	Agencies(ctx context.Context, search string) ([]Agency, error)
	// Prove gives everything that proves a document's story, in the form that an auditor
	// takes. It works offline; proofs of time are asked of the axis while it answers.
	Prove(ctx context.Context, id string) (proofset.Set, error)
	Keeper
	SystemKeeper
}

// Status is an endpoint at a glance.
type Status struct {
	Name      string   `json:"name"`
	Codes     []string `json:"codes"`
	Connected bool     `json:"connected"`
	// Parked says why nothing moves until a person decides; nil where all is well.
	Parked     *Trouble       `json:"parked,omitempty"`
	Outbox     map[string]int `json:"outbox"` // by state
	Inbox      map[string]int `json:"inbox"`
	Epoch      uint64         `json:"epoch"`
	SeenSize   uint64         `json:"seen_size"` // of the newest verified checkpoint
	Evidence   uint64         `json:"evidence"`  // statements made
	Unsent     int            `json:"unsent"`    // of them not yet journaled
	Quarantine int            `json:"quarantine"`
	// Items that went from the quarantine because there were too many.
	QuarantineDropped uint64 `json:"quarantine_dropped,omitempty"`
	Disk              Disk   `json:"disk"`
	// OldestUnsent waits longest for the axis's answer; nil for none.
	OldestUnsent *Unsent `json:"oldest_unsent,omitempty"`
	// JournalMS is the latest journal time that the axis told; 0 for none.
	JournalMS int64 `json:"journal_ms,omitempty"`
	// What of the systems' documents waits for a person.
	Held
	// NotAdmitted seals: SHA-256 of their certificates, hex.
	NotAdmitted []string `json:"not_admitted,omitempty"`
	// Signatures within files: how their checking gets on.
	Signatures Signatures `json:"signatures"`
}

// Unsent is a document that the axis has not answered.
type Unsent struct {
	ID      string `json:"id"`
	Subject string `json:"subject"`
	SinceMS int64  `json:"since_ms"`
	// Parked: it waits for a person.
	Parked bool `json:"parked,omitempty"`
}

// Page is a part of a list.
type Page struct {
	// After is the last entry of the page before: the ID of what was sent, the Key of
	// what was received. Empty for the first page.
	After string
	// Limit is the length of the page; 0 means as long as pages are.
	Limit int
	// New: only what the agency has still to take. For what was received.
	New bool
}

// Draft is a document to send.
type Draft struct {
	From     string   `json:"from"` // the endpoint's only code where empty
	To       []string `json:"to,omitempty"`
	Groups   []string `json:"groups,omitempty"` // all, H41, H41/commune, /province
	Subject  string   `json:"subject"`
	Number   string   `json:"number,omitempty"`
	Notation string   `json:"notation,omitempty"`
	Priority int      `json:"priority,omitempty"` // 0 to 4; 1 and more is urgent
	Security string   `json:"security,omitempty"`
	ReplyTo  string   `json:"reply_to,omitempty"` // id of a document sent or received here
	// Change makes it a change of the document About: recall, 13, update or replacement
	// of one that was sent from here, to all its recipients where To is empty; or 15 or
	// 16, an answer to what was asked of one that was received here.
	Change   string `json:"change,omitempty"`
	About    string `json:"about,omitempty"`
	Reason   string `json:"reason,omitempty"` // of a change
	Deadline int64  `json:"deadline_ms,omitempty"`
	// Files are what follows the draft, in order.
	Files []FileInfo `json:"files"`
}

// FileInfo names a file.
type FileInfo struct {
	Title string `json:"title"`
	Type  string `json:"type,omitempty"`
	Bytes uint64 `json:"bytes"`
	// Label of the file; nil where it was not looked at yet.
	Label *admin.FileLabel `json:"label,omitempty"`
}

// File is a file of a draft, to be read once.
type File struct {
	FileInfo
	Content io.Reader
}

// Sent is a document that is safe in the outbox.
type Sent struct {
	ID string `json:"id"`
}

// Outgoing is a document sent from here.
type Outgoing struct {
	ID         string         `json:"id"`
	From       string         `json:"from"`
	Subject    string         `json:"subject"`
	State      string         `json:"state"`
	Urgent     bool           `json:"urgent"`
	CreatedMS  int64          `json:"created_ms"`
	Recipients []string       `json:"recipients"`
	States     map[string]int `json:"states,omitempty"` // of the recipients, once accepted
	// DuplicateOf is another document that its agency seems to have sent before.
	DuplicateOf string `json:"duplicate_of,omitempty"`
	// Label is the worst of its files': problem, unreadable, unsigned or valid; empty where
	// they were not looked at.
	Label         string   `json:"label,omitempty"`
	Attempts      uint32   `json:"attempts"`
	NextAttemptMS int64    `json:"next_attempt_ms,omitempty"`
	Trouble       *Trouble `json:"trouble,omitempty"`
	Files         int      `json:"files"`
	Bytes         uint64   `json:"bytes"`
	// ReleasedMS is when the files were removed here; 0 while they are kept.
	ReleasedMS int64 `json:"released_ms,omitempty"`
}

// Trouble is a failure as the endpoint met it, in both languages.
type Trouble struct {
	TimeMS     int64  `json:"time_ms"`
	Vietnamese string `json:"vi"`
	English    string `json:"en"`
	Detail     string `json:"detail,omitempty"`
}

// Incoming is a document received for a code.
type Incoming struct {
	// Key names it among all that was received.
	Key     string `json:"key"`
	ID      string `json:"id"`
	From    string `json:"from"`
	Code    string `json:"code"`
	Subject string `json:"subject"`
	State   string `json:"state"`
	Urgent  bool   `json:"urgent"`
	Fetched bool   `json:"fetched"`
	// DuplicateOf is another document received for the code that seems to be the same.
	DuplicateOf string `json:"duplicate_of,omitempty"`
	// Label as in Outgoing; Hold says that a policy about signatures keeps it from the
	// agency: looking or refused.
	Label      string   `json:"label,omitempty"`
	Hold       string   `json:"hold,omitempty"`
	ReceivedMS int64    `json:"received_ms"`
	SinceMS    int64    `json:"since_ms"`
	Trouble    *Trouble `json:"trouble,omitempty"`
	Files      int      `json:"files"`
	Bytes      uint64   `json:"bytes"`
	// ReleasedMS is when the files were removed here; 0 while they are kept.
	ReleasedMS int64 `json:"released_ms,omitempty"`
}

// Story is a document with what happened to it, each step with what proves it.
type Story struct {
	ID       string `json:"id"`
	Sent     bool   `json:"sent"` // from here; else received
	From     string `json:"from"`
	Subject  string `json:"subject"`
	Kind     string `json:"kind"`
	Number   string `json:"number,omitempty"`
	Notation string `json:"notation,omitempty"`
	Priority int    `json:"priority"`
	// DuplicateOf is another document that seems to be the same.
	DuplicateOf string     `json:"duplicate_of,omitempty"`
	State       string     `json:"state"`
	Manifest    string     `json:"manifest"` // SHA-256, hex
	Files       []FileInfo `json:"files"`
	Steps       []Step     `json:"steps"`
	Trouble     *Trouble   `json:"trouble,omitempty"`
	// ReleasedMS is when the files were removed here; 0 while they are kept.
	ReleasedMS int64 `json:"released_ms,omitempty"`
	// Business is how the last change of a received document was answered, 15 or 16;
	// GivenBack says that it was taken back by its sender, who was agreed with.
	Business  string `json:"business,omitempty"`
	GivenBack bool   `json:"given_back,omitempty"`
	// LookedMS is when the files were looked at last, AgainMS when they are again; 0 for
	// never. Hold as in Incoming.
	LookedMS int64  `json:"looked_ms,omitempty"`
	AgainMS  int64  `json:"again_ms,omitempty"`
	Hold     string `json:"hold,omitempty"`
}

// Step is one thing that happened, at one recipient or before there were any.
type Step struct {
	TimeMS int64  `json:"time_ms"`
	Code   string `json:"code,omitempty"`
	State  string `json:"state"`
	// Event is the evidence's name in ETSI EN 319 522; empty for the endpoint's own
	// states, which prove nothing.
	Event  string `json:"event,omitempty"`
	Issuer string `json:"issuer,omitempty"`
	// Where the journal has the evidence.
	Epoch     uint64 `json:"epoch,omitempty"`
	LeafIndex uint64 `json:"leaf_index,omitempty"`
	// Verified: signature, certificate, inclusion and checkpoint were checked again
	// just now, and hold.
	Verified bool   `json:"verified"`
	Problem  string `json:"problem,omitempty"` // why not
	// Flagged: contrary, supersedes, second, clock, or what package business calls
	// unusual about a business state.
	Flagged string `json:"flagged,omitempty"`
	// Business state that it tells: 01 to 16.
	Business string `json:"business,omitempty"`
	// Reason of a negative event, in both languages.
	ReasonVI string `json:"reason_vi,omitempty"`
	ReasonEN string `json:"reason_en,omitempty"`
	// The proof itself.
	Evidence []byte `json:"evidence,omitempty"` // marshalled Evidence
	Receipt  []byte `json:"receipt,omitempty"`  // marshalled Receipt
}

// Confirm is the agency's word about a received document.
type Confirm struct {
	ID   string `json:"id"`
	Code string `json:"code,omitempty"`
	// Refuse is why the agency does not take it; empty where it does.
	Refuse string `json:"refuse,omitempty"`
}

// Confirmed says what state the document is in now.
type Confirmed struct {
	State string `json:"state"`
	// Unread: it was confirmed without having been fetched.
	Unread bool `json:"unread,omitempty"`
}

// Agency is an entry of the directory.
type Agency struct {
	Code    string   `json:"code"`
	Name    string   `json:"name"`
	Aliases []string `json:"aliases,omitempty"`
	Parent  string   `json:"parent,omitempty"`
	Level   string   `json:"level,omitempty"`
	Served  bool     `json:"served"`
	Closed  bool     `json:"closed,omitempty"`
}
