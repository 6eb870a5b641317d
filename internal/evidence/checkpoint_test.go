package evidence

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"docaxis/proto/axispb"
)

func TestCheckpointIsRead(t *testing.T) {
	w := newWorld(t)
	w.log.fill(11)
	for _, size := range []uint64{0, 1, 11} {
		c, err := w.trust.Checkpoint(w.log.checkpoint(size))
		must(t, err)
		if c.Epoch != 1 || c.Size != size || c.Root != w.log.root(size) || !bytes.Equal(c.Note, w.log.checkpoint(size)) {
			t.Errorf("size %d: read as %+v", size, c)
		}
	}
}

// The example of C2SP tlog-checkpoint.
func TestCheckpointTextOfTheSpecification(t *testing.T) {
	const text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
	c, err := parseCheckpoint(text)
	must(t, err)
	if _, err := parseCheckpoint(text + "no line"); err == nil {
		t.Error("text after the last line was accepted")
	}
	if c.Size != 20852163 || c.Root.String() != "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=" {
		t.Errorf("read as %+v", c)
	}
}

// Each text is signed with the log's key: only its form is wrong.
func TestCheckpointOfOtherFormIsRefused(t *testing.T) {
	w := newWorld(t)
	w.log.fill(11)
	origin, root := w.log.origin, w.log.root(11).String()
	stray := root[:42] + string(root[42]+1) + "=" // a bit beyond the 32nd byte
	texts := map[string]string{
		"extension line":    fmt.Sprintf("%s\n11\n%s\nmore\n", origin, root),
		"empty line":        fmt.Sprintf("%s\n11\n%s\n\n", origin, root),
		"no root":           fmt.Sprintf("%s\n11\n", origin),
		"only an origin":    origin + "\n",
		"leading zero":      fmt.Sprintf("%s\n011\n%s\n", origin, root),
		"sign":              fmt.Sprintf("%s\n+11\n%s\n", origin, root),
		"negative":          fmt.Sprintf("%s\n-11\n%s\n", origin, root),
		"hex":               fmt.Sprintf("%s\n0xb\n%s\n", origin, root),
		"space":             fmt.Sprintf("%s\n11 \n%s\n", origin, root),
		"too large":         fmt.Sprintf("%s\n9223372036854775807\n%s\n", origin, root),
		"over 64 bits":      fmt.Sprintf("%s\n18446744073709551617\n%s\n", origin, root),
		"short root":        fmt.Sprintf("%s\n11\n%s\n", origin, base64.StdEncoding.EncodeToString(make([]byte, 31))),
		"long root":         fmt.Sprintf("%s\n11\n%s\n", origin, base64.StdEncoding.EncodeToString(make([]byte, 33))),
		"unpadded root":     fmt.Sprintf("%s\n11\n%s\n", origin, strings.TrimRight(root, "=")),
		"root, URL letters": fmt.Sprintf("%s\n11\n%s\n", origin, base64.URLEncoding.EncodeToString(bytes.Repeat([]byte{0xff}, 32))),
		"stray bits":        fmt.Sprintf("%s\n11\n%s\n", origin, stray),
		"other origin":      fmt.Sprintf("%s/x\n11\n%s\n", origin, root),
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			if _, err := w.trust.Checkpoint(w.log.note(text)); err == nil || errors.Is(err, ErrSplitView) {
				t.Errorf("error %v for:\n%s", err, text)
			}
		})
	}
}

func TestEveryAlteredByteOfCheckpointIsNoticed(t *testing.T) {
	w := newWorld(t)
	w.log.fill(11)
	good := w.log.checkpoint(11)
	for i := range good {
		for bit := range 8 {
			altered := bytes.Clone(good)
			altered[i] ^= 1 << bit
			if _, err := w.trust.Checkpoint(altered); err == nil {
				t.Errorf("byte %d of %d, bit %d: accepted\n%s", i, len(good), bit, altered)
			}
		}
	}
}

func TestCheckpointByAnotherKeyIsRefused(t *testing.T) {
	w := newWorld(t)
	w.log.fill(3)
	skey, _, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{99}, 64)), w.log.origin)
	must(t, err)
	thief, err := note.NewSigner(skey)
	must(t, err)
	b, err := note.Sign(&note.Note{Text: w.log.text(3)}, thief)
	must(t, err)
	if _, err := w.trust.Checkpoint(b); err == nil {
		t.Error("accepted")
	}
	// Beside the log's own signature it is one that we need not know.
	both, err := note.Sign(&note.Note{Text: w.log.text(3)}, thief, w.log.signer)
	must(t, err)
	if _, err := w.trust.Checkpoint(both); err != nil {
		t.Errorf("a cosigned checkpoint: %v", err)
	}
}

func TestCheckpointOfUnknownOriginSaysSo(t *testing.T) {
	w := newWorld(t)
	other := newLog(t, 2, log2Seed, &testTree{})
	if _, err := w.trust.Checkpoint(other.checkpoint(0)); !errors.Is(err, ErrUnknownEpoch) {
		t.Errorf("error %v, want ErrUnknownEpoch", err)
	}
	if _, err := w.trust.Checkpoint(nil); !errors.Is(err, ErrUnknownEpoch) {
		t.Errorf("nothing: error %v, want ErrUnknownEpoch", err)
	}
}

func TestCheckpointOverTheLimitIsRefused(t *testing.T) {
	w := newWorld(t)
	w.log.fill(3)
	signed := w.log.checkpoint(3)
	for len(signed) <= MaxCheckpoint {
		name := fmt.Sprintf("witness-%d-%s", len(signed), strings.Repeat("x", 300))
		signed = fmt.Appendf(signed, "— %s %s\n", name, base64.StdEncoding.EncodeToString(make([]byte, 68)))
	}
	if _, err := w.trust.Checkpoint(signed); err == nil {
		t.Error("accepted")
	}
}

func TestLogContradictsItsOwnBase(t *testing.T) {
	w := newWorld(t)
	w.log.fill(9)
	seen := Checkpoint{Epoch: 1, Size: 9, Root: w.log.root(9)}
	later := w.reopen(2, log2Seed, 6, seen.Ref())
	if _, err := w.trust.Checkpoint(later.checkpoint(6)); err != nil {
		t.Errorf("the base itself: %v", err)
	}
	if _, err := w.trust.Checkpoint(later.checkpoint(5)); !errors.Is(err, ErrSplitView) {
		t.Errorf("below the base: error %v, want ErrSplitView", err)
	}
	text := fmt.Sprintf("%s\n0\n%s\n", w.log.origin, w.log.root(9))
	if _, err := w.trust.Checkpoint(w.log.note(text)); !errors.Is(err, ErrSplitView) {
		t.Errorf("another root of nothing: error %v, want ErrSplitView", err)
	}
	text = fmt.Sprintf("%s\n6\n%s\n", later.origin, later.root(5))
	if _, err := w.trust.Checkpoint(later.note(text)); !errors.Is(err, ErrSplitView) {
		t.Errorf("another root at the base: error %v, want ErrSplitView", err)
	}
}

func TestRefCheckpoint(t *testing.T) {
	want := Checkpoint{Epoch: 2, Size: 7, Root: [32]byte{4}}
	got, err := RefCheckpoint(want.Ref())
	must(t, err)
	if got.Epoch != want.Epoch || got.Size != want.Size || got.Root != want.Root {
		t.Errorf("%+v became %+v", want, got)
	}
	for name, ref := range map[string]*axispb.CheckpointRef{
		"nothing":           nil,
		"no epoch":          {Size: 7, Root: make([]byte, 32)},
		"short root":        {Epoch: 1, Size: 7, Root: make([]byte, 31)},
		"too large":         {Epoch: 1, Size: MaxTreeSize + 1, Root: make([]byte, 32)},
		"empty, other root": {Epoch: 1, Root: make([]byte, 32)},
	} {
		if _, err := RefCheckpoint(ref); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
