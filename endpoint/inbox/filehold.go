package inbox

import (
	"fmt"

	"docaxis/proto/axispb"
)

// ErrWithheld says that a policy about the signatures within files keeps a document's
// content from its agency: the files are still to be looked at, or were refused.
var ErrWithheld = fmt.Errorf("%w: the policy about signatures within files keeps it back", ErrState)

// Withheld reports whether a policy about the signatures within files keeps a document
// from its agency.
func Withheld(e *axispb.InboxEntry) bool { return e.GetFileHold() != axispb.FileHold_FILE_HOLD_NONE }

// Looking reports whether that is because the files are still to be looked at, which
// ends by itself: nothing of the document is removed until then.
func Looking(e *axispb.InboxEntry) bool {
	if e.GetState() != axispb.State_STATE_CONSIGNED && e.GetState() != axispb.State_STATE_HANDOVER_FAILED {
		return false
	}
	return e.GetFileHold() == axispb.FileHold_FILE_HOLD_LOOKING
}

// Hold keeps a document that is here whole from its agency until its files were looked
// at. The error is ErrState where it was taken or withdrawn.
func (b Inbox) Hold(key Key) error {
	_, err := b.change(key, func(e *axispb.InboxEntry) error {
		if e.State != axispb.State_STATE_CONSIGNED {
			return fmt.Errorf("%w: held in %s", ErrState, e.State)
		}
		e.FileHold = axispb.FileHold_FILE_HOLD_LOOKING
		return nil
	})
	return err
}

// Pass lets the agency have a document whose files were looked at.
func (b Inbox) Pass(key Key) error {
	_, err := b.change(key, func(e *axispb.InboxEntry) error {
		e.FileHold = axispb.FileHold_FILE_HOLD_NONE
		return nil
	})
	return err
}

// RefuseFiles keeps a document from its agency for good, and why, once its hand-over
// failed (STATE_HANDOVER_FAILED). A person may have it looked at again (Relist).
func (b Inbox) RefuseFiles(key Key, why *axispb.Trouble) error {
	_, err := b.change(key, func(e *axispb.InboxEntry) error {
		if e.State != axispb.State_STATE_HANDOVER_FAILED {
			return fmt.Errorf("%w: refused in %s", ErrState, e.State)
		}
		e.FileHold, e.Handing, e.Trouble = axispb.FileHold_FILE_HOLD_REFUSED, nil, why
		return nil
	})
	return err
}
