package signing

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/digitorus/pkcs7"
)

// ErrKeyMismatch says that the first certificate is not the key's. The caller
// has mixed up two keys.
var ErrKeyMismatch = errors.New("signing: the certificate does not belong to the key")

// signingCertificateV2 and essCertIDv2 are SigningCertificateV2 and ESSCertIDv2
// of RFC 5035 with what B-B needs. SHA-256 is the default hash algorithm, which
// DER leaves out.
type signingCertificateV2 struct{ Certs []essCertIDv2 }

type essCertIDv2 struct{ CertHash []byte }

// Sign makes a detached CAdES-B-B signature (ETSI EN 319 122-1 clause 6) of
// content in DER: SHA-256, by an RSA key of 2048 bits or more or a P-256 or P-384
// key. chain begins with the signer's certificate; those that follow go into the
// signature, except self-signed ones, which a verifier must have anyway.
//
// The signature states the machine's time as signing-time, which is a claim only.
// Any crypto.Signer will do, also one that reaches a key in hardware.
func Sign(content []byte, key crypto.Signer, chain []*x509.Certificate) ([]byte, error) {
	if len(chain) == 0 || len(chain) > maxCertificates {
		return nil, fmt.Errorf("signing: %d certificates; 1 to %d are accepted", len(chain), maxCertificates)
	}
	if err := checkKey(key.Public()); err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	if !isKeyOf(key.Public(), chain[0]) {
		return nil, ErrKeyMismatch
	}
	sd, err := pkcs7.NewSignedData(content)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	if err := addSigner(sd, key, chain); err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	sd.Detach()
	der, err := sd.Finish()
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return der, nil
}

func addSigner(sd *pkcs7.SignedData, key crypto.Signer, chain []*x509.Certificate) error {
	sd.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256) // the library's default is SHA-1
	digest := sha256.Sum256(chain[0].Raw)
	err := sd.AddSigner(chain[0], key, pkcs7.SignerInfoConfig{
		ExtraSignedAttributes: []pkcs7.Attribute{{
			Type:  oidSigningCertificateV2,
			Value: signingCertificateV2{[]essCertIDv2{{digest[:]}}},
		}},
	})
	if err != nil {
		return err
	}
	for _, cert := range chain[1:] {
		if !isSelfIssued(cert) {
			sd.AddCertificate(cert)
		}
	}
	return nil
}

func isSelfIssued(cert *x509.Certificate) bool {
	return string(cert.RawIssuer) == string(cert.RawSubject)
}

func isKeyOf(key crypto.PublicKey, cert *x509.Certificate) bool {
	public, ok := key.(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(cert.PublicKey)
}
