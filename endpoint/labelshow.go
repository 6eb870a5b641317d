package endpoint

import (
	"slices"

	"go.etcd.io/bbolt"

	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/directory"
	"docaxis/endpoint/labels"
	"docaxis/internal/admin"
	"docaxis/internal/inspect"
	"docaxis/internal/lang"
	"docaxis/proto/axispb"
)

// maxWaiting bounds what is counted of the documents that are kept from their agencies.
const maxWaiting = 1000

// labelsOf gives the labels of a document; nil where it was never looked at.
func (a *Agent) labelsOf(sender, id string, manifest []byte) (all *axispb.DocumentLabels, err error) {
	err = a.db.View(func(tx *bbolt.Tx) error {
		all, err = labels.In(tx).Get(labels.KeyOf(sender, id, manifest))
		return err
	})
	return all, err
}

// labelStory adds to a story what is known of the files.
func (a *Agent) labelStory(s *clerk.Story, manifest []byte) error {
	all, err := a.labelsOf(s.From, s.ID, manifest)
	if err != nil || all == nil {
		return err
	}
	s.LookedMS, s.AgainMS = all.LookedMs, all.AgainMs
	shown := admin.FileLabels(all.Files)
	for i := range min(len(shown), len(s.Files)) {
		s.Files[i].Label = &shown[i]
	}
	return nil
}

// worst is the label of a document in a list: the worst of its files'.
func (a *Agent) worst(sender, id string, manifest []byte) (string, error) {
	all, err := a.labelsOf(sender, id, manifest)
	if err != nil {
		return "", err
	}
	order := []axispb.Label{
		axispb.Label_LABEL_UNSPECIFIED, axispb.Label_LABEL_VALID, axispb.Label_LABEL_UNSIGNED, axispb.Label_LABEL_UNREADABLE, axispb.Label_LABEL_PROBLEM,
	}
	found := 0
	for _, f := range all.GetFiles() {
		found = max(found, slices.Index(order, f.Label))
	}
	if found == 0 {
		return "", nil
	}
	return admin.LabelWord(order[found]), nil
}

// hold is how a list calls what a policy about signatures does to a received document.
func hold(e *axispb.InboxEntry) string {
	return map[axispb.FileHold]string{
		axispb.FileHold_FILE_HOLD_LOOKING: clerk.HoldLooking, axispb.FileHold_FILE_HOLD_REFUSED: clerk.HoldRefused,
	}[e.FileHold]
}

// signatures adds to a status how the checking of files gets on.
func (a *Agent) signatures(tx *bbolt.Tx, out *clerk.Signatures) (err error) {
	*out = signaturesOf(a.judge.Status())
	out.Waiting = labels.In(tx).Waiting(maxWaiting)
	out.Unheeded, err = unheeded(tx, a.Name(), out.Anchors)
	return err
}

func signaturesOf(s inspect.Status) clerk.Signatures {
	out := clerk.Signatures{Anchors: s.Anchors, Asks: s.Asks}
	for _, au := range s.Revocation.Unreachable {
		out.Silent = append(out.Silent, clerk.Authority{
			Host: au.Host, SinceMS: au.Since.UnixMilli(), NextMS: au.Next.UnixMilli(),
			Vietnamese: lang.Say(au.Err, lang.Vietnamese), English: lang.Say(au.Err, lang.English),
		})
	}
	for _, t := range s.Revocation.Troubles {
		switch {
		case t.Missing:
			out.Missing++
		case t.Stale:
			out.Stale++
		}
	}
	return out
}

// unheeded lists the codes of an endpoint whose policies ask for signers of known trust,
// where nothing says whom to trust.
func unheeded(tx *bbolt.Tx, endpoint string, anchors int) (all []string, err error) {
	if anchors > 0 {
		return nil, nil
	}
	d := directory.In(tx)
	codes, err := d.Codes(endpoint)
	if err != nil {
		return nil, err
	}
	for _, code := range codes {
		p, err := d.Policy(code)
		if err != nil {
			return nil, err
		}
		if p.SentFiles == axispb.FilePolicy_FILE_POLICY_SIGNED || p.ReceivedFiles == axispb.FilePolicy_FILE_POLICY_SIGNED {
			all = append(all, code)
		}
	}
	return all, nil
}
