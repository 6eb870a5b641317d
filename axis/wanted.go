package axis

import (
	"context"
	"errors"

	"docaxis/internal/chunk"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

const (
	// wantedAtOnce bounds what one page asks for (service.proto).
	wantedAtOnce = 64
	// wantedLooks bounds the look-ups for one page; others are looked up for the next.
	wantedLooks = 256
)

// pull serves a page, and asks this endpoint for what was lost of its documents.
func (h *Hub) pull(ctx context.Context, endpoint string, req *axispb.PullRequest) (*axispb.Page, error) {
	h.heard.noteDisk(endpoint, req.GetDiskFull())
	page, err := h.mailbox.Pull(ctx, endpoint, req)
	if err != nil {
		return nil, err
	}
	for _, id := range h.content.Lost(wantedLooks) {
		documents, err := h.ledger.Parties(ctx, endpoint, id[:])
		if err != nil {
			return nil, err
		}
		for _, d := range documents {
			page.Wanted = append(page.Wanted, &axispb.Wanted{Digest: id[:], Sender: d.Sender, Id: d.ID})
		}
		if len(page.Wanted) >= wantedAtOnce {
			break
		}
	}
	page.Wanted = page.Wanted[:min(len(page.Wanted), wantedAtOnce)]
	return page, nil
}

// gone notes a chunk of a kept document whose file is not there: whoever has it may put
// it again, so whoever wants it asks again.
func (h *Hub) gone(ctx context.Context, digest []byte, err error) error {
	id, parsed := chunk.ParseID(digest)
	if parsed != nil {
		return err
	}
	if _, failed := h.content.Examine(ctx, id); failed != nil {
		return errors.Join(err, failed)
	}
	return reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "the content is damaged and has to come back").Because(err)
}
