package pades

import (
	"errors"
	"slices"
)

// many stands for more than one referring object.
const many = -1

// uses says who refers to an object, in any revision.
type uses struct {
	first uint16 // the first revision in which somebody does
	known bool   // whether anybody does
	by    int32  // the number of the only object that does, and does once; or many
	last  uint16 // the last revision of it that does
}

// census knows who refers to whom. It is what tells an object that only the
// list of signatures uses from one that a page shows as well.
type census struct {
	f       *file
	numbers []uint32
	uses    []uses
}

// census reads every object of every revision once.
func (f *file) census() (*census, error) {
	c := &census{f: f}
	for _, e := range f.entries {
		if n := len(c.numbers); n == 0 || c.numbers[n-1] != e.num {
			c.numbers = append(c.numbers, e.num)
		}
	}
	c.uses = make([]uses, len(c.numbers))
	for rev, list := range f.byRev {
		for _, i := range list {
			if err := c.object(f.entries[i], rev); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// object notes what one object refers to. One that cannot be read refers to nothing:
// it is null for its readers, too.
func (c *census) object(e entry, rev int) error {
	if e.form == free {
		return nil
	}
	o, err := view{c.f, rev}.at(e)
	if fatal(err) {
		return err
	}
	if err != nil {
		return nil
	}
	if kind, err := o.get("Type"); err == nil && kind.is("XRef") {
		return nil // a trailer
	}
	return c.references(o.value, int32(e.num), uint16(rev))
}

func (c *census) references(v value, by int32, rev uint16) error {
	if err := c.f.m.pay(len(v.raw)); err != nil {
		return err
	}
	l := &lexer{b: v.raw, whole: true}
	var last [2]token
	for {
		t, err := l.next()
		if err != nil || t.kind == nothing {
			return nil
		}
		if t.kind == word && last[0].kind == integer && last[1].kind == integer && string(v.raw[t.start:t.end]) == "R" {
			c.note(last[0].n, by, rev)
		}
		last[0], last[1] = last[1], t
	}
}

func (c *census) note(num int64, by int32, rev uint16) {
	if num < 0 || num > maxNumber {
		return
	}
	i, ok := slices.BinarySearch(c.numbers, uint32(num))
	if !ok {
		return
	}
	u := &c.uses[i]
	switch {
	case !u.known:
		*u = uses{first: rev, known: true, by: by, last: rev}
		return
	case u.by != by || u.last == rev:
		u.by = many
	}
	u.first, u.last = min(u.first, rev), rev
}

// of is who refers to an object.
func (c *census) of(num int64) uses {
	if i, ok := slices.BinarySearch(c.numbers, uint32(num)); ok {
		return c.uses[i]
	}
	return uses{}
}

// fatal reports whether an error ends the reading of the whole file.
func fatal(err error) bool {
	var broken *readError
	return errors.Is(err, ErrTooMuch) || errors.As(err, &broken)
}
