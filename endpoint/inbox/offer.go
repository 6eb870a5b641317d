package inbox

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// A DMS lists what its agencies have still to take. The index inbox_offer has that in
// the order in which it is listed, so that a page costs what is on it, however much
// waits: section, code 0x00 message, in the section later the time from which on it
// is listed, then lane, row and inbox key.

// Message tells documents from status messages.
type Message byte

// The messages.
const (
	Documents Message = iota
	Statuses
)

// kindStatus is document.json's kind of a status message.
const kindStatus = "status"

// MessageOf says what a received document is.
func MessageOf(e *axispb.InboxEntry) Message {
	if e.Kind == kindStatus {
		return Statuses
	}
	return Documents
}

// Sections of inbox_offer: what is listed, what is listed later, and what is not
// listed any more because it failed too often.
const (
	sectionNow    = 'n'
	sectionLater  = 'l'
	sectionParked = 'p'
)

// Offered reports whether a document is to be offered to its agency's DMS, now or
// later: it is here whole and was not taken, or was not taken in time, or was refused
// and is to be listed again. A passed deadline is told to the sender and ends nothing:
// what the DMS refused itself is offered no more.
func Offered(e *axispb.InboxEntry) bool {
	if e.GetHanding().GetParkedMs() != 0 || Withheld(e) {
		return false
	}
	switch e.GetState() {
	case axispb.State_STATE_CONSIGNED:
		return true
	case axispb.State_STATE_HANDOVER_FAILED:
		return e.Handing != nil || Overdue(e)
	}
	return false
}

// Overdue reports whether a document was not taken in time, and that was stated. Its
// DMS may still take it.
func Overdue(e *axispb.InboxEntry) bool {
	return e.GetState() == axispb.State_STATE_HANDOVER_FAILED &&
		e.GetTrouble().GetReason().GetCode() == axispb.ReasonCode_REASON_DEADLINE
}

// Unconfirmed reports whether the agency has still to take a document: it is here whole, and
// was not taken, or not in time.
func Unconfirmed(e *axispb.InboxEntry) bool {
	return !Withheld(e) && (e.GetState() == axispb.State_STATE_CONSIGNED || Overdue(e))
}

// section is where an entry stands; 0 for nowhere.
func section(e *axispb.InboxEntry) byte {
	switch {
	case Offered(e) && e.Handing.GetNotBeforeMs() != 0:
		return sectionLater
	case Offered(e):
		return sectionNow
	case e.State == axispb.State_STATE_HANDOVER_FAILED && e.Handing.GetParkedMs() != 0:
		return sectionParked
	}
	return 0
}

// ServingOf is the code whose system is to take a document: another than the one it
// was sent to where that was routed, or was another code of the agency.
func ServingOf(e *axispb.InboxEntry) string { return cmp.Or(e.ServingCode, e.Code) }

func offerPrefix(section byte, code string, m Message) []byte {
	return slices.Concat([]byte{section}, []byte(code), []byte{0, byte(m)})
}

// order is an entry's place in a list: lane, then as it was journaled.
func order(e *axispb.InboxEntry) []byte {
	key := binary.BigEndian.AppendUint64([]byte{byte(e.Lane)}, e.Position)
	return binary.BigEndian.AppendUint32(key, e.Ordinal)
}

// offerPlaces lists where an entry stands in inbox_offer.
func (b Inbox) offerPlaces(e *axispb.InboxEntry, key []byte) []place {
	s := section(e)
	if s == 0 {
		return nil
	}
	at := offerPrefix(s, ServingOf(e), MessageOf(e))
	if s == sectionLater {
		at = append(at, boltpb.Uint64(uint64(e.Handing.NotBeforeMs))...)
	}
	return []place{{b.offers, slices.Concat(at, order(e), key), key}}
}

// offer is an entry that is listed: its place in the order, and its key.
type offer struct{ order, key []byte }

// offered lists what is to be listed for a code: at most limit of what is listed
// already, and all that has come to its time.
func (b Inbox) offered(code string, m Message, now time.Time, limit int) (all []offer) {
	c := b.offers.Cursor()
	prefix := offerPrefix(sectionNow, code, m)
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix) && len(all) < limit; k, v = c.Next() {
		all = append(all, offer{k[len(prefix):], v})
	}
	prefix = offerPrefix(sectionLater, code, m)
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		rest := k[len(prefix):]
		if binary.BigEndian.Uint64(rest) > uint64(now.UnixMilli()) {
			break
		}
		all = append(all, offer{rest[8:], v})
	}
	return all
}

// Offers lists what systems that act for the codes have still to take and may have
// now, urgent first, then as it was journaled, at most limit. No more entries are read
// than are given.
func (b Inbox) Offers(codes []string, m Message, now time.Time, limit int) ([]*axispb.InboxEntry, error) {
	var found []offer
	for _, code := range codes {
		found = append(found, b.offered(code, m, now, limit)...)
	}
	slices.SortFunc(found, func(x, y offer) int { return bytes.Compare(x.order, y.order) })
	found = found[:min(len(found), max(0, limit))]
	all := make([]*axispb.InboxEntry, len(found))
	for i, o := range found {
		var err error
		if all[i], err = boltpb.Get[axispb.InboxEntry](b.entries, o.key); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// CountOffers counts what Offers would list without a limit, reading no entry.
func (b Inbox) CountOffers(codes []string, m Message, now time.Time) (n int) {
	const all = 1 << 30
	for _, code := range codes {
		n += len(b.offered(code, m, now, all))
	}
	return n
}

// CountParked counts what a DMS failed to take too often.
func (b Inbox) CountParked() int { return countPrefix(b.offers, []byte{sectionParked}) }

// Parked lists what a DMS failed to take too often, at most limit.
func (b Inbox) Parked(limit int) (all []*axispb.InboxEntry, err error) {
	c := b.offers.Cursor()
	prefix := []byte{sectionParked}
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix) && len(all) < limit; k, v = c.Next() {
		e, err := boltpb.Get[axispb.InboxEntry](b.entries, v)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

func countPrefix(b *boltpb.Lazy, prefix []byte) (n int) {
	c := b.Cursor()
	for k, _ := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		n++
	}
	return n
}

// errNotOffered says that the DMS has nothing to do with the document any more.
var errNotOffered = fmt.Errorf("%w: it is not offered to a DMS", ErrState)

// Lease records that a DMS works on a document: it is not listed until then.
func (b Inbox) Lease(key Key, until time.Time) error {
	return b.hand(key, func(h *axispb.Handing) { h.Leased, h.NotBeforeMs = true, until.UnixMilli() })
}

// FailHandover records that a DMS could not take a document, and why: it is not listed
// until then.
func (b Inbox) FailHandover(key Key, detail string, until time.Time) error {
	return b.hand(key, func(h *axispb.Handing) {
		h.Failures, h.Detail, h.Leased, h.NotBeforeMs = h.Failures+1, detail, false, until.UnixMilli()
	})
}

func (b Inbox) hand(key Key, f func(*axispb.Handing)) error {
	_, err := b.change(key, func(e *axispb.InboxEntry) error {
		if !Offered(e) {
			return errNotOffered
		}
		if e.Handing == nil {
			e.Handing = &axispb.Handing{}
		}
		f(e.Handing)
		return nil
	})
	return err
}

// ParkDelivery ends the listing of a document that a DMS failed to take once more, in
// STATE_HANDOVER_FAILED, until a person decides (Relist).
func (b Inbox) ParkDelivery(key Key, failures uint32, detail string, at time.Time) error {
	_, err := b.change(key, func(e *axispb.InboxEntry) error {
		if e.State != axispb.State_STATE_HANDOVER_FAILED {
			return fmt.Errorf("%w: parked in %s", ErrState, e.State)
		}
		e.Handing = &axispb.Handing{Failures: failures, Detail: detail, ParkedMs: at.UnixMilli()}
		return nil
	})
	return err
}

// ErrReleased says that a document's files are not here any more.
var ErrReleased = errors.New("the document's files were removed, because they were kept long enough")

// Relist lets a document be listed again at once that was parked, was refused, leased
// or failed: what kept it from its DMS was mended. ErrReleased: it cannot be.
func (b Inbox) Relist(key Key) error {
	_, err := b.change(key, func(e *axispb.InboxEntry) error {
		switch {
		case e.State != axispb.State_STATE_CONSIGNED && e.State != axispb.State_STATE_HANDOVER_FAILED:
			return fmt.Errorf("%w: listed again in %s", ErrState, e.State)
		case e.ReleasedMs != 0:
			return ErrReleased
		}
		e.Handing = &axispb.Handing{}
		if Withheld(e) {
			// What the policy refused may be mended: another policy, other anchors.
			e.FileHold = axispb.FileHold_FILE_HOLD_LOOKING
		}
		return nil
	})
	return err
}

// Unlist ends the listing of a document that was refused once more, and why.
func (b Inbox) Unlist(key Key, why *axispb.Trouble) error {
	_, err := b.change(key, func(e *axispb.InboxEntry) error {
		if e.State == axispb.State_STATE_HANDOVER_FAILED && Offered(e) {
			e.Handing, e.Trouble = nil, why
		}
		return nil
	})
	return err
}
