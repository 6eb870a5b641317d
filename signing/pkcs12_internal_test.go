package signing

import "crypto/x509"

// ReadPKCS12 reads a file's content, unless that takes as long as it may.
func ReadPKCS12(der []byte, password string) (any, []*x509.Certificate, error) {
	if err := boundIterations(der, 1000); err != nil {
		return nil, nil, err
	}
	return readPKCS12(der, password)
}
