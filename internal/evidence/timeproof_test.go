package evidence

import (
	"bytes"
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

// TestTimeProofs: the log's part of a proof of time holds for its record alone.
func TestTimeProofs(t *testing.T) {
	w := newWorld(t)
	w.log.fill(3)
	r := record(t, 1, "one")
	leaf := w.log.add(LeafHash(r.Header))
	w.log.fill(4)
	const size = 6
	sealed := marshal(t, &axispb.SealedCheckpoint{Version: 1, Checkpoint: w.log.checkpoint(size), Seal: []byte("seal")})
	good, err := NewTimeProof(sealed, r, leaf, w.log.inclusion(size, leaf))
	must(t, err)
	for _, body := range [][]byte{r.Body, nil} {
		p, err := w.trust.TimeProof(good, body)
		if err != nil || p.LeafIndex != leaf || p.Checkpoint.Size != size || p.Size != size || string(p.Seal) != "seal" || !bytes.Equal(p.Note, w.log.checkpoint(size)) {
			t.Errorf("%+v, %v", p, err)
		}
	}
	stranger := newWorld(t).log
	stranger.origin = "axis.other.vn/1"
	for name, tt := range map[string]struct {
		change func(p *axispb.TimeProof)
		body   []byte
		want   error
	}{
		"another body":       {func(*axispb.TimeProof) {}, []byte("two"), ErrOtherRecord},
		"another place":      {func(p *axispb.TimeProof) { p.LeafIndex++ }, r.Body, ErrNotProven},
		"another proof":      {func(p *axispb.TimeProof) { p.Inclusion[0][0]++ }, r.Body, ErrNotProven},
		"below the record":   {func(p *axispb.TimeProof) { p.Sealed = reseal(t, w.log.checkpoint(leaf)) }, r.Body, ErrNotProven},
		"of another log":     {func(p *axispb.TimeProof) { p.Sealed = reseal(t, stranger.note(stranger.text(0))) }, r.Body, ErrUnknownEpoch},
		"of a later version": {func(p *axispb.TimeProof) { p.Version = 2 }, r.Body, nil},
		"without a seal": {func(p *axispb.TimeProof) {
			p.Sealed = marshal(t, &axispb.SealedCheckpoint{Version: 1, Checkpoint: w.log.checkpoint(size)})
		}, r.Body, nil},
		"no sealed one":    {func(p *axispb.TimeProof) { p.Sealed = nil }, r.Body, nil},
		"too large a seal": {func(p *axispb.TimeProof) { p.Sealed = append(p.Sealed, make([]byte, MaxSealed)...) }, r.Body, nil},
	} {
		var p axispb.TimeProof
		must(t, proto.Unmarshal(good, &p))
		tt.change(&p)
		if _, err := w.trust.TimeProof(marshal(t, &p), tt.body); err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func reseal(t *testing.T, checkpoint []byte) []byte {
	t.Helper()
	return marshal(t, &axispb.SealedCheckpoint{Version: 1, Checkpoint: checkpoint, Seal: []byte("seal")})
}

// FuzzOpenSealed: what was read was written so, and nothing else.
func FuzzOpenSealed(f *testing.F) {
	f.Add(marshal(f, &axispb.SealedCheckpoint{Version: 1, Checkpoint: []byte("a/1\n1\n" + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" + "\n\n— a AAAA\n"), Seal: []byte{1}}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := OpenSealed(raw)
		if err != nil {
			return
		}
		if len(s.Note) == 0 || len(s.Seal) == 0 || s.Size > MaxTreeSize {
			t.Errorf("%+v", s)
		}
	})
}
