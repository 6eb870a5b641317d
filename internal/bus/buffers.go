package bus

import (
	"fmt"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"docaxis/internal/chunk"
	"docaxis/proto/axispb"
)

// A message with one of the largest ranges in it is written into a buffer that is used again.
// One that would leave more than half of it empty gets a buffer of its own, so that a
// thousand that wait to be sent take no more than twice their bytes; and so does a larger one.
const (
	mostLent  = chunk.MaxRange + 1<<10
	leastLent = mostLent / 2
)

// buffers lends what messages are written into on their way out. nats.go has copied what it
// is given to publish when it returns, also where it is not connected, so that a buffer can be
// given back then: else ranges of large files would be most of what is ever allocated.
type buffers struct {
	free sync.Pool // of *[mostLent]byte
}

// lend gives an empty buffer with room for n bytes. Whoever got it calls back once nobody
// looks at the bytes any more.
func (b *buffers) lend(n int) (room []byte, back func()) {
	if n < leastLent || n > mostLent {
		return make([]byte, 0, n), func() {}
	}
	one, ok := b.free.Get().(*[mostLent]byte)
	if !ok {
		one = new([mostLent]byte)
	}
	return one[:0], func() { b.free.Put(one) }
}

// request writes a request.
func (b *buffers) request(m proto.Message) (data []byte, back func(), err error) {
	room, back := b.lend(proto.Size(m))
	data, err = proto.MarshalOptions{}.MarshalAppend(room, m)
	return data, back, err
}

// answerBody is the number of axispb.Answer's body.
const answerBody = 3

// answer writes an Answer with a body as proto.Marshal does, but in one piece: the body is
// not written somewhere else first.
func (b *buffers) answer(body proto.Message) (data []byte, back func(), err error) {
	size := proto.Size(body)
	room, back := b.lend(protowire.SizeTag(answerBody) + protowire.SizeBytes(size))
	if size == 0 {
		return room, back, nil
	}
	room = protowire.AppendTag(room, answerBody, protowire.BytesType)
	room = protowire.AppendVarint(room, uint64(size))
	data, err = proto.MarshalOptions{}.MarshalAppend(room, body)
	if err == nil && len(data) != len(room)+size {
		err = fmt.Errorf("a body of %d bytes became one of %d", size, len(data)-len(room))
	}
	return data, back, err
}

// readAnswerOf reads an Answer, but gives its body as a part of data and not as a copy.
func readAnswerOf(data []byte) (a *axispb.Answer, body []byte, err error) {
	var other []byte
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return nil, nil, protowire.ParseError(n)
		}
		m := protowire.ConsumeFieldValue(number, kind, data[n:])
		if m < 0 {
			return nil, nil, protowire.ParseError(m)
		}
		if number == answerBody && kind == protowire.BytesType {
			body, _ = protowire.ConsumeBytes(data[n:])
		} else {
			other = append(other, data[:n+m]...)
		}
		data = data[n+m:]
	}
	a = new(axispb.Answer)
	return a, body, proto.Unmarshal(other, a)
}
