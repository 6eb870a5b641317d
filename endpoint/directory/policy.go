package directory

import (
	"cmp"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// everybody is the key of the policy for everybody: a key cannot be empty, and no
// code is an asterisk.
const everybody = "*"

// Policy is what the axis holds an agency to, as far as this endpoint can keep to it
// before it sends.
type Policy struct {
	// DelegatedSeals says whether a delegated seal may sign its documents.
	DelegatedSeals bool
	// Security is the highest level that may enter the axis; empty where the axis's
	// operators have not said it.
	Security string
	// HandoverHours is by when its documents that name no deadline must be handed over,
	// in hours after their acceptance; 0 for never.
	HandoverHours int
	// SentFiles and ReceivedFiles are what is asked of the signatures within the files
	// of its documents, and of those that it gets.
	SentFiles, ReceivedFiles axispb.FilePolicy
}

// Policy resolves what holds for an agency, named by any of its codes.
func (d Directory) Policy(code string) (Policy, error) {
	if e, err := d.Lookup(code); err != nil || e != nil {
		if err != nil {
			return Policy{}, err
		}
		code = e.GetAgency().GetCode()
	}
	own, err := boltpb.Get[axispb.PolicyEntry](d.policies, []byte(cmp.Or(code, everybody)))
	if err != nil {
		return Policy{}, err
	}
	all, err := boltpb.Get[axispb.PolicyEntry](d.policies, []byte(everybody))
	word := cmp.Or(own.GetPolicy().GetDelegatedSeals(), all.GetPolicy().GetDelegatedSeals())
	return Policy{
		DelegatedSeals: word != axispb.Permission_PERMISSION_FORBIDDEN,
		Security:       all.GetPolicy().GetSecurity(),
		HandoverHours:  int(cmp.Or(own.GetPolicy().GetHandoverHours(), all.GetPolicy().GetHandoverHours())),
		SentFiles:      cmp.Or(own.GetPolicy().GetSentFiles(), all.GetPolicy().GetSentFiles()),
		ReceivedFiles:  cmp.Or(own.GetPolicy().GetReceivedFiles(), all.GetPolicy().GetReceivedFiles()),
	}, err
}

// putPolicy replaces the policy that was there, under the agency's own code.
func (d Directory) putPolicy(ms int64, p *axispb.Policy) error {
	code := p.GetCode()
	if code != "" {
		e, err := d.Lookup(code)
		if err != nil {
			return err
		}
		code = cmp.Or(e.GetAgency().GetCode(), code)
	}
	return boltpb.Put(d.policies, []byte(cmp.Or(code, everybody)), &axispb.PolicyEntry{Version: 1, Policy: p, SinceMs: ms})
}
