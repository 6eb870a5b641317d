package registry

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"docaxis/proto/axispb"
)

// checkInvite keeps a name to one endpoint for ever: evidence is known by it.
func (d *draft) checkInvite(i *axispb.Invitation) error {
	if err := CheckName(i.GetEndpoint()); err != nil {
		return err
	}
	if len(i.GetSecretHash()) != sha256.Size {
		return errors.New("the invitation has no SHA-256 of its secret; make the invitation anew")
	}
	if d.invitations.get([32]byte(i.GetSecretHash())) != nil {
		return errors.New("an invitation with that secret is there already; make the invitation anew")
	}
	if !moment(i.GetExpiresMs()).After(d.at) {
		return errors.New("the invitation would be over before it is made; give it a later end")
	}
	if i.GetReissue() {
		return d.checkReissue(i)
	}
	if d.endpoints.get(i.GetEndpoint()) != nil {
		return fmt.Errorf("the name %s was given to an endpoint already; choose another", i.GetEndpoint())
	}
	if other := d.invitations.get(d.invited.get(i.GetEndpoint())); other != nil && !other.Used && d.at.Before(other.Expires) {
		return fmt.Errorf("an invitation with the name %s is open until %s; use that one, or choose another name", i.GetEndpoint(), day(other.Expires))
	}
	_, err := d.knownOnce(i.GetCodes())
	return err
}

// checkReissue lets an open invitation be replaced: there is no other name to
// choose, and the text of the first may be lost or in wrong hands.
func (d *draft) checkReissue(i *axispb.Invitation) error {
	switch e := d.endpoints.get(i.GetEndpoint()); {
	case e == nil:
		return fmt.Errorf("there is no endpoint %s to re-issue; look its name up among the endpoints, or invite a new one", quote(i.GetEndpoint()))
	case e.Revoked:
		return fmt.Errorf("endpoint %s was revoked at %s and cannot come back; invite a new one under another name", e.Name, day(e.RevokedAt))
	case len(i.GetCodes()) > 0:
		return fmt.Errorf("endpoint %s keeps its codes when it is re-issued; leave them out, and move codes by themselves", e.Name)
	}
	return nil
}

func (d *draft) invite(i *axispb.Invitation) {
	if len(i.GetSecretHash()) != sha256.Size {
		return
	}
	hash := [32]byte(i.GetSecretHash())
	if d.invitations.get(hash) != nil || i.GetReissue() && d.endpoints.get(i.GetEndpoint()) == nil {
		return
	}
	d.replaceInvitation(i.GetEndpoint())
	d.invitations.put(hash, &Invitation{
		Hash: hash, Endpoint: i.GetEndpoint(), Codes: d.resolved(i.GetCodes()),
		Expires: moment(i.GetExpiresMs()), Reissue: i.GetReissue(), Position: d.position,
	})
	d.invited.put(i.GetEndpoint(), hash)
}

// replaceInvitation ends the open invitation to re-issue an endpoint.
func (d *draft) replaceInvitation(endpoint string) {
	old := d.invitations.get(d.invited.get(endpoint))
	if old == nil || !old.Reissue || old.Used {
		return
	}
	i := *old
	i.Replaced, i.Position = true, d.position
	d.invitations.put(i.Hash, &i)
}

func (d *draft) checkUse(u *axispb.UseInvitation) error {
	switch i := d.invitation(u.GetSecretHash()); {
	case i == nil:
		return errors.New("no such invitation is known; make a new one")
	case i.Used:
		return fmt.Errorf("the invitation for %s was used already; make a new one", i.Endpoint)
	case i.Replaced:
		return fmt.Errorf("a later invitation for %s took the place of this one; use that, or make a new one", i.Endpoint)
	case !d.at.Before(i.Expires):
		return fmt.Errorf("the invitation for %s was over at %s; make a new one", i.Endpoint, day(i.Expires))
	}
	return nil
}

func (d *draft) useInvitation(u *axispb.UseInvitation) {
	old := d.invitation(u.GetSecretHash())
	if old == nil || old.Used || old.Replaced {
		return
	}
	i := *old
	i.Used, i.Position = true, d.position
	d.invitations.put(i.Hash, &i)
}

func (d *draft) invitation(hash []byte) *Invitation {
	if len(hash) != sha256.Size {
		return nil
	}
	return d.invitations.get([32]byte(hash))
}

func (d *draft) checkEndpoint(e *axispb.Endpoint) error {
	if err := CheckName(e.GetName()); err != nil {
		return err
	}
	old := d.endpoints.get(e.GetName())
	if old != nil && old.Revoked {
		return fmt.Errorf("endpoint %s is revoked; invite a new one under another name", old.Name)
	}
	cert, err := parseCertificate("the certificate of endpoint "+e.GetName(), e.GetCertificate())
	if err != nil {
		return err
	}
	if cert.Subject.CommonName != e.GetName() {
		return fmt.Errorf("the certificate of endpoint %s is made out to %s; issue one to the endpoint's name", e.GetName(), quote(cert.Subject.CommonName))
	}
	if holder := d.holders.get(sha256.Sum256(e.GetCertificate())); holder != "" {
		return fmt.Errorf("that certificate is known already as %s's; issue a new one", holder)
	}
	if err := d.checkFurther(old, cert, e); err != nil {
		return err
	}
	if d.issued(e.GetName()) >= MaxCertificatesADay {
		return fmt.Errorf("endpoint %s was issued %d certificates within a day; wait until tomorrow", e.GetName(), MaxCertificatesADay)
	}
	_, err = d.knownOnce(e.GetCodes())
	return err
}

// RenewalPause is how long after a re-issue the endpoint is given no further
// certificate. The one it was just given is good for a year, and what the holder of
// an ended one had asked for is forgotten by then.
const RenewalPause = time.Hour

// checkFurther judges a certificate for an endpoint that has others.
func (d *draft) checkFurther(old *Endpoint, cert *x509.Certificate, e *axispb.Endpoint) error {
	switch {
	case old == nil && e.GetReissued():
		return fmt.Errorf("there is no endpoint %s to re-issue; enrol it first", e.GetName())
	case old == nil:
		return nil
	case e.GetReissued() && old.hasKey(cert):
		return fmt.Errorf("the new certificate of endpoint %s is for a key that it had before; make a new key", old.Name)
	case !e.GetReissued() && d.at.Sub(old.Reissued()) < RenewalPause:
		return fmt.Errorf("endpoint %s was re-issued at %s; it can be given a further certificate an hour later", old.Name, day(old.Reissued()))
	}
	return nil
}

func (e *Endpoint) hasKey(cert *x509.Certificate) bool {
	return slices.ContainsFunc(e.Certificates, func(der []byte) bool {
		c, err := x509.ParseCertificate(der)
		return err == nil && bytes.Equal(c.RawSubjectPublicKeyInfo, cert.RawSubjectPublicKeyInfo)
	})
}

// end gives the terms of the certificates that the endpoint has as they are once
// all of them have ended.
func (e *Endpoint) end(at time.Time) []Term {
	ended := slices.Clone(e.Terms)
	for i := range ended {
		if ended[i].Ended.IsZero() {
			ended[i].Ended = at
		}
	}
	return ended
}

// issued counts the certificates that an endpoint was issued within the day before
// the change.
func (d *draft) issued(name string) int {
	e := d.endpoints.get(name)
	if e == nil {
		return 0
	}
	n, _ := e.IssuedSince(d.at.Add(-24 * time.Hour))
	return n
}

// putEndpoint gives the endpoint the codes even where another serves them: each
// is a move.
func (d *draft) putEndpoint(p *axispb.Endpoint) {
	e := Endpoint{Name: p.GetName(), EnrolledAt: d.at}
	if old := d.endpoints.get(p.GetName()); old != nil {
		e = *old
	}
	digest := sha256.Sum256(p.GetCertificate())
	if e.Name == "" || e.Revoked || d.holders.get(digest) != "" {
		return
	}
	if p.GetReissued() {
		e.Terms = e.end(d.at)
	}
	e.Certificates = append(slices.Clip(e.Certificates), p.GetCertificate())
	e.Terms = append(slices.Clip(e.Terms), Term{From: d.at, Position: d.position})
	e.Position = d.position
	d.holders.put(digest, e.Name)
	d.endpoints.put(e.Name, &e)
	for _, code := range p.GetCodes() {
		d.serve(code, e.Name)
	}
}

func (d *draft) checkRevoke(r *axispb.RevokeEndpoint) error {
	switch e := d.endpoints.get(r.GetName()); {
	case e == nil:
		return fmt.Errorf("there is no endpoint %s; look its name up among the endpoints", quote(r.GetName()))
	case e.Revoked:
		return fmt.Errorf("endpoint %s was revoked already, at %s; nothing is left to do", e.Name, day(e.RevokedAt))
	}
	return nil
}

func (d *draft) revokeEndpoint(r *axispb.RevokeEndpoint) {
	old := d.endpoints.get(r.GetName())
	if old == nil || old.Revoked {
		return
	}
	e := *old
	e.Revoked, e.RevokedAt, e.Position = true, d.at, d.position
	d.endpoints.put(e.Name, &e)
}
