package auditor

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"unicode/utf8"

	"docaxis/signing"
)

// headSize is how much of a file is looked at to see what it is. A PDF's header may
// stand somewhere in the first KiB.
const headSize = 1024

// signedData is the object identifier of CMS SignedData (RFC 5652 section 5.1) as it
// is encoded.
const signedData = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"

// kindOf goes by the content alone: names are whoever's who sent the file.
func kindOf(s *source) (Kind, error) {
	head := make([]byte, min(s.size, headSize))
	if n, err := s.ReadAt(head, 0); err != nil && (!errors.Is(err, io.EOF) || n < len(head)) {
		return KindOther, err
	}
	begin := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case bytes.Contains(head, []byte("%PDF-")):
		return KindPDF, nil
	case bytes.HasPrefix(head, []byte("0")) && bytes.Contains(head[:min(len(head), 32)], []byte(signedData)):
		return KindCMS, nil
	case bytes.HasPrefix(head, []byte("-----BEGIN PKCS7-----")), bytes.HasPrefix(head, []byte("-----BEGIN CMS-----")):
		return KindCMS, nil
	case bytes.HasPrefix(begin, []byte("<")):
		return KindPackage, nil
	case s.size > 0 && s.size <= maxProof:
		return kindOfProof(s)
	}
	return KindOther, nil
}

func kindOfProof(s *source) (Kind, error) {
	raw, err := s.whole(maxProof)
	if err != nil {
		return KindOther, err
	}
	switch proofOf(raw).(type) {
	case nil:
		return KindOther, nil
	case *epochProof:
		return KindEpoch, nil
	}
	return KindRecord, nil
}

// harmless reports whether a file of a folder has nothing to judge: a text for
// people, or a certificate, which is trusted by --anchor alone.
func harmless(s *source) (bool, error) {
	if s.size > signing.MaxSize {
		return false, nil
	}
	raw, err := s.whole(signing.MaxSize)
	if err != nil {
		return false, err
	}
	if _, err := x509.ParseCertificate(raw); err == nil {
		return true, nil
	}
	return utf8.Valid(raw) && !bytes.ContainsRune(raw, 0), nil
}

// unarmoured is a signature's DER, also where it is PEM.
func unarmoured(raw []byte) []byte {
	if block, _ := pem.Decode(raw); block != nil {
		return block.Bytes
	}
	return raw
}
