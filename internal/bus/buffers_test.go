package bus

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"docaxis/internal/chunk"
	"docaxis/proto/axispb"
)

// What goes out is what protobuf would write, byte for byte, also out of a buffer that held
// something else before.
func TestLentBuffersHoldOnlyTheMessage(t *testing.T) {
	var b buffers
	for _, size := range []int{0, 1, leastLent - 4, leastLent, 100_000, chunk.MaxRange, mostLent, 1 << 20, chunk.MinRange + 1, 3} {
		body := &axispb.GetAnswer{Data: bytes.Repeat([]byte{byte(size)}, size)}
		raw, err := proto.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		want, err := proto.Marshal(&axispb.Answer{Body: raw})
		if err != nil {
			t.Fatal(err)
		}
		got, back, err := b.answer(body)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("an answer of %d bytes: %d written, not %d (%v)", size, len(got), len(want), err)
		}
		back()
		got, back, err = b.request(body)
		if err != nil || !bytes.Equal(got, raw) {
			t.Errorf("a request of %d bytes: %d written, not %d (%v)", size, len(got), len(raw), err)
		}
		back()
	}
}

// A buffer that was given back is lent again, but never while somebody has it. A pool may
// lose one at any moment, so that not every one is.
func TestBuffersAreUsedAgain(t *testing.T) {
	var b buffers
	const rounds = 200
	seen, given := map[*byte]bool{}, 0
	for range rounds {
		one, backOne := b.lend(chunk.MaxRange)
		two, backTwo := b.lend(leastLent)
		first, second := &one[:1][0], &two[:1][0]
		if first == second {
			t.Fatal("one buffer was lent twice")
		}
		for _, p := range []*byte{first, second} {
			if seen[p] {
				given++
			}
			seen[p] = true
		}
		backOne()
		backTwo()
	}
	if given < rounds {
		t.Errorf("%d of %d were lent before", given, 2*rounds)
	}
}

// An answer is read as protobuf would read it, whatever stands in it.
func TestAnswersAreReadAsProtobufDoes(t *testing.T) {
	field := func(number protowire.Number, value string) []byte {
		return protowire.AppendString(protowire.AppendTag(nil, number, protowire.BytesType), value)
	}
	number := func(number protowire.Number, value uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), value)
	}
	why, err := proto.Marshal(&axispb.Reason{Code: axispb.ReasonCode_REASON_QUOTA, Args: []string{"x"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"nothing":                 nil,
		"a body":                  field(answerBody, "body"),
		"an empty body":           field(answerBody, ""),
		"a refusal":               append(field(1, string(why)), number(2, 1)...),
		"two bodies":              append(field(answerBody, "one"), field(answerBody, "two")...),
		"a body among others":     bytes.Join([][]byte{number(2, 1), field(answerBody, "body"), field(1, string(why)), field(9, "new")}, nil),
		"a body of another type":  number(answerBody, 7),
		"a refusal that is none":  field(1, "\xff\xff"),
		"cut off in a body":       field(answerBody, "body")[:4],
		"cut off in a tag":        {0x80},
		"no field":                {0},
		"a group that never ends": {0x0b, 0x08},
	} {
		want := new(axispb.Answer)
		wrong := proto.Unmarshal(data, want)
		got, body, err := readAnswerOf(data)
		if (err == nil) != (wrong == nil) {
			t.Errorf("%s: %v, protobuf says %v", name, err, wrong)
			continue
		}
		if err != nil {
			continue
		}
		got.Body, want.Body = body, append([]byte{}, want.Body...)
		if !bytes.Equal(got.Body, want.Body) || got.GetTemporary() != want.GetTemporary() || !proto.Equal(got.GetError(), want.GetError()) {
			t.Errorf("%s: %v, protobuf reads %v", name, got, want)
		}
	}
}
