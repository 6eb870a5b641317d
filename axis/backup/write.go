package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"docaxis/internal/archive"
	"docaxis/internal/chunk"
)

// Head is where a journal stands.
type Head struct {
	Name   string   `json:"name"` // of the log
	Epoch  uint64   `json:"epoch"`
	Blocks uint64   `json:"blocks"`
	Size   uint64   `json:"size"`
	Root   [32]byte `json:"root"`
}

// Source is the axis that is backed up: its folder, and its journal, which only
// the process that owns it can read.
type Source struct {
	Dir  string
	Head Head
	// Blocks gives the exact bytes of the journal's first Head.Blocks blocks.
	Blocks func(ctx context.Context, fn func(raw []byte) error) error
	Now    time.Time
	// WithoutContent leaves out what documents contain.
	WithoutContent bool
	// Temp is a folder for what does not fit into memory.
	Temp string
}

// Write writes a backup. Everything that is read is checked on the way: a journal
// that does not hold together is an error, a chunk that is gone or damaged is named
// in the backup, and counted.
func Write(ctx context.Context, to io.Writer, src Source) (report Report, err error) {
	report.Manifest = archive.Manifest{
		Kind: archive.KindAxis, Name: src.Head.Name, MadeMS: src.Now.UnixMilli(), Epoch: src.Head.Epoch, Size: src.Head.Size,
		Root: src.Head.Root[:], Blocks: src.Head.Blocks, Content: !src.WithoutContent, Program: archive.Program(),
	}
	out, err := archive.NewWriter(to, report.Manifest)
	if err != nil {
		return report, err
	}
	report.Version = archive.Version
	index, err := newNamed(ctx, src.Temp)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, index.close()) }()
	w := &writer{out: out, src: src, named: index, report: &report}
	for _, step := range []func(context.Context) error{w.config, w.keys, w.journal, w.guard, w.chunks, w.missing} {
		if err := step(ctx); err != nil {
			return report, err
		}
	}
	return report, out.Close()
}

type writer struct {
	out    *archive.Writer
	src    Source
	named  *named
	report *Report
	chain  chain
	buffer bytes.Buffer
	first  uint64 // block in the buffer
}

func (w *writer) file(name string) error {
	raw, err := os.ReadFile(filepath.Join(w.src.Dir, filepath.FromSlash(name)))
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return w.bytes(name, raw)
}

func (w *writer) bytes(name string, raw []byte) error {
	return w.out.Add(name, int64(len(raw)), bytes.NewReader(raw))
}

func (w *writer) config(context.Context) error { return w.file(configName) }

// keys takes every file beside the keys but the guard, which comes later, its lock,
// and what is being written.
func (w *writer) keys(context.Context) error {
	entries, err := os.ReadDir(filepath.Join(w.src.Dir, "keys"))
	if err != nil {
		return fmt.Errorf("read the keys: %w", err)
	}
	for _, e := range entries {
		name := keysPrefix + e.Name()
		if !e.Type().IsRegular() || !isKey(name) || name == guardName {
			continue
		}
		if err := w.file(name); err != nil {
			return err
		}
	}
	return nil
}

// isKey knows what may lie in keys/: names that nobody hides, none of this start's.
func isKey(name string) bool {
	base, ok := strings.CutPrefix(name, keysPrefix)
	return ok && base != "" && !strings.ContainsAny(base, "/") && !strings.HasPrefix(base, ".") &&
		!strings.HasSuffix(base, ".lock") && base != "restored"
}

func (w *writer) journal(ctx context.Context) error {
	if err := w.src.Blocks(ctx, func(raw []byte) error { return w.block(ctx, raw) }); err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	if err := w.flush(); err != nil {
		return err
	}
	return w.chain.ends(w.report.Manifest)
}

func (w *writer) block(ctx context.Context, raw []byte) error {
	b, headers, err := w.chain.block(raw)
	if err != nil {
		return err
	}
	if err := w.named.records(ctx, b.GetFirstLeaf(), headers, b.GetRecords(), w.report); err != nil {
		return err
	}
	if w.buffer.Len() == 0 {
		w.first = b.GetNumber()
	}
	w.buffer.Write(binary.BigEndian.AppendUint32(nil, uint32(len(raw))))
	w.buffer.Write(raw)
	if w.buffer.Len() < segmentBytes {
		return nil
	}
	return w.flush()
}

func (w *writer) flush() error {
	if w.buffer.Len() == 0 {
		return nil
	}
	defer w.buffer.Reset()
	return w.bytes(segmentName(w.first), w.buffer.Bytes())
}

func segmentName(first uint64) string { return fmt.Sprintf("%s%012d", blockPrefix, first) }

// guard is read after the blocks: whatever it says was signed for is at least what
// they hold, so the epoch after a restore says what was lost.
func (w *writer) guard(context.Context) error {
	err := w.file(guardName)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func (w *writer) chunks(ctx context.Context) error {
	if w.src.WithoutContent {
		return nil
	}
	return w.named.each(ctx, func(id chunk.ID, needed bool) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		raw, err := os.ReadFile(filepath.Join(w.src.Dir, filepath.FromSlash(chunkName(id))))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if here := err == nil && sha256.Sum256(raw) == id; !here {
			if needed {
				w.report.Missing++
			}
			return w.named.saw(ctx, id, false)
		}
		w.report.Chunks++
		w.report.Bytes += uint64(len(raw))
		return w.bytes(chunkName(id), raw)
	})
}

func chunkName(id chunk.ID) string { return chunkPrefix + id.String()[:2] + "/" + id.String() }

// missing lists what was not there, so that whoever checks the backup knows that it
// could not be in it.
func (w *writer) missing(ctx context.Context) error {
	n := int64(0)
	if err := w.named.missing(ctx, func(chunk.ID) error { n++; return nil }); err != nil || n == 0 {
		return err
	}
	r, pipe := io.Pipe()
	defer r.Close()
	go func() {
		pipe.CloseWithError(w.named.missing(ctx, func(id chunk.ID) error {
			_, err := fmt.Fprintln(pipe, id)
			return err
		}))
	}()
	return w.out.Add(missingName, n*missingLine, r)
}

// missingLine is the length of a digest and its end of line.
const missingLine = 2*sha256.Size + 1

// ends compares where the journal ended with what the manifest says.
func (c *chain) ends(m archive.Manifest) error {
	root := c.tree.root()
	if c.blocks != m.Blocks || c.tree.size != m.Size || !slices.Equal(root[:], m.Root) {
		return fmt.Errorf("the journal has %d records in %d blocks, not %d in %d with the root that was told", c.tree.size, c.blocks, m.Size, m.Blocks)
	}
	return nil
}
