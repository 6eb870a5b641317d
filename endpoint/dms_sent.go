package endpoint

import (
	"context"
	"errors"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
	"docaxis/endpoint/vxp"
	"docaxis/internal/business"
	"docaxis/internal/envelope"
	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// SentBy lists what a system's agencies sent, newest first, whoever sent it for them: a
// system or a clerk.
func (x exchange) SentBy(ctx context.Context, system string, c vxp.Class, docID string, limit int) ([]vxp.SentRow, error) {
	rows := []vxp.SentRow{}
	err := x.view(ctx, func(tx *bbolt.Tx) error {
		codes, err := codesOf(tx, system)
		if err != nil {
			return err
		}
		fits := func(e *axispb.OutboxEntry) bool { return slices.Contains(codes, e.Sender) && classOf(e) == c }
		one, err := outbox.In(tx).ByDocID(docID)
		switch {
		case err == nil && fits(one):
			rows, err = x.rowsOf(tx, one)
			return err
		case err != nil && !errors.Is(err, outbox.ErrNotFound):
			return err
		}
		rows, err = x.newestRows(tx, fits, limit)
		return err
	})
	return rows[:min(len(rows), max(0, limit))], err
}

func classOf(e *axispb.OutboxEntry) vxp.Class {
	if e.Kind == string(envelope.KindStatus) {
		return vxp.Statuses
	}
	return vxp.Documents
}

// newestRows reads the outbox page by page until there are enough rows.
func (x exchange) newestRows(tx *bbolt.Tx, fits func(*axispb.OutboxEntry) bool, limit int) ([]vxp.SentRow, error) {
	rows := []vxp.SentRow{}
	for before := ""; ; {
		page, err := outbox.In(tx).List(outbox.Filter{Before: before})
		if err != nil || len(page) == 0 {
			return rows, err
		}
		for _, e := range page {
			if !fits(e) {
				continue
			}
			some, err := x.rowsOf(tx, e)
			if rows = append(rows, some...); err != nil || len(rows) >= limit {
				return rows, err
			}
		}
		before = page[len(page)-1].Id
	}
}

// rowsOf tells of a document at each of its recipients.
func (x exchange) rowsOf(tx *bbolt.Tx, e *axispb.OutboxEntry) ([]vxp.SentRow, error) {
	all, err := outbox.In(tx).Recipients(e.Id)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		for _, code := range e.Recipients {
			all = append(all, &axispb.RecipientEntry{Code: code})
		}
	}
	told, err := statuses(tx, e)
	if err != nil {
		return nil, err
	}
	rows := make([]vxp.SentRow, len(all))
	for i, r := range all {
		rows[i] = vxp.SentRow{
			Class: classOf(e), SenderDocID: docIDOf(e), ReceiverDocID: x.receiverDocID(e, r), From: e.Sender, To: r.Code,
			Title: e.Subject, Notation: onPaper(e), SentAt: time.UnixMilli(e.CreatedMs),
		}
		if came(r) {
			rows[i].ReceivedAt = time.UnixMilli(r.SinceMs)
		}
		rows[i].SendStatus, rows[i].SendText = x.sentWords(e)
		rows[i].ReceiveStatus, rows[i].ReceiveText = receivedWords(r, lastTold(told, r))
	}
	return rows, nil
}

func onPaper(e *axispb.OutboxEntry) string {
	if e.Number == "" || e.Notation == "" {
		return e.Number + e.Notation
	}
	return e.Number + "/" + e.Notation
}

// came reports whether the content is, or was, with a recipient.
func came(r *axispb.RecipientEntry) bool {
	switch r.State {
	case axispb.State_STATE_CONSIGNED, axispb.State_STATE_HANDED_OVER, axispb.State_STATE_HANDOVER_FAILED:
		return true
	}
	return false
}

// receiverDocID is what the recipient's DMS calls the delivery: it follows from its
// key, which is known here as well.
func (x exchange) receiverDocID(e *axispb.OutboxEntry, r *axispb.RecipientEntry) string {
	if !came(r) || len(e.ManifestDigest) != 32 {
		return ""
	}
	return x.a.cfg.DeliveryID(inbox.Key{Sender: e.Sender, ID: e.Id, Manifest: digest(e.ManifestDigest), Code: r.Code})
}

// sentWords says how far a document is on its way to the axis.
func (x exchange) sentWords(e *axispb.OutboxEntry) (status, text string) {
	switch e.State {
	case axispb.State_STATE_ACCEPTED:
		return statusDone, "Đã gửi"
	case axispb.State_STATE_REJECTED:
		why := ""
		if t := desk(x).refusal(e); t != nil {
			why = ": " + t.Vietnamese
		}
		return statusFail, "Trục từ chối" + why
	case axispb.State_STATE_PARKED:
		return statusProcessing, "Đang chờ người xử lý: " + reason.Sentence(e.Trouble.GetReason(), reason.Vietnamese)
	}
	return statusProcessing, "Đang gửi"
}

// receivedWords says how far a document is at a recipient: what the recipient told last,
// once its system had it.
func receivedWords(r *axispb.RecipientEntry, told string) (status, text string) {
	if r.GetState() == axispb.State_STATE_HANDED_OVER && told != "" {
		return statusDone, capital(business.Name(told, lang.Vietnamese))
	}
	switch r.GetState() {
	case axispb.State_STATE_REJECTED:
		return statusFail, "Trục từ chối nơi nhận này"
	case axispb.State_STATE_CONSIGNED:
		return statusInitial, "Chờ nhận"
	case axispb.State_STATE_CONSIGNMENT_FAILED:
		return statusFail, "Không chuyển được đến nơi nhận"
	case axispb.State_STATE_HANDED_OVER:
		return statusDone, "Đã nhận"
	case axispb.State_STATE_HANDOVER_FAILED:
		return statusFail, "Nơi nhận từ chối hoặc chưa nhận được"
	case axispb.State_STATE_WITHDRAWN:
		return statusFail, "Đã thu hồi"
	}
	return statusInitial, "Đang chuyển"
}

// capital writes the first letter large.
func capital(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[n:]
}
