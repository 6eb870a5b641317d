package edxml

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

// entryReader gives the one file of a ZIP archive while the archive streams by, and at
// its end makes sure that it was the only one and came whole (PKWARE APPNOTE 4.3).
// archive/zip needs the whole archive at hand, which a content of base64 is not.
type entryReader struct {
	r    *bufio.Reader
	body io.Reader
	in   *counter // bytes of the packed body
	head localHeader
	sum  hash.Hash32
	size uint64
	err  error
}

type localHeader struct {
	flags, method    uint16
	crc              uint32
	packed, unpacked uint64
	name             []byte
	streamed, known  bool
}

const (
	localSignature      = 0x04034b50
	descriptorSignature = 0x08074b50
	centralSignature    = 0x02014b50
	endSignature        = 0x06054b50
	end64Signature      = 0x06064b50
)

var (
	errArchive = errors.New("no archive as it should be")
	errEntries = errors.New("not one entry")
)

func newEntry(r io.Reader) (*entryReader, error) {
	e := &entryReader{r: bufio.NewReaderSize(r, 8<<10), sum: crc32.NewIEEE()}
	if err := e.readLocal(); err != nil {
		return nil, err
	}
	e.in = &counter{r: e.r}
	switch e.head.method {
	case 0:
		if !e.head.known {
			return nil, fmt.Errorf("%w: stored without a size", errArchive)
		}
		e.body = io.LimitReader(e.in, int64(e.head.packed))
	case 8:
		e.body = flate.NewReader(e.in)
	default:
		return nil, fmt.Errorf("%w: method %d", errArchive, e.head.method)
	}
	return e, nil
}

// counter is an io.ByteReader so that flate reads no byte behind its data.
type counter struct {
	r *bufio.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *counter) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

func (e *entryReader) readLocal() error {
	var b [30]byte
	if start, err := e.r.Peek(4); err == nil && binary.LittleEndian.Uint32(start) == endSignature {
		return fmt.Errorf("%w: 0", errEntries)
	}
	if _, err := io.ReadFull(e.r, b[:]); err != nil {
		return archiveError(err)
	}
	le := binary.LittleEndian
	if le.Uint32(b[:]) != localSignature {
		return errArchive
	}
	h := &e.head
	h.flags, h.method, h.crc = le.Uint16(b[6:]), le.Uint16(b[8:]), le.Uint32(b[14:])
	h.packed, h.unpacked = uint64(le.Uint32(b[18:])), uint64(le.Uint32(b[22:]))
	h.streamed = h.flags&8 != 0
	h.known = !h.streamed
	if h.flags&1 != 0 {
		return fmt.Errorf("%w: encrypted", errArchive)
	}
	if h.packed == 0xFFFFFFFF || h.unpacked == 0xFFFFFFFF {
		return fmt.Errorf("%w: more than 4 GiB", errArchive)
	}
	rest := make([]byte, int(le.Uint16(b[26:]))+int(le.Uint16(b[28:])))
	if _, err := io.ReadFull(e.r, rest); err != nil {
		return archiveError(err)
	}
	h.name = rest[:le.Uint16(b[26:])]
	if leaves(string(h.name)) || bytes.HasSuffix(h.name, []byte("/")) {
		return fmt.Errorf("%w: entry %q", errArchive, h.name)
	}
	return nil
}

// archiveError keeps what is wrong below the archive; an archive that ends is wrong.
func archiveError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends early", errArchive)
	}
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) {
		return fmt.Errorf("%w: %w", errArchive, err)
	}
	return err
}

func (e *entryReader) Read(p []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	n, err := e.body.Read(p)
	e.sum.Write(p[:n])
	e.size += uint64(n)
	switch {
	case errors.Is(err, io.EOF):
		if e.err = e.finish(); e.err == nil {
			e.err = io.EOF
		}
	case err != nil:
		e.err = archiveError(err)
	}
	return n, e.err
}

// finish reads what follows the entry.
func (e *entryReader) finish() error {
	crc, size := e.head.crc, e.head.unpacked
	if e.head.streamed {
		var err error
		if crc, size, err = e.descriptor(); err != nil {
			return err
		}
	}
	if crc != e.sum.Sum32() || uint32(size) != uint32(e.size) {
		return fmt.Errorf("%w: the checksum is another", errArchive)
	}
	return e.directory()
}

// descriptor follows an entry whose size was not known when it began: with or without
// a signature, with sizes of 4 or of 8 bytes.
func (e *entryReader) descriptor() (crc uint32, size uint64, err error) {
	le := binary.LittleEndian
	b, err := e.r.Peek(28)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, 0, err
	}
	if len(b) < 28 {
		return 0, 0, fmt.Errorf("%w: it ends early", errArchive)
	}
	skip := 0
	if le.Uint32(b) == descriptorSignature {
		skip = 4
	}
	for _, wide := range []int{4, 8} {
		next := skip + 4 + 2*wide
		if sig := le.Uint32(b[next:]); sig != centralSignature && sig != localSignature {
			continue
		}
		crc = le.Uint32(b[skip:])
		size = uint64(le.Uint32(b[skip+4+wide:]))
		_, err := e.r.Discard(next)
		return crc, size, err
	}
	return 0, 0, fmt.Errorf("%w: no descriptor", errArchive)
}

// directory makes sure that it lists the one entry and nothing follows.
func (e *entryReader) directory() error {
	var b [46]byte
	if _, err := io.ReadFull(e.r, b[:]); err != nil {
		return archiveError(err)
	}
	le := binary.LittleEndian
	switch le.Uint32(b[:]) {
	case centralSignature:
	case localSignature:
		return fmt.Errorf("%w: more than 1", errEntries)
	default:
		return fmt.Errorf("%w: no directory", errArchive)
	}
	name := make([]byte, le.Uint16(b[28:]))
	if _, err := io.ReadFull(e.r, name); err != nil {
		return archiveError(err)
	}
	if !bytes.Equal(name, e.head.name) {
		return fmt.Errorf("%w: entry %q is %q in the directory", errArchive, e.head.name, name)
	}
	if _, err := e.r.Discard(int(le.Uint16(b[30:])) + int(le.Uint16(b[32:]))); err != nil {
		return archiveError(err)
	}
	return e.end()
}

func (e *entryReader) end() error {
	b, err := e.r.Peek(4)
	if err != nil {
		return archiveError(err)
	}
	switch binary.LittleEndian.Uint32(b) {
	case endSignature, end64Signature:
	case centralSignature:
		return fmt.Errorf("%w: more than 1", errEntries)
	default:
		return fmt.Errorf("%w: no end", errArchive)
	}
	// A comment may follow; another archive behind this one may not.
	n, err := io.Copy(io.Discard, io.LimitReader(e.r, 1<<17+1))
	if err != nil {
		return err
	}
	if n > 1<<17 {
		return fmt.Errorf("%w: something follows it", errArchive)
	}
	return nil
}
