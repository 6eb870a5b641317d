package edxml

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

// base64Reader decodes a content without holding more than a block of it. It takes
// what writers make of one: lines, references to line ends, CDATA, no padding.
type base64Reader struct {
	r     io.Reader
	unit  unit
	block []byte // read into; begins with what the block before left over
	left  int
	out   []byte // decoded
	ready []byte // of out, not yet given
	err   error

	state   cleanState
	wrapped bool // blanks between letters
	bare    bool // no padding where there should be some
	marked  bool // CDATA
}

// cleanState goes from block to block.
type cleanState struct {
	letters, gap bool
	pads         int
	expect       string // rest of a mark of CDATA
	ref          []byte // of a character, from & on
}

const base64Block = 48 << 10

var errBase64 = errors.New("no base64")

func newBase64(r io.Reader, u unit, block int) *base64Reader {
	return &base64Reader{r: r, unit: u, block: make([]byte, block+4), out: make([]byte, (block+4)/4*3+3)}
}

func (d *base64Reader) Read(p []byte) (int, error) {
	for len(d.ready) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		d.fill()
	}
	n := copy(p, d.ready)
	d.ready = d.ready[n:]
	return n, nil
}

// fill decodes the next block.
func (d *base64Reader) fill() {
	room := len(d.block) - d.left
	n, err := io.ReadFull(d.r, d.block[d.left:d.left+room-room%2])
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	if d.fast(n, err) {
		return
	}
	clean, bad := d.clean(d.block[d.left : d.left+n])
	if bad != nil {
		d.err = bad
		return
	}
	letters := d.block[:d.left+len(clean)]
	last := err != nil
	whole := len(letters) - len(letters)%4
	done, bad := base64.StdEncoding.Decode(d.out, letters[:whole])
	if bad == nil && last && whole < len(letters) {
		var more int
		more, bad = d.rest(letters[whole:], d.out[done:])
		done += more
	}
	if bad != nil {
		d.err = fmt.Errorf("%w: %w", errBase64, bad)
		return
	}
	d.ready, d.err = d.out[:done], err
	d.left = copy(d.block, letters[whole:])
}

// fast decodes a block that is nothing but letters, as in the one line that most
// writers make of a content. It says false, having changed nothing, where there is
// anything else.
func (d *base64Reader) fast(n int, end error) bool {
	s := &d.state
	block := d.block[:d.left+n]
	if d.unit != utf8Unit || s.gap || s.pads > 0 || s.expect != "" || s.ref != nil || end != nil ||
		bytes.IndexByte(block, '\n') >= 0 || bytes.IndexByte(block, '\r') >= 0 {
		return false
	}
	whole := len(block) - len(block)%4
	done, err := base64.StdEncoding.Decode(d.out, block[:whole])
	if err != nil || whole == 0 || block[whole-1] == '=' || !lettersOnly(block[whole:]) {
		return false
	}
	s.letters = true
	d.ready = d.out[:done]
	d.left = copy(d.block, block[whole:])
	return true
}

func lettersOnly(b []byte) bool {
	for _, c := range b {
		if kindOf[c] != letter {
			return false
		}
	}
	return true
}

// rest decodes what has no padding.
func (d *base64Reader) rest(letters, out []byte) (int, error) {
	d.bare = true
	return base64.RawStdEncoding.Decode(out, letters)
}

// kinds of bytes.
const (
	letter = iota + 1
	blank
)

var kindOf = func() (k [256]byte) {
	for c := range 256 {
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
			k[c] = letter
		case c == ' ', c == '\t', c == '\r', c == '\n':
			k[c] = blank
		}
	}
	return k
}()

// clean leaves the letters and the padding, in place.
func (d *base64Reader) clean(b []byte) ([]byte, error) {
	if d.unit != utf8Unit {
		var err error
		if b, err = d.narrow(b); err != nil {
			return nil, err
		}
	}
	kept := 0
	for i := 0; i < len(b); i++ {
		c := b[i]
		if kindOf[c] == letter && d.plain() {
			b[kept] = c
			kept++
			continue
		}
		keep, err := d.special(c, d.state.letters || kept > 0)
		if err != nil {
			return nil, err
		}
		if keep {
			b[kept] = c
			kept++
		}
	}
	if kept > 0 {
		d.state.letters = true
	}
	return b[:kept], nil
}

// plain says whether a letter is one of the content.
func (d *base64Reader) plain() bool {
	s := &d.state
	if s.expect != "" || s.ref != nil || s.pads > 0 {
		return false
	}
	if s.gap {
		s.gap = false
		d.wrapped = true
	}
	return true
}

// special takes everything but a plain letter.
func (d *base64Reader) special(c byte, inside bool) (keep bool, err error) {
	s := &d.state
	switch {
	case s.expect != "":
		if c != s.expect[0] {
			return false, d.bad(c)
		}
		s.expect = s.expect[1:]
	case s.ref != nil:
		return false, d.reference(c)
	case c == '<':
		d.marked, s.expect = true, "![CDATA["
	case c == ']':
		s.expect = "]>"
	case c == '&':
		s.ref = append(make([]byte, 0, 8), c)
	case kindOf[c] == blank:
		s.gap = s.gap || inside
	case c == '=' && s.pads < 2:
		s.pads++
		return true, nil
	default:
		return false, d.bad(c)
	}
	return false, nil
}

// reference takes a reference to a blank.
func (d *base64Reader) reference(c byte) error {
	s := &d.state
	s.ref = append(s.ref, c)
	if c != ';' {
		if len(s.ref) > 7 {
			return d.bad('&')
		}
		return nil
	}
	switch string(s.ref) {
	case "&#13;", "&#10;", "&#9;", "&#32;", "&#xD;", "&#xA;", "&#x9;", "&#x20;", "&#xd;", "&#xa;":
		s.ref, s.gap = nil, true
		return nil
	}
	return d.bad('&')
}

func (d *base64Reader) bad(c byte) error { return fmt.Errorf("%w: %q", errBase64, c) }

// narrow takes UTF-16 down to one byte for each letter.
func (d *base64Reader) narrow(b []byte) ([]byte, error) {
	for i := 0; i+1 < len(b); i += 2 {
		u := d.unit.read(b[i:])
		if u > 0x7F {
			return nil, fmt.Errorf("%w: %q", errBase64, rune(u))
		}
		b[i/2] = byte(u)
	}
	return b[:len(b)/2], nil
}
