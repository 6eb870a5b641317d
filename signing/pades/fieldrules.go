package pades

import "slices"

// What may change in a field when it is signed, and when it is filled.
var (
	keysOfSigning = []string{"V", "AP", "AS", "F", "MK", "M", "NM", "DA", "P"}
	keysOfFilling = []string{"V", "AP", "AS", "MK", "I", "DV", "M", "TI", "RV", "Ff", "F"}
)

// fields judges altered fields: signed ones, filled ones, and those that got others
// below them.
func (d *differ) fields() error {
	if some, err := d.someField(); err != nil || !some {
		return err
	}
	sorts := make(map[int64]string)
	err := d.old.fields(func(f field) error {
		if _, ok := d.altered[f.num]; ok {
			sorts[f.num] = f.sort
		}
		return nil
	})
	if err != nil {
		return err
	}
	for num, sort := range sorts {
		if a := d.altered[num]; a.old.stream == 0 && a.new.kind == dictionary && a.new.stream == 0 {
			if err := d.field(num, sort, a); err != nil {
				return err
			}
		}
	}
	return nil
}

// someField reports whether something that was altered may be a field. The form is
// walked only then: it may be large, and revisions many.
func (d *differ) someField() (bool, error) {
	for _, a := range d.altered {
		for _, key := range []string{"T", "FT", "Subtype"} {
			v, err := a.old.get(key)
			if err != nil {
				return false, err
			}
			if key == "Subtype" && v.is("Widget") || key != "Subtype" && !v.isNull() {
				return true, nil
			}
		}
	}
	return false, nil
}

func (d *differ) field(num int64, sort string, a altered) error {
	keys, err := differing(a.old.value, a.new.value)
	if err != nil {
		return err
	}
	was, err := a.old.get("V")
	if err != nil {
		return err
	}
	switch {
	case slices.Equal(keys, []string{"Kids"}):
		delete(d.altered, num)
		return d.list(a.old.value, a.new.value, "Kids", num)
	case sort == "Sig" && was.isNull() && within(keys, keysOfSigning):
		return d.signedField(num, a)
	case sort != "Sig" && sort != "" && within(keys, keysOfFilling):
		d.settle(ChangeForm, num, "a form field was filled")
	}
	return nil
}

// signedField takes an existing field that was signed. One that only got a look
// stays unexplained.
func (d *differ) signedField(num int64, a altered) error {
	sig, err := d.new.get(a.new.value, "V")
	if err != nil || sig.kind != dictionary {
		return err
	}
	delete(d.altered, num)
	d.signed[num] = true
	return d.noteSignature(sig, num)
}

func within(keys, allowed []string) bool {
	return !slices.ContainsFunc(keys, func(k string) bool { return !slices.Contains(allowed, k) })
}

// appearances takes what shows a signature: a stream that is the look of a field
// which was signed now, and nothing else.
func (d *differ) appearances() error {
	for num, a := range d.altered {
		u := d.census.of(num)
		if a.old.stream == 0 || !u.known || !d.signed[int64(u.by)] {
			continue
		}
		field, err := d.new.object(int64(u.by), 0)
		if err != nil {
			return err
		}
		look, err := d.new.get(field.value, "AP")
		if err != nil {
			return err
		}
		if shown, err := target(look.value, "N"); err != nil {
			return err
		} else if shown == num {
			delete(d.altered, num)
		}
	}
	return nil
}

// pages judges altered pages: their list of annotations may grow by what shows new
// signatures.
func (d *differ) pages() error {
	for num, a := range d.altered {
		kind, err := a.old.get("Type")
		if err != nil {
			return err
		}
		if !kind.is("Page") {
			continue
		}
		keys, err := differing(a.old.value, a.new.value)
		if err != nil {
			return err
		}
		if !within(keys, []string{"Annots", "LastModified"}) {
			continue
		}
		delete(d.altered, num)
		if err := d.annotations(a.old.value, a.new.value, num); err != nil {
			return err
		}
	}
	return d.annotationLists()
}

// annotationLists judges lists of annotations that are objects of their own, each
// used by one page.
func (d *differ) annotationLists() error {
	for num, a := range d.altered {
		u := d.census.of(num)
		if a.old.kind != array || a.new.kind != array || !u.known || u.by == many {
			continue
		}
		page, ok, err := d.old.pageWith(int64(u.by), num)
		if err != nil {
			return err
		}
		now, still, err := d.new.pageWith(int64(u.by), num)
		if err != nil {
			return err
		}
		if !ok || !still {
			continue
		}
		delete(d.altered, num)
		if err := d.annotations(page, now, int64(u.by)); err != nil {
			return err
		}
	}
	return nil
}

// pageWith is the page of a number, if it is one whose annotations are that list.
func (w view) pageWith(num, annots int64) (page value, ok bool, err error) {
	o, err := w.object(num, 0)
	if err != nil {
		return page, false, err
	}
	kind, err := o.get("Type")
	if err != nil {
		return page, false, err
	}
	list, err := target(o.value, "Annots")
	return o.value, kind.is("Page") && list == annots, err
}

// annotations compares what two versions of a page have in Annots.
func (d *differ) annotations(was, now value, page int64) error {
	old, err := d.old.get(was, "Annots")
	if err != nil {
		return err
	}
	fresh, err := d.new.get(now, "Annots")
	if err != nil {
		return err
	}
	if num, err := target(now, "Annots"); err != nil {
		return err
	} else if d.only(num, page) {
		delete(d.altered, num)
	}
	before, ok1, err := refs(old.value)
	if err != nil {
		return err
	}
	after, ok2, err := refs(fresh.value)
	if err != nil {
		return err
	}
	if !ok1 || !ok2 {
		d.note(ChangeAnnotation, page, "annotations of a page were altered")
		return nil
	}
	kept := 0
	for _, num := range after {
		switch {
		case kept < len(before) && before[kept] == num:
			kept++
		case !d.signed[num]:
			d.note(ChangeAnnotation, num, "an annotation was added")
		}
	}
	if kept < len(before) {
		d.note(ChangeAnnotation, page, "an annotation was removed")
	}
	return nil
}
