package pades

import (
	"errors"
	"fmt"
	"io"
)

// crossReferenceStream reads a cross-reference stream (ISO 32000-1 clause 7.5.8).
// Its dictionary is the trailer.
func (f *file) crossReferenceStream(at int64, order uint16) (trailer value, end int64, err error) {
	o, err := f.objectAt(at, f.size)
	if err != nil {
		return trailer, 0, err
	}
	kind, err := o.get("Type")
	if err != nil {
		return trailer, 0, err
	}
	if !kind.is("XRef") || o.stream == 0 {
		return trailer, 0, errors.New("it is no cross-reference")
	}
	from := len(f.entries)
	length, err := o.get("Length")
	if err != nil {
		return trailer, 0, err
	}
	data, end, err := f.streamData(o, length)
	if err != nil {
		return trailer, 0, err
	}
	r, err := f.unpack.open(o.value, data, f.m)
	if err != nil {
		return trailer, 0, err
	}
	if err := f.readRows(o.value, r, order); err != nil {
		return trailer, 0, err
	}
	return o.value, end, f.noDoubles(from)
}

// widths reads W: how many bytes each of the three fields has.
func widths(v value) (w [3]int, err error) {
	i := 0
	err = v.elements(func(e value) error {
		if i == 3 || e.kind != integer || e.n < 0 || e.n > 8 {
			return fmt.Errorf("%w: W", errSyntax)
		}
		w[i] = int(e.n)
		i++
		return nil
	})
	if err == nil && (i != 3 || w[1] == 0) {
		err = fmt.Errorf("%w: W", errSyntax)
	}
	return w, err
}

// subsections reads Index, by default the whole from 0 to Size.
func subsections(v value) (list []int64, err error) {
	index, err := v.get("Index")
	if err != nil {
		return nil, err
	}
	if index.isNull() {
		size, err := v.get("Size")
		if err != nil || size.kind != integer || size.n < 0 || size.n > maxNumber+1 {
			return nil, fmt.Errorf("%w: Size", errSyntax)
		}
		return []int64{0, size.n}, nil
	}
	const most = 1 << 16
	err = index.elements(func(e value) error {
		if e.kind != integer || e.n < 0 || e.n > maxNumber+1 || len(list) == most {
			return fmt.Errorf("%w: Index", errSyntax)
		}
		list = append(list, e.n)
		return nil
	})
	if len(list)%2 != 0 {
		return nil, fmt.Errorf("%w: Index", errSyntax)
	}
	return list, err
}

func (f *file) readRows(v value, r io.Reader, order uint16) error {
	wv, err := v.get("W")
	if err != nil {
		return err
	}
	w, err := widths(wv)
	if err != nil {
		return err
	}
	list, err := subsections(v)
	if err != nil {
		return err
	}
	row := make([]byte, w[0]+w[1]+w[2])
	for i := 0; i < len(list); i += 2 {
		for num := list[i]; num < list[i]+list[i+1]; num++ {
			if num > maxNumber {
				return fmt.Errorf("%w: Index", errSyntax)
			}
			if _, err := io.ReadFull(r, row); err != nil {
				return fmt.Errorf("cross-reference stream: %w", err)
			}
			if err := f.addRow(row, w, uint32(num), order); err != nil {
				return err
			}
		}
	}
	return nil
}

// addRow takes one row (table 18). Types that are not known mean nothing, as free
// ones do.
func (f *file) addRow(row []byte, w [3]int, num uint32, order uint16) error {
	kind := uint64(1)
	if w[0] > 0 {
		kind = bigEndian(row[:w[0]])
	}
	second, third := bigEndian(row[w[0]:w[0]+w[1]]), bigEndian(row[w[0]+w[1]:])
	if second >= 1<<62 || third >= 1<<32 {
		return fmt.Errorf("%w: a number in a cross-reference stream", errSyntax)
	}
	e := entry{at: int64(second), num: num, n: uint32(third), order: order}
	switch kind {
	case 1:
		e.form = plain
	case 2:
		e.form = packed
	}
	return f.add(e)
}

func bigEndian(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}
