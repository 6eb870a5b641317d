package inspect

import (
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Refuses says why a policy of an agency refuses a file; nil means that it may pass.
// Only what is in the file counts: that an authority did not answer, or that a
// certificate was revoked or has ended, refuses nothing (design, D13). Where there are
// no anchors nobody can tell a stranger, so FILE_POLICY_SIGNED asks no more there than
// FILE_POLICY_SOUND; Status shows it.
func (j *Judge) Refuses(p axispb.FilePolicy, code string, l *axispb.FileLabel) *axispb.Reason {
	if p != axispb.FilePolicy_FILE_POLICY_SOUND && p != axispb.FilePolicy_FILE_POLICY_SIGNED {
		return nil
	}
	if bad := find(l, func(f *axispb.FileLabel) bool { return f.Failed && (len(f.Within) == 0 || failedItself(f)) }); bad != nil {
		return refusal(axispb.ReasonCode_REASON_FILE_PROBLEM, code, l, bad, saying(bad))
	}
	if p != axispb.FilePolicy_FILE_POLICY_SIGNED || j.anchors == 0 {
		return nil
	}
	if left := find(l, func(f *axispb.FileLabel) bool { return f.Left > 0 }); left != nil {
		return refusal(axispb.ReasonCode_REASON_FILE_UNSIGNED, code, l, left, "it has more files than are looked at")
	}
	unsigned := find(l, func(f *axispb.FileLabel) bool { return f.Kind == string(PDF) && !f.Anchored })
	if unsigned == nil {
		return nil
	}
	return refusal(axispb.ReasonCode_REASON_FILE_UNSIGNED, code, l, unsigned, saying(unsigned))
}

// saying is the file's sentence as it travels in a reason: in English, which reasons
// translate where they know it.
func saying(f *axispb.FileLabel) string { return f.SentenceEn }

func refusal(code axispb.ReasonCode, agency string, file, within *axispb.FileLabel, what string) *axispb.Reason {
	name := file.Name
	if within != file {
		name += " / " + within.Name
	}
	return reason.Permanent(code, agency, name, what).Reason
}

// find is the first file, of a package or by itself, that is such a one.
func find(f *axispb.FileLabel, such func(*axispb.FileLabel) bool) *axispb.FileLabel {
	if such(f) {
		return f
	}
	for _, w := range f.Within {
		if bad := find(w, such); bad != nil {
			return bad
		}
	}
	return nil
}
