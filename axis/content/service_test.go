package content_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"docaxis/axis/content"
	"docaxis/internal/chunk"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// parties lets one endpoint read, from the document at leaf 7.
type parties string

func (p parties) MayRead(_ context.Context, endpoint string, leaf uint64, _ []byte) (bool, error) {
	if leaf == 99 {
		return false, errors.New("ledger is away")
	}
	return endpoint == string(p) && (leaf == 7 || leaf == 70), nil
}

// Released: the document at leaf 70 was.
func (p parties) Released(_ context.Context, leaf uint64) (int64, error) {
	if leaf == 70 {
		return 1_800_000_000_000, nil
	}
	return 0, nil
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	raw, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestServiceRoundTrip(t *testing.T) {
	v := content.NewService(open(t, t.TempDir(), content.Config{}).Store, parties("reader"))
	data := bytesOf(1, 1000)
	ask := marshal(t, &axispb.HaveRequest{Digests: [][]byte{idBytes(data)}})
	steps := []struct {
		what string
		call func(context.Context, string, []byte) (proto.Message, error)
		who  string
		req  []byte
		want proto.Message
	}{
		{"have none", v.Have, "sender", ask, &axispb.HaveAnswer{Held: []*axispb.Held{{}}}},
		{"put", v.Put, "sender", marshal(t, rangeOf(data, 0, 600)), &axispb.PutAnswer{Held: &axispb.Held{Bytes: 600}}},
		{"have some", v.Have, "sender", ask, &axispb.HaveAnswer{Held: []*axispb.Held{{Bytes: 600}}}},
		{"put the rest", v.Put, "sender", marshal(t, rangeOf(data, 600, 400)), &axispb.PutAnswer{Held: &axispb.Held{Bytes: 1000, Complete: true}}},
		{"have by another", v.Have, "reader", ask, &axispb.HaveAnswer{Held: []*axispb.Held{{}}}},
		{"get", v.Get, "reader", marshal(t, get(7, data, 10, 20)), &axispb.GetAnswer{Data: data[10:30]}},
	}
	for _, step := range steps {
		got, err := step.call(t.Context(), step.who, step.req)
		if err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		if diff := cmp.Diff(step.want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%s:\n%s", step.what, diff)
		}
	}
}

func get(leaf uint64, data []byte, offset, length uint32) *axispb.GetRequest {
	return &axispb.GetRequest{LeafIndex: leaf, Digest: idBytes(data), Offset: offset, Length: length}
}

// A party is told that the content is gone for good, and nobody else is.
func TestGetOfReleasedContent(t *testing.T) {
	s := open(t, t.TempDir(), content.Config{})
	v := content.NewService(s.Store, parties("reader"))
	data := bytesOf(1, 1000)
	mustUpload(t, s, "sender", data) // the chunk is still there
	_, err := v.Get(t.Context(), "reader", marshal(t, get(70, data, 0, 10)))
	wantReason(t, err, axispb.ReasonCode_REASON_CONTENT_RELEASED, false)
	if got := reason.Of(err).Args; len(got) != 1 || got[0] != "2027-01-15T08:00:00Z" {
		t.Errorf("arguments %q", got)
	}
	_, err = v.Get(t.Context(), "stranger", marshal(t, get(70, data, 0, 10)))
	wantReason(t, err, axispb.ReasonCode_REASON_NOT_FOUND, false)
}

// The answer does not tell what is there.
func TestGetDoesNotTellWhatIsThere(t *testing.T) {
	s := open(t, t.TempDir(), content.Config{})
	v := content.NewService(s.Store, parties("reader"))
	data := bytesOf(1, 1000)
	refusal := func(who string, leaf uint64, length uint32) []byte {
		_, err := v.Get(t.Context(), who, marshal(t, get(leaf, data, 0, length)))
		wantReason(t, err, axispb.ReasonCode_REASON_NOT_FOUND, false)
		return marshal(t, reason.Of(err))
	}
	nothing := refusal("stranger", 7, 10)
	if allowed := refusal("reader", 7, 10); !bytes.Equal(nothing, allowed) {
		t.Errorf("%q, %q", nothing, allowed)
	}
	mustUpload(t, s, "sender", data)
	for _, there := range [][]byte{
		refusal("stranger", 7, 10), refusal("reader", 8, 10), refusal("sender", 7, 10), refusal("stranger", 7, 0), refusal("stranger", 7, 2000),
	} {
		if !bytes.Equal(nothing, there) {
			t.Errorf("not there: %q, not allowed: %q", nothing, there)
		}
	}
}

func TestServiceRefuses(t *testing.T) {
	v := content.NewService(open(t, t.TempDir(), content.Config{}).Store, parties("reader"))
	data := bytesOf(1, 10)
	large := rangeOf(data, 0, 10)
	large.Data = make([]byte, chunk.MaxRange+1000)
	field := append([]byte{0x7a, 100}, make([]byte, 100)...) // one that no request has
	unknown := append(marshal(t, get(7, data, 0, 1)), bytes.Repeat(field, 30)...)
	for name, c := range map[string]struct {
		call func(context.Context, string, []byte) (proto.Message, error)
		req  []byte
	}{
		"have: no message": {v.Have, []byte{0xff}},
		"have: too many":   {v.Have, bytes.Repeat([]byte{0x0a, 0}, 4097)},
		"have: too long":   {v.Have, make([]byte, 1<<20)},
		"put: no message":  {v.Put, []byte{0xff}},
		"put: too long":    {v.Put, marshal(t, large)},
		"get: no message":  {v.Get, []byte{0xff}},
		"get: no digest":   {v.Get, nil},
		"get: too long":    {v.Get, unknown},
		"get: empty range": {v.Get, marshal(t, &axispb.GetRequest{Digest: []byte{1}})},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.call(t.Context(), "reader", c.req)
			wantReason(t, err, axispb.ReasonCode_REASON_MALFORMED, false)
		})
	}
	_, err := v.Get(t.Context(), "reader", marshal(t, get(99, data, 0, 1)))
	wantReason(t, err, axispb.ReasonCode_REASON_UNAVAILABLE, true)
}

// Whatever is sent, every refusal has a reason and the store stays sound.
func FuzzService(f *testing.F) {
	data := bytesOf(1, 40)
	f.Add(marshal(f, &axispb.HaveRequest{Digests: [][]byte{idBytes(data)}}))
	f.Add(marshal(f, rangeOf(data, 0, 40)))
	f.Add(marshal(f, rangeOf(data, 0, 10)))
	f.Add(marshal(f, get(7, data, 0, 40)))
	s, err := content.Open(f.TempDir(), content.Config{QuotaBytes: 8 << 20})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	v := content.NewService(s, parties("e1"))
	f.Fuzz(func(t *testing.T, req []byte) {
		for _, call := range []func(context.Context, string, []byte) (proto.Message, error){v.Have, v.Put, v.Get} {
			if m, err := call(t.Context(), "e1", req); (m == nil) == (err == nil) || err != nil && reason.Of(err) == nil {
				t.Errorf("answer %v, error %v", m, err)
			}
		}
		if err := s.Check(); err != nil {
			t.Error(err)
		}
	})
}
