package registry

import (
	"crypto/x509"
	"time"

	"docaxis/proto/axispb"
)

// Agency is an organisation admitted to the exchange.
type Agency struct {
	Code string
	// Name in Vietnamese.
	Name string
	// Aliases are other codes that mean this agency.
	Aliases []string
	// Parent is the code of the agency above it; empty at the top.
	Parent string
	Level  axispb.Level
	// ValidFrom is zero where the agency was always there.
	ValidFrom time.Time
	// ClosedAt is zero while it is open.
	ClosedAt time.Time
	// Successors are the codes that took over when it closed.
	Successors []string
	// Endpoint serves the code; empty where none ever did. It may be revoked: Route
	// tells.
	Endpoint string
	// Mail, Phone and Fax reach its clerks; they may be empty.
	Mail, Phone, Fax string
	// Position of the record that changed it last.
	Position uint64
}

// Closed reports whether the agency was closed at a time.
func (a *Agency) Closed(at time.Time) bool {
	return !a.ClosedAt.IsZero() && !at.Before(a.ClosedAt)
}

// Open reports whether the agency existed at a time: valid already, not closed.
func (a *Agency) Open(at time.Time) bool {
	return !at.Before(a.ValidFrom) && !a.Closed(at)
}

// Route is where what is sent to a code goes.
type Route struct {
	// Code as it was named.
	Code string
	// Serving is the code that takes it: the agency's own where an alias was named,
	// the successor's where it is closed.
	Serving string
	// Endpoint that serves it.
	Endpoint string
	// Routed says that Serving is a successor.
	Routed bool
}

// Endpoint is an agent admitted to the axis.
type Endpoint struct {
	Name string
	// Certificates, DER, oldest first, and in the same order from when to when each
	// counts.
	Certificates [][]byte
	Terms        []Term
	// Codes that are its own, in order. A revoked endpoint serves none of them.
	Codes   []string
	Revoked bool
	// EnrolledAt is the journal time of its first certificate.
	EnrolledAt time.Time
	// RevokedAt is zero while it is not revoked.
	RevokedAt time.Time
	// Position of the record that changed it last, but for its codes.
	Position uint64
}

// Term is the time in which a certificate of an endpoint lets it in.
type Term struct {
	// From is the journal time of the record that brought it, at Position.
	From     time.Time
	Position uint64
	// Ended is when the endpoint was re-issued; zero while it was not.
	Ended time.Time
}

// Reissued is when all certificates that the endpoint had ended; zero where that
// never was.
func (e *Endpoint) Reissued() time.Time {
	var last time.Time
	for _, t := range e.Terms {
		if t.Ended.After(last) {
			last = t.Ended
		}
	}
	return last
}

// IssuedSince counts the certificates that were issued after a time, and says when
// the first of them was: each begins ClockTolerance before it was issued.
func (e *Endpoint) IssuedSince(t time.Time) (n int, first time.Time) {
	for _, der := range e.Certificates {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			continue
		}
		issued := cert.NotBefore.Add(ClockTolerance)
		if !issued.After(t) {
			continue
		}
		if n++; n == 1 || issued.Before(first) {
			first = issued
		}
	}
	return n, first
}

// Seal is a certificate admitted to sign an agency's documents.
type Seal struct {
	// Code of the agency.
	Code string
	// Digest is the SHA-256 of Certificate.
	Digest [32]byte
	// Certificate and Chain are X.509, DER.
	Certificate []byte
	Chain       [][]byte
	// Delegated says that the endpoint holds it for the agency.
	Delegated bool
	// From and Until bound the admission, both included.
	From, Until time.Time
	// RetiredAt is zero while it is not retired.
	RetiredAt time.Time
	// Position of the record that changed it last.
	Position uint64
}

// Invitation is a one-time right to enrol an endpoint.
type Invitation struct {
	// Hash is the SHA-256 of the secret.
	Hash [32]byte
	// Endpoint is the name that the endpoint will have.
	Endpoint string
	// Codes that it will serve.
	Codes   []string
	Expires time.Time
	Used    bool
	// Reissue says that it is for an endpoint that exists: using it ends every
	// certificate that the endpoint has.
	Reissue bool
	// Replaced says that a later invitation to re-issue the endpoint took its place.
	Replaced bool
	// Position of the record that changed it last.
	Position uint64
}
