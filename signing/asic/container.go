package asic

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// MimeType is the media type of an ASiC-E container (ETSI EN 319 162-1 clause
// 4.4.2).
const MimeType = "application/vnd.etsi.asic-e+zip"

// ErrContent says that a file's content is not what the manifest signed. What
// was written so far is no container; throw it away.
var ErrContent = errors.New("asic: content differs from the manifest")

// Container is a sealed document with all its content.
type Container struct {
	// Manifest, Document and Signature are exact bytes.
	Manifest, Document, Signature []byte
	// Open gives the content of a file by its name in the manifest; it is read
	// once, to its end, and closed.
	Open func(name string) (io.ReadCloser, error)
}

// WriteContainer writes an ASiC-E container that other programs open and verify.
// Its entries come in the order of the manifest; nothing depends on the time, so
// the same document gives the same bytes. Every content is compared with its
// digest as it passes (ErrContent).
func WriteContainer(w io.Writer, c Container) error {
	m, err := Parse(c.Manifest)
	if err != nil {
		return err
	}
	z := zip.NewWriter(w)
	if err := writeMimeType(z); err != nil {
		return err
	}
	for _, ref := range m.References {
		if err := c.writeObject(z, ref); err != nil {
			return fmt.Errorf("write %s: %w", ref.URI, err)
		}
	}
	if err := write(z, ManifestName, bytes.NewReader(c.Manifest)); err != nil {
		return err
	}
	if err := write(z, SignatureName, bytes.NewReader(c.Signature)); err != nil {
		return err
	}
	return z.Close()
}

// writeMimeType writes the first entry stored, uncompressed and without a data
// descriptor, so that the type stands at byte 38 of the file (clause 4.4.2 and
// annex A.1).
func writeMimeType(z *zip.Writer) error {
	e, err := z.CreateRaw(&zip.FileHeader{
		Name:               "mimetype",
		Method:             zip.Store,
		CRC32:              crc32.ChecksumIEEE([]byte(MimeType)),
		CompressedSize64:   uint64(len(MimeType)),
		UncompressedSize64: uint64(len(MimeType)),
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(e, MimeType)
	return err
}

func (c Container) writeObject(z *zip.Writer, ref Reference) error {
	content, err := c.open(ref.URI)
	if err != nil {
		return err
	}
	defer content.Close()
	digest := sha256.New()
	if err := write(z, ref.URI, io.TeeReader(content, digest)); err != nil {
		return err
	}
	if [sha256.Size]byte(digest.Sum(nil)) != ref.Digest {
		return ErrContent
	}
	return nil
}

func (c Container) open(name string) (io.ReadCloser, error) {
	if name == DocumentName {
		return io.NopCloser(bytes.NewReader(c.Document)), nil
	}
	return c.Open(name)
}

// write adds an entry. It is deflated even where that gains nothing: stored
// entries of a size not known beforehand cannot be read as a stream by Java.
func write(z *zip.Writer, name string, content io.Reader) error {
	e, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
	if err != nil {
		return err
	}
	_, err = io.Copy(e, content)
	return err
}
