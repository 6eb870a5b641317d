package admin

import "docaxis/internal/admin"

// Labels are what is known of the signatures within a document's files: a view, on
// which no evidence rests.
type Labels struct {
	LookedMS int64 `json:"looked_ms"`
	// AgainMS is when the files are looked at again, because something outside was
	// missing; 0: not again.
	AgainMS int64             `json:"again_ms,omitempty"`
	Files   []admin.FileLabel `json:"files"`
}

// Signatures says how the looking at signatures within files stands.
type Signatures struct {
	// Anchors are trusted certificates; with none no signature is valid.
	Anchors int `json:"anchors"`
	// PolicyWithoutAnchors: a policy asks for signed files, which nobody can tell without
	// anchors, so that it asks no more than that no signature has failed.
	PolicyWithoutAnchors bool `json:"policy_without_anchors,omitempty"`
	// Asks: authorities are asked for revoked certificates.
	Asks bool `json:"asks_authorities"`
	// Backlog are documents that were not looked at yet, Again those that are looked at
	// again, because something outside was missing.
	Backlog uint64 `json:"backlog"`
	Again   uint64 `json:"again"`
	// Unreachable are authorities that do not answer, those that are longest gone first;
	// Troubles counts the lists and answers that could not be refreshed.
	Unreachable []Authority `json:"unreachable,omitempty"`
	Troubles    int         `json:"troubles,omitempty"`
	// Trouble is why no file can be looked at, in both languages, since TroubleMS.
	Trouble   string `json:"trouble,omitempty"`
	TroubleVI string `json:"trouble_vi,omitempty"`
	TroubleMS int64  `json:"trouble_ms,omitempty"`
}

// Authority is a machine that tells of revoked certificates, and does not answer.
type Authority struct {
	Host    string `json:"host"`
	SinceMS int64  `json:"since_ms"`
	NextMS  int64  `json:"next_ms"` // when it is asked again
	Why     string `json:"why"`
	WhyVI   string `json:"why_vi"`
}
