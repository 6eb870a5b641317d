// Package chunk owns how a file becomes chunks: pieces of 1 MiB, each named by
// its SHA-256, moved in ranges.
package chunk

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

const (
	// Size is the length of every chunk of a file but the last.
	Size = 1 << 20
	// MinRange and MaxRange bound the bytes moved by one request.
	MinRange = 16 << 10
	MaxRange = 256 << 10
)

// ID names a chunk: the SHA-256 of its bytes.
type ID [sha256.Size]byte

// ParseID reads an ID as it stands in a message: 32 bytes.
func ParseID(b []byte) (ID, error) {
	if len(b) != sha256.Size {
		return ID{}, fmt.Errorf("a chunk's digest has %d bytes, not %d", len(b), sha256.Size)
	}
	return ID(b), nil
}

// String is the ID in lower-case hex, as in file names.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Count is the number of chunks of a file of so many bytes.
func Count(size uint64) uint64 { return (size + Size - 1) / Size }

// Length is the number of bytes of chunk i of a file of so many bytes.
func Length(size, i uint64) uint32 {
	if rest := size - i*Size; rest < Size {
		return uint32(rest)
	}
	return Size
}

// File is what a sender says of a file's content.
type File struct {
	Digest [sha256.Size]byte
	Size   uint64
	Chunks []ID
}

// Read reads r to its end and names its chunks, holding one chunk at a time.
func Read(r io.Reader) (File, error) {
	var (
		f     File
		whole = sha256.New()
		buf   = make([]byte, Size)
	)
	for {
		n, err := io.ReadFull(r, buf)
		if n > 0 {
			whole.Write(buf[:n])
			f.Chunks = append(f.Chunks, sha256.Sum256(buf[:n]))
			f.Size += uint64(n)
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			f.Digest = [sha256.Size]byte(whole.Sum(nil))
			return f, nil
		case err != nil:
			return File{}, fmt.Errorf("read file: %w", err)
		}
	}
}
