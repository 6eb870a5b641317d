package pades

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
)

// view is the document as a reader of one revision saw it.
type view struct {
	f   *file
	rev int
}

// entry is what the view knows of an object; ok is false where it was never named.
func (w view) entry(num int64) (e entry, ok bool) {
	all := w.f.entries
	i := sort.Search(len(all), func(i int) bool {
		return int64(all[i].num) > num || int64(all[i].num) == num && int(all[i].rev) > w.rev
	}) - 1
	if i < 0 || int64(all[i].num) != num {
		return e, false
	}
	for i > 0 && all[i-1].num == all[i].num && all[i-1].rev == all[i].rev {
		i-- // the newer section of a linearised file
	}
	return all[i], true
}

// object reads an object. One that is not there, is free or has another generation
// is null (ISO 32000-1 clause 7.3.10).
func (w view) object(num, gen int64) (object, error) {
	e, ok := w.entry(num)
	missing := object{value: value{m: w.f.m}, num: num}
	if !ok || e.form == free || e.form == plain && int64(e.n) != gen || e.form == packed && gen != 0 {
		return missing, nil
	}
	return w.at(e)
}

// at reads the object of an entry.
func (w view) at(e entry) (object, error) {
	if e.form == packed {
		return w.packed(e)
	}
	o, err := w.f.objectAt(e.at, w.f.revisions[e.rev].bound)
	if err != nil {
		return o, fmt.Errorf("object %d: %w", e.num, err)
	}
	if o.num != int64(e.num) || o.generation != int64(e.n) {
		return o, fmt.Errorf("%w: object %d stands where %d should", errSyntax, o.num, e.num)
	}
	return o, nil
}

// resolve follows references to what they mean.
func (w view) resolve(v value) (object, error) {
	o := object{value: v}
	for range 8 {
		if o.kind != reference {
			return o, nil
		}
		var err error
		if o, err = w.object(o.n, o.value.gen); err != nil {
			return o, err
		}
	}
	return o, fmt.Errorf("%w: references to references", errSyntax)
}

// get is what a dictionary means by a key.
func (w view) get(v value, key string) (object, error) {
	found, err := v.get(key)
	if err != nil {
		return object{}, err
	}
	return w.resolve(found)
}

// dictionary is get for what must be a dictionary, or null.
func (w view) dictionary(v value, key string) (object, error) {
	o, err := w.get(v, key)
	if err == nil && o.kind != dictionary && !o.isNull() {
		err = fmt.Errorf("%w: %s is no dictionary", errSyntax, key)
	}
	return o, err
}

// trailer is the newest one of the view.
func (w view) trailer() value { return w.f.revisions[w.rev].trailer }

// catalog is the root of the document.
func (w view) catalog() (object, error) {
	o, err := w.dictionary(w.trailer(), "Root")
	if err == nil && o.isNull() {
		err = errors.New("its catalog is missing")
	}
	return o, err
}

// data is the unpacked content of a stream, of at most so many bytes.
func (w view) data(o object, most int64) ([]byte, error) {
	length, err := w.get(o.value, "Length")
	if err != nil {
		return nil, err
	}
	stored, _, err := w.f.streamData(o, length.value)
	if err != nil {
		return nil, err
	}
	r, err := w.f.unpack.open(o.value, stored, w.f.m)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, fmt.Errorf("stream %d: %w", o.num, err)
	}
	if int64(len(b)) > most {
		return nil, fmt.Errorf("%w: stream %d has more than %d bytes", errSyntax, o.num, most)
	}
	return b, nil
}

// objectStream is one as it is kept: where each object begins in its data.
type objectStream struct {
	data    []byte
	numbers []uint32
	offsets []uint32
}

// place is an offset as seen from a revision.
type place struct{ at, bound int64 }

const (
	maxObjectStream = 16 << 20 // bytes of one, and of all that are kept
	maxPacked       = 1 << 18  // objects in one
)

// packed reads an object out of its object stream (clause 7.5.7).
func (w view) packed(e entry) (o object, err error) {
	holder, ok := w.entry(e.at)
	if !ok || holder.form != plain {
		return o, fmt.Errorf("%w: object stream %d is missing", errSyntax, e.at)
	}
	s, err := w.stream(holder)
	if err != nil {
		return o, fmt.Errorf("object stream %d: %w", e.at, err)
	}
	i := int(e.n)
	if i >= len(s.numbers) || s.numbers[i] != e.num {
		return o, fmt.Errorf("%w: object %d is not in object stream %d", errSyntax, e.num, e.at)
	}
	end := uint32(len(s.data))
	if i+1 < len(s.offsets) {
		end = s.offsets[i+1]
	}
	if err := w.f.m.pay(int(end - s.offsets[i])); err != nil {
		return o, err
	}
	l := &lexer{b: s.data[s.offsets[i]:end], whole: true}
	o = object{num: int64(e.num), limit: w.f.size}
	if o.value, ok, err = l.value(-1, w.f.m); err == nil && !ok {
		err = fmt.Errorf("%w: object %d is empty", errSyntax, e.num)
	}
	return o, err
}

// stream unpacks an object stream, and keeps it while there is room: what needs one
// object often needs its neighbours.
func (w view) stream(holder entry) (*objectStream, error) {
	// Two revisions may name one offset, and end at different places.
	at := place{holder.at, w.f.revisions[holder.rev].bound}
	if s := w.f.streams[at]; s != nil {
		return s, nil
	}
	o, err := w.at(holder)
	if err != nil {
		return nil, err
	}
	kind, err := o.get("Type")
	if err != nil {
		return nil, err
	}
	if !kind.is("ObjStm") || o.stream == 0 {
		return nil, fmt.Errorf("%w: it is none", errSyntax)
	}
	s := new(objectStream)
	if s.data, err = w.data(o, maxObjectStream); err != nil {
		return nil, err
	}
	if err := s.read(o.value); err != nil {
		return nil, err
	}
	w.f.keep(at, s)
	return s, nil
}

func (f *file) keep(at place, s *objectStream) {
	n := len(s.data) + 8*len(s.numbers)
	if f.streams == nil || f.kept+n > maxObjectStream {
		f.streams, f.kept = make(map[place]*objectStream), 0
	}
	f.streams[at] = s
	f.kept += n
}

// read reads the pairs of number and offset at the beginning of the data. They must
// ascend, so that no two objects share bytes.
func (s *objectStream) read(v value) error {
	n, err := v.get("N")
	if err != nil {
		return err
	}
	first, err := v.get("First")
	if err != nil {
		return err
	}
	if n.kind != integer || first.kind != integer || n.n < 0 || n.n > maxPacked || first.n < 0 || first.n > int64(len(s.data)) || 4*n.n > first.n+1 {
		return fmt.Errorf("%w: N or First", errSyntax)
	}
	s.numbers, s.offsets = make([]uint32, 0, n.n), make([]uint32, 0, n.n)
	l := &lexer{b: s.data[:first.n], whole: true}
	for range n.n {
		num, err1 := l.next()
		off, err2 := l.next()
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if num.kind != integer || off.kind != integer || num.n < 0 || num.n > maxNumber || off.n < 0 || first.n+off.n > int64(len(s.data)) {
			return fmt.Errorf("%w: its table", errSyntax)
		}
		s.numbers = append(s.numbers, uint32(num.n))
		s.offsets = append(s.offsets, uint32(first.n+off.n))
	}
	if !slices.IsSorted(s.offsets) {
		return fmt.Errorf("%w: its table is not in order", errSyntax)
	}
	return nil
}
