// Package vxp owns the HTTP protocol of the national axis's SDK (SDKVXP 2.0.0 and
// 2.0.1), as a document-management system speaks it to its endpoint: the signed
// parameters, the operations, and the form of every answer. What an operation does is
// the Exchange's.
package vxp

import (
	"context"
	"io"
	"time"
)

// Exchange is what the endpoint does for the systems that speak this protocol. Every
// method but Secrets gets the name of a system whose signature was good, and looks
// only at agencies that this system may act for.
//
// Errors are *reason.Error wherever somebody can mend something; ErrorCode and
// ErrorDesc follow from them.
type Exchange interface {
	// Secrets are those that the requests of a system may be signed with now, newest
	// first; none where there is no such system.
	Secrets(system string) ([][]byte, error)

	// Agencies is the directory, closed ones too, as it is known here. It works without
	// the axis.
	Agencies(ctx context.Context, system string) ([]Agency, error)
	// Register creates an agency below one of the system's, or changes one of them.
	// Held reports that an operator has to approve it first. Repeating it succeeds.
	Register(ctx context.Context, system string, a Registration) (held bool, err error)
	// Close ends an agency of the system. Repeating it succeeds.
	Close(ctx context.Context, system, code string) (held bool, err error)

	// Send takes a package. When it returns without an error, the package is safe on
	// the disk. The same bytes again from the same system and agency give the first
	// answer.
	Send(ctx context.Context, system string, p Package) (Sent, error)
	// Waiting lists the deliveries of a class that the system has not confirmed and may
	// have now, longest waiting first within urgent and ordinary ones, at most limit;
	// Count counts them.
	Waiting(ctx context.Context, system string, c Class, limit int) ([]Delivery, error)
	Count(ctx context.Context, system string, c Class) (int, error)
	// Fetch opens the package of a delivery and counts it as fetched. The caller closes
	// it.
	Fetch(ctx context.Context, system, docID string) (Content, error)
	// Report says what the system made of a delivery. Repeating it succeeds.
	Report(ctx context.Context, system, docID string, r Report) error
	// SentBy lists what the agencies of the system sent, newest first, one row for each
	// recipient, at most limit rows; with a docID, only that document. A docID that is
	// no document of the system counts as none.
	SentBy(ctx context.Context, system string, c Class, docID string, limit int) ([]SentRow, error)
}

// Class tells documents from status messages (messagetype).
type Class string

// The classes.
const (
	Documents Class = "edoc"
	Statuses  Class = "status"
)

// Agency is an entry of the directory.
type Agency struct {
	// Code in canonical form, and the QCVN 102:2016 code beside it, where there is one.
	Code, Code102 string
	// Parent is the code of the agency above; empty at the top.
	Parent                 string
	Name, Mail, Phone, Fax string
	// System serves it here; empty where another endpoint, or none, does.
	System string
	// Closed: it takes nothing any more.
	Closed bool
	// Version counts the changes of the entry; Changed is when the last was journaled.
	Version int
	Changed time.Time
}

// Registration is what registerAgency says.
type Registration struct {
	Code, Parent, Name, Mail, Phone, Fax string
}

// Package is what sendEdoc brings.
type Package struct {
	// From is the sending agency as the parameter names it.
	From  string
	Class Class
	// Body is read once, to its end: the file without the CR LF that the SDK appends.
	Body io.Reader
	// Bytes is the length of Body.
	Bytes uint64
	// Check is called with the SHA-256 of Body once it was read and before anything is
	// kept of it.
	Check func(digest [32]byte) error
}

// Sent answers sendEdoc.
type Sent struct {
	DocID string
	// Waiting is set where the document is safe and waits for a person: why, in words
	// for the clerk. Nothing else is lost.
	Waiting string
}

// Delivery is an entry of getReceivedEdocList.
type Delivery struct {
	// DocID is a UUID.
	DocID             string
	Class             Class
	From, To          string
	Created, Updated  time.Time
	Status, StateText string
}

// Content is a package that the system fetches.
type Content struct {
	io.ReadSeekCloser
	Bytes int64
}

// Report is a word of updateStatus.
type Report string

// The reports.
const (
	// Processing: the system works on it; it is not listed for a while.
	Processing Report = "processing"
	// Done: the system has taken it.
	Done Report = "done"
	// Fail: the system could not take it; it is listed again later.
	Fail Report = "fail"
)

// SentRow is an entry of getSentEdocList: a document and one recipient.
type SentRow struct {
	Class                      Class
	SenderDocID, ReceiverDocID string
	From, To                   string
	Title, Notation            string
	SentAt, ReceivedAt         time.Time // zero where it did not happen yet
	SendStatus, SendText       string
	ReceiveStatus, ReceiveText string
}
