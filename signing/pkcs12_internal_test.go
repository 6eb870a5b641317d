package signing

import "crypto/x509"

// ReadPKCS12 reads a file's content.
func ReadPKCS12(der []byte, password string) (any, []*x509.Certificate, error) {
	return readPKCS12(der, password)
}
