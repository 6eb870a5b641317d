package axis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"google.golang.org/protobuf/proto"

	"docaxis/axis/journal"
	"docaxis/axis/ledger"
	"docaxis/axis/registry"
	axistlog "docaxis/axis/tlog"
	"docaxis/proto/axispb"
)

// source gives blocks to whoever reads ahead, and counts them.
type source struct {
	blocks []journal.Entry
	err    error // behind the last
	given  atomic.Int64
	ended  atomic.Bool
}

func (s *source) read(_ context.Context, give func(journal.Entry) error) error {
	defer s.ended.Store(true)
	for _, e := range s.blocks {
		if err := give(e); err != nil {
			return err
		}
		s.given.Add(1)
	}
	return s.err
}

func blocksOf(n, size int) *source {
	s := &source{}
	for i := range n {
		s.blocks = append(s.blocks, journal.Entry{Block: &axispb.Block{Number: uint64(i)}, Raw: make([]byte, size)})
	}
	return s
}

// However many blocks follow, few are read before the first is applied, and as few before
// each one after; of large ones fewer.
func TestBlocksAreReadAheadWithinBounds(t *testing.T) {
	for _, tt := range []struct {
		name         string
		bytes, ahead int
	}{
		{"small", 100, aheadBlocks},
		{"as large as they become", journal.MaxBlock, aheadBytes / journal.MaxBlock},
		{"larger than all that there is room for", aheadBytes + 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, applied := blocksOf(30, tt.bytes), 0
				err := applyAhead(t.Context(), s.read, func(_ context.Context, b opened) error {
					synctest.Wait() // until it reads no further
					if want := min(applied+tt.ahead, len(s.blocks)); int(s.given.Load()) != want {
						t.Errorf("%d blocks read while block %d is applied, not %d", s.given.Load(), applied, want)
					}
					if n := b.Block.GetNumber(); int(n) != applied {
						t.Errorf("block %d in the place of %d", n, applied)
					}
					applied++
					return nil
				})
				if err != nil || applied != len(s.blocks) {
					t.Errorf("%d blocks applied (%v)", applied, err)
				}
			})
		})
	}
}

// However it ends, reading has ended before it returns, and what was read well was applied.
func TestReadingAheadEndsWithTheCall(t *testing.T) {
	injected := errors.New("injected")
	for _, tt := range []struct {
		name    string
		unread  error // found behind the twelfth block
		at      int   // the block at which something happens
		apply   func(stop func()) error
		want    error
		applied int
	}{
		{"a block cannot be read", injected, -1, nil, injected, 12},
		{"a block cannot be applied", nil, 5, func(func()) error { return injected }, injected, 5},
		{"an earlier one cannot be applied, a later one not read", errors.New("later"), 5, func(func()) error { return injected }, injected, 5},
		{"it is stopped", nil, 1, func(stop func()) error { stop(); return nil }, context.Canceled, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			s, applied := blocksOf(12, 100), 0
			s.err = tt.unread
			err := applyAhead(ctx, s.read, func(ctx context.Context, _ opened) error {
				if err := ctx.Err(); err != nil {
					return err
				}
				if applied == tt.at {
					if err := tt.apply(stop); err != nil {
						return err
					}
				}
				applied++
				return nil
			})
			if !errors.Is(err, tt.want) || tt.applied >= 0 && applied != tt.applied {
				t.Errorf("%d blocks applied (%v)", applied, err)
			}
			if !s.ended.Load() {
				t.Error("it still reads")
			}
		})
	}
}

// A block with something wrong in it stops a rebuild where it stands, with what is wrong,
// whether or not it was taken apart ahead.
func TestDamageIsFoundInItsPlace(t *testing.T) {
	b := newBench(t)
	for range 4 {
		d := doc("H41")
		p := b.accept(d)
		if _, refused := b.offer("h41", b.state("h41", p, d, "H41", axispb.Event_EVENT_CONTENT_CONSIGNMENT, b.seal(d))); refused != 0 {
			t.Fatal(refused)
		}
	}
	var whole []journal.Entry
	err := b.journal.Blocks(t.Context(), journal.Location{}, func(e journal.Entry) error {
		whole = append(whole, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	at := len(whole) - 6
	lost := &journal.CorruptError{Location: whole[at].Location}
	for name, damage := range map[string]func(s *source, block *axispb.Block){
		"none":         func(*source, *axispb.Block) {},
		"unreadable":   func(s *source, _ *axispb.Block) { s.blocks, s.err = s.blocks[:at], lost },
		"body":         func(_ *source, block *axispb.Block) { block.Records[0].Body[9] ^= 1 },
		"header":       func(_ *source, block *axispb.Block) { block.Records[0].Header = []byte{8, 9} },
		"decision":     func(_ *source, block *axispb.Block) { block.Records[0].Decision = []byte{255} },
		"another tree": func(_ *source, block *axispb.Block) { block.RootBefore, block.Records[0].Body = make([]byte, 32), nil },
		"place":        func(_ *source, block *axispb.Block) { block.Number++ },
	} {
		t.Run(name, func(t *testing.T) {
			s := &source{blocks: slices.Clone(whole)}
			block := proto.Clone(s.blocks[at].Block).(*axispb.Block)
			s.blocks[at].Block = block
			damage(s, block)
			one := newRebuild(t)
			want := s.read(t.Context(), func(e journal.Entry) error { return one.apply(t.Context(), openBlock(e)) })
			two := newRebuild(t)
			got := applyAhead(t.Context(), s.read, two.apply)
			if fmt.Sprint(got) != fmt.Sprint(want) || (got == nil) != (name == "none") {
				t.Errorf("ahead: %v\none after the other: %v", got, want)
			}
			if name != "none" && two.at.Blocks != uint64(at) {
				t.Errorf("stopped at block %d, not %d", two.at.Blocks, at)
			}
			if a, b := dumped(t, one), dumped(t, two); !bytes.Equal(a, b) {
				t.Error("the ledgers differ")
			}
		})
	}
}

// newRebuild is a commit path that begins with nothing and signs nothing.
func newRebuild(t *testing.T) *chain {
	t.Helper()
	l, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	tree, err := axistlog.Load(0, l)
	if err != nil {
		t.Fatal(err)
	}
	return &chain{ledger: l, tree: tree, project: &projector{registry: registry.NewState(), ledger: l}}
}

func dumped(t *testing.T, c *chain) []byte {
	t.Helper()
	var text bytes.Buffer
	if err := c.ledger.Dump(t.Context(), &text); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// Of two records with something wrong in them the first is reported, though both were opened.
func TestARecordIsReportedInItsTurn(t *testing.T) {
	header, err := proto.Marshal(&axispb.RecordHeader{})
	if err != nil {
		t.Fatal(err)
	}
	b := openBlock(journal.Entry{Block: &axispb.Block{Records: []*axispb.Record{{Header: header}, {Body: []byte("no envelope")}}}})
	if len(b.leaves) != 2 || b.records[0].err == nil || b.records[1].err == nil {
		t.Fatalf("opened as %+v", b)
	}
	p := &projector{registry: registry.NewState()}
	if _, err := p.block(t.Context(), b); err == nil || err.Error() != fmt.Sprintf("record 0: %v", b.records[0].err) {
		t.Errorf("reported: %v", err)
	}
}
