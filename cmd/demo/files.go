package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"

	"docaxis/internal/vectors"
)

// file is a file to send.
type file struct {
	title, media string
	content      []byte
}

// edXMLFiles are the vectors' new documents, sent as they are.
func edXMLFiles() ([]file, error) {
	names, err := fs.Glob(vectors.FS(), "edxml/new-*.edxml")
	if err != nil {
		return nil, err
	}
	var all []file
	for _, name := range names {
		content, err := fs.ReadFile(vectors.FS(), name)
		if err != nil {
			return nil, err
		}
		all = append(all, file{strings.TrimPrefix(name, "edxml/"), "application/xml", content})
	}
	return all, nil
}

// pdf makes a one-page PDF with a line of text.
func pdf(title, text string) file {
	var b bytes.Buffer
	offsets := []int{}
	object := func(body string) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(offsets), body)
	}
	b.WriteString("%PDF-1.4\n")
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>")
	stream := fmt.Sprintf("BT /F 14 Tf 72 770 Td (%s) Tj ET", strings.NewReplacer("(", "", ")", "", "\\", "").Replace(text))
	object(fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(stream), stream))
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman >>")
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, xref)
	return file{title, "application/pdf", b.Bytes()}
}

// large makes a file of so many bytes that nothing can shrink.
func large(title string, n int) file {
	content := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(content) //nolint:errcheck // it never fails
	return file{title, "application/octet-stream", content}
}
