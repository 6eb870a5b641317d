package chunk

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

func TestReadNamesEveryChunk(t *testing.T) {
	for _, size := range []int{0, 1, readSize - 1, readSize, readSize + 1, Size - 1, Size, Size + 1, 2 * Size, 2*Size + readSize} {
		content := make([]byte, size)
		for i := range content {
			content[i] = byte(i >> 8 * i)
		}
		for name, r := range map[string]io.Reader{
			"whole": bytes.NewReader(content), "in halves": iotest.HalfReader(bytes.NewReader(content)),
			"end with data": iotest.DataErrReader(bytes.NewReader(content)),
		} {
			f, err := Read(r)
			if err != nil {
				t.Fatal(err)
			}
			if f.Size != uint64(size) || f.Digest != sha256.Sum256(content) || uint64(len(f.Chunks)) != Count(f.Size) {
				t.Fatalf("%s, %d bytes: %d bytes in %d chunks", name, size, f.Size, len(f.Chunks))
			}
			if sum, err := Sum(iotest.HalfReader(bytes.NewReader(content))); err != nil || sum != f.Digest {
				t.Errorf("%s, %d bytes: sum %x, %v", name, size, sum, err)
			}
			for i, id := range f.Chunks {
				from := i * Size
				if part := content[from : from+int(Length(f.Size, uint64(i)))]; id != sha256.Sum256(part) {
					t.Errorf("%s, %d bytes: chunk %d is %s", name, size, i, id)
				}
			}
		}
	}
}

func TestReadFailsAsItsReaderDoes(t *testing.T) {
	broken := errors.New("broken")
	for _, before := range []int{0, 10, readSize, Size} {
		reader := func() io.Reader {
			return io.MultiReader(bytes.NewReader(make([]byte, before)), iotest.ErrReader(broken))
		}
		if _, err := Read(reader()); !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v", before, err)
		}
		if _, err := Sum(reader()); !errors.Is(err, broken) {
			t.Errorf("sum after %d bytes: %v", before, err)
		}
	}
}

// A small file costs little memory: an endpoint keeps many of them.
func TestReadHoldsLittle(t *testing.T) {
	content := make([]byte, 4<<10)
	perRead := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			if _, err := Read(bytes.NewReader(content)); err != nil {
				b.Fatal(err)
			}
		}
	}).AllocedBytesPerOp()
	if perRead > 24<<10 {
		t.Errorf("a file of 4 KiB costs %d bytes", perRead)
	}
}
