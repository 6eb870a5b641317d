package pades

import (
	"cmp"
	"fmt"
	"slices"
)

// altered is an object that a revision wrote anew with other content.
type altered struct{ old, new object }

// differ says what one revision changed. It begins with everything that the revision
// wrote, and takes away what known rules explain; what is left over changed
// the content. So an object that no rule knows is never overlooked.
type differ struct {
	old, new view
	census   *census
	root     int64
	altered  map[int64]altered
	// signed are new signature fields and widgets, and existing ones that were signed.
	signed map[int64]bool
	found  []Change
}

func (d *differ) note(kind ChangeKind, num int64, format string, args ...any) {
	d.found = append(d.found, Change{kind, d.new.rev + 1, num, fmt.Sprintf(format, args...)})
}

// settle notes a change that explains an altered object.
func (d *differ) settle(kind ChangeKind, num int64, format string, args ...any) {
	delete(d.altered, num)
	d.note(kind, num, format, args...)
}

// changes compares revision rev with the one before.
func (f *file) changes(rev int, c *census) ([]Change, error) {
	d := &differ{
		old: view{f, rev - 1}, new: view{f, rev}, census: c,
		altered: make(map[int64]altered), signed: make(map[int64]bool),
	}
	steps := []func() error{
		d.collect, d.catalog, d.form, d.fields, d.appearances, d.pages, d.validation, d.metadata, d.crossReferences,
	}
	for _, step := range steps {
		if err := step(); fatal(err) {
			return nil, err
		} else if err != nil {
			d.note(ChangeContent, 0, "it cannot be read: %v", err)
			break
		}
	}
	d.rest()
	slices.SortStableFunc(d.found, func(a, b Change) int { return cmp.Compare(a.Object, b.Object) })
	return d.found, nil
}

// collect finds what the revision altered, and notes at once what no rule explains.
func (d *differ) collect() error {
	for _, i := range d.new.f.byRev[d.new.rev] {
		now := d.new.f.entries[i]
		num := int64(now.num)
		was, known := d.old.entry(num)
		if known = known && was.form != free; !known {
			// A number that somebody referred to before it existed was a hole in what was
			// signed, made to be filled.
			if u := d.census.of(num); now.form != free && u.known && int(u.first) < d.new.rev {
				d.note(ChangeContent, num, "an object was added that was referred to before")
			}
			continue
		}
		if now.form == was.form && now.at == was.at && now.n == was.n {
			continue
		}
		if err := d.compare(was, now); err != nil {
			return err
		}
	}
	return nil
}

func (d *differ) compare(was, now entry) error {
	num := int64(was.num)
	old, err := d.old.at(was)
	if fatal(err) {
		return err
	}
	if now.form == free {
		d.removed(num, old)
		return nil
	}
	if err != nil {
		d.note(ChangeContent, num, "an object was altered that could not be read before")
		return nil
	}
	fresh, err := d.new.at(now)
	if fatal(err) {
		return err
	}
	if err != nil {
		d.note(ChangeContent, num, "an object was replaced by something that cannot be read")
		return nil
	}
	same, err := d.same(old, fresh)
	if err == nil && !same {
		d.altered[num] = altered{old, fresh}
	}
	return err
}

func (d *differ) same(a, b object) (bool, error) {
	if !sameTokens(a.raw, b.raw) {
		return false, nil
	}
	if a.stream == 0 && b.stream == 0 {
		return true, nil
	}
	la, err := d.old.get(a.value, "Length")
	if err != nil {
		return false, err
	}
	lb, err := d.new.get(b.value, "Length")
	if err != nil {
		return false, err
	}
	return d.new.f.sameStored(a, b, la.value, lb.value)
}

// removed judges a deleted object: nobody misses what nobody refers to.
func (d *differ) removed(num int64, old object) {
	u := d.census.of(num)
	if !u.known {
		return
	}
	d.note(kindOf(old), num, "%s was removed", nameOf(old))
}

// only reports whether an object is referred to by that object alone, so that a
// change to it changes nothing else.
func (d *differ) only(num, by int64) bool {
	u := d.census.of(num)
	return !u.known || int64(u.by) == by
}

// rest notes what no rule explained.
func (d *differ) rest() {
	for num, a := range d.altered {
		d.note(kindOf(a.old), num, "%s was altered", nameOf(a.old))
	}
}

// kindOf is how grave it is that an object was altered. Whatever is not sure
// to be of no page's content counts as content.
func kindOf(o object) ChangeKind {
	if o.kind != dictionary || o.stream != 0 {
		return ChangeContent
	}
	kind, _ := o.get("Type")
	box, _ := o.get("Rect")
	sub, _ := o.get("Subtype")
	sort, _ := o.get("FT")
	switch {
	case kind.is("StructElem"), kind.is("StructTreeRoot"):
		return ChangeStructure
	case sort.is("Sig"):
		return ChangeContent // a signature that stood there
	case sort.kind == name:
		return ChangeForm
	case (kind.is("Annot") || kind.isNull()) && !sub.isNull() && box.kind == array:
		return ChangeAnnotation
	}
	return ChangeContent
}

// nameOf is what an object calls itself.
func nameOf(o object) string {
	kind, _ := o.get("Type")
	sub, _ := o.get("Subtype")
	switch {
	case kind.kind == name && sub.kind == name:
		return cut(string(plainName(kind.raw))) + " " + cut(string(plainName(sub.raw)))
	case kind.kind == name:
		return cut(string(plainName(kind.raw)))
	case o.stream != 0:
		return "a stream"
	}
	return "an object"
}
