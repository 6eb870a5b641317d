package admin

import (
	"context"
	"net/http"

	"docaxis/internal/admin"
)

// Seals is what the axis does for an operator about seals and policies.
type Seals interface {
	AdmitSeal(ctx context.Context, req Seal) (Admitted, error)
	// ListSeals lists the seals of an agency, or all with an empty code.
	ListSeals(ctx context.Context, code string) ([]SealLine, error)
	// RetireSeal ends an admission.
	RetireSeal(ctx context.Context, req Retire) (SealLine, error)
	// ListPolicies lists what operators said, everybody's first.
	ListPolicies(ctx context.Context) ([]PolicyLine, error)
	// ShowPolicy says what holds for an agency, or for everybody with an empty code.
	ShowPolicy(ctx context.Context, code string) (PolicyLine, error)
	SetPolicy(ctx context.Context, req SetPolicy) (PolicyLine, error)
}

// Seal asks to admit a certificate as a seal.
type Seal struct {
	Why
	Code        string   `json:"code"`
	Certificate []byte   `json:"certificate"` // DER
	Chain       [][]byte `json:"chain,omitempty"`
	Delegated   bool     `json:"delegated,omitempty"`
	FromMS      int64    `json:"from_ms,omitempty"`
	UntilMS     int64    `json:"until_ms,omitempty"`
}

// Admitted names an admitted seal.
type Admitted struct {
	Code    string `json:"code"`
	Subject string `json:"subject"`
	Digest  string `json:"digest"` // SHA-256, hex
	UntilMS int64  `json:"until_ms"`
}

// SealLine is a seal in a list.
type SealLine struct {
	Code      string `json:"code"`
	Digest    string `json:"digest"` // SHA-256, hex
	Subject   string `json:"subject"`
	Issuer    string `json:"issuer"`
	FromMS    int64  `json:"from_ms"`
	UntilMS   int64  `json:"until_ms"`
	Delegated bool   `json:"delegated,omitempty"`
	RetiredMS int64  `json:"retired_ms,omitempty"`
	// State: valid, expiring (within 30 days), expired, early, retired, or forbidden
	// (a delegated one, by the policy).
	State string `json:"state"`
	// AdmittedMS and the rest are of the record that admitted it last.
	AdmittedMS     int64  `json:"admitted_ms"`
	AdmittedBy     string `json:"admitted_by"`
	AdmittedReason string `json:"admitted_reason,omitempty"`
}

// Retire asks to end the admission of the one seal whose SHA-256, in hex, begins so.
type Retire struct {
	Why
	Code   string `json:"code"`
	Digest string `json:"digest"`
}

// PolicyLine is what operators said about an agency and what holds for it.
type PolicyLine struct {
	// Code is empty for everybody's policy.
	Code string `json:"code"`
	// What was said: allow, forbid or inherit; 0 and empty where nothing was.
	DelegatedSeals string `json:"delegated_seals"`
	RetentionDays  int    `json:"retention_days"`
	Security       string `json:"security,omitempty"`
	// Registrations: allowed, held, forbidden or inherit; the hours are 0 where nothing
	// was said.
	Registrations string `json:"registrations"`
	ConsignHours  int    `json:"consign_hours"`
	HandoverHours int    `json:"handover_hours"`
	// Files of documents that it sends and receives: label, sound, signed or inherit.
	SentFiles     string `json:"sent_files"`
	ReceivedFiles string `json:"received_files"`
	// What holds.
	Holds PolicyHolds `json:"holds"`
	// Deeds that said it, newest first.
	History []Deed `json:"history,omitempty"`
}

// PolicyHolds is a policy with everything decided.
type PolicyHolds struct {
	DelegatedSeals bool   `json:"delegated_seals"`
	RetentionDays  int    `json:"retention_days"`
	Security       string `json:"security"`
	// Registrations: allowed, held or forbidden. The hours are 0 for no deadline.
	Registrations string `json:"registrations"`
	ConsignHours  int    `json:"consign_hours"`
	HandoverHours int    `json:"handover_hours"`
	// Files: label, sound or signed.
	SentFiles     string `json:"sent_files"`
	ReceivedFiles string `json:"received_files"`
}

// SetPolicy asks to change what a policy says; what is nil stays as it is.
type SetPolicy struct {
	Why
	Code           string  `json:"code"`
	DelegatedSeals *string `json:"delegated_seals,omitempty"`
	RetentionDays  *int    `json:"retention_days,omitempty"`
	Security       *string `json:"security,omitempty"`
	// Registrations: allowed, held, forbidden or inherit.
	Registrations *string `json:"registrations,omitempty"`
	ConsignHours  *int    `json:"consign_hours,omitempty"`
	HandoverHours *int    `json:"handover_hours,omitempty"`
	// Files of documents that it sends and receives: label, sound, signed or inherit.
	SentFiles     *string `json:"sent_files,omitempty"`
	ReceivedFiles *string `json:"received_files,omitempty"`
}

// Paths of the API about seals and policies.
const (
	PathSeal       = "/seal/admit"
	PathSeals      = "/seal/list"
	PathSealRetire = "/seal/retire"
	PathPolicies   = "/policy/list"
	PathPolicyShow = "/policy/show"
	PathPolicySet  = "/policy/set"
)

func handleSeals(mux *http.ServeMux, o Seals) {
	mux.HandleFunc("GET "+PathSeals, func(w http.ResponseWriter, r *http.Request) {
		v, err := o.ListSeals(r.Context(), r.FormValue("code"))
		admin.Answer(w, v, err)
	})
	mux.HandleFunc("GET "+PathPolicies, func(w http.ResponseWriter, r *http.Request) {
		v, err := o.ListPolicies(r.Context())
		admin.Answer(w, v, err)
	})
	mux.HandleFunc("GET "+PathPolicyShow, func(w http.ResponseWriter, r *http.Request) {
		v, err := o.ShowPolicy(r.Context(), r.FormValue("code"))
		admin.Answer(w, v, err)
	})
	post(mux, PathSeal, o.AdmitSeal)
	post(mux, PathSealRetire, o.RetireSeal)
	post(mux, PathPolicySet, o.SetPolicy)
}
