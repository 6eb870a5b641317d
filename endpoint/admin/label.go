package admin

// Words of holds.
const (
	// HoldLooking: the agency gets the document once its files were looked at;
	// HoldRefused: the policy refused a file, and the agency does not get it.
	HoldLooking = "looking"
	HoldRefused = "refused"
)

// Signatures is how the checking of signatures within files gets on.
type Signatures struct {
	// Anchors are trusted certificates.
	Anchors int `json:"anchors"`
	// Asks: authorities are asked about revoked certificates.
	Asks bool `json:"asks"`
	// Silent authorities do not answer, at most 100.
	Silent []Authority `json:"silent,omitempty"`
	// Missing and Stale count lists and answers that were never obtained, or have ended.
	Missing int `json:"missing,omitempty"`
	Stale   int `json:"stale,omitempty"`
	// Waiting documents are kept from their agencies until they were looked at; at most
	// 1,000 are counted.
	Waiting int `json:"waiting,omitempty"`
	// Unheeded policies ask for signatures by signers of known trust, and no anchors say
	// whom to trust: codes of agencies here.
	Unheeded []string `json:"unheeded,omitempty"`
}

// Authority is a machine that does not answer.
type Authority struct {
	Host    string `json:"host"`
	SinceMS int64  `json:"since_ms"`
	NextMS  int64  `json:"next_ms"`
	// Why, in both languages.
	Vietnamese string `json:"vi"`
	English    string `json:"en"`
}
