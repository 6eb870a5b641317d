package pades

import (
	"fmt"
	"time"

	"docaxis/signing"
)

// changes says of every signature what was done after it, and what follows.
func (j *judge) changes(d *Document) error {
	first := len(j.f.revisions)
	for _, s := range d.Signatures {
		if s.Revision > 0 {
			first = min(first, s.Revision)
		}
	}
	var after []Change
	if first < len(j.f.revisions) {
		census, err := j.f.census()
		if err != nil {
			return err
		}
		for rev := first; rev < len(j.f.revisions); rev++ {
			found, err := j.f.changes(rev, census)
			if err != nil {
				return err
			}
			after = append(after, found...)
		}
	}
	if j.f.trailing > 0 {
		after = append(after, Change{Kind: ChangeAppended, Revision: len(j.f.revisions) + 1, Detail: fmt.Sprintf("something stands behind the end, from byte %d on", j.f.trailing)})
	}
	for i := range d.Signatures {
		d.Signatures[i].weigh(after)
	}
	return nil
}

// weigh takes what was done after a signature into its verdict (docs/signatures-pdf.md).
func (s *Signature) weigh(all []Change) {
	if s.Revision == 0 {
		return
	}
	worst := -1
	for _, c := range all {
		if c.Revision <= s.Revision {
			continue
		}
		if len(s.Changes) < maxListed {
			s.Changes = append(s.Changes, c)
		}
		if !c.Kind.permitted(s.Permission) && (worst < 0 || c.Kind == ChangeContent && s.Changes[worst].Kind != ChangeContent) {
			if len(s.Changes) == maxListed {
				s.Changes[maxListed-1] = c
			}
			worst = len(s.Changes) - 1
		}
	}
	if worst < 0 || s.Verdict.Indication == signing.TotalFailed {
		return
	}
	c := s.Changes[worst]
	if sub := sanction(c.Kind); sub == signing.HashFailure || s.Verdict.Passed() {
		s.Verdict.Indication, s.Verdict.SubIndication = sub.Indication(), sub
		s.Verdict.Detail, s.Verdict.Chain = changedPrefix+c.String(), nil
	}
}

// sanction is what a change means that the signer did not permit.
func sanction(k ChangeKind) signing.SubIndication {
	if k == ChangeContent {
		return signing.HashFailure
	}
	return signing.SigConstraintsFailure
}

// When is the best known time of the signature, and whether somebody other than its
// signer vouches for it: that a timestamp proves, else what the signer states. Zero
// where nobody says anything.
func (s Signature) When() (t time.Time, proven bool) {
	switch {
	case s.Kind == Timestamp && s.Verdict.Passed():
		return s.Token.Time, true
	case s.Verdict.TimeSource == signing.TimeTimestamp:
		return s.Verdict.Time, true
	case !s.Verdict.ClaimedTime.IsZero():
		return s.Verdict.ClaimedTime, false
	}
	return s.Claimed.Time, false
}
