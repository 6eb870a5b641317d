package evidence

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

// Signer signs the statements of one endpoint, or of the axis.
type Signer struct {
	key  crypto.Signer
	cert *x509.Certificate
}

// NewSigner takes a P-256 key and the certificate that the axis's CA issued for
// it, DER. It refuses a key that is not the certificate's.
func NewSigner(key crypto.Signer, certDER []byte) (*Signer, error) {
	cert, pub, err := parseCertificate(certDER)
	if err != nil {
		return nil, fmt.Errorf("evidence signer: %w", err)
	}
	if !pub.Equal(key.Public()) {
		return nil, errors.New("evidence signer: the key is not the certificate's")
	}
	return &Signer{key: key, cert: cert}, nil
}

// Name is the issuer that this signer's statements must have.
func (s *Signer) Name() string { return s.cert.Subject.CommonName }

// Certificate is the certificate that goes into the evidence.
func (s *Signer) Certificate() *x509.Certificate { return s.cert }

// Sign makes the marshalled Evidence of a statement, to be kept as it is: another
// signature of the same statement has other bytes. It refuses a statement that
// Trust.Statement would refuse, so that an endpoint finds out before it commits
// to the statement; the caller then has a fault, or a certificate to renew.
func (s *Signer) Sign(st *axispb.Statement) ([]byte, error) {
	if st.GetIssuer() != s.Name() {
		return nil, fmt.Errorf("sign evidence: issuer %q is not %q", clip(st.GetIssuer()), s.Name())
	}
	if err := errors.Join(checkStatement(st), checkUse(s.cert, time.UnixMilli(st.TimeMs))); err != nil {
		return nil, fmt.Errorf("sign evidence: %w", err)
	}
	statement, err := proto.MarshalOptions{Deterministic: true}.Marshal(st)
	if err != nil {
		return nil, fmt.Errorf("sign evidence: %w", err)
	}
	digest := prefixed(StatementPrefix, statement)
	sig, err := s.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("sign evidence: %w", err)
	}
	return proto.Marshal(&axispb.Evidence{Statement: statement, Signature: sig, Certificate: s.cert.Raw})
}
