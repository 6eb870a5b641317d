package edxml_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"docaxis/edxml"
	"docaxis/internal/vectors"
)

// Whatever comes is refused with a reason or read, and what is read can be judged and,
// where it can be written, is read again the same.
func FuzzOpen(f *testing.F) {
	all, err := vectors.Variants()
	if err != nil {
		f.Fatal(err)
	}
	for _, v := range all {
		f.Add(vectors.EdXML("variants/" + v.Name))
	}
	for _, name := range []string{"update.edxml", "replacement.edxml", "new-3-attachments-signed.edxml", "status-13.edxml"} {
		f.Add(vectors.EdXML(name))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		limits := edxml.Limits{Content: 1 << 20, Lenient: true}
		if _, err := edxml.Check(bytes.NewReader(raw), int64(len(raw)), limits, march()); err != nil {
			t.Fatal(err)
		}
		p, err := edxml.Open(bytes.NewReader(raw), int64(len(raw)), edxml.Limits{})
		if err != nil {
			if len(reasons(err)) == 0 || !errors.As(err, new(*edxml.Refusal)) {
				t.Fatal(err)
			}
			return
		}
		var b bytes.Buffer
		if p.Status != nil {
			err = edxml.WriteStatus(&b, p.Status)
		} else {
			err = edxml.WriteDocument(&b, p.Document, filesOf(p)...)
		}
		if err != nil {
			return
		}
		again := open(t, b.Bytes(), edxml.Limits{})
		if diff := same(p.Document, again.Document) + same(p.Status, again.Status); diff != "" {
			t.Fatal(diff)
		}
	})
}

// A content gives what archive/zip and encoding/base64 would, or a reason.
func FuzzContent(f *testing.F) {
	for _, s := range []string{packed(f, "abc"), packed(f), packed(f, "a", "b"), stored("abc"), damaged(f), "abc"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		raw := withContent(t, string(content))
		p := open(t, raw, edxml.Limits{Content: 1 << 20})
		c, err := p.Attachments[0].Open()
		var n int64
		if err == nil {
			n, err = io.Copy(io.Discard, c)
		}
		if err != nil && !errors.As(err, new(*edxml.Refusal)) {
			t.Fatal(err)
		}
		if n > 1<<20 {
			t.Fatalf("%d bytes", n)
		}
	})
}
