// Package xmldsigtest owns the XML signatures that tests are made with, good ones and
// any that a test wants. It has no reader of XML: what is signed is given as it stands
// in canonical form.
package xmldsigtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512" // for what a test wants
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
)

// Identifiers of algorithms.
const (
	C14N      = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	Exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
	Enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
	SHA256    = "http://www.w3.org/2001/04/xmlenc#sha256"
	RSA256    = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	ECDSA256  = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
	Space     = "http://www.w3.org/2000/09/xmldsig#"
)

// Mark stands in a document where a signature goes.
const Mark = "{{Signature}}"

// Reference is one reference of a signature. Content is what it is to, in canonical
// form; every other field is what the XML says.
type Reference struct {
	Attributes string // ` URI=""`
	Transforms string // Transform elements
	DigestBy   string
	Hash       crypto.Hash
	Content    string
}

// Whole is a reference to a whole document, which is given in canonical form without
// the signature.
func Whole(content string) Reference {
	return Reference{` URI=""`, Transform(Enveloped) + Transform(Exclusive), SHA256, crypto.SHA256, content}
}

// ByID is a reference to one element, which is given in canonical form.
func ByID(id, content string) Reference {
	return Reference{` URI="#` + id + `"`, Transform(Exclusive), SHA256, crypto.SHA256, content}
}

// Transform is a Transform element.
func Transform(uri string) string { return `<Transform Algorithm="` + uri + `"></Transform>` }

// Signature is what one is made of.
type Signature struct {
	References []Reference
	How, By    string
	Hash       crypto.Hash
	Key        crypto.Signer
	Chain      []*x509.Certificate // of KeyInfo
	// KeyInfo stands for the element where it is not empty; Objects follow it.
	KeyInfo, Objects string
	// Info changes the text of SignedInfo before it is signed, Value the value, Text the
	// whole element afterwards.
	Info, Text func(string) string
	Value      func([]byte) []byte
}

// By is a signature with a key, over references.
func By(key crypto.Signer, chain []*x509.Certificate, references ...Reference) *Signature {
	s := &Signature{References: references, How: Exclusive, By: RSA256, Hash: crypto.SHA256, Key: key, Chain: chain}
	if _, ok := key.Public().(*ecdsa.PublicKey); ok {
		s.By = ECDSA256
	}
	return s
}

// Element is the Signature element.
func (s *Signature) Element() (string, error) {
	info := s.info()
	value, err := s.value(info)
	if err != nil {
		return "", err
	}
	keys := s.KeyInfo
	if keys == "" {
		keys = "<KeyInfo><X509Data>" + Certificates(s.Chain) + "</X509Data></KeyInfo>"
	}
	text := `<Signature xmlns="` + Space + `">` + info + "<SignatureValue>" + base64.StdEncoding.EncodeToString(value) +
		"</SignatureValue>" + keys + s.Objects + "</Signature>"
	if s.Text != nil {
		text = s.Text(text)
	}
	return text, nil
}

// Certificates are X509Certificate elements.
func Certificates(chain []*x509.Certificate) string {
	var out strings.Builder
	for _, c := range chain {
		out.WriteString("<X509Certificate>" + base64.StdEncoding.EncodeToString(c.Raw) + "</X509Certificate>")
	}
	return out.String()
}

// info is SignedInfo in canonical form, and it stands so in the element.
func (s *Signature) info() string {
	out := `<SignedInfo xmlns="` + Space + `"><CanonicalizationMethod Algorithm="` + s.How +
		`"></CanonicalizationMethod><SignatureMethod Algorithm="` + s.By + `"></SignatureMethod>`
	for _, r := range s.References {
		h := r.Hash.New()
		h.Write([]byte(r.Content))
		transforms := ""
		if r.Transforms != "" {
			transforms = "<Transforms>" + r.Transforms + "</Transforms>"
		}
		out += "<Reference" + r.Attributes + ">" + transforms + `<DigestMethod Algorithm="` + r.DigestBy + `"></DigestMethod><DigestValue>` +
			base64.StdEncoding.EncodeToString(h.Sum(nil)) + "</DigestValue></Reference>"
	}
	out += "</SignedInfo>"
	if s.Info != nil {
		out = s.Info(out)
	}
	return out
}

func (s *Signature) value(info string) ([]byte, error) {
	h := s.Hash.New()
	h.Write([]byte(info))
	options := crypto.SignerOpts(s.Hash)
	if strings.HasSuffix(s.By, "-rsa-MGF1") {
		options = &rsa.PSSOptions{SaltLength: s.Hash.Size(), Hash: s.Hash}
	}
	value, err := s.Key.Sign(rand.Reader, h.Sum(nil), options)
	if err != nil {
		return nil, fmt.Errorf("xmldsigtest: %w", err)
	}
	if k, ok := s.Key.Public().(*ecdsa.PublicKey); ok {
		if value, err = fixed(value, (k.Params().BitSize+7)/8); err != nil {
			return nil, err
		}
	}
	if s.Value != nil {
		value = s.Value(value)
	}
	return value, nil
}

// fixed is an ECDSA value as XML-DSig has it, r and s one after the other.
func fixed(der []byte, size int) ([]byte, error) {
	var v struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		return nil, fmt.Errorf("xmldsigtest: %w", err)
	}
	return append(v.R.FillBytes(make([]byte, size)), v.S.FillBytes(make([]byte, size))...), nil
}

// Sign puts a signature over a whole document into it. The document is in canonical
// form but for Mark, where the signature goes.
func Sign(document string, key crypto.Signer, chain []*x509.Certificate) (string, error) {
	element, err := By(key, chain, Whole(strings.ReplaceAll(document, Mark, ""))).Element()
	return strings.Replace(document, Mark, element, 1), err
}

// Package is a small package of edXML in canonical form with a Mark, and with attached
// files by their names, as base64.
func Package(files ...[2]string) string {
	const space = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
	var references, attached strings.Builder
	for i, f := range files {
		id := fmt.Sprintf("cid:A%x", sha256.Sum256([]byte{byte(i)}))[:12]
		fmt.Fprintf(&references, "<edXML:Reference><edXML:ContentId>%s</edXML:ContentId><edXML:ContentType>application/octet-stream</edXML:ContentType>"+
			"<edXML:AttachmentName>%s</edXML:AttachmentName></edXML:Reference>", id, f[0])
		fmt.Fprintf(&attached, "<Attachment><ContentId>%s</ContentId><AttachmentName>%s</AttachmentName><ContentType>application/octet-stream</ContentType>"+
			`<edXML:ContentTransferEncoded xmlns:edXML="%s">%s</edXML:ContentTransferEncoded></Attachment>`, id, f[0], space, f[1])
	}
	return `<edXML xmlns="` + space + `"><edXML:edXMLEnvelope xmlns:edXML="` + space + `"><edXML:edXMLHeader><edXML:MessageHeader><edXML:From>` +
		`<edXML:OrganId>000.00.00.X90</edXML:OrganId><edXML:OrganName>Cơ quan Thử nghiệm A</edXML:OrganName></edXML:From><edXML:To>` +
		`<edXML:OrganId>000.00.00.X91</edXML:OrganId></edXML:To><edXML:DocumentId>000.00.00.X90,2026/03/02,0001</edXML:DocumentId>` +
		`<edXML:Subject>V/v thử nghiệm</edXML:Subject></edXML:MessageHeader>` + Mark + `</edXML:edXMLHeader><edXML:edXMLBody><edXML:edXMLManifest>` +
		references.String() + `</edXML:edXMLManifest></edXML:edXMLBody></edXML:edXMLEnvelope><AttachmentEncoded>` + attached.String() + `</AttachmentEncoded></edXML>`
}
