package admin

// Disk is how the endpoint's disk is.
type Disk struct {
	Free  uint64 `json:"free"`
	Total uint64 `json:"total"`
	// Keep is what must stay free; Resume what must be free again, once it was not,
	// before the endpoint sends and fetches again.
	Keep   uint64 `json:"keep"`
	Resume uint64 `json:"resume"`
	// Full: nothing is sent, and no contents are fetched. RecordsFull: nothing is
	// pulled either. SinceMS is since when; 0 while there is room.
	Full        bool  `json:"full"`
	RecordsFull bool  `json:"records_full"`
	SinceMS     int64 `json:"since_ms,omitempty"`
	// Problem is why the disk could not be looked at.
	Problem string `json:"problem,omitempty"`
	// Kept is the size of the files of documents, as last counted; Quota what it may
	// be, 0 for no bound.
	Kept      uint64 `json:"kept"`
	Quota     uint64 `json:"quota,omitempty"`
	OverQuota bool   `json:"over_quota,omitempty"`
}

// Clean asks for a cleanup.
type Clean struct {
	DryRun bool `json:"dry_run"`
}

// Cleanup is what a cleanup removed, or would remove.
type Cleanup struct {
	DryRun  bool      `json:"dry_run"`
	Removed []Cleaned `json:"removed"`
	Kept    uint64    `json:"kept"`
	Quota   uint64    `json:"quota,omitempty"`
	// OverQuota: what is needed is more than the quota.
	OverQuota bool `json:"over_quota,omitempty"`
	// Failed files could not be removed.
	Failed int `json:"failed,omitempty"`
}

// Cleaned is what goes for one reason: sent, received, quota, left or partial.
type Cleaned struct {
	Why       string `json:"why"`
	Documents int    `json:"documents"`
	Files     int    `json:"files"`
	Bytes     uint64 `json:"bytes"`
	// OldestMS is since when the oldest of the documents was not needed.
	OldestMS int64 `json:"oldest_ms,omitempty"`
}

// Sizes is what takes how much on the disk.
type Sizes struct {
	// Store is the file with everything that has a state; its free pages are used
	// again before it grows.
	Store     uint64   `json:"store"`
	StoreFree uint64   `json:"store_free"`
	Buckets   []Bucket `json:"buckets"`
	// Files are envelopes and the files of documents, Partial what is being fetched.
	Files   FileSizes `json:"files"`
	Partial FileSizes `json:"partial"`
}

// Bucket is a part of the store.
type Bucket struct {
	Name    string `json:"name"`
	Entries int    `json:"entries"`
	Bytes   uint64 `json:"bytes"`
}

// FileSizes counts files.
type FileSizes struct {
	Files int    `json:"files"`
	Bytes uint64 `json:"bytes"`
}
