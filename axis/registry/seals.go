package registry

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"time"

	"docaxis/proto/axispb"
)

const maxChain = 8

func (d *draft) checkSeal(s *axispb.Seal) error {
	code, err := d.known(s.GetCode())
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	cert, err := parseCertificate("the seal of "+code, s.GetCertificate())
	if err != nil {
		return err
	}
	if len(s.GetChain()) > maxChain {
		return fmt.Errorf("the seal of %s comes with %d certificates and may with %d; leave out those that do not lead to its anchor", code, len(s.GetChain()), maxChain)
	}
	for _, der := range s.GetChain() {
		if _, err := parseCertificate("a certificate in the chain of the seal of "+code, der); err != nil {
			return err
		}
	}
	return checkWindow(code, cert, window(s, cert))
}

type span struct{ from, until time.Time }

// window is the time of an admission: as it says, or else the certificate's own.
func window(s *axispb.Seal, cert *x509.Certificate) span {
	w := span{cert.NotBefore.UTC(), cert.NotAfter.UTC()}
	if s.GetValidFromMs() != 0 {
		w.from = moment(s.GetValidFromMs())
	}
	if s.GetValidUntilMs() != 0 {
		w.until = moment(s.GetValidUntilMs())
	}
	return w
}

func checkWindow(code string, cert *x509.Certificate, w span) error {
	switch {
	case w.until.Before(w.from):
		return fmt.Errorf("the seal of %s would end (%s) before it begins (%s); put the dates right", code, day(w.until), day(w.from))
	case w.from.Before(cert.NotBefore):
		return fmt.Errorf("the seal of %s would be admitted from %s, before its certificate begins (%s); begin later", code, day(w.from), day(cert.NotBefore))
	case w.until.After(cert.NotAfter):
		return fmt.Errorf("the seal of %s would be admitted until %s, after its certificate ends (%s); end earlier", code, day(w.until), day(cert.NotAfter))
	}
	return nil
}

// admitSeal replaces an earlier admission of the same certificate for the same
// agency, and ends its retirement.
func (d *draft) admitSeal(s *axispb.Seal) {
	code := d.names.get(s.GetCode())
	cert, err := parseCertificate("", s.GetCertificate())
	if code == "" || err != nil {
		return
	}
	w := window(s, cert)
	key := sealKey{code, sha256.Sum256(s.GetCertificate())}
	d.seals.put(key, &Seal{
		Code: code, Digest: key.digest, Certificate: s.GetCertificate(), Chain: s.GetChain(),
		Delegated: s.GetDelegated(), From: w.from, Until: w.until, Position: d.position,
	})
}

func (d *draft) checkRetire(r *axispb.RetireSeal) error {
	code, err := d.known(r.GetCode())
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	switch s := d.seal(code, r.GetDigest()); {
	case s == nil:
		return fmt.Errorf("%s has no seal whose certificate has the SHA-256 %s; look the digest up among its seals", d.name(code), shortHex(r.GetDigest()))
	case !s.RetiredAt.IsZero():
		return fmt.Errorf("that seal of %s was retired already, at %s; nothing is left to do", code, day(s.RetiredAt))
	}
	return nil
}

func (d *draft) retireSeal(r *axispb.RetireSeal) {
	old := d.seal(d.names.get(r.GetCode()), r.GetDigest())
	if old == nil || !old.RetiredAt.IsZero() {
		return
	}
	s := *old
	s.RetiredAt, s.Position = d.at, d.position
	d.seals.put(sealKey{s.Code, s.Digest}, &s)
}

func (d *draft) seal(code string, digest []byte) *Seal {
	if len(digest) != sha256.Size {
		return nil
	}
	return d.seals.get(sealKey{code, [32]byte(digest)})
}

// shortHex shows enough of a digest to find it by, however long it is.
func shortHex(digest []byte) string {
	if len(digest) > sha256.Size {
		digest = digest[:sha256.Size]
	}
	return fmt.Sprintf("%x", digest)
}
