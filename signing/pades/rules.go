package pades

import (
	"errors"
	"slices"
)

// target is the number of the object that a key refers to, 0 where its value stands
// in the dictionary itself.
func target(v value, key string) (int64, error) {
	found, err := v.get(key)
	if err != nil || found.kind != reference {
		return 0, err
	}
	return found.n, nil
}

// catalog compares the root of the document, key by key.
func (d *differ) catalog() error {
	was, err := target(d.old.trailer(), "Root")
	if err != nil {
		return err
	}
	if d.root, err = target(d.new.trailer(), "Root"); err != nil {
		return err
	}
	if d.root != was || d.root == 0 {
		return errors.New("the document has another catalog")
	}
	a, ok := d.altered[d.root]
	if !ok {
		return nil
	}
	keys, err := differing(a.old.value, a.new.value)
	if err != nil {
		return err
	}
	delete(d.altered, d.root)
	for _, key := range keys {
		if err := d.catalogKey(key, a); err != nil {
			return err
		}
	}
	return nil
}

func (d *differ) catalogKey(key string, a altered) error {
	switch key {
	case "AcroForm", "DSS": // judged by rules of their own
	case "Extensions", "Version":
	case "Metadata":
		d.note(ChangeMetadata, d.root, "the description of the document was altered")
	case "StructTreeRoot", "MarkInfo":
		d.note(ChangeStructure, d.root, "%s was altered", key)
	case "Perms":
		was, err := a.old.get(key)
		if err != nil {
			return err
		}
		if !was.isNull() {
			d.note(ChangeContent, d.root, "permissions of the document were altered")
		}
	default:
		d.note(ChangeContent, d.root, "%s of the document was altered", cut(key))
	}
	return nil
}

// form compares the form's dictionary and its list of fields.
func (d *differ) form() error {
	oldRoot, err := d.old.catalog()
	if err != nil {
		return err
	}
	newRoot, err := d.new.catalog()
	if err != nil {
		return err
	}
	was, err := d.old.dictionary(oldRoot.value, "AcroForm")
	if err != nil {
		return err
	}
	now, err := d.new.dictionary(newRoot.value, "AcroForm")
	if err != nil || now.isNull() && was.isNull() {
		return err
	}
	if now.isNull() {
		d.note(ChangeContent, d.root, "the form was removed")
		return nil
	}
	if num, err := target(newRoot.value, "AcroForm"); err != nil {
		return err
	} else if d.only(num, d.root) {
		delete(d.altered, num)
	}
	if was.isNull() {
		was.value = value{kind: dictionary, raw: []byte("<<>>"), m: now.m}
	}
	keys, err := differing(was.value, now.value)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := d.formKey(key, was, now); err != nil {
			return err
		}
	}
	return d.list(was.value, now.value, "Fields", now.num)
}

func (d *differ) formKey(key string, was, now object) error {
	switch key {
	case "Fields", "SigFlags":
		return nil
	case "DR":
		old, err := d.old.get(was.value, key)
		if err != nil {
			return err
		}
		fresh, err := d.new.get(now.value, key)
		if err != nil {
			return err
		}
		if ok, err := extends(old.value, fresh.value, 3); err != nil || ok {
			return err
		}
		d.note(ChangeForm, now.num, "resources of the form were altered")
	case "DA", "Q", "NeedAppearances":
		d.note(ChangeForm, now.num, "%s of the form was altered", key)
	default:
		d.note(ChangeContent, now.num, "%s of the form was altered", cut(key))
	}
	return nil
}

// extends reports whether a dictionary has everything that the old one had.
func extends(old, fresh value, depth int) (bool, error) {
	if old.isNull() || sameTokens(old.raw, fresh.raw) {
		return true, nil
	}
	if depth == 0 || old.kind != dictionary || fresh.kind != dictionary {
		return false, nil
	}
	keys, err := differing(old, fresh)
	if err != nil {
		return false, err
	}
	for _, key := range keys {
		a, err := old.get(key)
		if err != nil {
			return false, err
		}
		b, err := fresh.get(key)
		if err != nil {
			return false, err
		}
		if ok, err := extends(a, b, depth-1); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// list compares two lists of fields, of the form or of a field that has others below
// it. holder is the object that has the list.
func (d *differ) list(was, now value, key string, holder int64) error {
	old, err := d.old.get(was, key)
	if err != nil {
		return err
	}
	fresh, err := d.new.get(now, key)
	if err != nil {
		return err
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
		return errors.New("a field is not referred to")
	}
	if num, err := target(now, key); err != nil {
		return err
	} else if d.only(num, holder) || d.only(num, d.root) {
		delete(d.altered, num)
	}
	slices.Sort(before)
	for _, num := range after {
		i, found := slices.BinarySearch(before, num)
		if found {
			before = slices.Delete(before, i, i+1)
		} else if err := d.added(num, 0); err != nil {
			return err
		}
	}
	for _, num := range before {
		d.note(ChangeContent, num, "a field was removed from the form")
	}
	return nil
}

// added judges a new field.
func (d *differ) added(num int64, depth int) error {
	if e, known := d.old.entry(num); known && e.form != free || depth == maxFieldDepth {
		d.note(ChangeForm, num, "an object became a field")
		return nil
	}
	o, err := d.new.object(num, 0)
	if err != nil {
		return err
	}
	sort, err := d.new.get(o.value, "FT")
	if err != nil {
		return err
	}
	kids, err := d.new.get(o.value, "Kids")
	if err != nil {
		return err
	}
	below, _, err := refs(kids.value)
	if err != nil {
		return err
	}
	if sort.isNull() && len(below) > 0 {
		for _, kid := range below {
			if err := d.added(kid, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	if !sort.is("Sig") {
		d.note(ChangeForm, num, "a field was added")
		return nil
	}
	return d.addedSignature(o, below)
}

// keysOfWidget are what a new signature field or widget may have; keysOfSigned what only
// one that shows a signature may.
var (
	keysOfWidget = []string{
		"Type", "Subtype", "FT", "T", "TU", "TM", "Rect", "P", "F", "M", "NM", "DA", "Parent", "Kids", "Ff", "Lock", "SV",
		"Border", "BS", "H", "StructParent",
	}
	keysOfSigned = []string{"V", "AP", "AS", "MK"}
)

// addedSignature judges a new signature field. It must be that alone, without actions
// and the like, and show nothing while it is unsigned.
func (d *differ) addedSignature(o object, widgets []int64) error {
	sig, err := d.new.get(o.value, "V")
	if err != nil {
		return err
	}
	plain, err := isWidget(o.value, !sig.isNull())
	if err != nil {
		return err
	}
	for _, num := range widgets {
		widget, err := d.new.object(num, 0)
		if err != nil {
			return err
		}
		one, err := isWidget(widget.value, !sig.isNull())
		if err != nil {
			return err
		}
		plain = plain && one
	}
	if !plain {
		d.note(ChangeForm, o.num, "a field was added that is more than a signature, or looks like one and is none")
		return nil
	}
	d.signed[o.num] = true
	for _, num := range widgets {
		d.signed[num] = true
	}
	return d.noteSignature(sig, o.num)
}

// isWidget reports whether a dictionary has nothing but what shows a signature, or the
// place for one.
func isWidget(v value, signed bool) (bool, error) {
	keys, err := differing(v, value{kind: dictionary, raw: []byte("<<>>"), m: v.m})
	if err != nil {
		return false, err
	}
	sub, err := v.get("Subtype")
	if err != nil {
		return false, err
	}
	allowed := keysOfWidget
	if signed {
		allowed = slices.Concat(keysOfWidget, keysOfSigned)
	}
	return within(keys, allowed) && (sub.isNull() || sub.is("Widget")), nil
}

func (d *differ) noteSignature(sig object, field int64) error {
	if sig.isNull() {
		d.note(ChangeSignature, field, "an empty signature field was added")
		return nil
	}
	form, err := d.new.get(sig.value, "SubFilter")
	if err != nil {
		return err
	}
	if form.is(string(RFC3161)) {
		d.note(ChangeTimestamp, field, "a document timestamp was added")
		return nil
	}
	d.note(ChangeSignature, field, "a signature was added")
	return nil
}
