package pades

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
)

var errFilter = errors.New("a filter that is not read here")

// streamData is the stored bytes of an object's stream, whose Length is given
// resolved, and where the object ends.
func (f *file) streamData(o object, length value) (data *io.SectionReader, end int64, err error) {
	limit := min(o.limit, f.size)
	if o.stream == 0 || length.kind != integer || length.n < 0 || length.n > limit-o.stream {
		return nil, 0, fmt.Errorf("%w: the length of stream %d", errSyntax, o.num)
	}
	after := o.stream + length.n
	err = f.parse(after, limit, func(l *lexer) error {
		if err := l.keyword("endstream"); err != nil {
			return err
		}
		if !isBlank(l.b[:l.pos-len("endstream")]) {
			return fmt.Errorf("%w: the length of stream %d", errSyntax, o.num)
		}
		if err := l.keyword("endobj"); err != nil {
			return err
		}
		end = after + int64(l.pos)
		return nil
	})
	return io.NewSectionReader(f.r, o.stream, length.n), end, err
}

// unpacker undoes the filters of a stream. It keeps its buffers from one stream to
// the next, since a file may have very many small ones.
type unpacker struct {
	in   *bufio.Reader
	zlib io.ReadCloser
}

// open gives the data of a stream as it was before the filters of its dictionary.
// Only FlateDecode is read, with the predictors of PNG (ISO 32000-1 clause 7.4.4):
// cross-reference and object streams have no other. What comes out is paid for.
func (u *unpacker) open(v value, data io.Reader, m *meter) (io.Reader, error) {
	filter, err := single(v, "Filter")
	if err != nil {
		return nil, err
	}
	if u.in == nil {
		u.in = bufio.NewReader(nil)
	}
	u.in.Reset(data)
	if filter.isNull() {
		return &paying{u.in, m}, nil
	}
	if !filter.is("FlateDecode") {
		return nil, errFilter
	}
	if u.zlib == nil {
		u.zlib, err = zlib.NewReader(u.in)
	} else {
		err = u.zlib.(zlib.Resetter).Reset(u.in, nil)
	}
	if err != nil {
		u.zlib = nil
		return nil, fmt.Errorf("stream: %w", err)
	}
	return predicted(v, &paying{u.zlib, m})
}

// single is the value under a key, or the only element of an array there.
func single(v value, key string) (value, error) {
	found, err := v.get(key)
	if err != nil || found.kind != array {
		return found, err
	}
	var only value
	n := 0
	err = found.elements(func(e value) error {
		only = e
		if n++; n > 1 {
			return errFilter
		}
		return nil
	})
	only.m = v.m
	return only, err
}

// paying counts what is read through it.
type paying struct {
	r io.Reader
	m *meter
}

func (p *paying) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if e := p.m.payInflated(n); e != nil {
		return 0, e
	}
	return n, err
}

func predicted(v value, r io.Reader) (io.Reader, error) {
	parameters, err := single(v, "DecodeParms")
	if err != nil {
		return nil, err
	}
	numbers := map[string]int64{"Predictor": 1, "Columns": 1, "Colors": 1, "BitsPerComponent": 8}
	for key := range numbers {
		n, err := parameters.get(key)
		if err != nil {
			return nil, err
		}
		if n.kind == integer {
			numbers[key] = n.n
		} else if !n.isNull() {
			return nil, errFilter
		}
	}
	columns := numbers["Columns"]
	switch {
	case numbers["Predictor"] == 1:
		return r, nil
	case numbers["Predictor"] < 10 || numbers["Predictor"] > 15, numbers["Colors"] != 1, numbers["BitsPerComponent"] != 8, columns < 1, columns > 1<<10:
		return nil, errFilter
	}
	return &predictor{r: r, row: make([]byte, columns), line: make([]byte, columns+1)}, nil
}

// predictor undoes the predictors of PNG (RFC 2083 section 6) for one byte a pixel.
type predictor struct {
	r         io.Reader
	row, line []byte
	rest      bytes.Reader
}

func (p *predictor) Read(b []byte) (int, error) {
	for p.rest.Len() == 0 {
		if _, err := io.ReadFull(p.r, p.line); err != nil {
			return 0, err
		}
		if err := p.undo(); err != nil {
			return 0, err
		}
		p.rest.Reset(p.row)
	}
	return p.rest.Read(b)
}

func (p *predictor) undo() error {
	if p.line[0] > 4 {
		return errFilter
	}
	var left, upLeft byte
	for i, c := range p.line[1:] {
		up := p.row[i]
		switch p.line[0] {
		case 1:
			c += left
		case 2:
			c += up
		case 3:
			c += byte((int(left) + int(up)) / 2)
		case 4:
			c += paeth(left, up, upLeft)
		}
		left, upLeft, p.row[i] = c, up, c
	}
	return nil
}

func paeth(a, b, c byte) byte {
	p := int(a) + int(b) - int(c)
	pa, pb, pc := abs(p-int(a)), abs(p-int(b)), abs(p-int(c))
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}

func abs(n int) int { return max(n, -n) }
