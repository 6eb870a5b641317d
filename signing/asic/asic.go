// Package asic owns the ASiC-E form of a sealed document (ETSI EN 319 162-1): the
// manifest that is signed, and the container in which a document leaves the
// system.
package asic

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// Names of the parts of a container (ETSI EN 319 162-1 clause 4.4).
const (
	DocumentName  = "document.json"
	ManifestName  = "META-INF/ASiCManifest001.xml"
	SignatureName = "META-INF/signature001.p7s"
)

const (
	// MaxFiles is the largest number of files beside document.json.
	MaxFiles = 999
	// MaxManifest is the largest manifest that Parse reads, in bytes.
	MaxManifest = 384 << 10

	maxExtension = 8
	maxMimeType  = 127
)

// Manifest is what an ASiCManifest says (ETSI EN 319 162-1 annex A.4): the digest
// of every signed object. Its signature is always SignatureName.
type Manifest struct {
	References []Reference
}

// Reference is one signed object.
type Reference struct {
	// URI is document.json or files/NNN.ext.
	URI string
	// MimeType may be empty.
	MimeType string
	// Digest is the SHA-256 of the object.
	Digest [sha256.Size]byte
}

// FileName is the name of file number n, from 1, with the extension of its true
// name: files/001.pdf. A true name may hold anything; what does not suit a
// portable extension becomes bin.
func FileName(n int, trueName string) string {
	ext := "bin"
	if i := strings.LastIndexByte(trueName, '.'); i >= 0 {
		if e := strings.ToLower(trueName[i+1:]); isExtension(e) {
			ext = e
		}
	}
	return fmt.Sprintf("files/%03d.%s", n, ext)
}

// IsFileName reports whether name is that of file number n, whatever its
// extension.
func IsFileName(n int, name string) bool {
	return checkName(name) == nil && strings.HasPrefix(name, fmt.Sprintf("files/%03d.", n))
}

// checkName lets only document.json and files/NNN.ext through, so that no name
// can reach out of a folder or differ from another by case alone.
func checkName(name string) error {
	if name == DocumentName {
		return nil
	}
	rest, ok := strings.CutPrefix(name, "files/")
	if !ok || len(rest) < 5 || rest[3] != '.' || !isExtension(rest[4:]) {
		return fmt.Errorf("name %.40q is neither document.json nor files/NNN.ext", name)
	}
	if !isDigits(rest[:3]) || rest[:3] == "000" {
		return fmt.Errorf("name %.40q has no number from 001 to 999", name)
	}
	return nil
}

func isDigits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

func isExtension(s string) bool {
	return s != "" && len(s) <= maxExtension && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// checkMimeType lets through what RFC 6838 section 4.2 allows, with parameters.
func checkMimeType(s string) error {
	if len(s) > maxMimeType {
		return fmt.Errorf("MIME type of %d bytes", len(s))
	}
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' || strings.IndexByte(`<>&"'`, c) >= 0 {
			return fmt.Errorf("MIME type %.40q", s)
		}
	}
	return nil
}

// check holds for what is composed and for what is parsed.
func (m Manifest) check() error {
	if len(m.References) > MaxFiles+1 {
		return fmt.Errorf("more than %d files", MaxFiles)
	}
	seen := make(map[string]bool, len(m.References))
	for _, r := range m.References {
		if err := checkName(r.URI); err != nil {
			return err
		}
		if err := checkMimeType(r.MimeType); err != nil {
			return err
		}
		if seen[r.URI] {
			return fmt.Errorf("%s is listed twice", r.URI)
		}
		seen[r.URI] = true
	}
	if len(m.References) == 0 {
		return fmt.Errorf("nothing is listed")
	}
	return nil
}
