package signing

import (
	"encoding/asn1"
	"slices"
)

// Bounds of the revocation data that is read in one signature: reading a list takes up
// to 60 times its size.
const (
	maxEmbedded      = 512 << 10 // bytes
	maxEmbeddedItems = 32
)

var (
	oidRevocationValues   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 24}
	oidAdobeRevocation    = asn1.ObjectIdentifier{1, 2, 840, 113583, 1, 1, 8}
	oidOCSPRevocationInfo = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 16, 2}
)

// known is what the caller knows about revocation, and what the signature itself
// brings along. It is read once a chain was found, and as everything of its kind only
// believed where the issuer signed it.
func (c *check) known() *Revocation {
	if c.revoked != nil {
		return c.revoked
	}
	e := c.data.carried()
	e.signers = Revocation{}
	for _, v := range c.signer.unsigned.all(oidRevocationValues, maxEmbeddedItems) {
		e.values(v, (*embedded).basic)
	}
	for _, v := range c.signer.signed.all(oidAdobeRevocation, maxEmbeddedItems) {
		e.values(v, (*embedded).ocsp)
	}
	outside := c.options.Revocation
	c.revoked = &Revocation{
		CRLs:  slices.Concat(outside.CRLs, e.all.CRLs, e.signers.CRLs),
		OCSPs: slices.Concat(outside.OCSPs, e.all.OCSPs, e.signers.OCSPs),
	}
	return c.revoked
}

// carried is what the signature brings along for all its signers, read once.
func (sd *signedData) carried() *embedded {
	if sd.embedded == nil {
		sd.embedded = new(embedded)
		sd.embedded.choices(sd.crls)
		sd.embedded.all, sd.embedded.signers = sd.embedded.signers, Revocation{}
	}
	return sd.embedded
}

// embedded collects revocation data, within one bound for a whole signature. What
// cannot be read is left out: it can only help.
type embedded struct {
	all     Revocation
	signers Revocation // of the signer that is judged
	items   int
	bytes   int
}

// room reports whether one more may be read.
func (e *embedded) room(v element) bool {
	e.items++
	e.bytes += len(v.full)
	return e.items <= maxEmbeddedItems && e.bytes <= maxEmbedded
}

// choices reads RevocationInfoChoices (RFC 5652 section 10.2.1): lists, and OCSP
// answers as RFC 5940 has them.
func (e *embedded) choices(r reader) {
	for !r.empty() {
		v, err := r.next()
		if err != nil {
			return
		}
		switch v.tag {
		case tagSequence:
			e.crl(v)
		case tagContext1:
			other := reader(v.body)
			if expectOID(&other, oidOCSPRevocationInfo, "otherRevInfoFormat") != nil {
				continue
			}
			if info, err := other.next(); err == nil {
				e.ocsp(info)
			}
		}
	}
}

// values reads RevocationValues (RFC 5126 section 6.3.4), or what PDF files have in
// its place, RevocationInfoArchival (ISO 32000-1 clause 12.8.3.3.2): they differ in how
// an OCSP answer is wrapped.
func (e *embedded) values(v element, answer func(*embedded, element)) {
	if v.tag != tagSequence {
		return
	}
	for r := reader(v.body); !r.empty(); {
		part, err := r.next()
		if err != nil {
			return
		}
		read := (*embedded).crl
		switch part.tag {
		case tagContext0:
		case tagContext1:
			read = answer
		default:
			continue
		}
		explicit := reader(part.body)
		list, err := explicit.open(tagSequence, "revocation values")
		for err == nil && !list.empty() {
			var item element
			if item, err = list.next(); err == nil {
				read(e, item)
			}
		}
	}
}

func (e *embedded) crl(v element) {
	if !e.room(v) {
		return
	}
	if list, err := ParseCRL(v.full); err == nil {
		e.signers.CRLs = append(e.signers.CRLs, list)
	}
}

func (e *embedded) ocsp(v element) {
	if !e.room(v) {
		return
	}
	if answer, err := ParseOCSP(v.full); err == nil {
		e.signers.OCSPs = append(e.signers.OCSPs, answer)
	}
}

// basic reads a BasicOCSPResponse, which no OCSPResponse is around.
func (e *embedded) basic(v element) {
	if !e.room(v) {
		return
	}
	if answer, err := readBasic(v.full); err == nil {
		e.signers.OCSPs = append(e.signers.OCSPs, answer)
	}
}
