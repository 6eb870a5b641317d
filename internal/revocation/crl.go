package revocation

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"docaxis/internal/lang"
)

// maxHead is the most that a list may have beside its entries: the standard
// library reads that part, at several times its size of memory.
const maxHead = 64 << 10

var (
	oidDelta             = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidDistributionPoint = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidNumber            = asn1.ObjectIdentifier{2, 5, 29, 20}
	oidAuthorityKey      = asn1.ObjectIdentifier{2, 5, 29, 35}

	errCRL = errors.New("revocation: malformed CRL")

	errDelta = lang.Errorf(
		"danh sách thu hồi dạng bổ sung (delta CRL) không được hỗ trợ", "delta CRLs are not supported")
	errIndirect = lang.Errorf(
		"danh sách thu hồi gián tiếp (indirect CRL) không được hỗ trợ", "indirect CRLs are not supported")
	errScope = lang.Errorf(
		"danh sách chỉ cho một số lý do hoặc chứng thư thuộc tính không được hỗ trợ",
		"CRLs for some reasons or for attribute certificates only are not supported")
	errIssuer = lang.Errorf(
		"danh sách do đơn vị khác với bên cấp chứng thư ký (delegated CRL issuer) không được hỗ trợ",
		"CRLs of another than the certificate's issuer (delegated CRL issuer) are not supported")
)

// judgeCRL checks that a list is complete and of the target's issuer. The entries
// are walked over where they lie, so that a list of 64 MiB takes no more memory
// than that; everything else is read by the standard library.
func judgeCRL(raw []byte, t target) (*answer, error) {
	tbs, head, entries, err := splitCRL(raw)
	if err != nil {
		return nil, unreadable(err)
	}
	list, err := x509.ParseRevocationList(head)
	if err != nil {
		return nil, unreadable(err)
	}
	a := &answer{ThisUpdate: list.ThisUpdate.UTC(), NextUpdate: list.NextUpdate.UTC(), Number: list.Number}
	for _, e := range list.Extensions {
		if err := a.readExtension(e.Id, e.Value, e.Critical); err != nil {
			return nil, err
		}
	}
	if err := walkEntries(entries); err != nil {
		return nil, err
	}
	if !bytes.Equal(list.RawIssuer, t.issuer.RawSubject) {
		return nil, errIssuer
	}
	list.RawTBSRevocationList = tbs
	if err := list.CheckSignatureFrom(t.issuer); err != nil {
		return nil, lang.Errorf("danh sách thu hồi không do %s ký", "the CRL is not signed by %s", clip(t.issuer.Subject.CommonName)).Because(err)
	}
	if len(a.Names) > 0 && !overlap(a.Names, t.urls) {
		return nil, lang.Errorf("danh sách thu hồi thuộc địa chỉ khác: %s", "the CRL belongs to another address: %s", clip(a.Names[0]))
	}
	return a, nil
}

func unreadable(err error) error {
	return lang.Errorf("trả lời không đọc được", "the answer cannot be read").Because(err)
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// splitCRL takes the entries out of a CertificateList (RFC 5280 section 5.1): head
// is the same list without any, tbs what its signature is over.
func splitCRL(raw []byte) (tbs, head, entries []byte, err error) {
	in := cryptobyte.String(raw)
	var list, body, inner, revoked cryptobyte.String
	if !in.ReadASN1(&list, der.SEQUENCE) || !in.Empty() || !list.ReadASN1Element(&body, der.SEQUENCE) {
		return nil, nil, nil, errCRL
	}
	tbs = body
	if !body.ReadASN1(&inner, der.SEQUENCE) {
		return nil, nil, nil, errCRL
	}
	var kept []byte
	// The entries are the only SEQUENCE behind a time.
	for afterTime := false; !inner.Empty(); {
		var element cryptobyte.String
		var tag der.Tag
		if !inner.ReadAnyASN1Element(&element, &tag) {
			return nil, nil, nil, errCRL
		}
		isEntries := afterTime && tag == der.SEQUENCE
		if isEntries && revoked == nil {
			revoked = element
			continue
		}
		if isEntries || len(kept)+len(element) > maxHead {
			return nil, nil, nil, errCRL
		}
		kept = append(kept, element...)
		afterTime = afterTime || tag == der.UTCTime || tag == der.GeneralizedTime
	}
	if len(kept)+len(list) > maxHead {
		return nil, nil, nil, errCRL
	}
	head, err = joinHead(kept, list)
	if err == nil && revoked != nil && !revoked.ReadASN1(&revoked, der.SEQUENCE) {
		err = errCRL
	}
	return tbs, head, revoked, err
}

// joinHead makes a CertificateList of the elements of its first part and whatever
// stands behind that part.
func joinHead(elements, behind []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(list *cryptobyte.Builder) {
		list.AddASN1(der.SEQUENCE, func(tbs *cryptobyte.Builder) { tbs.AddBytes(elements) })
		list.AddBytes(behind)
	})
	return b.Bytes()
}

// walkEntries looks for what would make the list mean something else to us than to
// its issuer: a critical extension of an entry, of which the usual one names
// another issuer.
func walkEntries(entries cryptobyte.String) error {
	for !entries.Empty() {
		var entry, extensions cryptobyte.String
		var present bool
		if !entries.ReadASN1(&entry, der.SEQUENCE) || !entry.SkipASN1(der.INTEGER) || !skipTime(&entry) ||
			!entry.ReadOptionalASN1(&extensions, &present, der.SEQUENCE) || !entry.Empty() {
			return unreadable(errCRL)
		}
		for !extensions.Empty() {
			var e cryptobyte.String
			var critical bool
			if !extensions.ReadASN1(&e, der.SEQUENCE) || !e.SkipASN1(der.OBJECT_IDENTIFIER) ||
				e.PeekASN1Tag(der.BOOLEAN) && !e.ReadASN1Boolean(&critical) {
				return unreadable(errCRL)
			}
			if critical {
				return errIndirect
			}
		}
	}
	return nil
}

func skipTime(s *cryptobyte.String) bool {
	if s.PeekASN1Tag(der.GeneralizedTime) {
		return s.SkipASN1(der.GeneralizedTime)
	}
	return s.SkipASN1(der.UTCTime)
}

func (a *answer) readExtension(id asn1.ObjectIdentifier, value []byte, critical bool) error {
	switch {
	case id.Equal(oidDelta):
		return errDelta
	case id.Equal(oidDistributionPoint):
		return a.readDistributionPoint(value)
	case id.Equal(oidNumber), id.Equal(oidAuthorityKey), !critical:
		return nil
	}
	return lang.Errorf("danh sách có phần mở rộng quan trọng không hiểu được: %s", "the CRL has a critical extension that is not understood: %s", id)
}

// readDistributionPoint reads IssuingDistributionPoint (RFC 5280 section 5.2.5).
func (a *answer) readDistributionPoint(value []byte) error {
	in := cryptobyte.String(value)
	var point cryptobyte.String
	if !in.ReadASN1(&point, der.SEQUENCE) || !in.Empty() {
		return unreadable(errCRL)
	}
	for !point.Empty() {
		var body cryptobyte.String
		var tag der.Tag
		if !point.ReadAnyASN1(&body, &tag) {
			return unreadable(errCRL)
		}
		is := len(body) == 1 && body[0] != 0
		switch tag {
		case der.Tag(0).ContextSpecific().Constructed():
			if err := a.readNames(body); err != nil {
				return err
			}
		case der.Tag(1).ContextSpecific():
			a.UsersOnly = is
		case der.Tag(2).ContextSpecific():
			a.AuthoritiesOnly = is
		case der.Tag(4).ContextSpecific():
			if is {
				return errIndirect
			}
		case der.Tag(5).ContextSpecific():
			if is {
				return errScope
			}
		default:
			return errScope
		}
	}
	return nil
}

// readNames reads the addresses of a DistributionPointName. One that is relative to
// its issuer's name in a directory cannot be compared with any.
func (a *answer) readNames(point cryptobyte.String) error {
	var full cryptobyte.String
	if !point.ReadASN1(&full, der.Tag(0).ContextSpecific().Constructed()) || !point.Empty() {
		return errScope
	}
	for !full.Empty() {
		var name cryptobyte.String
		var tag der.Tag
		if !full.ReadAnyASN1(&name, &tag) {
			return unreadable(errCRL)
		}
		if tag == der.Tag(6).ContextSpecific() {
			a.Names = append(a.Names, string(name))
		}
	}
	if len(a.Names) == 0 {
		return errScope
	}
	return nil
}
