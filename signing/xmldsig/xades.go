package xmldsig

import (
	"bytes"
	"strings"
	"time"

	"docaxis/signing"
)

// properties are the SignedSignatureProperties of XAdES that the signature covers (ETSI
// EN 319 132-1 clause 5.2); nil where there are none.
func (c *check) properties() *element {
	for _, object := range c.signed.objects {
		for _, q := range object.all(spaceXAdES, "QualifyingProperties") {
			if s := q.one(spaceXAdES, "SignedProperties"); s != nil && c.covered(s.at) {
				return s.one(spaceXAdES, "SignedSignatureProperties")
			}
		}
	}
	return nil
}

// bound compares the certificate that XAdES binds with the signer's. Plain XML-DSig
// binds none, which is accepted as it is for older forms of other signatures.
func (c *check) bound() error {
	p := c.properties()
	if p == nil {
		return nil
	}
	for _, name := range []string{"SigningCertificateV2", "SigningCertificate"} {
		for _, e := range p.all(spaceXAdES, name) {
			if err := c.binds(e); err != nil {
				return err
			}
		}
	}
	if e := p.one(spaceXAdES, "SigningTime"); e != nil {
		c.claimed = moment(e.text)
	}
	return nil
}

// binds looks at the first certificate of the list, the signer's.
func (c *check) binds(e *element) error {
	wrong := &flaw{signing.NoSigningCertificateFound, short(e.local) + " names another certificate"}
	certs := e.all(spaceXAdES, "Cert")
	if len(certs) == 0 {
		return wrong
	}
	d := certs[0].one(spaceXAdES, "CertDigest")
	method, value := d.one(spaceDSig, "DigestMethod"), d.one(spaceDSig, "DigestValue")
	if method == nil || value == nil {
		return wrong
	}
	uri, _ := method.attr("Algorithm")
	h, err := hashOf(uri)
	if err != nil {
		return &flaw{signing.CryptoConstraintsFailure, short(e.local) + ": " + err.Error()}
	}
	digest, err := binaryOf(value)
	w := h.New()
	w.Write(c.cert.Raw)
	if err != nil || !bytes.Equal(digest, w.Sum(nil)) {
		return wrong
	}
	return nil
}

// moment reads an xs:dateTime with a zone; zero where it is none.
func moment(text string) time.Time {
	t, err := time.Parse(time.RFC3339, strings.TrimSpace(text))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// known are the elements that a Signature has and that carry nothing to read but about
// itself: of XML-DSig, and the unsigned properties of XAdES.
func known(local string) bool {
	switch local {
	case "Signature", "SignatureValue", "KeyInfo", "KeyName", "KeyValue", "RSAKeyValue", "Modulus", "Exponent",
		"ECKeyValue", "NamedCurve", "PublicKey", "DSAKeyValue", "P", "Q", "G", "Y", "J", "X509Data", "X509Certificate",
		"X509IssuerSerial", "X509IssuerName", "X509SerialNumber", "X509SKI", "X509SubjectName", "X509CRL", "X509Digest",
		"RetrievalMethod", "Object", "QualifyingProperties", "UnsignedProperties", "UnsignedSignatureProperties",
		"SignatureTimeStamp", "CanonicalizationMethod", "EncapsulatedTimeStamp", "CertificateValues",
		"EncapsulatedX509Certificate", "RevocationValues", "CRLValues", "EncapsulatedCRLValue", "OCSPValues",
		"EncapsulatedOCSPValue":
		return true
	}
	return false
}

// stowed names an element within the Signature that nobody signed and that something
// else than a signature could be read from.
func (c *check) stowed() (name string) {
	c.element.walk(func(e *element) bool {
		if e == c.signed.info || c.covered(e.at) {
			return true
		}
		if !known(e.local) && !c.signed.info.at.has(e.at) {
			name = e.local
		}
		return name == ""
	})
	return name
}
