package envelope

import "time"

// maxHours bounds what a policy may say; one that says more came from elsewhere than
// this program and must not overflow a time.
const maxHours = 366 * 24

// ConsignBy is when a document that was accepted at a time must be at its recipients'
// endpoints: its own deadline, else so many hours later, as the policy says; zero for
// never.
func (d *Document) ConsignBy(accepted time.Time, hours int) time.Time {
	return d.deadline(accepted, hours)
}

// HandoverBy is when it must be in its recipients' systems. A status message is told and
// not handled: only a deadline of its own counts.
func (d *Document) HandoverBy(accepted time.Time, hours int) time.Time {
	if d.Kind == KindStatus {
		hours = 0
	}
	return d.deadline(accepted, hours)
}

func (d *Document) deadline(accepted time.Time, hours int) time.Time {
	switch {
	case !d.Deadline.IsZero():
		return d.Deadline
	case hours <= 0:
		return time.Time{}
	}
	return accepted.Add(time.Duration(min(hours, maxHours)) * time.Hour)
}
