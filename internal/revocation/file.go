package revocation

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"docaxis/internal/durable"
)

const (
	extension = ".revocation"
	// magic ends every file of this format.
	magic = "dxrevoc1"
	// A file ends with the SHA-256 of all before it but the length, the length of
	// its description, and the magic.
	tailSize       = sha256.Size + 4 + len(magic)
	maxDescription = 128 << 10
)

// errDamaged says that a file is not what was written. Drop it and fetch again.
var errDamaged = errors.New("revocation: damaged file")

// description is what a file says behind the bytes that were received: enough to
// go on looking after them without the certificate.
type description struct {
	Kind     Kind      `json:"kind"`
	Issuer   []byte    `json:"issuer"`
	Serial   *big.Int  `json:"serial,omitempty"`
	URLs     []string  `json:"urls"`
	URL      string    `json:"url"` // the one that it came from
	Obtained time.Time `json:"obtained"`
	Wanted   time.Time `json:"wanted"`
	Digest   string    `json:"sha256"`
	Answer   answer    `json:"answer"`
}

func (d *description) target() (target, error) {
	issuer, err := x509.ParseCertificate(d.Issuer)
	if err != nil {
		return target{}, fmt.Errorf("%w: issuer: %w", errDamaged, err)
	}
	if d.Kind != CRL && (d.Kind != OCSP || d.Serial == nil) {
		return target{}, fmt.Errorf("%w: kind %q", errDamaged, d.Kind)
	}
	return target{kind: d.Kind, issuer: issuer, serial: d.Serial, urls: d.URLs}, nil
}

// received is what was fetched and judged, in a temporary file.
type received struct {
	file   *os.File
	sum    hash.Hash // over what is in the file
	size   int64
	url    string
	answer *answer
}

func (r *received) digest() string { return hex.EncodeToString(r.sum.Sum(nil)) }

// discard removes the temporary file. That it may stay is no reason to fail: Open
// removes what is left.
func (r *received) discard() {
	_ = r.file.Close()
	_ = os.Remove(r.file.Name())
}

// encode is the description as it goes into the file.
func (d *description) encode() ([]byte, error) {
	text, err := json.Marshal(d)
	if err == nil && len(text) > maxDescription {
		err = fmt.Errorf("it takes %d bytes", len(text))
	}
	if err != nil {
		return nil, fmt.Errorf("describe what was fetched: %w", err)
	}
	return text, nil
}

// sizeWith is the size of the file with a description.
func (r *received) sizeWith(text []byte) int64 { return r.size + int64(len(text)+tailSize) }

// keep appends the description and gives the file its name.
func (r *received) keep(path string, text []byte) error {
	r.sum.Write(text)
	tail := r.sum.Sum(nil)
	tail = binary.BigEndian.AppendUint32(tail, uint32(len(text)))
	tail = append(tail, magic...)
	_, err := r.file.Write(append(text, tail...))
	return durable.Commit(r.file, path, err)
}

// readDescription reads the end of a file; whether its bytes are whole is seen
// when they are read.
func readDescription(path string) (d *description, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	n := min(info.Size(), int64(maxDescription+tailSize))
	end := make([]byte, n)
	if _, err := f.ReadAt(end, info.Size()-n); err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, err
	}
	_, d, err = splitFile(end)
	return d, info.Size(), err
}

// readFile reads a whole file of at most the given size and checks every byte.
func readFile(path string, most int64) (raw []byte, d *description, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, nil, fmt.Errorf("%w: it is gone", errDamaged)
	case err != nil:
		return nil, nil, err
	case info.Size() > most+maxDescription+int64(tailSize):
		return nil, nil, fmt.Errorf("%w: of %d bytes", errDamaged, info.Size())
	}
	all, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	raw, d, err = splitFile(all)
	if err != nil {
		return nil, nil, err
	}
	sum := sha256.Sum256(all[:len(all)-tailSize])
	if !bytes.Equal(sum[:], all[len(all)-tailSize:][:sha256.Size]) {
		return nil, nil, fmt.Errorf("%w: its digest does not fit", errDamaged)
	}
	return raw, d, nil
}

// splitFile reads the description at the end of what it is given.
func splitFile(all []byte) (raw []byte, d *description, err error) {
	if len(all) < tailSize || string(all[len(all)-len(magic):]) != magic {
		return nil, nil, fmt.Errorf("%w: it has no end", errDamaged)
	}
	tail := all[len(all)-tailSize:]
	all = all[:len(all)-tailSize]
	n := int64(binary.BigEndian.Uint32(tail[sha256.Size:]))
	if n > min(int64(len(all)), maxDescription) {
		return nil, nil, fmt.Errorf("%w: it is too short", errDamaged)
	}
	raw = all[:int64(len(all))-n]
	d = &description{}
	if err := json.Unmarshal(all[len(raw):], d); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return raw, d, nil
}

// files lists what is in the folder and removes what a crash left.
func files(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), ".tmp-"):
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		case strings.HasSuffix(e.Name(), extension):
			names = append(names, e.Name())
		}
	}
	return names, err
}
