package signing_test

import (
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/iotest"

	"docaxis/signing"
)

// zeros are content of any size that nobody holds.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestContentIsStreamed: content is read in pieces and not kept, whatever its
// size, and also where several signers use several digests.
func TestContentIsStreamed(t *testing.T) {
	b := newBench(t)
	const size = 16 << 20
	content := make([]byte, size)
	b.content = content
	signature := severalSigners(t, forge(b.seal, content), bySHA512(b))
	b.content, content = nil, nil
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	verdicts, err := signing.VerifyReader(signature, io.LimitReader(zeros{}, size), anchoredAt(b.root))
	runtime.ReadMemStats(&after)
	if err != nil || len(verdicts) != 2 || !verdicts[0].Passed() || !verdicts[1].Passed() {
		t.Fatalf("%v, %v", verdicts, err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes for a stream of %d", n, size)
	}
	verdicts, err = signing.VerifyReader(signature, io.LimitReader(zeros{}, size-1), anchoredAt(b.root))
	if err != nil || verdicts[0].SubIndication != signing.HashFailure || verdicts[1].SubIndication != signing.HashFailure {
		t.Errorf("one byte short: %v, %v", verdicts, err)
	}
}

// TestContentThatCannotBeRead is no verdict, and is not asked for where the
// signature cannot be read.
func TestContentThatCannotBeRead(t *testing.T) {
	b := newBench(t)
	broken := errors.New("the disk is gone")
	if _, err := signing.VerifyReader(forge(b.seal, b.content).der(t), iotest.ErrReader(broken), anchoredAt(b.root)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	verdicts, err := signing.VerifyReader([]byte("no signature"), iotest.ErrReader(broken), anchoredAt(b.root))
	if err != nil || verdicts[0].SubIndication != signing.FormatFailure {
		t.Errorf("%v, %v", verdicts, err)
	}
}
