package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Writer writes a container.
type Writer struct {
	tar  *tar.Writer
	sums *sums
	made time.Time
}

// NewWriter begins a container with its manifest, whose version it sets.
func NewWriter(w io.Writer, m Manifest) (*Writer, error) {
	m.Version = Version
	out := &Writer{tar: tar.NewWriter(w), sums: newSums(), made: time.UnixMilli(m.MadeMS).UTC().Truncate(time.Second)}
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the manifest: %w", err)
	}
	return out, out.add(manifestName, int64(len(raw)), bytes.NewReader(raw))
}

// Add adds a file of exactly so many bytes. After an error the container is of no
// more use.
func (w *Writer) Add(name string, size int64, r io.Reader) error {
	if !validName(name) {
		return fmt.Errorf("%q is no name for a file in a backup", name)
	}
	return w.add(name, size, r)
}

func (w *Writer) add(name string, size int64, r io.Reader) error {
	sum := sha256.New()
	if err := w.put(name, size, io.TeeReader(r, sum)); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return w.sums.add(name, [sha256.Size]byte(sum.Sum(nil)))
}

func (w *Writer) put(name string, size int64, r io.Reader) error {
	err := w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: w.made})
	if err != nil {
		return err
	}
	_, err = io.CopyN(w.tar, r, size)
	return err
}

// Close ends the container with the digests of all that is in it. It does not
// close what is below.
func (w *Writer) Close() error {
	text := w.sums.text()
	if err := w.put(sumsName, int64(len(text)), bytes.NewReader(text)); err != nil {
		return fmt.Errorf("write the digests: %w", err)
	}
	if err := w.tar.Close(); err != nil {
		return fmt.Errorf("end the backup: %w", err)
	}
	return nil
}
