package admin

// The keys that an operator may replace.
const (
	KeyLog      = "log"
	KeyCA       = "ca"
	KeyEvidence = "evidence"
)

// Roll asks to replace a key.
type Roll struct {
	Why
	// Key is KeyLog, KeyCA or KeyEvidence.
	Key string `json:"key"`
}

// Rolled says what counts from now on.
type Rolled struct {
	Epoch  uint64 `json:"epoch"`
	Origin string `json:"origin"`
	// CA is what invitations pin: the SHA-256 of the CA's public key, hex.
	CA string `json:"ca"`
}

// Clock is a clock in doubt.
type Clock struct {
	// Doubt: ahead or back, where it jumped while the axis ran; behind, where the
	// last record is later; stopped, where the axis was off for more than a week.
	Doubt      string `json:"doubt"`
	ExpectedMS int64  `json:"expected_ms"`
	ShownMS    int64  `json:"shown_ms"`
}
