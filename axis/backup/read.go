package backup

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"docaxis/internal/archive"
	"docaxis/internal/chunk"
	"docaxis/proto/axispb"
)

// Sink takes what a backup holds, as it is read and after it was checked by itself.
// That all of it is right is known only when Read returned nil.
type Sink interface {
	// Config and Key give small files: axis.toml, and those of keys/ by their name
	// there.
	Config(raw []byte) error
	Key(name string, raw []byte) error
	// Block gives the exact bytes of the journal's blocks, in order.
	Block(ctx context.Context, raw []byte) error
	Chunk(id chunk.ID, data []byte) error
}

// Read reads a backup to its end and checks all that can be known of it: that it is
// whole, the digest of every file, the chain of blocks and the tree over their
// records, that the contents which documents name are there. Temp is a folder for
// what does not fit into memory. Errors of the file are archive.ErrDamaged and its
// neighbours; those of the sink come back as they are.
func Read(ctx context.Context, r io.Reader, temp string, to Sink) (report Report, err error) {
	in, err := archive.NewReader(r)
	if err != nil {
		return Report{}, err
	}
	report.Manifest = in.Manifest()
	if report.Kind != archive.KindAxis {
		return report, archive.OtherKind(report.Manifest)
	}
	index, err := newNamed(ctx, temp)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, index.close()) }()
	c := &checker{named: index, to: to, report: &report, keys: map[string]bool{}}
	for {
		e, err := in.Next()
		if errors.Is(err, io.EOF) {
			return report, c.whole(ctx)
		}
		if err != nil {
			return report, err
		}
		if err := errors.Join(ctx.Err(), c.entry(ctx, e)); err != nil {
			return report, err
		}
	}
}

// checker judges the entries in their order.
type checker struct {
	named  *named
	to     Sink
	report *Report
	chain  chain
	config bool
	keys   map[string]bool
	block  []byte // reused
}

func (c *checker) entry(ctx context.Context, e *archive.Entry) error {
	switch {
	case e.Name == configName:
		raw, err := e.All(maxConfig)
		if err != nil {
			return err
		}
		c.config = true
		return c.to.Config(raw)
	case isKey(e.Name):
		raw, err := e.All(maxKey)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(e.Name, keysPrefix)
		c.keys[name] = true
		return c.to.Key(name, raw)
	case e.Name == segmentName(c.chain.blocks):
		return c.segment(ctx, e)
	case strings.HasPrefix(e.Name, chunkPrefix):
		return c.chunk(ctx, e)
	case e.Name == missingName:
		return c.missing(ctx, e)
	}
	return archive.Damaged(fmt.Errorf("%q does not belong there", e.Name))
}

func (c *checker) segment(ctx context.Context, e *archive.Entry) error {
	for left := e.Size; left > 0; {
		var length [4]byte
		if _, err := io.ReadFull(e, length[:]); err != nil {
			return archive.Damaged(err)
		}
		n := int64(binary.BigEndian.Uint32(length[:]))
		if left -= 4 + n; n > maxBlock || left < 0 {
			return archive.Damaged(fmt.Errorf("block %d has %d bytes", c.chain.blocks, n))
		}
		c.block = append(c.block[:0], make([]byte, n)...)
		if _, err := io.ReadFull(e, c.block); err != nil {
			return archive.Damaged(err)
		}
		if err := c.one(ctx, c.block); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (c *checker) one(ctx context.Context, raw []byte) error {
	b, headers, err := c.chain.block(raw)
	if err != nil {
		return archive.Damaged(err)
	}
	if err := c.named.records(ctx, b.GetFirstLeaf(), headers, b.GetRecords(), c.report); err != nil {
		return err
	}
	return c.to.Block(ctx, raw)
}

// records takes note of what each record of a block names.
func (n *named) records(ctx context.Context, leaf uint64, headers []*axispb.RecordHeader, records []*axispb.Record, report *Report) error {
	for i, r := range records {
		document, err := n.record(ctx, leaf+uint64(i), headers[i], r.GetBody())
		if err != nil {
			return err
		}
		if document {
			report.Documents++
		}
	}
	return nil
}

func (c *checker) chunk(ctx context.Context, e *archive.Entry) error {
	digest, ok := archive.SelfNamed(e.Name)
	id := chunk.ID(digest)
	if !ok || e.Name != chunkName(id) {
		return archive.Damaged(fmt.Errorf("%q is named like no chunk", e.Name))
	}
	data, err := e.All(chunk.Size)
	if err != nil {
		return err
	}
	// The container compares it, too, but only once it is read on.
	if sum(data) != id {
		return archive.Damaged(fmt.Errorf("chunk %s does not have its digest", id))
	}
	if err := c.named.saw(ctx, id, true); err != nil {
		return err
	}
	c.report.Chunks++
	c.report.Bytes += uint64(len(data))
	return c.to.Chunk(id, data)
}

func (c *checker) missing(ctx context.Context, e *archive.Entry) error {
	line := make([]byte, missingLine)
	for left := e.Size; left > 0; left -= missingLine {
		if _, err := io.ReadFull(e, line); err != nil {
			return archive.Damaged(err)
		}
		var id chunk.ID
		if _, err := hex.Decode(id[:], line[:2*len(id)]); err != nil || line[2*len(id)] != '\n' {
			return archive.Damaged(errors.New("the list of missing chunks cannot be read"))
		}
		if err := c.named.saw(ctx, id, false); err != nil {
			return err
		}
	}
	n, err := c.named.needed(ctx)
	c.report.Missing = n
	return err
}

// whole judges what can only be judged at the end.
func (c *checker) whole(ctx context.Context) error {
	if err := c.chain.ends(c.report.Manifest); err != nil {
		return archive.Damaged(err)
	}
	for _, name := range []string{"ca.key", "ca.crt", fmt.Sprintf("log-%06d.key", c.report.Epoch)} {
		if !c.keys[name] && c.report.Blocks > 0 {
			return archive.Damaged(fmt.Errorf("keys/%s is not there", name))
		}
	}
	if !c.config {
		return archive.Damaged(errors.New(configName + " is not there"))
	}
	lacking, foreign, err := c.named.differ(ctx)
	if err != nil {
		return err
	}
	if c.report.Content && lacking > 0 || foreign > 0 {
		return archive.Damaged(fmt.Errorf("%d chunks that documents name are not there, %d that none names are", lacking, foreign))
	}
	return nil
}

// Nothing is a Sink that only lets a backup be checked.
type Nothing struct{}

// Config implements Sink.
func (Nothing) Config([]byte) error { return nil }

// Key implements Sink.
func (Nothing) Key(string, []byte) error { return nil }

// Block implements Sink.
func (Nothing) Block(context.Context, []byte) error { return nil }

// Chunk implements Sink.
func (Nothing) Chunk(chunk.ID, []byte) error { return nil }
