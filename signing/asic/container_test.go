package asic_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"docaxis/internal/sealtest"
	"docaxis/signing"
	"docaxis/signing/asic"
)

// sealed is a container of two files, sealed by a new seal.
func sealed(t testing.TB, seal sealtest.Seal) (asic.Container, map[string]string) {
	t.Helper()
	files := map[string]string{"document.json": "{}", "files/001.pdf": "%PDF", "files/002.bin": strings.Repeat("x", 100_000)}
	var m asic.Manifest
	for _, name := range []string{"document.json", "files/001.pdf", "files/002.bin"} {
		m.References = append(m.References, asic.Reference{URI: name, Digest: sha256.Sum256([]byte(files[name]))})
	}
	manifest := []byte(compose(t, m))
	signature, err := signing.Sign(manifest, seal.Key, seal.Chain)
	if err != nil {
		t.Fatal(err)
	}
	return asic.Container{
		Manifest: manifest, Document: []byte("{}"), Signature: signature,
		Open: func(name string) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(files[name])), nil
		},
	}, files
}

func TestWriteContainer(t *testing.T) {
	c, files := sealed(t, sealtest.New(t, sealtest.Root(t, "Root"), "Seal"))
	var b bytes.Buffer
	if err := asic.WriteContainer(&b, c); err != nil {
		t.Fatal(err)
	}
	// Byte 30 is the first entry's name, byte 38 its content: annex A.1.
	if got := string(b.Bytes()[30 : 38+len(asic.MimeType)]); got != "mimetype"+asic.MimeType {
		t.Errorf("begins with %q", got)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files["mimetype"], files[asic.ManifestName], files[asic.SignatureName] = asic.MimeType, string(c.Manifest), string(c.Signature)
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if data, err := io.ReadAll(r); err != nil || string(data) != files[f.Name] {
			t.Errorf("%s: %d bytes, %v", f.Name, len(data), err)
		}
	}
	want := []string{"mimetype", "document.json", "files/001.pdf", "files/002.bin", asic.ManifestName, asic.SignatureName}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	var again bytes.Buffer
	if err := asic.WriteContainer(&again, c); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Errorf("another container the second time, %v", err)
	}
}

func TestWriteContainerRefuses(t *testing.T) {
	seal := sealtest.New(t, sealtest.Root(t, "Root"), "Seal")
	errGone := errors.New("gone")
	for name, tt := range map[string]struct {
		spoil func(*asic.Container)
		want  error
	}{
		"document": {func(c *asic.Container) { c.Document = []byte("{ }") }, asic.ErrContent},
		"file": {func(c *asic.Container) {
			c.Open = func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("other")), nil }
		}, asic.ErrContent},
		"file gone": {func(c *asic.Container) {
			c.Open = func(string) (io.ReadCloser, error) { return nil, errGone }
		}, errGone},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := sealed(t, seal)
			tt.spoil(&c)
			if err := asic.WriteContainer(io.Discard, c); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	if err := asic.WriteContainer(io.Discard, asic.Container{}); err == nil {
		t.Error("wrote a container without a manifest")
	}
}
