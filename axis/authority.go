package axis

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"strconv"
	"time"

	"docaxis/axis/broker"
	"docaxis/axis/registry"
	"docaxis/internal/bus"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// errNotReady refuses connections while the registry is being read: endpoints
// come back by themselves.
var errNotReady = errors.New("the axis is starting")

// authority says who may connect: it is asked by the broker at each log-in.
type authority struct{ h *Hub }

// Admit knows an endpoint by the exact certificate that the registry has: chain
// and revocation follow from it.
func (a authority) Admit(cert *x509.Certificate, now time.Time) (broker.Grant, error) {
	if !a.h.ready.Load() {
		return broker.Grant{}, errNotReady
	}
	e, refused := a.h.registry.EndpointByCertificate(cert.Raw)
	if refused != nil {
		return broker.Grant{}, refused
	}
	err := a.h.ca.Load().Verify(cert, now)
	if err != nil && !errors.Is(err, registry.ErrExpired) {
		return broker.Grant{}, err
	}
	return broker.Grant{Endpoint: e.Name, RenewOnly: err != nil}, nil
}

// AdmitInvitation lets whoever holds an invitation ask for a certificate, also one
// that was used, since its holder may have missed the answer, and one that is over:
// only the answer to the request can say so.
func (a authority) AdmitInvitation(secretHash []byte, _ time.Time) error {
	if !a.h.ready.Load() {
		return errNotReady
	}
	if _, ok := a.h.invited(bus.InviteUser(secretHash)); !ok {
		return reason.Permanent(axispb.ReasonCode_REASON_INVITATION_INVALID)
	}
	return nil
}

// invited finds the invitation behind a connection's user name.
func (h *Hub) invited(user string) (registry.Invitation, bool) {
	for _, inv := range h.registry.Invitations() {
		if bus.InviteUser(inv.Hash[:]) == user {
			return inv, true
		}
	}
	return registry.Invitation{}, false
}

// enrol gives whoever came with an invitation a certificate. The appender decides
// whether the invitation is still open: of two who use it at once, one gets in.
// The same key asking again gets the same certificate again.
func (h *Hub) enrol(ctx context.Context, user string, req *axispb.EnrolRequest) (*axispb.EnrolAnswer, error) {
	inv, ok := h.invited(user)
	if !ok {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_INVITATION_INVALID)
	}
	if refused := meantFor(inv, req.GetEndpoint()); refused != nil {
		return nil, refused
	}
	cert, known := h.certified(inv.Endpoint, req.GetCsr())
	if (inv.Used || inv.Replaced) && !known {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_INVITATION_INVALID)
	}
	if !known {
		var err error
		if cert, err = h.admit(ctx, inv, req.GetCsr()); err != nil {
			return nil, err
		}
	}
	epochs, err := h.signedEpochs(ctx)
	if err != nil {
		return nil, err
	}
	answer := &axispb.EnrolAnswer{
		Endpoint: inv.Endpoint, Certificate: cert, Ca: h.pinned(req.GetPin()).Raw, Epochs: epochs, Codes: inv.Codes,
	}
	if !inv.Reissue {
		return answer, nil
	}
	return answer, h.goesOn(ctx, answer)
}

// certified finds the certificate that an endpoint already has for the key of a
// request, and that still counts.
func (h *Hub) certified(endpoint string, csr []byte) ([]byte, bool) {
	req, err := x509.ParseCertificateRequest(csr)
	if err != nil || req.CheckSignature() != nil {
		return nil, false
	}
	e, _ := h.registry.Endpoint(endpoint)
	for i, der := range e.Certificates {
		cert, err := x509.ParseCertificate(der)
		if err == nil && e.Terms[i].Ended.IsZero() && bytes.Equal(cert.RawSubjectPublicKeyInfo, req.RawSubjectPublicKeyInfo) {
			return der, true
		}
	}
	return nil, false
}

// admit journals a new endpoint and the use of its invitation, both or neither.
func (h *Hub) admit(ctx context.Context, inv registry.Invitation, csr []byte) ([]byte, error) {
	cert, err := h.ca.Load().IssueEndpoint(csr, inv.Endpoint)
	if err != nil {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "certificate request").Because(err)
	}
	if refused := h.closed(inv); refused != nil {
		return nil, refused
	}
	why := "enrolment"
	if inv.Reissue {
		why = "re-issue"
	}
	_, err = h.intake.Change(ctx, "",
		change("axis", why, &axispb.Change{Change: &axispb.Change_PutEndpoint{
			PutEndpoint: &axispb.Endpoint{Name: inv.Endpoint, Certificate: cert, Codes: inv.Codes, Reissued: inv.Reissue},
		}}),
		change("axis", why, &axispb.Change{Change: &axispb.Change_UseInvitation{
			UseInvitation: &axispb.UseInvitation{SecretHash: inv.Hash[:]},
		}}))
	if err == nil {
		return cert, nil
	}
	// Another may have used it since it was looked at.
	if now, ok := h.invited(bus.InviteUser(inv.Hash[:])); ok {
		if refused := h.closed(now); refused != nil {
			return nil, refused
		}
	}
	return nil, err
}

// closed says why an invitation lets nobody in any more.
func (h *Hub) closed(inv registry.Invitation) error {
	switch {
	case inv.Used, inv.Replaced:
		return reason.Permanent(axispb.ReasonCode_REASON_INVITATION_INVALID)
	case inv.Reissue && h.isRevoked(inv.Endpoint):
		return reason.Permanent(axispb.ReasonCode_REASON_ENDPOINT_REVOKED, inv.Endpoint)
	case !h.now().Before(inv.Expires):
		return reason.Permanent(axispb.ReasonCode_REASON_INVITATION_EXPIRED, reason.Time(inv.Expires))
	}
	return nil
}

// renew gives an endpoint a further certificate; the one it has stays good.
func (h *Hub) renew(ctx context.Context, endpoint string, req *axispb.RenewRequest) (*axispb.RenewAnswer, error) {
	if cert, known := h.certified(endpoint, req.GetCsr()); known {
		return h.renewed(cert), nil
	}
	if refused := h.justReissued(endpoint); refused != nil {
		return nil, refused
	}
	if refused := h.enough(endpoint); refused != nil {
		return nil, refused
	}
	cert, err := h.ca.Load().IssueEndpoint(req.GetCsr(), endpoint)
	if err != nil {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "certificate request").Because(err)
	}
	_, err = h.intake.Change(ctx, endpoint, change(endpoint, "renewal", &axispb.Change{Change: &axispb.Change_PutEndpoint{
		PutEndpoint: &axispb.Endpoint{Name: endpoint, Certificate: cert},
	}}))
	// The appender counts, so that several at once do not get more.
	if refused := h.enough(endpoint); err != nil && refused != nil {
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	return h.renewed(cert), nil
}

// enough refuses an endpoint that was issued as many certificates as it may be within
// a day.
func (h *Hub) enough(endpoint string) error {
	e, _ := h.registry.Endpoint(endpoint)
	n, first := e.IssuedSince(h.now().Add(-24 * time.Hour))
	if n < registry.MaxCertificatesADay {
		return nil
	}
	return reason.Temporary(axispb.ReasonCode_REASON_QUOTA,
		strconv.Itoa(registry.MaxCertificatesADay)+" certificates a day", reason.Time(first.Add(24*time.Hour)))
}

func (h *Hub) signedEpochs(ctx context.Context) ([][]byte, error) {
	epochs, err := h.ledger.Epochs(ctx)
	if err != nil {
		return nil, err
	}
	all := make([][]byte, len(epochs))
	for i, e := range epochs {
		all[i] = e.Signed
	}
	return all, nil
}

func change(actor, why string, steps ...*axispb.Change) *axispb.RegistryChange {
	return &axispb.RegistryChange{Version: 1, Actor: actor, Reason: why, Changes: steps}
}
