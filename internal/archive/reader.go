package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
)

const (
	tarBlock = 512
	// tarEnd is how a tar ends: two empty blocks.
	tarEnd = 2 * tarBlock
)

// Reader reads a container and believes nothing: what it gave was right only once
// Next has returned io.EOF.
type Reader struct {
	src      io.Reader
	tar      *tar.Reader
	sums     *sums
	manifest Manifest
	current  *Entry
}

// Entry is a file of a container, to be read before the next one.
type Entry struct {
	Name string
	Size int64
	from io.Reader
	sum  hash.Hash
}

// Read reads the file's bytes.
func (e *Entry) Read(p []byte) (int, error) {
	n, err := e.from.Read(p)
	e.sum.Write(p[:n])
	if err != nil && err != io.EOF {
		err = damaged(err)
	}
	return n, err
}

// All reads the whole file, which may have so many bytes at most.
func (e *Entry) All(limit int64) ([]byte, error) {
	if e.Size > limit {
		return nil, damaged(fmt.Errorf("%s has %d bytes, at most %d are right", e.Name, e.Size, limit))
	}
	return io.ReadAll(e)
}

// NewReader reads the manifest. Errors, here and of what follows, are for people:
// the file is no backup, is of a newer program, or is damaged.
func NewReader(r io.Reader) (*Reader, error) {
	in := &Reader{src: r, tar: tar.NewReader(r), sums: newSums()}
	e, err := in.next()
	if err != nil || e.Name != manifestName {
		return nil, notArchive(err)
	}
	raw, err := e.All(maxManifest)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &in.manifest); err != nil {
		return nil, notArchive(err)
	}
	if in.manifest.Version != Version {
		return nil, newer(in.manifest)
	}
	return in, nil
}

// Manifest is what the container says of itself.
func (r *Reader) Manifest() Manifest { return r.manifest }

// Next goes on to the next file. io.EOF means that the container ended where it was
// to end, and that every file in it has its digest.
func (r *Reader) Next() (*Entry, error) {
	if err := r.finish(); err != nil {
		return nil, err
	}
	e, err := r.next()
	if err != nil {
		return nil, damaged(err)
	}
	if e.Name == sumsName {
		return nil, r.end(e)
	}
	if !validName(e.Name) {
		return nil, damaged(fmt.Errorf("a file is named %.100q", e.Name))
	}
	return e, nil
}

func (r *Reader) next() (*Entry, error) {
	h, err := r.tar.Next()
	if errors.Is(err, io.EOF) {
		return nil, io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	if h.Typeflag != tar.TypeReg || h.Size < 0 {
		return nil, fmt.Errorf("%.100q is no file", h.Name)
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse") {
			return nil, fmt.Errorf("%.100q says that it is larger than it is", h.Name)
		}
	}
	r.current = &Entry{Name: h.Name, Size: h.Size, from: r.tar, sum: sha256.New()}
	return r.current, nil
}

// finish reads what is left of a file and takes its digest.
func (r *Reader) finish() error {
	e := r.current
	if e == nil {
		return nil
	}
	r.current = nil
	if _, err := io.Copy(io.Discard, e); err != nil {
		return err
	}
	if err := r.sums.add(e.Name, [sha256.Size]byte(e.sum.Sum(nil))); err != nil {
		return damaged(err)
	}
	return nil
}

// end compares the digests, and sees that nothing is missing or added behind.
func (r *Reader) end(e *Entry) error {
	want := r.sums.text()
	said, err := e.All(int64(len(want)))
	if err != nil {
		return damaged(err)
	}
	if !bytes.Equal(said, want) {
		return damaged(errors.New("the digests at its end are of other files"))
	}
	pad := (tarBlock - len(want)%tarBlock) % tarBlock
	rest, err := io.ReadAll(io.LimitReader(r.src, tarEnd+tarBlock))
	if err != nil {
		return damaged(err)
	}
	if !bytes.Equal(rest, make([]byte, pad+tarEnd)) {
		return damaged(errors.New("it does not end where it should"))
	}
	return io.EOF
}
