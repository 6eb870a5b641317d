package endpoint

import (
	"bytes"

	"docaxis/endpoint/directory"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// checkPolicy refuses what the axis would refuse by its operators' policy, before it
// is sealed. The office's own settings may be narrower; they were asked before.
func checkPolicy(d directory.Directory, doc *envelope.Document, key seal) error {
	policy, err := d.Policy(doc.Sender)
	if err != nil {
		return err
	}
	if err := doc.CheckSecurity(policy.Security); err != nil {
		return err
	}
	if policy.DelegatedSeals {
		return nil
	}
	all, err := d.Seals(doc.Sender)
	for _, s := range all {
		if s.GetSeal().GetDelegated() && bytes.Equal(s.GetSeal().GetCertificate(), key.Chain[0].Raw) {
			return reason.Permanent(axispb.ReasonCode_REASON_SEAL_DELEGATED, doc.Sender)
		}
	}
	return err
}
