package admin

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"docaxis/internal/admin"
)

// PathJournal gives the journal as a stream, for a backup.
const PathJournal = "/journal"

// Keeper gives a running axis's journal.
type Keeper interface {
	// Journal calls begin with where the journal stands, and then block with the
	// exact bytes of each block up to there, while the axis goes on.
	Journal(ctx context.Context, actor string, begin func(Head) error, block func(raw []byte) error) error
}

// Head is where a journal stands: a position that the axis has signed.
type Head struct {
	Name   string `json:"name"` // of the log
	Epoch  uint64 `json:"epoch"`
	Blocks uint64 `json:"blocks"`
	Size   uint64 `json:"size"`
	Root   []byte `json:"root"`
	TimeMS int64  `json:"time_ms"` // journal time of the last record
}

// maxFrame is more than the largest block has.
const maxFrame = 1 << 20

// giveJournal answers with frames: the head as JSON, the blocks, and an empty one
// for the end, each after its length of 4 bytes, big-endian.
func giveJournal(mux *http.ServeMux, k Keeper) {
	mux.HandleFunc("GET "+PathJournal, func(w http.ResponseWriter, r *http.Request) {
		begun := false
		err := k.Journal(r.Context(), r.FormValue("actor"), func(h Head) error {
			begun = true
			w.Header().Set("Content-Type", "application/octet-stream")
			raw, err := json.Marshal(h)
			if err != nil {
				return err
			}
			return writeFrame(w, raw)
		}, func(raw []byte) error { return writeFrame(w, raw) })
		switch {
		case err != nil && !begun:
			admin.Answer(w, nil, err)
		case err != nil || writeFrame(w, nil) != nil:
			// The answer has begun: only a cut connection can say that it is not whole.
			panic(http.ErrAbortHandler)
		}
	})
}

func writeFrame(w io.Writer, b []byte) error {
	if _, err := w.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b)))); err != nil {
		return err
	}
	_, err := w.Write(b)
	return err
}

// ReadJournal reads what PathJournal answers: first the head, then, by blocks, once,
// the rest.
func ReadJournal(r io.Reader) (head Head, blocks func(ctx context.Context, fn func(raw []byte) error) error, err error) {
	raw, err := readFrame(r, nil)
	if err == nil {
		err = json.Unmarshal(raw, &head)
	}
	if err != nil {
		return Head{}, nil, fmt.Errorf("the axis's answer cannot be read: %w", err)
	}
	return head, func(ctx context.Context, fn func(raw []byte) error) error {
		var b []byte
		for {
			if b, err = readFrame(r, b); err != nil {
				return errors.Join(ctx.Err(), fmt.Errorf("the axis ended while it gave the journal: %w", err))
			}
			if len(b) == 0 {
				return nil
			}
			if err := fn(b); err != nil {
				return err
			}
		}
	}, nil
}

// readFrame reuses b.
func readFrame(r io.Reader, b []byte) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > maxFrame {
		return nil, fmt.Errorf("a frame of %d bytes", n)
	}
	b = append(b[:0], make([]byte, n)...)
	_, err := io.ReadFull(r, b)
	return b, err
}
