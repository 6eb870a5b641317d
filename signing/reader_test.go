package signing_test

import (
	"crypto/x509"
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/iotest"

	"docaxis/internal/sealtest"
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

// TestPinnedSignersAreNotParsed: intake judges thousands of seals a second, each
// pinned; parsing certificates for that would cost as much as the cryptography.
func TestPinnedSignersAreNotParsed(t *testing.T) {
	b := newBench(t)
	f := forge(b.seal, b.content)
	f.certs = append(f.certs, b.other.Certificate(), b.root.Certificate())
	signature, o := f.der(t), pinned(b.seal)
	o.DER = true
	one := testing.AllocsPerRun(10, func() { judge(t, signature, b.content, o) })
	remembered := signing.Options{At: sealtest.At, Trust: signing.NewTrust([]*x509.Certificate{b.root.Certificate()}, nil)}
	two := testing.AllocsPerRun(10, func() { judge(t, signature, b.content, remembered) })
	parsed := testing.AllocsPerRun(10, func() { _ = must(x509.ParseCertificate(b.seal.Certificate().Raw)) })
	if most := 100.0; one > most || two > most || parsed < 30 {
		t.Errorf("%v allocations pinned, %v remembered; one certificate takes %v", one, two, parsed)
	}
}
