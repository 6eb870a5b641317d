package admin

// Timestamps is how the time-stamping of the log's checkpoints goes.
type Timestamps struct {
	// Authorities counts those that are configured; without any it is not done.
	Authorities int `json:"authorities"`
	// LastMS is what the newest time-stamp says; 0 for none yet. It covers every record
	// before Covers, and stands in the journal at LeafIndex.
	LastMS    int64  `json:"last_ms,omitempty"`
	Covers    uint64 `json:"covers,omitempty"`
	LeafIndex uint64 `json:"leaf_index,omitempty"`
	// Uncovered: there are records that no time-stamp covers yet.
	Uncovered bool `json:"uncovered,omitempty"`
	// FailingMS is since when no authority answers, or the seal cannot be used; 0 while
	// all is well. Problem says why, at the last try.
	FailingMS int64  `json:"failing_ms,omitempty"`
	Problem   string `json:"problem,omitempty"`
	ProblemVI string `json:"problem_vi,omitempty"`
}
