package endpoint

import (
	"context"
	"errors"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/directory"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/labels"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// A policy may ask something of the signatures within the files of what an agency sends
// or gets. What is sent is looked at before it is sealed; what came is kept from the
// agency until it was looked at, and then handed out or refused, which its sender is
// told. Only what is in a file refuses it (inspect.Judge.Refuses): authorities that do
// not answer keep nothing back.

// asks reports whether a policy may refuse files.
func asks(p axispb.FilePolicy) bool {
	return p == axispb.FilePolicy_FILE_POLICY_SOUND || p == axispb.FilePolicy_FILE_POLICY_SIGNED
}

// toLookAt is the part of T2 by which a document that is here whole is looked at, before
// its agency gets it where the policy asks for that.
func (a *Agent) toLookAt(tx *bbolt.Tx, key inbox.Key) error {
	e, err := inbox.In(tx).Get(key)
	if err != nil || e.State != axispb.State_STATE_CONSIGNED || e.Files == 0 {
		return err
	}
	policy, err := directory.In(tx).Policy(inbox.ServingOf(e))
	if err != nil {
		return err
	}
	class, at := labels.Fresh, a.cfg.Now().Add(a.cfg.LabelAfter)
	if asks(policy.ReceivedFiles) {
		class, at = labels.Held, a.cfg.Now()
		if err := inbox.In(tx).Hold(key); err != nil {
			return err
		}
	}
	return labels.In(tx).Enqueue(labels.KeyOf(e.Sender, e.Id, e.ManifestDigest), class, at)
}

// lookAtSent has a document that was sealed here looked at.
func (a *Agent) lookAtSent(tx *bbolt.Tx, e *axispb.OutboxEntry) error {
	if e.Files == 0 {
		return nil
	}
	return labels.In(tx).Enqueue(labels.KeyOf(e.Sender, e.Id, e.ManifestDigest), labels.Fresh, time.UnixMilli(e.CreatedMs).Add(a.cfg.LabelAfter))
}

// lookAgain has a document looked at that a person lets go on after it was kept back.
func lookAgain(tx *bbolt.Tx, was *axispb.InboxEntry) error {
	if !inbox.Withheld(was) {
		return nil
	}
	return labels.In(tx).Enqueue(labels.KeyOf(was.Sender, was.Id, was.ManifestDigest), labels.Held, time.UnixMilli(0))
}

// decide ends the holding of a document whose files were looked at, by the policy as it
// is now: its agency gets it, or its sender is told why not.
func (a *Agent) decide(tx *bbolt.Tx, e *axispb.InboxEntry, one *looked) error {
	in, key := inbox.In(tx), inbox.KeyOf(e)
	code := inbox.ServingOf(e)
	policy, err := directory.In(tx).Policy(code)
	if err != nil {
		return err
	}
	why := a.refusing(policy.ReceivedFiles, code, one.files)
	if why == nil {
		return in.Pass(key)
	}
	if e.State == axispb.State_STATE_CONSIGNED {
		if err := a.enter(tx, key, claim{event: axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE, reason: why}); err != nil {
			return err
		}
	}
	one.refused = append(one.refused, e.Code)
	return in.RefuseFiles(key, &axispb.Trouble{TimeMs: a.cfg.Now().UnixMilli(), Reason: why})
}

func (a *Agent) refusing(p axispb.FilePolicy, code string, all []*axispb.FileLabel) *axispb.Reason {
	for _, f := range all {
		if why := a.judge.Refuses(p, code, f); why != nil {
			return why
		}
	}
	return nil
}

// withheld says why a document's content is kept from its agency; nil where it is not.
func withheld(e *axispb.InboxEntry) error {
	why := e.GetTrouble().GetReason()
	switch {
	case !inbox.Withheld(e):
		return nil
	case e.FileHold == axispb.FileHold_FILE_HOLD_REFUSED && why != nil:
		return reason.Permanent(why.Code, why.Args...)
	}
	return reason.Temporary(axispb.ReasonCode_REASON_FILES_UNCHECKED, e.Id)
}

// checkFiles looks at the files of a document before it is sealed, where the policy
// about what its agency sends asks for it, and refuses what that refuses. settle waits
// until the files can be read; nil where they can.
func (a *Agent) checkFiles(ctx context.Context, sender string, parts []envelope.File, settle func() error) error {
	var policy directory.Policy
	err := a.db.View(func(tx *bbolt.Tx) (err error) {
		policy, err = directory.In(tx).Policy(sender)
		return err
	})
	if err != nil || !asks(policy.SentFiles) {
		return err
	}
	if settle != nil {
		if err := settle(); err != nil {
			return err
		}
	}
	for _, part := range parts {
		if err := a.checkFile(ctx, policy.SentFiles, sender, part); err != nil {
			return err
		}
	}
	return nil
}

func (a *Agent) checkFile(ctx context.Context, p axispb.FilePolicy, sender string, part envelope.File) error {
	f, err := a.files.Open(part.Content.Digest)
	if err != nil {
		return err
	}
	l, _, err := a.judge.Label(ctx, part.Title, part.Type, f, int64(part.Content.Size), time.Time{})
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if why := a.judge.Refuses(p, sender, l); why != nil {
		return reason.Permanent(why.Code, why.Args...)
	}
	return nil
}
