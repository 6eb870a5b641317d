package admin

// Words of labels and holds.
const (
	LabelValid      = "valid"
	LabelProblem    = "problem"
	LabelUnsigned   = "unsigned"
	LabelUnreadable = "unreadable"

	// HoldLooking: the agency gets the document once its files were looked at;
	// HoldRefused: the policy refused a file, and the agency does not get it.
	HoldLooking = "looking"
	HoldRefused = "refused"
)

// FileLabel is what is known of the signatures within a file, and of its own soundness.
// It proves nothing to others.
type FileLabel struct {
	Name string `json:"name"`
	// Kind is pdf, edxml or other.
	Kind string `json:"kind"`
	// Label is valid, problem, unsigned or unreadable.
	Label      string `json:"label"`
	Vietnamese string `json:"vi"`
	English    string `json:"en"`
	// Failed: something in the file itself is wrong, which nothing mends.
	Failed     bool             `json:"failed,omitempty"`
	Signatures []SignatureLabel `json:"signatures,omitempty"`
	// Within are the files of a package; Left counts those that were not looked at.
	Within []FileLabel `json:"within,omitempty"`
	Left   uint32      `json:"left,omitempty"`
}

// SignatureLabel is the verdict on one signature, in the words of ETSI EN 319 102-1.
type SignatureLabel struct {
	Signer string `json:"signer,omitempty"`
	// Holder is person or organisation; empty where that is not known.
	Holder        string `json:"holder,omitempty"`
	Indication    string `json:"indication"`
	SubIndication string `json:"sub_indication,omitempty"`
	// TimeMS is the time relied on, and TimeSource why: timestamp, checkpoint or now.
	TimeMS     int64  `json:"time_ms"`
	TimeSource string `json:"time_source"`
	Vietnamese string `json:"vi"`
	English    string `json:"en"`
}

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
