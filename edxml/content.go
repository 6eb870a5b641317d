package edxml

import (
	"errors"
	"fmt"
	"io"
)

// Content streams an attachment's file: decoded and, where it was packed, unpacked. It
// holds a block of it, however long it is.
type Content struct {
	a     *Attachment
	text  *base64Reader
	entry *entryReader
	read  int64
	err   error
}

// Open begins to read the content. Errors are *Refusal where the content is not what
// it should be, and otherwise of reading the package. What was read before an error
// is not to be used.
func (a *Attachment) Open() (*Content, error) {
	if a.span.to == 0 {
		return nil, refuse(NoContent, a.at, a.Name)
	}
	raw := io.NewSectionReader(a.src, a.span.from, a.EncodedBytes())
	block := min(base64Block, a.EncodedBytes()+a.EncodedBytes()%2)
	c := &Content{a: a, text: newBase64(raw, a.unit, int(block))}
	if !a.Packed {
		return c, nil
	}
	entry, err := newEntry(c.text)
	if err != nil {
		return nil, c.say(err)
	}
	c.entry = entry
	return c, nil
}

// Read gives the next part.
func (c *Content) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	from := io.Reader(c.text)
	if c.entry != nil {
		from = c.entry
	}
	n, err := from.Read(p)
	c.read += int64(n)
	switch {
	case c.read > c.a.limits.Content:
		c.err = refuse(ContentTooLarge, c.path(), fmt.Sprintf("> %d", c.a.limits.Content))
	case c.swollen():
		c.err = refuse(RatioTooHigh, c.path(), fmt.Sprintf("> %d ×", c.a.limits.Ratio))
	case errors.Is(err, io.EOF):
		c.err = io.EOF
	case err != nil:
		c.err = c.say(err)
	}
	if c.err != nil && !errors.Is(c.err, io.EOF) {
		n = 0
	}
	return n, c.err
}

func (c *Content) swollen() bool {
	return c.entry != nil && c.read > ratioFrom && c.read/c.a.limits.Ratio > c.entry.in.n
}

func (c *Content) path() string { return c.a.at + "/ContentTransferEncoded" }

// say makes a refusal of what is wrong with the content.
func (c *Content) say(err error) error {
	reason := reasonOf(err)
	if reason == "" {
		return fmt.Errorf("read the content of %s: %w", c.a.at, err)
	}
	return refuse(reason, c.path(), err.Error()).because(err)
}

// Tolerances are what was forgiven, known once the content was read to its end.
func (c *Content) Tolerances() []Tolerance {
	var all []Tolerance
	for _, t := range []struct {
		is   bool
		kind ToleranceKind
	}{{c.text.wrapped, WrappedBase64}, {c.text.bare, MissingPadding}, {c.text.marked, MarkedContent}} {
		if t.is {
			all = append(all, Tolerance{Path: c.path(), Kind: t.kind, Count: 1})
		}
	}
	return all
}

// packedContent gives the decoded content without unpacking it.
func (a *Attachment) packedContent() io.Reader {
	raw := io.NewSectionReader(a.src, a.span.from, a.EncodedBytes())
	return newBase64(raw, a.unit, base64Block)
}

func reasonOf(err error) Reason {
	switch {
	case errors.Is(err, errBase64):
		return BadBase64
	case errors.Is(err, errEntries):
		return SeveralEntries
	case errors.Is(err, errArchive):
		return BadArchive
	default:
		return ""
	}
}
