package pades

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// revision is what one saving of the file wrote (ISO 32000-1 clause 7.5.6).
type revision struct {
	at int64 // its cross-reference section
	// end is behind its %%EOF, full behind the end of that line; end is 0 where
	// that is not where it should be.
	end, full int64
	// bound: no byte from here on belongs to it.
	bound   int64
	trailer value
}

// order makes revisions of the sections. Each must lie behind the one before; only
// the two of a linearised file (Annex F) stand the other way round, and are one
// revision.
func (f *file) order(sections []section) error {
	n := len(sections)
	one := n >= 2 && sections[n-2].at < sections[n-1].at
	if one && !f.linearised() {
		return errors.New("its cross-reference sections are out of order")
	}
	for i := n - 1; i >= 0; i-- {
		s := sections[i]
		r := revision{at: s.at, end: s.end, full: s.full, trailer: s.trailer}
		if one && i == n-1 {
			continue
		}
		if one && i == n-2 {
			r.at, r.end, r.full = sections[n-1].at, sections[n-1].end, sections[n-1].full
			s.pointer = sections[n-1].pointer
		}
		if s.pointer != s.at {
			r.end, r.full = 0, 0 // its reader saw another document
		}
		if k := len(f.revisions); k > 0 && r.at < max(f.revisions[k-1].at, f.revisions[k-1].end) {
			return errors.New("its cross-reference sections are out of order")
		}
		f.revisions = append(f.revisions, r)
	}
	last := len(f.revisions) - 1
	for i := range f.entries {
		f.entries[i].rev = uint16(min(n-1-int(f.entries[i].order), n-1))
		if one && f.entries[i].rev > 0 {
			f.entries[i].rev--
		}
	}
	for i := range f.revisions {
		r := &f.revisions[i]
		switch {
		case r.end > 0:
			r.bound = r.end
		case i < last:
			r.bound = f.revisions[i+1].at
		default:
			r.bound = f.size
		}
	}
	return nil
}

// linearised reports whether the first object says that the file is.
func (f *file) linearised() bool {
	b, err := f.read(0, f.size, 1024)
	if err != nil {
		return false
	}
	l := &lexer{b: b, whole: true}
	l.space()
	o, err := f.objectAt(int64(l.pos), f.size)
	if err != nil {
		return false
	}
	v, err := o.get("Linearized")
	return err == nil && !v.isNull()
}

// index sorts the entries and refuses those that point behind their revision: what
// stands there may have been written by somebody else.
func (f *file) index() error {
	slices.SortFunc(f.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.num, b.num), cmp.Compare(a.rev, b.rev), cmp.Compare(a.order, b.order))
	})
	f.byRev = make([][]int32, len(f.revisions))
	counts := make([]int, len(f.revisions))
	for _, e := range f.entries {
		counts[e.rev]++
		if e.form == plain && e.at >= f.revisions[e.rev].bound {
			return fmt.Errorf("object %d is said to lie behind the end of its revision", e.num)
		}
	}
	for i, n := range counts {
		f.byRev[i] = make([]int32, 0, n)
	}
	for i, e := range f.entries {
		if i > 0 && f.entries[i-1].num == e.num && f.entries[i-1].rev == e.rev {
			continue // an older section of a linearised file
		}
		f.byRev[e.rev] = append(f.byRev[e.rev], int32(i))
	}
	return nil
}

// lookBehind notes whether something stands behind the newest revision. A pointer
// to an older section there does not make a revision of it.
func (f *file) lookBehind() error {
	last := f.revisions[len(f.revisions)-1]
	if last.end == 0 || last.full == f.size {
		return nil
	}
	rest, err := f.read(last.full, f.size, 4096)
	if err != nil {
		return err
	}
	if !isBlank(rest) || last.full+int64(len(rest)) < f.size {
		f.trailing = last.full
	}
	return nil
}
