package content_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"docaxis/axis/content"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// told is what an endpoint was last told of one of its uploads.
type told struct {
	held    int
	whole   bool
	unclear bool // something failed since
}

// Whatever order two endpoints send ranges in, whatever fails and however often
// the store is restarted: it holds what it said, and what was complete once stays.
func TestUploadsAgainstAModel(t *testing.T) {
	failAt := ""
	cfg := content.Config{Faults: func(point string) error {
		if point != failAt {
			return nil
		}
		failAt = ""
		return errors.New("made up")
	}}
	s := open(t, t.TempDir(), cfg)
	round := uint64(0)
	rapid.Check(t, func(rt *rapid.T) {
		round++
		model := map[string]*told{}
		pick := func() (endpoint string, data []byte, m *told) {
			endpoint = fmt.Sprintf("e%d-%d", rapid.IntRange(0, 1).Draw(rt, "endpoint"), round)
			n := rapid.SampledFrom([]int{1, 40, 300}).Draw(rt, "chunk")
			key := fmt.Sprint(endpoint, n)
			if model[key] == nil {
				model[key] = &told{}
			}
			return endpoint, bytesOf(round, n), model[key]
		}
		rt.Repeat(map[string]func(*rapid.T){
			"put": func(rt *rapid.T) {
				endpoint, data, m := pick()
				offset := rapid.SampledFrom([]int{m.held, m.held, 0, len(data) / 2}).Draw(rt, "offset")
				req := rangeOf(data, min(offset, len(data)), rapid.IntRange(0, 200).Draw(rt, "bytes"))
				h, err := s.Put(context.Background(), endpoint, req)
				m.after(rt, len(data), req, h, err)
			},
			"have": func(rt *rapid.T) {
				endpoint, data, m := pick()
				held, err := s.Have(context.Background(), endpoint, [][]byte{idBytes(data)})
				if err != nil {
					rt.Fatal(err)
				}
				m.compare(rt, int(held[0].Bytes), held[0].Complete)
			},
			"read": func(rt *rapid.T) {
				_, data, m := pick()
				if got, err := s.ReadRange(context.Background(), idOf(data), 0, uint32(len(data))); err == nil {
					if string(got) != string(data) {
						rt.Fatal("served what is not the chunk")
					}
				} else if m.whole {
					rt.Fatal(err)
				}
			},
			"fail": func(rt *rapid.T) { failAt = rapid.SampledFrom(points).Draw(rt, "point") },
			"restart": func(rt *rapid.T) {
				if rapid.IntRange(0, 7).Draw(rt, "now") == 0 {
					s.restart(cfg)
				}
			},
		})
		failAt = ""
	})
}

// after compares an answer to a Put with what the model says it must be.
func (m *told) after(rt *rapid.T, size int, req *axispb.PutRequest, h *axispb.Held, err error) {
	switch {
	case err != nil && !reason.IsTemporary(err):
		rt.Fatal(err)
	case err != nil:
		m.unclear = true
	case !m.whole && (m.unclear || m.held == size):
		m.unclear, m.held, m.whole = false, int(h.Bytes), h.Complete
	default:
		if int(req.Offset) == m.held {
			m.held += len(req.Data)
			m.whole = m.held == size
		}
		m.compare(rt, int(h.Bytes), h.Complete)
	}
}

func (m *told) compare(rt *rapid.T, held int, whole bool) {
	if m.unclear && !m.whole {
		m.unclear, m.held, m.whole = false, held, whole
	}
	if held != m.held || whole != m.whole {
		rt.Fatalf("held %d, complete %v; want %d, %v", held, whole, m.held, m.whole)
	}
}
