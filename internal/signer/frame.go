package signer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"
)

// version of the conversation (SignerHello.version).
const version = 1

// maxFrame bounds a message, in bytes; a hello with a whole chain takes far less.
const maxFrame = 64 << 10

// errFrame says that what came is no message of the protocol: the other side is not a
// signer, or something printed into the conversation. Nothing after it can be read.
var errFrame = errors.New("signer: no message of the protocol")

// writeMessage writes a message behind its length.
func writeMessage(w io.Writer, m proto.Message) error {
	frame, err := proto.MarshalOptions{}.MarshalAppend(make([]byte, 4), m)
	if err != nil {
		return fmt.Errorf("%w: %v", errFrame, err)
	}
	if len(frame)-4 > maxFrame {
		return fmt.Errorf("%w: %d bytes", errFrame, len(frame)-4)
	}
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	_, err = w.Write(frame) // one write: a reader never sees a length alone
	return err
}

// readFrame reads one message's bytes; io.EOF at a clean end.
func readFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return nil, fmt.Errorf("%w: %d bytes", errFrame, n)
	}
	frame := make([]byte, n)
	if _, err := io.ReadFull(r, frame); err != nil {
		return nil, fmt.Errorf("%w: cut short: %v", errFrame, err)
	}
	return frame, nil
}

// parse reads a message out of a frame.
func parse(frame []byte, m proto.Message) error {
	if err := proto.Unmarshal(frame, m); err != nil {
		return fmt.Errorf("%w: %v", errFrame, err)
	}
	return nil
}
