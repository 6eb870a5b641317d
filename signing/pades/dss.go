package pades

import (
	"crypto/x509"
	"slices"

	"docaxis/signing"
)

const (
	maxDSS     = 512      // streams of one kind that are read
	maxDSSData = 16 << 20 // bytes of all
)

// Validation is what the document security store holds (ETSI EN 319 142-1 clause
// 5.4.2). None of it is trusted by being there.
type Validation struct {
	Certificates []*x509.Certificate
	// CRLs and OCSPs are in DER, as they stand in the file.
	CRLs, OCSPs [][]byte
}

// validationData reads the document security store of a view. What cannot be read in it
// is left out: it can only help.
func (w view) validationData() (d Validation, err error) {
	root, err := w.catalog()
	if err != nil {
		return d, err
	}
	dss, err := w.get(root.value, "DSS")
	if err != nil || dss.kind != dictionary {
		return d, ignore(err)
	}
	left := int64(maxDSSData)
	var certificates [][]byte
	for _, kind := range []struct {
		key  string
		into *[][]byte
	}{{"Certs", &certificates}, {"CRLs", &d.CRLs}, {"OCSPs", &d.OCSPs}} {
		list, err := w.get(dss.value, kind.key)
		if err == nil {
			err = list.elements(func(e value) error { return w.collect(e, kind.into, &left) })
		}
		if fatal(err) {
			return d, err
		}
	}
	for _, der := range certificates {
		if cert, err := x509.ParseCertificate(der); err == nil {
			d.Certificates = append(d.Certificates, cert)
		}
	}
	return d, nil
}

func (w view) collect(e value, into *[][]byte, left *int64) error {
	if len(*into) == maxDSS {
		return nil
	}
	o, err := w.resolve(e)
	if err != nil {
		return ignore(err)
	}
	b, err := w.data(o, *left)
	if err != nil {
		return ignore(err)
	}
	*left -= int64(len(b))
	*into = append(*into, b)
	return nil
}

// revocation adds the store's revocation data to what the caller knows. Where the
// caller asks nothing about revocation, neither does the store.
func (d Validation) revocation(known *signing.Revocation) *signing.Revocation {
	if known == nil {
		return nil
	}
	all := signing.Revocation{CRLs: slices.Clone(known.CRLs), OCSPs: slices.Clone(known.OCSPs)}
	for _, der := range d.CRLs {
		if list, err := signing.ParseCRL(der); err == nil {
			all.CRLs = append(all.CRLs, list)
		}
	}
	for _, der := range d.OCSPs {
		if answer, err := signing.ParseOCSP(der); err == nil {
			all.OCSPs = append(all.OCSPs, answer)
		}
	}
	return &all
}

// ignore drops what is wrong with one part of a file.
func ignore(err error) error {
	if fatal(err) {
		return err
	}
	return nil
}

// validation takes additions to the document security store: whatever only it
// refers to.
func (d *differ) validation() error {
	root, err := d.new.catalog()
	if err != nil {
		return err
	}
	was, err := d.old.catalog()
	if err != nil {
		return err
	}
	entry, err := root.get("DSS")
	if err != nil {
		return err
	}
	before, err := was.get("DSS")
	if err != nil {
		return err
	}
	owned := map[int64]bool{d.root: true}
	grown := !sameTokens(entry.raw, before.raw)
	if err := d.own(entry, owned, 0); err != nil {
		return err
	}
	for num := range owned {
		if a, ok := d.altered[num]; ok && a.old.stream == 0 && a.new.stream == 0 {
			delete(d.altered, num)
			grown = true
		}
	}
	if grown {
		d.note(ChangeValidation, d.root, "certificates or revocation data were added")
	}
	return nil
}

// own lists the objects of the store, from the top down.
func (d *differ) own(v value, owned map[int64]bool, depth int) error {
	if depth > 5 {
		return nil
	}
	if v.kind == reference {
		if u := d.census.of(v.n); owned[v.n] || !owned[int64(u.by)] {
			return nil // what others use, too, is not the store's
		}
		owned[v.n] = true
		o, err := d.new.resolve(v)
		if err != nil || o.stream != 0 {
			return err
		}
		v = o.value
	}
	if err := v.elements(func(e value) error { return d.own(e, owned, depth+1) }); err != nil {
		return err
	}
	return v.each(func(_ []byte, e value) error { return d.own(e, owned, depth+1) })
}

// metadata takes the two places that describe a file: Info of the trailer, and the
// catalog's Metadata.
func (d *differ) metadata() error {
	for _, w := range []view{d.old, d.new} {
		num, err := target(w.trailer(), "Info")
		if err != nil {
			return err
		}
		if a, ok := d.altered[num]; ok && !d.census.of(num).known && a.old.stream == 0 && a.new.stream == 0 {
			d.settle(ChangeMetadata, num, "the description of the file was altered")
		}
	}
	root, err := d.new.catalog()
	if err != nil {
		return err
	}
	num, err := target(root.value, "Metadata")
	if err != nil {
		return err
	}
	if _, ok := d.altered[num]; ok && d.only(num, d.root) {
		d.settle(ChangeMetadata, num, "the description of the document was altered")
	}
	return nil
}

// crossReferences takes numbers under which a cross-reference stream was written
// again. Nobody refers to those.
func (d *differ) crossReferences() error {
	for num, a := range d.altered {
		was, err := a.old.get("Type")
		if err != nil {
			return err
		}
		now, err := a.new.get("Type")
		if err != nil {
			return err
		}
		if was.is("XRef") && now.is("XRef") && !d.census.of(num).known {
			delete(d.altered, num)
		}
	}
	return nil
}
