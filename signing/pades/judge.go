package pades

import (
	"errors"
	"fmt"

	"docaxis/signing"
)

// found is a field that is signed.
type found struct {
	field string
	num   int64 // of the object that has the dictionary
	dict  object
}

// signatures are the signed fields of a view, and how many more there are.
func (w view) signatures() (list []found, left int, err error) {
	err = w.fields(func(f field) error {
		if f.sort != "Sig" {
			return nil
		}
		v, err := f.get("V")
		if err != nil || v.isNull() {
			return err
		}
		if len(list) == maxSignatures {
			left++
			return nil
		}
		s := found{field: f.name, num: f.num}
		if v.kind == reference {
			s.num = v.n
		}
		if s.dict, err = w.resolve(v); err != nil || s.dict.isNull() {
			return err
		}
		list = append(list, s)
		return nil
	})
	return list, left, err
}

// judge judges one signature after the other.
type judge struct {
	f       *file
	options signing.Options
	seen    map[int64]string // fields by where their signature's value is
}

func (j *judge) judge(s found) (Signature, error) {
	newest := view{j.f, len(j.f.revisions) - 1}
	d, err := newest.readDictionary(s.dict.value)
	if fatal(err) {
		return Signature{}, err
	}
	out := Signature{Field: s.field, Kind: Approval, SubFilter: d.subFilter, Permission: d.permission, Claimed: d.claimed}
	switch {
	case d.timestamp:
		out.Kind = Timestamp
	case d.permission > 0:
		out.Kind = Certification
	}
	if err == nil {
		err = j.place(&out, s, d)
	}
	if err == nil {
		out.Verdict, err = j.verdict(d)
	}
	if fatal(err) {
		return out, err
	}
	if err != nil {
		out.Verdict = j.failed(signing.FormatFailure, err.Error())
	}
	out.Holder = HolderOf(out.Verdict.Signer)
	return out, nil
}

// place finds what a signature covers, and makes sure that it was the field's then.
func (j *judge) place(out *Signature, s found, d dictionaryOf) error {
	rev, err := j.f.covered(d)
	if err != nil {
		return err
	}
	if other, ok := j.seen[d.contents.at]; ok {
		return fmt.Errorf("it is the signature of field %q once more", other)
	}
	if j.seen == nil {
		j.seen = make(map[int64]string)
	}
	j.seen[d.contents.at] = s.field
	newest := view{j.f, len(j.f.revisions) - 1}
	now, _ := newest.entry(s.num)
	then, ok := view{j.f, rev}.entry(s.num)
	if !ok || then.form == free || then.at != now.at || then.n != now.n {
		return errors.New("it is not part of the revision that it covers")
	}
	out.Revision, out.End = rev+1, d.ranges[2]+d.ranges[3]
	out.WholeFile = rev == newest.rev && j.f.trailing == 0
	return nil
}

func (j *judge) failed(sub signing.SubIndication, detail string) signing.Verdict {
	return signing.Verdict{Indication: sub.Indication(), SubIndication: sub, Detail: detail, Time: j.options.At, TimeSource: signing.TimeGiven}
}

// verdict judges the value of a signature over what it covers.
func (j *judge) verdict(d dictionaryOf) (signing.Verdict, error) {
	switch d.subFilter {
	case PKCS7Detached, CAdESDetached:
	case PKCS7SHA1, X509RSASHA1:
		return j.failed(signing.CryptoConstraintsFailure, fmt.Sprintf("the form %s is obsolete: it rests on SHA-1", d.subFilter)), nil
	case RFC3161:
		return j.timestamp(d)
	default:
		return signing.Verdict{}, fmt.Errorf("the form %q is not known", d.subFilter)
	}
	value, err := d.value()
	if err != nil {
		return signing.Verdict{}, err
	}
	verdicts, err := signing.VerifyReader(value, j.f.signed(d.ranges), j.options)
	if err != nil {
		return signing.Verdict{}, &readError{err}
	}
	if len(verdicts) != 1 {
		return signing.Verdict{}, fmt.Errorf("it has %d signers; a signature of a PDF has one", len(verdicts))
	}
	return verdicts[0], nil
}

// timestamp judges a document timestamp.
func (j *judge) timestamp(dictionaryOf) (signing.Verdict, error) {
	return j.failed(signing.TryLater, "document timestamps are not judged yet"), nil
}
