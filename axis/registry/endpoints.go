package registry

import (
	"crypto/sha256"
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
	if d.endpoints.get(i.GetEndpoint()) != nil {
		return fmt.Errorf("the name %s was given to an endpoint already; choose another", i.GetEndpoint())
	}
	if other := d.invitations.get(d.invited.get(i.GetEndpoint())); other != nil && !other.Used && d.at.Before(other.Expires) {
		return fmt.Errorf("an invitation with the name %s is open until %s; use that one, or choose another name", i.GetEndpoint(), day(other.Expires))
	}
	if !moment(i.GetExpiresMs()).After(d.at) {
		return errors.New("the invitation would be over before it is made; give it a later end")
	}
	_, err := d.knownOnce(i.GetCodes())
	return err
}

func (d *draft) invite(i *axispb.Invitation) {
	if len(i.GetSecretHash()) != sha256.Size {
		return
	}
	hash := [32]byte(i.GetSecretHash())
	if d.invitations.get(hash) != nil {
		return
	}
	d.invitations.put(hash, &Invitation{
		Hash: hash, Endpoint: i.GetEndpoint(), Codes: d.resolved(i.GetCodes()),
		Expires: moment(i.GetExpiresMs()), Position: d.position,
	})
	d.invited.put(i.GetEndpoint(), hash)
}

func (d *draft) checkUse(u *axispb.UseInvitation) error {
	switch i := d.invitation(u.GetSecretHash()); {
	case i == nil:
		return errors.New("no such invitation is known; make a new one")
	case i.Used:
		return fmt.Errorf("the invitation for %s was used already; make a new one", i.Endpoint)
	case !d.at.Before(i.Expires):
		return fmt.Errorf("the invitation for %s was over at %s; make a new one", i.Endpoint, day(i.Expires))
	}
	return nil
}

func (d *draft) useInvitation(u *axispb.UseInvitation) {
	old := d.invitation(u.GetSecretHash())
	if old == nil || old.Used {
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
	if old := d.endpoints.get(e.GetName()); old != nil && old.Revoked {
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
	if d.issued(e.GetName()) >= MaxCertificatesADay {
		return fmt.Errorf("endpoint %s was issued %d certificates within a day; wait until tomorrow", e.GetName(), MaxCertificatesADay)
	}
	_, err = d.knownOnce(e.GetCodes())
	return err
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
	e.Certificates = append(slices.Clip(e.Certificates), p.GetCertificate())
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
