// Package backup owns what a backup of an axis holds, and how it is checked without
// believing it: configuration, keys, the journal's exact blocks up to a tail that is
// fixed when it begins, and the contents that its documents name.
//
// Names in the container (internal/archive), in this order:
//
//	axis.toml            configuration
//	keys/NAME            CA, the axis's key, the log's keys
//	journal/NUMBER       blocks, each after its length (4 bytes, big-endian); NUMBER is that of its first block
//	keys/guard           as it was when the blocks had been read, where there is one
//	content/chunks/ab/HEX  chunks, in the order of their digests
//	content/missing      digests of chunks that documents name and the axis did not have, one a line
//
// The ledger is left out: it is rebuilt; and so are labels and revocation data. Anchors
// are left out, too (docs/decisions/0065). So is content.db: endpoints upload again
// what no accepted document holds.
package backup

import "docaxis/internal/archive"

// Names in the container.
const (
	configName  = "axis.toml"
	keysPrefix  = "keys/"
	guardName   = "keys/guard"
	blockPrefix = "journal/"
	chunkPrefix = "content/chunks/"
	missingName = "content/missing"
)

const (
	// segmentBytes is about what one entry has of the journal: what is in memory.
	segmentBytes = 8 << 20
	maxBlock     = 512 << 10
	maxConfig    = 1 << 20
	maxKey       = 64 << 10
)

// Report is what a backup has.
type Report struct {
	archive.Manifest
	Documents uint64 `json:"documents"`
	Chunks    uint64 `json:"chunks"`
	Bytes     uint64 `json:"bytes"` // of chunks
	// Missing counts chunks that documents name and the axis did not have when the
	// backup was made; it has no contents at all where Content is false.
	Missing uint64 `json:"missing"`
}
