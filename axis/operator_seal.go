package axis

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/axis/registry"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// AdmitSeal lets a certificate sign an agency's documents.
func (h *Hub) AdmitSeal(ctx context.Context, req operator.Seal) (operator.Admitted, error) {
	cert, err := x509.ParseCertificate(req.Certificate)
	if err != nil {
		return operator.Admitted{}, reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT,
			"the file holds no certificate that can be read").Because(err)
	}
	_, err = h.intake.Change(ctx, "", change(req.Actor, req.Reason, &axispb.Change{Change: &axispb.Change_AdmitSeal{
		AdmitSeal: &axispb.Seal{
			Code: req.Code, Certificate: req.Certificate, Chain: req.Chain, Delegated: req.Delegated,
			ValidFromMs: req.FromMS, ValidUntilMs: req.UntilMS,
		},
	}}))
	if err != nil {
		return operator.Admitted{}, err
	}
	digest := sha256.Sum256(req.Certificate)
	s, refused := h.registry.Seal(req.Code, digest, h.now())
	until := cert.NotAfter
	if refused == nil {
		until = s.Until
	}
	return operator.Admitted{
		Code: req.Code, Subject: cert.Subject.String(), Digest: hex.EncodeToString(digest[:]), UntilMS: until.UnixMilli(),
	}, nil
}

// expiringWithin is what is left of a seal that is marked, so that its agency gets a
// new one in time.
const expiringWithin = 30 * 24 * time.Hour

// ListSeals lists the seals of an agency, or all with an empty code.
func (h *Hub) ListSeals(ctx context.Context, code string) ([]operator.SealLine, error) {
	codes := []string{}
	if code != "" {
		a, err := h.agency(code)
		if err != nil {
			return nil, err
		}
		codes = append(codes, a.Code)
	} else {
		for _, a := range h.registry.Agencies() {
			codes = append(codes, a.Code)
		}
	}
	all := []operator.SealLine{}
	for _, code := range codes {
		seals := h.registry.Seals(code)
		if len(seals) == 0 {
			continue
		}
		admitted, err := h.admissions(ctx, code)
		if err != nil {
			return nil, err
		}
		for _, s := range seals {
			all = append(all, h.sealLine(s, admitted[hex.EncodeToString(s.Digest[:])]))
		}
	}
	return all, nil
}

// admissions reads who admitted each seal of an agency last, by its digest.
func (h *Hub) admissions(ctx context.Context, code string) (map[string]operator.Deed, error) {
	deeds, err := h.history(ctx, h.registry.SealHistory(code), func(s operator.Step) bool { return s.What == "admit_seal" })
	by := map[string]operator.Deed{}
	for _, d := range deeds {
		for _, s := range d.Steps {
			if _, newer := by[s.Digest]; !newer {
				by[s.Digest] = d
			}
		}
	}
	return by, err
}

func (h *Hub) sealLine(s registry.Seal, by operator.Deed) operator.SealLine {
	line := operator.SealLine{
		Code: s.Code, Digest: hex.EncodeToString(s.Digest[:]), FromMS: msOf(s.From), UntilMS: msOf(s.Until),
		Delegated: s.Delegated, RetiredMS: msOf(s.RetiredAt), State: h.sealState(s),
		AdmittedMS: by.TimeMS, AdmittedBy: by.Actor, AdmittedReason: by.Reason,
	}
	if cert, err := x509.ParseCertificate(s.Certificate); err == nil {
		line.Subject, line.Issuer = cert.Subject.String(), cert.Issuer.String()
	}
	return line
}

func (h *Hub) sealState(s registry.Seal) string {
	now := h.now()
	switch {
	case !s.RetiredAt.IsZero():
		return "retired"
	case now.Before(s.From):
		return "early"
	case now.After(s.Until):
		return "expired"
	case s.Delegated && !h.registry.Policy(s.Code).DelegatedSeals:
		return "forbidden"
	case now.Add(expiringWithin).After(s.Until):
		return "expiring"
	}
	return "valid"
}

// RetireSeal ends the admission of the one seal whose digest begins as it is said.
func (h *Hub) RetireSeal(ctx context.Context, req operator.Retire) (operator.SealLine, error) {
	if err := because(req.Why); err != nil {
		return operator.SealLine{}, err
	}
	a, err := h.agency(req.Code)
	if err != nil {
		return operator.SealLine{}, err
	}
	s, err := h.sealBy(a.Code, strings.ToLower(req.Digest))
	if err != nil {
		return operator.SealLine{}, err
	}
	_, err = h.intake.Change(ctx, "", change(req.Actor, req.Reason, &axispb.Change{Change: &axispb.Change_RetireSeal{
		RetireSeal: &axispb.RetireSeal{Code: a.Code, Digest: s.Digest[:]},
	}}))
	if err != nil {
		return operator.SealLine{}, err
	}
	if s, err = h.sealBy(a.Code, hex.EncodeToString(s.Digest[:])); err != nil {
		return operator.SealLine{}, err
	}
	by, err := h.admissions(ctx, a.Code)
	return h.sealLine(s, by[hex.EncodeToString(s.Digest[:])]), err
}

// sealBy finds the one seal of an agency whose digest begins so.
func (h *Hub) sealBy(code, prefix string) (registry.Seal, error) {
	var found []registry.Seal
	for _, s := range h.registry.Seals(code) {
		if prefix != "" && strings.HasPrefix(hex.EncodeToString(s.Digest[:]), prefix) {
			found = append(found, s)
		}
	}
	switch len(found) {
	case 0:
		return registry.Seal{}, reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT,
			fmt.Sprintf("%s has no seal whose SHA-256 begins with %q; look it up with axis seal list %s", code, prefix, code))
	case 1:
		return found[0], nil
	}
	return registry.Seal{}, reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT,
		fmt.Sprintf("%d seals of %s have a SHA-256 that begins with %q; write more of it", len(found), code, prefix))
}

// ListPolicies lists what operators said, everybody's first.
func (h *Hub) ListPolicies(ctx context.Context) ([]operator.PolicyLine, error) {
	everybody, err := h.ShowPolicy(ctx, "")
	all := []operator.PolicyLine{everybody}
	for _, p := range h.registry.Policies() {
		if p.Code == "" || err != nil {
			continue
		}
		var line operator.PolicyLine
		line, err = h.ShowPolicy(ctx, p.Code)
		all = append(all, line)
	}
	return all, err
}

// ShowPolicy says what was said of an agency and what holds for it.
func (h *Hub) ShowPolicy(ctx context.Context, code string) (operator.PolicyLine, error) {
	if code != "" {
		a, err := h.agency(code)
		if err != nil {
			return operator.PolicyLine{}, err
		}
		code = a.Code
	}
	word, holds := h.policyWord(code), h.registry.Policy(code)
	line := operator.PolicyLine{
		Code: code, DelegatedSeals: permissionWord(word.DelegatedSeals), RetentionDays: word.RetentionDays, Security: word.Security,
		Registrations: registrationsWord(word.Registrations, word.RegistrationsHeld),
		ConsignHours:  word.ConsignHours, HandoverHours: word.HandoverHours,
		SentFiles: filesWord(word.SentFiles), ReceivedFiles: filesWord(word.ReceivedFiles),
		Holds: operator.PolicyHolds{
			DelegatedSeals: holds.DelegatedSeals, RetentionDays: holds.RetentionDays, Security: holds.Security,
			Registrations: registrationsHold(holds), ConsignHours: holds.ConsignHours, HandoverHours: holds.HandoverHours,
			SentFiles: filesWord(holds.SentFiles), ReceivedFiles: filesWord(holds.ReceivedFiles),
		},
	}
	var err error
	line.History, err = h.history(ctx, h.registry.PolicyHistory(code), func(s operator.Step) bool { return s.What == "put_policy" })
	return line, err
}

func (h *Hub) policyWord(code string) registry.PolicyWord {
	for _, p := range h.registry.Policies() {
		if p.Code == code {
			return p
		}
	}
	return registry.PolicyWord{Code: code}
}

// SetPolicy changes what a policy says; what the request leaves out stays.
func (h *Hub) SetPolicy(ctx context.Context, req operator.SetPolicy) (operator.PolicyLine, error) {
	if err := because(req.Why); err != nil {
		return operator.PolicyLine{}, err
	}
	if req.Code != "" {
		a, err := h.agency(req.Code)
		if err != nil {
			return operator.PolicyLine{}, err
		}
		req.Code = a.Code
	}
	next, err := h.nextPolicy(req)
	if err != nil {
		return operator.PolicyLine{}, err
	}
	_, err = h.intake.Change(ctx, "", change(req.Actor, req.Reason, &axispb.Change{Change: &axispb.Change_PutPolicy{PutPolicy: next}}))
	if err != nil {
		return operator.PolicyLine{}, err
	}
	return h.ShowPolicy(ctx, req.Code)
}

func (h *Hub) nextPolicy(req operator.SetPolicy) (*axispb.Policy, error) {
	word := h.policyWord(req.Code)
	p := &axispb.Policy{
		Code: req.Code, DelegatedSeals: word.DelegatedSeals, RetentionDays: uint32(word.RetentionDays), Security: word.Security,
		Registrations: word.Registrations, RegistrationsHeld: word.RegistrationsHeld,
		ConsignHours: uint32(word.ConsignHours), HandoverHours: uint32(word.HandoverHours),
		SentFiles: word.SentFiles, ReceivedFiles: word.ReceivedFiles,
	}
	if err := nextFiles(p, req); err != nil {
		return nil, err
	}
	if err := nextRegistrations(p, req); err != nil {
		return nil, err
	}
	if err := nextHours(p, req); err != nil {
		return nil, err
	}
	if req.RetentionDays != nil {
		if *req.RetentionDays < 0 {
			return nil, reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT, "content cannot be kept for less than 0 days; write 0 to inherit")
		}
		p.RetentionDays = uint32(min(*req.RetentionDays, 1<<31))
	}
	if req.Security != nil {
		p.Security = *req.Security
	}
	if req.DelegatedSeals == nil {
		return p, nil
	}
	switch *req.DelegatedSeals {
	case "allow":
		p.DelegatedSeals = axispb.Permission_PERMISSION_ALLOWED
	case "forbid":
		p.DelegatedSeals = axispb.Permission_PERMISSION_FORBIDDEN
	case "inherit":
		p.DelegatedSeals = axispb.Permission_PERMISSION_UNSPECIFIED
	default:
		return nil, reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT, "delegated seals: write allow, forbid or inherit")
	}
	return p, nil
}
