package pades

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"docaxis/signing"
)

// found is a field that is signed.
type found struct {
	field string
	v     value // as the field has it
	at    int64 // where the dictionary is, -1 within an object stream
}

// signatures are the signed fields of a view, at most so many, and how many more there
// are.
func (w view) signatures(most int) (list []found, left int, err error) {
	err = w.fields(func(f field) error {
		if f.sort != "Sig" {
			return nil
		}
		v, err := f.get("V")
		if err != nil || v.isNull() {
			return err
		}
		s := found{f.name, v, v.at}
		if v.kind == reference {
			e, ok := w.entry(v.n)
			if !ok || e.form == free {
				return nil
			}
			if s.at = e.at; e.form == packed {
				s.at = -1
			}
		}
		if len(list) == most {
			left++
			return nil
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
	stands  map[int][]int64  // by revision, where its signatures are
}

// placed is a signature whose form was read.
type placed struct {
	Signature
	dict dictionaryOf
	err  error // what is wrong with its form
}

// all judges every signature, the newest revision first: a document timestamp that
// holds proves that what it covers existed then (ETSI EN 319 102-1 clause 5.6.2).
func (j *judge) all(list []found) ([]Signature, error) {
	all := make([]placed, len(list))
	for i, s := range list {
		var err error
		if all[i], err = j.read(s); err != nil {
			return nil, err
		}
	}
	order := make([]*placed, len(all))
	for i := range all {
		order[i] = &all[i]
	}
	slices.SortStableFunc(order, func(a, b *placed) int { return cmp.Compare(b.Revision, a.Revision) })
	for _, p := range order {
		if err := j.judge(p); err != nil {
			return nil, err
		}
		if latest := p.Token.Latest(); p.Kind == Timestamp && p.Verdict.Passed() && latest.Before(j.options.At) {
			j.options.At, j.options.Source = latest, signing.TimeTimestamp
		}
	}
	out := make([]Signature, len(all))
	for i, p := range all {
		out[i] = p.Signature
	}
	return out, nil
}

// read reads a signature's dictionary and finds what it covers.
func (j *judge) read(s found) (p placed, err error) {
	newest := view{j.f, len(j.f.revisions) - 1}
	dict, err := newest.resolve(s.v)
	if err == nil {
		p.dict, err = newest.readDictionary(dict.value)
	}
	p.err = err
	d := p.dict
	p.Signature = Signature{Field: s.field, Kind: Approval, SubFilter: d.subFilter, Permission: d.permission, Claimed: d.claimed}
	switch {
	case d.timestamp:
		p.Kind = Timestamp
	case d.permission > 0:
		p.Kind = Certification
	}
	if p.err == nil {
		p.err = j.place(&p.Signature, d, s.at)
	}
	if fatal(p.err) {
		return p, p.err
	}
	return p, nil
}

func (j *judge) judge(p *placed) error {
	err := p.err
	if err == nil {
		err = j.verdict(p)
	}
	if fatal(err) {
		return err
	}
	if err != nil {
		p.Verdict = j.failed(signing.FormatFailure, err.Error())
	}
	p.Holder = HolderOf(p.Verdict.Signer)
	return nil
}

// place finds what a signature covers, and makes sure that it was the field's then.
func (j *judge) place(out *Signature, d dictionaryOf, at int64) error {
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
	j.seen[d.contents.at] = out.Field
	newest := view{j.f, len(j.f.revisions) - 1}
	if err := j.stood(view{j.f, rev}, at); err != nil {
		return err
	}
	out.Revision, out.End = rev+1, d.ranges[2]+d.ranges[3]
	out.WholeFile = rev == newest.rev && j.f.trailing == 0
	return nil
}

// stood makes sure that the signature was one of the document's when it was made: that
// a reader of its revision finds it in the form, at the same place.
func (j *judge) stood(then view, at int64) error {
	places, known := j.stands[then.rev]
	if !known {
		list, _, err := then.signatures(maxFields)
		if err != nil {
			return fmt.Errorf("the revision that it covers cannot be read: %w", err)
		}
		for _, s := range list {
			places = append(places, s.at)
		}
		if j.stands == nil {
			j.stands = make(map[int][]int64)
		}
		j.stands[then.rev] = places
	}
	if !slices.Contains(places, at) {
		return errors.New("it is not part of the revision that it covers")
	}
	return nil
}

func (j *judge) failed(sub signing.SubIndication, detail string) signing.Verdict {
	v := signing.Verdict{Indication: sub.Indication(), SubIndication: sub, Detail: detail, Time: j.options.At, TimeSource: j.options.Source}
	if v.TimeSource == "" {
		v.TimeSource = signing.TimeGiven
	}
	return v
}

// verdict judges the value of a signature over what it covers. The error says what
// is wrong with its form.
func (j *judge) verdict(p *placed) error {
	switch p.SubFilter {
	case PKCS7Detached, CAdESDetached, RFC3161:
	case PKCS7SHA1, X509RSASHA1:
		p.Verdict = j.failed(signing.CryptoConstraintsFailure, fmt.Sprintf("the form %s is obsolete: it rests on SHA-1", p.SubFilter))
		return nil
	default:
		return fmt.Errorf("the form %q is not known", p.SubFilter)
	}
	value, err := p.dict.value()
	if err != nil {
		return err
	}
	if p.SubFilter == RFC3161 {
		return j.timestamp(p, value)
	}
	o := j.options
	o.Unbound = p.SubFilter == PKCS7Detached
	verdicts, err := signing.VerifyReader(value, j.f.signed(p.dict.ranges), o)
	if err != nil {
		return &readError{err}
	}
	if len(verdicts) != 1 {
		return fmt.Errorf("it has %d signers; a signature of a PDF has one", len(verdicts))
	}
	p.Verdict = verdicts[0]
	return nil
}

// timestamp judges a document timestamp (ETSI EN 319 142-1 clause 5.4.3).
func (j *judge) timestamp(p *placed, token []byte) error {
	o := signing.TimestampOptions{
		At: j.options.At, Source: j.options.Source, Trust: j.options.Timestamping,
		Intermediates: j.options.Intermediates, Revocation: j.options.Revocation,
	}
	if o.Trust == nil {
		o.Trust = signing.NewTrust(nil, nil) // nobody is believed
	}
	v, err := signing.VerifyTimestamp(token, j.f.signed(p.dict.ranges), o)
	if err != nil {
		return &readError{err}
	}
	p.Verdict, p.Token = v.Verdict, v.Token
	return nil
}
