// Package chunk owns how a file becomes chunks: pieces of 1 MiB, each named by
// its SHA-256, moved in ranges.
package chunk

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
)

const (
	// Size is the length of every chunk of a file but the last.
	Size = 1 << 20
	// MinRange and MaxRange bound the bytes moved by one request.
	MinRange = 16 << 10
	MaxRange = 256 << 10
	// MaxAboard bounds the bytes of the chunks that travel inside a submission, all
	// together, and MaxAboardCount how many they are: the first range of a line whose pace
	// nobody knows, and files whose syncs fit into one request
	// (docs/decisions/0087-small-files-in-the-submission.md).
	MaxAboard      = 64 << 10
	MaxAboardCount = 16
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

// readSize divides Size. Most files are far smaller than a chunk: what is held is
// no more than this.
const readSize = 32 << 10

// buffers are used again: most files are small, and so many are read that their buffers
// would be a sixth of all that an endpoint allocates.
var buffers = sync.Pool{New: func() any { return new([readSize]byte) }}

// Sum reads r to its end and gives the SHA-256 of what it had.
func Sum(r io.Reader) (digest [sha256.Size]byte, err error) {
	buf := buffers.Get().(*[readSize]byte)
	defer buffers.Put(buf)
	sum := sha256.New()
	for {
		n, err := r.Read(buf[:])
		sum.Write(buf[:n])
		switch {
		case errors.Is(err, io.EOF):
			return [sha256.Size]byte(sum.Sum(nil)), nil
		case err != nil:
			return digest, fmt.Errorf("read file: %w", err)
		}
	}
}

// Read reads r to its end and names its chunks, holding little of it.
func Read(r io.Reader) (File, error) {
	var (
		f            File
		whole, piece = sha256.New(), sha256.New()
		buf          = buffers.Get().(*[readSize]byte)
	)
	defer buffers.Put(buf)
	for {
		n, err := io.ReadFull(r, buf[:])
		whole.Write(buf[:n])
		piece.Write(buf[:n])
		f.Size += uint64(n)
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !ended {
			return File{}, fmt.Errorf("read file: %w", err)
		}
		if held := f.Size - uint64(len(f.Chunks))*Size; held == Size || ended && held > 0 {
			f.Chunks = append(f.Chunks, ID(piece.Sum(nil)))
			piece.Reset()
		}
		if ended {
			f.Digest = [sha256.Size]byte(whole.Sum(nil))
			return f, nil
		}
	}
}
