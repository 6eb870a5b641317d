package asic

import (
	"bytes"
	"encoding/base64"
	"fmt"
)

// Names of the standards' vocabularies and algorithms.
const (
	namespace   = "http://uri.etsi.org/02918/v1.2.1#"
	dsNamespace = "http://www.w3.org/2000/09/xmldsig#"
	// sha256URI is the digest method (RFC 6931 section 2.1.3).
	sha256URI     = "http://www.w3.org/2001/04/xmlenc#sha256"
	signatureType = "application/pkcs7-signature"
)

// Compose writes a manifest. The same manifest always gives the same bytes. The
// error says what Parse would refuse.
func Compose(m Manifest) ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	fmt.Fprintf(&b, "<ASiCManifest xmlns=%q xmlns:ds=%q>\n", namespace, dsNamespace)
	fmt.Fprintf(&b, "<SigReference URI=%q MimeType=%q/>\n", SignatureName, signatureType)
	for _, r := range m.References {
		// No name and no MIME type that passed check needs escaping.
		fmt.Fprintf(&b, "<DataObjectReference URI=%q", r.URI)
		if r.MimeType != "" {
			fmt.Fprintf(&b, ` MimeType="%s"`, r.MimeType)
		}
		fmt.Fprintf(&b, "><ds:DigestMethod Algorithm=%q/><ds:DigestValue>%s</ds:DigestValue></DataObjectReference>\n",
			sha256URI, base64.StdEncoding.EncodeToString(r.Digest[:]))
	}
	b.WriteString("</ASiCManifest>\n")
	if b.Len() > MaxManifest {
		return nil, fmt.Errorf("manifest: %d bytes; at most %d", b.Len(), MaxManifest)
	}
	return b.Bytes(), nil
}
