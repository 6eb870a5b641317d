// Package archive owns the container in which a backup of an axis or an endpoint
// lies: a tar whose first entry says what it is and whose last has the SHA-256 of
// every other, usually encrypted as age-encryption.org/v1.
//
// It is read and written as a stream: memory does not grow with what is in it. It
// knows nothing of axes and endpoints; axis/backup and endpoint/backup do.
package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io/fs"
	"path"
	"runtime/debug"
	"strings"
)

// Version of the container that this program writes, and the newest it reads.
const Version = 1

// What a container may hold.
const (
	KindAxis     = "axis"
	KindEndpoint = "endpoint"
)

const (
	manifestName = "MANIFEST.json"
	sumsName     = "SHA256SUMS"

	maxManifest = 64 << 10
	// maxListed bounds the names of files that are not named by their digest, which
	// a reader keeps: at 8 MiB a file that is a journal of a terabyte.
	maxListed = 200_000
	maxName   = 200
)

// Manifest is the first entry: what the container is a backup of, and how far.
type Manifest struct {
	Version int    `json:"version"`
	Kind    string `json:"kind"`
	// Name of the axis's log, or of the endpoint.
	Name   string `json:"name"`
	MadeMS int64  `json:"made_ms"` // Unix milliseconds
	// Epoch, Size and Root are of the log: at an axis as far as the backup goes, at
	// an endpoint as far as it had verified it.
	Epoch uint64 `json:"epoch"`
	Size  uint64 `json:"size"`
	Root  []byte `json:"root,omitempty"`
	// Blocks of the journal; of an axis alone.
	Blocks uint64 `json:"blocks,omitempty"`
	// Content reports whether the contents of documents are here, too.
	Content bool   `json:"content"`
	Program string `json:"program"`
}

// Program names the program that writes a container.
func Program() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "docaxis"
	}
	return "docaxis " + info.Main.Version
}

// SelfNamed reports whether a file's name is to be the SHA-256 of its bytes, in
// hexadecimal, and gives it. Such a file proves itself, so it is not listed.
func SelfNamed(name string) (digest [sha256.Size]byte, ok bool) {
	base := path.Base(name)
	if len(base) != hex.EncodedLen(len(digest)) || strings.ToLower(base) != base {
		return digest, false
	}
	_, err := hex.Decode(digest[:], []byte(base))
	return digest, err == nil
}

// validName keeps names to what any file system can hold below a folder.
func validName(name string) bool {
	return len(name) <= maxName && fs.ValidPath(name) && name != "." && !strings.ContainsAny(name, "\\:\n\r\x00") &&
		name != manifestName && name != sumsName
}

// sums is the last entry as it grows: lines as sha256sum writes them, and for files
// that are named by their digest how many there were and the SHA-256 of their
// names, in order.
type sums struct {
	lines  bytes.Buffer
	listed map[string]bool
	named  uint64
	names  hash.Hash
}

func newSums() *sums { return &sums{listed: map[string]bool{}, names: sha256.New()} }

// add takes a file in; an error says why it may not be here.
func (s *sums) add(name string, digest [sha256.Size]byte) error {
	if own, ok := SelfNamed(name); ok {
		if own != digest {
			return fmt.Errorf("%s does not have the digest that it is named by", name)
		}
		s.named++
		fmt.Fprintln(s.names, name)
		return nil
	}
	if s.listed[name] {
		return fmt.Errorf("%s is there twice", name)
	}
	if len(s.listed) == maxListed {
		return fmt.Errorf("more than %d files", maxListed)
	}
	s.listed[name] = true
	fmt.Fprintf(&s.lines, "%x  %s\n", digest, name)
	return nil
}

// text is the entry: sha256sum passes over lines that begin with #.
func (s *sums) text() []byte {
	return fmt.Appendf(bytes.Clone(s.lines.Bytes()), "# %d files named by their SHA-256, of these names: %x\n", s.named, s.names.Sum(nil))
}
