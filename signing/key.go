package signing

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// maxKeyFile bounds a file of keys or certificates, in bytes.
const maxKeyFile = 1 << 20

var (
	// ErrPassword says that the password does not open the file. Ask for it again.
	ErrPassword = errors.New("signing: wrong password")
	// ErrEncryptedPEM says that the key is in an encrypted PEM file, which is not
	// read. Convert it to PKCS#12 (.p12, .pfx).
	ErrEncryptedPEM = errors.New("signing: encrypted PEM keys are not read; convert the file to PKCS#12")
	// ErrNoKey says that there is no private key in the file.
	ErrNoKey = errors.New("signing: no private key in the file")
	// ErrNoCertificate says that none of the certificates belongs to the key.
	// Name the file that has it.
	ErrNoCertificate = errors.New("signing: no certificate for the key")
)

// LoadKey reads a private key and its certificates, the key's own first, each
// followed by its issuer as far as they are there: from a PEM file (PKCS#8,
// PKCS#1 or SEC 1) or a PKCS#12 file, and from further files of certificates (PEM,
// or one in DER). The password is for PKCS#12. Keys that Sign would refuse are
// refused.
func LoadKey(path, password string, certificates ...string) (crypto.Signer, []*x509.Certificate, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, nil, err
	}
	key, certs, err := readKey(data, password)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, more := range certificates {
		found, err := loadCertificates(more)
		if err != nil {
			return nil, nil, err
		}
		certs = append(certs, found...)
	}
	chain, err := ChainOf(key.Public(), certs)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, chain, nil
}

// ChainOf finds the certificate of a key among others, and after each certificate its
// issuer as far as that is there: for a key that LoadKey does not read, as one in a
// token. ErrNoCertificate: none is the key's. Keys that Sign would refuse are refused.
func ChainOf(key crypto.PublicKey, certs []*x509.Certificate) ([]*x509.Certificate, error) {
	if err := checkKey(key); err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	chain := order(key, certs)
	if chain == nil {
		return nil, ErrNoCertificate
	}
	return chain, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err == nil && len(data) > maxKeyFile {
		err = fmt.Errorf("%s: more than %d bytes", path, maxKeyFile)
	}
	return data, err
}

func readKey(data []byte, password string) (crypto.Signer, []*x509.Certificate, error) {
	read := readPKCS12
	if isPEM(data) {
		read = readPEM
	}
	private, certs, err := read(data, password)
	if err != nil {
		return nil, nil, err
	}
	key, ok := private.(crypto.Signer)
	if !ok {
		return nil, nil, ErrNoKey
	}
	return key, certs, nil
}

func isPEM(data []byte) bool { return bytes.Contains(data, []byte("-----BEGIN ")) }

func readPEM(data []byte, _ string) (key any, certs []*x509.Certificate, err error) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		var (
			k any
			c *x509.Certificate
		)
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY", block.Headers["DEK-Info"] != "":
			return nil, nil, ErrEncryptedPEM
		case block.Type == "PRIVATE KEY":
			k, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case block.Type == "RSA PRIVATE KEY":
			k, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case block.Type == "EC PRIVATE KEY":
			k, err = x509.ParseECPrivateKey(block.Bytes)
		case block.Type == "CERTIFICATE":
			c, err = x509.ParseCertificate(block.Bytes)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", block.Type, err)
		}
		if c != nil {
			certs = append(certs, c)
		}
		if k != nil && key != nil {
			return nil, nil, errors.New("signing: more than one private key in the file")
		}
		if k != nil {
			key = k
		}
	}
	return key, certs, nil
}

func loadCertificates(path string) ([]*x509.Certificate, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	if isPEM(data) {
		_, certs, err = readPEM(data, "")
	} else {
		certs, err = x509.ParseCertificates(data)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return certs, nil
}

// order puts the key's certificate first and each issuer after what it issued;
// nil where the key has no certificate.
func order(key crypto.PublicKey, certs []*x509.Certificate) []*x509.Certificate {
	i := slices.IndexFunc(certs, func(c *x509.Certificate) bool { return isKeyOf(key, c) })
	if i < 0 {
		return nil
	}
	chain := []*x509.Certificate{certs[i]}
	for last := certs[i]; !isSelfIssued(last) && len(chain) <= len(certs); {
		i := slices.IndexFunc(certs, func(c *x509.Certificate) bool { return last.CheckSignatureFrom(c) == nil })
		if i < 0 {
			break
		}
		last = certs[i]
		chain = append(chain, last)
	}
	return chain
}
