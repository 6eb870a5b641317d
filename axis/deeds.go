package axis

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	operator "docaxis/axis/admin"
	"docaxis/axis/mailbox"
	"docaxis/proto/axispb"
)

// stepsShown is how many steps of one deed are listed: an import has thousands.
const stepsShown = 50

// Deeds lists who did what, newest first.
func (h *Hub) Deeds(ctx context.Context, sinceMS int64, limit int) ([]operator.Deed, error) {
	at, err := h.ledger.Deeds(ctx, sinceMS, limit)
	if err != nil {
		return nil, err
	}
	all := make([]operator.Deed, 0, len(at))
	for _, l := range at {
		d, err := h.deed(ctx, mailbox.Location(l))
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// historyShown is how much of one history is read.
const historyShown = 100

// history reads the records at the given positions, newest first. Steps that do not
// pass keep are left out.
func (h *Hub) history(ctx context.Context, positions []uint64, keep func(operator.Step) bool) ([]operator.Deed, error) {
	s, err := h.ledger.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close() //nolint:errcheck // a snapshot only reads
	all := []operator.Deed{}
	for _, position := range slices.Backward(positions) {
		at, found, err := s.Locate(ctx, position)
		if err != nil || !found {
			return nil, errors.Join(err, fmt.Errorf("record %d cannot be located", position))
		}
		d, err := h.deedWith(ctx, mailbox.Location(at), keep)
		if err != nil {
			return nil, err
		}
		if all = append(all, d); len(all) == historyShown {
			break
		}
	}
	return all, nil
}

func (h *Hub) deed(ctx context.Context, at mailbox.Location) (operator.Deed, error) {
	return h.deedWith(ctx, at, func(operator.Step) bool { return true })
}

// deedWith reads one record.
func (h *Hub) deedWith(ctx context.Context, at mailbox.Location, keep func(operator.Step) bool) (operator.Deed, error) {
	record, err := h.records().Record(ctx, at)
	if err != nil {
		return operator.Deed{}, err
	}
	if past := pastOf(record); past != nil {
		record = past.Record // who did it, when and why: as it was then
	}
	var header axispb.RecordHeader
	if err := proto.Unmarshal(record.GetHeader(), &header); err != nil {
		return operator.Deed{}, fmt.Errorf("read record %d: %w", at.Position, err)
	}
	d := operator.Deed{LeafIndex: at.Position, TimeMS: header.GetTimeMs()}
	if header.GetKind() == axispb.Kind_KIND_ACT {
		err = readAct(&d, record.GetBody())
	} else {
		err = readChange(&d, record.GetBody(), keep)
	}
	return d, err
}

func readAct(d *operator.Deed, body []byte) error {
	var a axispb.Act
	if err := proto.Unmarshal(body, &a); err != nil {
		return fmt.Errorf("read act %d: %w", d.LeafIndex, err)
	}
	d.Actor, d.Reason = a.GetActor(), a.GetReason()
	step := operator.Step{}
	switch act := a.GetAct().(type) {
	case *axispb.Act_ClockConfirmed:
		before, after := act.ClockConfirmed.GetBeforeMs(), act.ClockConfirmed.GetAfterMs()
		step = operator.Step{What: "clock_confirmed", Detail: utc(before) + " → " + utc(after)}
	case *axispb.Act_ContentReleased:
		step = operator.Step{What: "content_released", Detail: fmt.Sprint(len(act.ContentReleased.GetDocuments()))}
	case *axispb.Act_LogWasLonger:
		step = operator.Step{What: "log_was_longer", Endpoint: act.LogWasLonger.GetEndpoint(), Detail: fmt.Sprint(act.LogWasLonger.GetSeen().GetSize())}
	}
	d.Steps = []operator.Step{step}
	return nil
}

func utc(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

func readChange(d *operator.Deed, body []byte, keep func(operator.Step) bool) error {
	var c axispb.RegistryChange
	if err := proto.Unmarshal(body, &c); err != nil {
		return fmt.Errorf("read registry record %d: %w", d.LeafIndex, err)
	}
	d.Actor, d.Reason = c.GetActor(), c.GetReason()
	for _, one := range c.GetChanges() {
		switch step := stepOf(one); {
		case !keep(step):
		case len(d.Steps) == stepsShown:
			d.More++
		default:
			d.Steps = append(d.Steps, step)
		}
	}
	return nil
}

func stepOf(c *axispb.Change) operator.Step {
	switch c := c.GetChange().(type) {
	case *axispb.Change_PutAgency:
		a := c.PutAgency
		return operator.Step{What: "put_agency", Code: a.GetCode(), Name: a.GetName(), Codes: a.GetAliases(), Detail: a.GetParent()}
	case *axispb.Change_CloseAgency:
		return operator.Step{What: "close_agency", Code: c.CloseAgency.GetCode(), Codes: c.CloseAgency.GetSuccessors()}
	case *axispb.Change_ServeCode:
		return operator.Step{What: "serve_code", Code: c.ServeCode.GetCode(), Endpoint: c.ServeCode.GetEndpoint()}
	case *axispb.Change_AdmitSeal:
		return operator.Step{What: "admit_seal", Code: c.AdmitSeal.GetCode(), Digest: digestOf(c.AdmitSeal.GetCertificate())}
	case *axispb.Change_RetireSeal:
		return operator.Step{What: "retire_seal", Code: c.RetireSeal.GetCode(), Digest: hex.EncodeToString(c.RetireSeal.GetDigest())}
	case *axispb.Change_Invite:
		return operator.Step{What: "invite", Endpoint: c.Invite.GetEndpoint(), Codes: c.Invite.GetCodes(), Reissue: c.Invite.GetReissue()}
	case *axispb.Change_UseInvitation:
		return operator.Step{What: "use_invitation"}
	case *axispb.Change_PutEndpoint:
		p := c.PutEndpoint
		return operator.Step{What: "put_endpoint", Endpoint: p.GetName(), Codes: p.GetCodes(), Digest: digestOf(p.GetCertificate()), Reissue: p.GetReissued()}
	case *axispb.Change_RevokeEndpoint:
		return operator.Step{What: "revoke_endpoint", Endpoint: c.RevokeEndpoint.GetName()}
	case *axispb.Change_PutPolicy:
		return operator.Step{What: "put_policy", Code: c.PutPolicy.GetCode(), Detail: policyText(c.PutPolicy)}
	case *axispb.Change_RequestAgency:
		return requestStep(c.RequestAgency)
	case *axispb.Change_SettleRequest:
		return settleStep(c.SettleRequest)
	}
	return operator.Step{}
}

func digestOf(der []byte) string {
	digest := sha256.Sum256(der)
	return hex.EncodeToString(digest[:])
}

// policyText writes what a policy says in the words of axis policy set.
func policyText(p *axispb.Policy) string {
	words := []string{}
	if w := permissionWord(p.GetDelegatedSeals()); w != "inherit" {
		words = append(words, "--delegated-seals "+w)
	}
	if n := p.GetRetentionDays(); n > 0 {
		words = append(words, fmt.Sprintf("--retention-days %d", n))
	}
	if s := p.GetSecurity(); s != "" {
		words = append(words, "--security "+s)
	}
	if w := registrationsWord(p.GetRegistrations(), p.GetRegistrationsHeld()); w != "inherit" {
		words = append(words, "--registrations "+w)
	}
	if n := p.GetConsignHours(); n > 0 {
		words = append(words, fmt.Sprintf("--consign-hours %d", n))
	}
	if n := p.GetHandoverHours(); n > 0 {
		words = append(words, fmt.Sprintf("--handover-hours %d", n))
	}
	if w := filesWord(p.GetSentFiles()); w != "inherit" {
		words = append(words, "--sent-files "+w)
	}
	if w := filesWord(p.GetReceivedFiles()); w != "inherit" {
		words = append(words, "--received-files "+w)
	}
	return strings.Join(words, " ")
}

// permissionWord is a permission as operators write it.
func permissionWord(p axispb.Permission) string {
	switch p {
	case axispb.Permission_PERMISSION_ALLOWED:
		return "allow"
	case axispb.Permission_PERMISSION_FORBIDDEN:
		return "forbid"
	}
	return "inherit"
}
