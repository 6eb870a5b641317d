package signing_test

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"runtime"
	"slices"
	"testing"

	"docaxis/internal/sealtest"
	"docaxis/signing"
)

// worst is the worst known input of a kind for its parser, of about a given size.
type worst struct {
	name string
	// make gives the input and how many elements are in it.
	make func(size int) (input []byte, elements int)
	read func(input []byte) signing.SubIndication
	want signing.SubIndication
}

// elementsIn counts the elements of an encoding, those within others, too.
func elementsIn(der []byte) (n int) {
	for len(der) > 0 {
		var e asn1.RawValue
		rest, err := asn1.Unmarshal(der, &e)
		if err != nil {
			return n
		}
		if n++; e.IsCompound {
			n += elementsIn(e.Bytes)
		}
		der = rest
	}
	return n
}

func counted(der []byte) ([]byte, int) { return der, elementsIn(der) }

// TestWorstCases: an input of 1 MiB, whatever it is, costs at most 64 MiB in all,
// and one of four times the size at most four times as much.
func TestWorstCases(t *testing.T) {
	b := newBench(t)
	for _, w := range slices.Concat(worstEncodings(), worstSignatures(t, b), worstAnswers(t)) {
		t.Run(w.name, func(t *testing.T) {
			small, big := w.cost(t, 240<<10), w.cost(t, 960<<10)
			if big > 64<<20 {
				t.Errorf("%d bytes allocated", big)
			}
			if big > 5*small+1<<20 {
				t.Errorf("%d bytes allocated for four times what took %d", big, small)
			}
		})
	}
}

// cost is what reading an input allocates, in bytes.
func (w worst) cost(t *testing.T, size int) uint64 {
	t.Helper()
	input, elements := w.make(size)
	if len(input) < size/2 || len(input) > 1<<20 {
		t.Fatalf("%d bytes instead of %d", len(input), size)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := w.read(input)
	runtime.ReadMemStats(&after)
	cost := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d bytes, %d elements: %d bytes allocated", len(input), elements, cost)
	if got != w.want {
		t.Errorf("%s, want %s", got, w.want)
	}
	return cost
}

func verdictOn(b *bench, content []byte) func([]byte) signing.SubIndication {
	return func(signature []byte) signing.SubIndication {
		o := anchoredAt(b.root)
		o.Timestamping = signing.NewTrust([]*x509.Certificate{b.root.Certificate()}, nil)
		verdicts, err := signing.Verify(signature, content, o)
		if err != nil {
			return "ERROR"
		}
		return verdicts[len(verdicts)-1].SubIndication
	}
}

// worstEncodings are none of anything.
func worstEncodings() []worst {
	read := verdictOn(&bench{root: sealtest.Seal{Chain: []*x509.Certificate{{}}}}, nil)
	row := func(name string, make func(size int) ([]byte, int)) worst {
		return worst{name, make, read, signing.FormatFailure}
	}
	repeat := func(each ...byte) func(int) ([]byte, int) {
		return func(size int) ([]byte, int) {
			return bytes.Repeat(each, size/len(each)), size / len(each)
		}
	}
	return []worst{
		row("nested indefinite lengths", repeat(0x30, 0x80)),
		row("nested strings in pieces", repeat(0x24, 0x80)),
		row("nested definite lengths", func(size int) ([]byte, int) {
			// From the inside: each level has the header that its size needs.
			var headers [][]byte
			n, body := 0, 0
			for ; body < size; n++ {
				h := tlvHeader(body)
				headers, body = append(headers, h), body+len(h)
			}
			slices.Reverse(headers)
			return bytes.Join(headers, nil), n
		}),
		row("small elements", func(size int) ([]byte, int) { return tlv(0x30, bytes.Repeat([]byte{5, 0}, size/2)), size / 2 }),
		row("small elements of indefinite length", func(size int) ([]byte, int) {
			return slices.Concat([]byte{0x30, 0x80}, bytes.Repeat([]byte{0x30, 0x80, 0, 0}, size/4), []byte{0, 0}), size / 4
		}),
		row("string in many pieces", func(size int) ([]byte, int) {
			return slices.Concat([]byte{0x24, 0x80}, bytes.Repeat([]byte{4, 1, 0}, size/3), []byte{0, 0}), size / 3
		}),
		row("zeros", func(size int) ([]byte, int) { return make([]byte, size), 0 }),
		row("one large string", func(size int) ([]byte, int) { return octets(make([]byte, size)), 1 }),
	}
}

func tlvHeader(body int) []byte {
	switch {
	case body >= 1<<16:
		return []byte{0x30, 0x83, byte(body >> 16), byte(body >> 8), byte(body)}
	case body >= 256:
		return []byte{0x30, 0x82, byte(body >> 8), byte(body)}
	case body >= 128:
		return []byte{0x30, 0x81, byte(body)}
	}
	return []byte{0x30, byte(body)}
}
