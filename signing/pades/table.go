package pades

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
)

var errDouble = errors.New("one object stands twice in it")

// table reads a cross-reference table (ISO 32000-1 clause 7.5.4), from behind its
// keyword, with its trailer.
func (f *file) table(at int64, order uint16) (trailer value, end int64, err error) {
	from := len(f.entries)
	for {
		first, count, next, err := f.subsection(at)
		if err != nil {
			return value{}, 0, err
		}
		if count < 0 {
			at = next
			break
		}
		if at, err = f.rows(next, first, count, order); err != nil {
			return value{}, 0, err
		}
	}
	if trailer, end, err = f.valueAt(at, f.size); err != nil {
		return trailer, 0, err
	}
	if trailer.kind != dictionary {
		return trailer, 0, fmt.Errorf("%w: the trailer is no dictionary", errSyntax)
	}
	if err := f.noDoubles(from); err != nil {
		return trailer, 0, err
	}
	return trailer, end, f.hybrid(trailer, from, order)
}

// subsection reads "0 12" with its line end, or the keyword trailer, for which
// count is -1.
func (f *file) subsection(at int64) (first, count, next int64, err error) {
	err = f.parse(at, f.size, func(l *lexer) error {
		t, err := l.next()
		if err != nil {
			return err
		}
		if t.kind == word && string(l.b[t.start:t.end]) == "trailer" {
			count, next = -1, at+int64(t.end)
			return nil
		}
		n, err := l.next()
		if err != nil {
			return err
		}
		if t.kind != integer || n.kind != integer || t.n < 0 || n.n < 0 || t.n+n.n > maxNumber+1 {
			return fmt.Errorf("%w: a subsection of the table", errSyntax)
		}
		l.space()
		first, count, next = t.n, n.n, at+int64(l.pos)
		return nil
	})
	return first, count, next, err
}

// rows reads count entries of 20 bytes each.
func (f *file) rows(at, first, count int64, order uint16) (int64, error) {
	const row = 20
	for i := int64(0); i < count; {
		n := min(count-i, 512)
		b, err := f.read(at, f.size, int(n)*row)
		if err != nil {
			return 0, err
		}
		if len(b) < int(n)*row {
			return 0, fmt.Errorf("%w: the table is cut off", errSyntax)
		}
		if err := f.m.pay(len(b)); err != nil {
			return 0, err
		}
		for ; len(b) > 0; b = b[row:] {
			e, err := parseRow(b[:row])
			if err != nil {
				return 0, err
			}
			e.num, e.order = uint32(first+i), order
			if err := f.add(e); err != nil {
				return 0, err
			}
			i++
		}
		at += n * row
	}
	return at, nil
}

// parseRow reads "0000000016 00000 n" with a line end of two bytes.
func parseRow(b []byte) (e entry, err error) {
	at, ok1 := digits(b[:10])
	gen, ok2 := digits(b[11:16])
	if !ok1 || !ok2 || b[10] != ' ' || b[16] != ' ' || !isSpace(b[18]) || !isSpace(b[19]) {
		return e, fmt.Errorf("%w: an entry of the table", errSyntax)
	}
	e.at, e.n = at, uint32(gen)
	switch b[17] {
	case 'n':
		e.form = plain
	case 'f':
		e.form = free
	default:
		return e, fmt.Errorf("%w: an entry of the table", errSyntax)
	}
	return e, nil
}

func digits(b []byte) (n int64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// noDoubles refuses a section that says two things about one object.
func (f *file) noDoubles(from int) error {
	s := f.entries[from:]
	byNumber := func(a, b entry) int { return cmp.Compare(a.num, b.num) }
	if !slices.IsSortedFunc(s, byNumber) {
		slices.SortFunc(s, byNumber)
	}
	for i := 1; i < len(s); i++ {
		if s[i].num == s[i-1].num {
			return errDouble
		}
	}
	return nil
}

// hybrid adds what the stream of a hybrid file (clause 7.5.8.4) knows beyond its
// table. An object that the table shows at another place is refused: old readers
// and new ones would see two documents.
func (f *file) hybrid(trailer value, from int, order uint16) error {
	at, err := trailer.get("XRefStm")
	if err != nil || at.isNull() {
		return err
	}
	if at.kind != integer {
		return fmt.Errorf("%w: XRefStm is no number", errSyntax)
	}
	tables := len(f.entries)
	if _, _, err := f.crossReferenceStream(at.n, order); err != nil {
		return fmt.Errorf("XRefStm: %w", err)
	}
	table, hidden := f.entries[from:tables], f.entries[tables:]
	var added []entry
	for _, h := range hidden {
		i, found := slices.BinarySearchFunc(table, h, func(a, b entry) int { return cmp.Compare(a.num, b.num) })
		switch {
		case !found:
			added = append(added, h)
		case table[i].form == free:
			table[i] = h
		case h.form != free && (table[i].form != h.form || table[i].at != h.at):
			return errors.New("its two cross-references contradict each other")
		}
	}
	f.entries = append(f.entries[:tables], added...)
	return nil
}

// isBlank reports whether b is white space only.
func isBlank(b []byte) bool { return len(bytes.TrimLeft(b, " \r\n\t\f\x00")) == 0 }
