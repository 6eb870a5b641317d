package pades

import (
	"fmt"
	"strings"
)

// field is one node of the form's tree (ISO 32000-1 clause 12.7.3).
type field struct {
	object
	// name is the names on the way to it, joined by dots.
	name string
	// sort is its FT, which may come from above: "Sig", "Tx" …
	sort string
}

// walker goes over the tree of fields of a view.
type walker struct {
	view
	seen  map[int64]bool
	count int
	visit func(field) error
}

// fields visits every field, and every widget below one.
func (w view) fields(visit func(field) error) error {
	root, err := w.catalog()
	if err != nil {
		return err
	}
	form, err := w.dictionary(root.value, "AcroForm")
	if err != nil || form.isNull() {
		return err
	}
	list, err := w.get(form.value, "Fields")
	if err != nil {
		return err
	}
	walk := &walker{view: w, seen: make(map[int64]bool), visit: visit}
	return walk.kids(list.value, field{}, 0)
}

func (w *walker) kids(list value, above field, depth int) error {
	if depth == maxFieldDepth {
		return fmt.Errorf("%w: fields nested more than %d deep", errSyntax, maxFieldDepth)
	}
	return list.elements(func(e value) error {
		if e.kind != reference {
			return fmt.Errorf("%w: a field is not referred to", errSyntax)
		}
		if w.seen[e.n] {
			return fmt.Errorf("%w: field %d stands twice in the form", errSyntax, e.n)
		}
		if w.count++; w.count > maxFields {
			return ErrTooMuch
		}
		w.seen[e.n] = true
		return w.node(e, above, depth)
	})
}

func (w *walker) node(ref value, above field, depth int) (err error) {
	f := field{name: above.name, sort: above.sort}
	if f.object, err = w.object(ref.n, ref.gen); err != nil {
		return err
	}
	if f.kind != dictionary {
		return nil // a field that is not there
	}
	if err := f.describe(w.view); err != nil {
		return err
	}
	if err := w.visit(f); err != nil {
		return err
	}
	list, err := w.get(f.value, "Kids")
	if err != nil {
		return err
	}
	return w.kids(list.value, f, depth+1)
}

// describe reads what the field adds to its name and kind.
func (f *field) describe(w view) error {
	part, err := w.get(f.value, "T")
	if err != nil {
		return err
	}
	if s := part.text(); s != "" {
		f.name = strings.TrimPrefix(f.name+"."+s, ".")
		f.name = cut(f.name)
	}
	sort, err := w.get(f.value, "FT")
	if err == nil && sort.kind == name {
		f.sort = cut(string(plainName(sort.raw)))
	}
	return err
}
