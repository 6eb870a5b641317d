package endpoint

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/inbox"
	"docaxis/endpoint/systems"
	"docaxis/endpoint/vxp"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Words of a delivery's state, as the recordings of the national axis have them.
const (
	statusInitial    = "initial"
	statusProcessing = "processing"
	statusDone       = "done"
	statusFail       = "fail"
)

func messageOf(c vxp.Class) inbox.Message {
	if c == vxp.Statuses {
		return inbox.Statuses
	}
	return inbox.Documents
}

// Waiting lists what a system has still to take and may have now.
func (x exchange) Waiting(ctx context.Context, system string, c vxp.Class, limit int) ([]vxp.Delivery, error) {
	all := []vxp.Delivery{}
	err := x.view(ctx, func(tx *bbolt.Tx) error {
		codes, err := codesOf(tx, system)
		if err != nil {
			return err
		}
		entries, err := inbox.In(tx).Offers(codes, messageOf(c), x.a.cfg.Now(), limit)
		for _, e := range entries {
			all = append(all, deliveryOf(e, c))
		}
		if err != nil || c != vxp.Statuses {
			return err
		}
		notices, err := systems.In(tx).Notices(codes, x.a.cfg.Now(), limit-len(all))
		for _, n := range notices {
			all = append(all, noticeDelivery(n))
		}
		return err
	})
	return all, err
}

func deliveryOf(e *axispb.InboxEntry, c vxp.Class) vxp.Delivery {
	d := vxp.Delivery{
		DocID: inbox.DeliveryOf(e), Class: c, From: e.Sender, To: e.Code,
		Created: time.UnixMilli(e.ReceivedMs), Updated: time.UnixMilli(e.SinceMs),
	}
	d.Status, d.StateText = handingWords(e.Handing)
	return d
}

func handingWords(h *axispb.Handing) (status, text string) {
	switch {
	case h.GetLeased():
		return statusProcessing, "Đang xử lý"
	case h.GetFailures() > 0:
		return statusFail, fmt.Sprintf("Nhận lỗi %d lần", h.GetFailures())
	}
	return statusInitial, "Chờ nhận"
}

// Count counts what Waiting would list.
func (x exchange) Count(ctx context.Context, system string, c vxp.Class) (n int, err error) {
	err = x.view(ctx, func(tx *bbolt.Tx) error {
		codes, err := codesOf(tx, system)
		if err != nil {
			return err
		}
		if n = inbox.In(tx).CountOffers(codes, messageOf(c), x.a.cfg.Now()); c == vxp.Statuses {
			n += systems.In(tx).CountNotices(codes, x.a.cfg.Now())
		}
		return nil
	})
	return n, err
}

// delivery finds a delivery of a system's agencies. One of another system is not
// found: nobody learns what others have.
func (x exchange) delivery(system, docID string) (e *axispb.InboxEntry, err error) {
	err = x.a.db.View(func(tx *bbolt.Tx) error {
		codes, err := codesOf(tx, system)
		if err != nil {
			return err
		}
		e, err = inbox.In(tx).Delivery(docID)
		if err == nil && !slices.Contains(codes, inbox.ServingOf(e)) {
			err = fmt.Errorf("%w: it is another system's", inbox.ErrNotFound)
		}
		return err
	})
	if errors.Is(err, inbox.ErrNotFound) {
		return nil, noDelivery(docID).Because(err)
	}
	return e, err
}

func noDelivery(docID string) *reason.Error {
	return reason.Permanent(axispb.ReasonCode_REASON_NOT_FOUND, clip(docID))
}

// Fetch opens a delivery, listed or not, as long as its DMS may take it.
func (x exchange) Fetch(ctx context.Context, system, docID string) (vxp.Content, error) {
	if err := ctx.Err(); err != nil {
		return vxp.Content{}, err
	}
	e, err := x.delivery(system, docID)
	if reason.Is(err, axispb.ReasonCode_REASON_NOT_FOUND) {
		return x.fetchNotice(ctx, system, docID)
	}
	if err != nil {
		return vxp.Content{}, err
	}
	switch e.State {
	case axispb.State_STATE_CONSIGNED, axispb.State_STATE_HANDED_OVER, axispb.State_STATE_HANDOVER_FAILED:
	default:
		return vxp.Content{}, noDelivery(docID).Because(fmt.Errorf("it is %s", e.State))
	}
	if err := withheld(e); err != nil {
		return vxp.Content{}, err
	}
	key := inbox.KeyOf(e)
	doc, err := x.a.Document(key)
	if err != nil {
		return vxp.Content{}, err
	}
	content, err := x.open(doc)
	if err != nil || e.Fetched {
		return content, err
	}
	if err := x.a.MarkFetched(ctx, key); err != nil {
		return vxp.Content{}, errors.Join(err, content.Close())
	}
	return content, nil
}

// Report says what a system made of a delivery. What says nothing new changes nothing.
func (x exchange) Report(ctx context.Context, system, docID string, r vxp.Report) error {
	switch r {
	case vxp.Done, vxp.Processing, vxp.Fail:
	default:
		return reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "status: "+clip(string(r)))
	}
	e, err := x.delivery(system, docID)
	if reason.Is(err, axispb.ReasonCode_REASON_NOT_FOUND) {
		return x.reportNotice(ctx, system, docID, r)
	}
	if err != nil {
		return err
	}
	key := inbox.KeyOf(e)
	switch r {
	case vxp.Done:
		err = x.done(ctx, e, key)
	case vxp.Processing:
		err = x.lease(ctx, key)
	case vxp.Fail:
		err = x.fail(ctx, key)
	}
	if err == nil {
		x.a.watch.changed(key.ID)
	}
	return err
}

// done hands the document over. One that was withdrawn cannot be any more.
func (x exchange) done(ctx context.Context, e *axispb.InboxEntry, key inbox.Key) error {
	err := x.a.Confirm(ctx, key, true, "")
	if errors.Is(err, inbox.ErrState) {
		return reason.Permanent(axispb.ReasonCode_REASON_STATE, e.Id, stateName(e.State)).Because(err)
	}
	return err
}

func (x exchange) lease(ctx context.Context, key inbox.Key) error {
	err := x.a.db.Update(ctx, func(tx *bbolt.Tx) error {
		return inbox.In(tx).Lease(key, x.a.cfg.Now().Add(x.a.cfg.Settings.VXP.lease()))
	})
	return passOver(err)
}

// passOver takes a word about what is not offered any more for what it is: late.
func passOver(err error) error {
	if errors.Is(err, inbox.ErrState) {
		return nil
	}
	return err
}

// fail lets the delivery rest; the last time that it may fail, the sender is told, and
// a person decides.
func (x exchange) fail(ctx context.Context, key inbox.Key) error {
	parked := false
	err := x.a.db.Update(ctx, func(tx *bbolt.Tx) error {
		in := inbox.In(tx)
		e, err := in.Get(key)
		if err != nil {
			return err
		}
		failures := e.Handing.GetFailures() + 1
		if parked = failures >= x.a.cfg.Settings.VXP.failLimit() && inbox.Offered(e); !parked {
			return in.FailHandover(key, failDetail(failures), x.a.cfg.Now().Add(failWait(failures)))
		}
		return x.park(tx, e, key, failures)
	})
	if err = passOver(err); err != nil || !parked {
		return err
	}
	x.a.log.Warn("a system failed to take a document too often; it is listed no more", slog.String("id", key.ID), slog.String("code", key.Code))
	ring(x.a.wake.evidence)
	return nil
}

func failDetail(failures uint32) string {
	return fmt.Sprintf("its system reported %d failures", failures)
}

// park ends the listing. What was not taken in time, or was listed again, is stated to
// have failed already.
func (x exchange) park(tx *bbolt.Tx, e *axispb.InboxEntry, key inbox.Key, failures uint32) error {
	detail := failDetail(failures)
	if e.State == axispb.State_STATE_CONSIGNED {
		c := confirmation(e, false, detail)
		if err := x.a.enter(tx, key, c); err != nil {
			return err
		}
	}
	return inbox.In(tx).ParkDelivery(key, failures, detail, x.a.cfg.Now())
}

// relist lets what was received under an id be listed again to the DMS of every code
// that has not taken it. why is given where nothing was received.
func (a *Agent) relist(ctx context.Context, id string, why error) error {
	listed := 0
	err := a.db.Update(ctx, func(tx *bbolt.Tx) error {
		in := inbox.In(tx)
		all, err := in.ByID(id)
		if err == nil && len(all) == 0 {
			return why
		}
		listed, why = 0, nil
		for _, e := range all {
			err := in.Relist(inbox.KeyOf(e))
			switch {
			case err == nil:
				listed++
				if err := lookAgain(tx, e); err != nil {
					return err
				}
			case errors.Is(err, inbox.ErrReleased):
				why = reason.Permanent(axispb.ReasonCode_REASON_RELEASED, e.Id, reason.Time(time.UnixMilli(e.ReleasedMs)))
			case errors.Is(err, inbox.ErrState):
				why = reason.Permanent(axispb.ReasonCode_REASON_STATE, e.Id, stateName(e.State)).Because(err)
			default:
				return err
			}
		}
		if listed == 0 && why != nil {
			return why
		}
		return err
	})
	if err == nil {
		a.watch.changed(id)
		ring(a.wake.label)
	}
	return err
}
