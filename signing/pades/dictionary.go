package pades

import (
	"bytes"
	"errors"
	"time"

	"docaxis/signing"
)

// SubFilter is the form of a signature's value (ISO 32000-1 clause 12.8.3, ETSI EN
// 319 142-1 clause 6.3).
type SubFilter string

// The forms that are known. The last two are obsolete: they rest on SHA-1.
const (
	PKCS7Detached SubFilter = "adbe.pkcs7.detached"
	CAdESDetached SubFilter = "ETSI.CAdES.detached"
	RFC3161       SubFilter = "ETSI.RFC3161"
	PKCS7SHA1     SubFilter = "adbe.pkcs7.sha1"
	X509RSASHA1   SubFilter = "adbe.x509.rsa_sha1"
)

// Obsolete reports whether the form rests on SHA-1 and is not judged any more.
func (s SubFilter) Obsolete() bool { return s == PKCS7SHA1 || s == X509RSASHA1 }

// Claimed is what a signature dictionary says of itself. The signer signed it, and
// nobody else vouches for it.
type Claimed struct {
	Name, Reason, Location, Contact string
	// Time is that of M; zero without one.
	Time time.Time
}

// dictionaryOf is a signature dictionary (clause 12.8.1).
type dictionaryOf struct {
	subFilter SubFilter
	ranges    [4]int64
	contents  value
	claimed   Claimed
	timestamp bool
	// permission is P of DocMDP (table 254): 1 to 3, and 0 without.
	permission int
}

// readDictionary reads it, as far as it can be read; the error says what is wrong
// with its form.
func (w view) readDictionary(v value) (d dictionaryOf, err error) {
	form, err := w.get(v, "SubFilter")
	if err != nil {
		return d, err
	}
	if form.kind == name {
		d.subFilter = SubFilter(cut(string(plainName(form.raw))))
	}
	// Type may say DocTimeStamp of anything; what the value is, SubFilter says.
	d.timestamp = d.subFilter == RFC3161
	if err := w.readClaims(v, &d.claimed); err != nil {
		return d, err
	}
	if d.permission, err = w.readPermission(v); err != nil {
		return d, err
	}
	if d.contents, err = v.get("Contents"); err != nil {
		return d, err
	}
	return d, d.readRanges(v)
}

func (w view) readClaims(v value, c *Claimed) error {
	var m string
	for key, into := range map[string]*string{"Name": &c.Name, "Reason": &c.Reason, "Location": &c.Location, "ContactInfo": &c.Contact, "M": &m} {
		o, err := w.get(v, key)
		if err != nil {
			return err
		}
		*into = o.text()
	}
	c.Time = date(m)
	return nil
}

// readRanges reads ByteRange: four numbers that stand in the dictionary itself.
func (d *dictionaryOf) readRanges(v value) error {
	list, err := v.get("ByteRange")
	if err != nil {
		return err
	}
	n := 0
	err = list.elements(func(e value) error {
		if n == 4 || e.kind != integer || e.n < 0 {
			return errors.New("ByteRange is not four numbers")
		}
		d.ranges[n] = e.n
		n++
		return nil
	})
	if err == nil && n != 4 {
		err = errors.New("ByteRange is not four numbers")
	}
	return err
}

// readPermission reads the permission of a certification (clause 12.8.2.2).
func (w view) readPermission(v value) (p int, err error) {
	list, err := w.get(v, "Reference")
	if err != nil {
		return 0, err
	}
	err = list.elements(func(e value) error {
		ref, err := w.resolve(e)
		if err != nil {
			return err
		}
		method, err := w.get(ref.value, "TransformMethod")
		if err != nil || !method.is("DocMDP") {
			return err
		}
		parameters, err := w.dictionary(ref.value, "TransformParams")
		if err != nil {
			return err
		}
		level, err := w.get(parameters.value, "P")
		if err != nil {
			return err
		}
		switch {
		case level.isNull():
			p = 2
		case level.kind == integer && level.n >= 1 && level.n <= 3:
			p = int(level.n)
		default:
			return errors.New("DocMDP permits something unknown")
		}
		return nil
	})
	return p, err
}

// value is the signature's value: the bytes of Contents without the zeros behind it.
func (d *dictionaryOf) value() ([]byte, error) {
	raw := d.contents.raw
	if d.contents.kind != hex {
		return nil, errors.New("its Contents is no hexadecimal string")
	}
	if len(raw)%2 != 0 || bytes.ContainsAny(raw, " \r\n\t\f\x00") {
		return nil, errors.New("its Contents has more than hexadecimal digits")
	}
	b := hexBytes(raw[1:len(raw)-1], len(raw)/2)
	if len(bytes.TrimLeft(b, "\x00")) == 0 {
		return nil, errors.New("its Contents is empty")
	}
	return signing.Unpad(b), nil
}
