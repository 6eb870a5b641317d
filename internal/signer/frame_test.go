package signer

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

func frame(t testing.TB, m proto.Message) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := writeMessage(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFrames(t *testing.T) {
	hello := &axispb.SignerHello{Version: 1, PublicKey: []byte("key")}
	good := frame(t, hello)
	for n := range len(good) {
		_, err := readFrame(bytes.NewReader(good[:n]))
		if n == 0 && err != io.EOF || n > 0 && err == nil {
			t.Errorf("%d of %d bytes: %v", n, len(good), err)
		}
	}
	var got axispb.SignerHello
	raw, err := readFrame(iotest.OneByteReader(bytes.NewReader(good)))
	if err = errors.Join(err, parse(raw, &got)); err != nil || !proto.Equal(&got, hello) {
		t.Errorf("%v: %v", &got, err)
	}
	if err := writeMessage(io.Discard, &axispb.SignerHello{PublicKey: make([]byte, maxFrame)}); !errors.Is(err, errFrame) {
		t.Errorf("a message over the bound was written: %v", err)
	}
}

// A frame over the bound is refused by its length, before there is room for it.
func TestALengthIsNotBelieved(t *testing.T) {
	for _, n := range []uint32{maxFrame + 1, 1<<32 - 1} {
		whole := io.MultiReader(bytes.NewReader(binary.BigEndian.AppendUint32(nil, n)), bytes.NewReader(make([]byte, maxFrame+1)))
		if got, err := readFrame(whole); !errors.Is(err, errFrame) || got != nil {
			t.Errorf("%d bytes: %d were read, %v", n, len(got), err)
		}
	}
}

// fixed is a token that gives one signature.
type fixed struct{ key crypto.PublicKey }

func (f fixed) Public() crypto.PublicKey { return f.key }
func (fixed) Certificates() [][]byte     { return nil }
func (fixed) Sign(axispb.SignerScheme, crypto.Hash, []byte) ([]byte, error) {
	return []byte("signature"), nil
}

// What is no request is answered so, and the next one is served.
func TestServeAnswersWhatIsNoRequest(t *testing.T) {
	token := fixed{nil}
	for _, r := range []*axispb.SignerRequest{
		{Number: 5, Hash: axispb.SignerHash_SIGNER_HASH_SHA256, Digest: make([]byte, 31)},
		{Number: 5, Digest: make([]byte, 32)},
		{Number: 5, Hash: 77, Digest: make([]byte, 32)},
	} {
		if a := answer(token, frame(t, r)[4:]); a.Number != 5 || a.Problem.GetFault() != axispb.SignerFault_SIGNER_FAULT_MALFORMED {
			t.Errorf("%v: %v", r, a)
		}
	}
	if a := answer(token, []byte{0xff}); a.Problem.GetFault() != axispb.SignerFault_SIGNER_FAULT_MALFORMED {
		t.Errorf("nonsense: %v", a)
	}
	r := &axispb.SignerRequest{Number: 6, Hash: axispb.SignerHash_SIGNER_HASH_SHA256, Digest: make([]byte, 32)}
	if a := answer(token, frame(t, r)[4:]); a.Number != 6 || a.Problem != nil || string(a.Signature) != "signature" {
		t.Errorf("a request: %v", a)
	}
}

// A signer whose module hangs ends with its input all the same.
func TestServeEndsWithItsInput(t *testing.T) {
	in, write := io.Pipe()
	opening, ended, hang := make(chan struct{}), make(chan error, 1), make(chan struct{})
	go func() {
		ended <- Serve(in, io.Discard, func() (Token, error) { close(opening); <-hang; return nil, errors.New("over") })
	}()
	<-opening
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	close(hang)
}

// Accepted means that the frame is no larger than its bound and reads the same again.
func FuzzFrames(f *testing.F) {
	f.Add(frame(f, &axispb.SignerHello{Version: 1, PublicKey: []byte("key"), Certificates: [][]byte{{1}, {2}}}))
	f.Add(frame(f, &axispb.SignerAnswer{Number: 1, Signature: []byte("s")}))
	f.Add(frame(f, &axispb.SignerAnswer{Problem: &axispb.SignerProblem{Fault: 13, Detail: "CKR_DEVICE_ERROR"}}))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := bytes.NewReader(raw)
		got, err := readFrame(r)
		if err != nil {
			return
		}
		if len(got) > maxFrame || len(got)+4+r.Len() != len(raw) || !bytes.Equal(raw[4:4+len(got)], got) {
			t.Errorf("%d bytes of %d", len(got), len(raw))
		}
		if _, err := readHello(got); err != nil && ProblemOf(err) == nil {
			t.Errorf("a hello: %v", err)
		}
		if answer(fixed{nil}, got) == nil {
			t.Error("a request without an answer")
		}
	})
}
