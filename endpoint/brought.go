package endpoint

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"log/slog"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/files"
	"docaxis/endpoint/inbox"
	"docaxis/internal/chunk"
	"docaxis/proto/axispb"
)

// Small files come with the page that brings their document
// (docs/decisions/0088-small-files-in-the-page.md). They are written and synced while the
// page is judged, and then T1 is T2 as well. Whatever is missing, wrong or cannot be kept
// is left to the fetch, which asks for it as ever and tells who has to know.

// contentsAtOnce is what one page may bring of contents (service.proto).
const contentsAtOnce = 128 << 10

// wantContents asks for contents where a fetch could begin at once and be stated: no more
// than a range may have, so that what is urgent waits for a page no longer than for a range.
func (a *Agent) wantContents(req *axispb.PullRequest) {
	req.DiskFull = a.disk.contents.Fits(chunk.Size) != nil
	if !req.DiskFull && !a.pulling.fresh && !a.pulling.failed && a.online() {
		req.MaxContents = min(contentsAtOnce, a.link.Load().Range())
	}
}

// broughtBy lists what a page brought, by the digest that it is said to have; nil where
// nothing was asked for, and a document is fetched even if it has no content.
func broughtBy(page *axispb.Page, req *axispb.PullRequest) map[chunk.ID][]byte {
	if req.MaxContents == 0 {
		return nil
	}
	all := make(map[chunk.ID][]byte, len(page.Contents))
	for _, c := range page.Contents {
		if id, err := chunk.ParseID(c.Digest); err == nil {
			all[id] = c.Data
		}
	}
	return all
}

// keepContents writes the files of a document all of which came with the page, and
// reports whether it did. They are durable when settleContents has said so.
func (p *part) keepContents(arrived *arrival) bool {
	e := arrived.entry
	if p.brought == nil || arrived.failure != nil || arrived.second || e.State != axispb.State_STATE_FETCHING {
		return false
	}
	all, err := contentsOf(arrived.envelope)
	if err != nil {
		return false
	}
	bodies := make([][]byte, len(all))
	for i, c := range all {
		var whole bool
		if bodies[i], whole = p.whole(e, c); !whole {
			return false
		}
	}
	if p.agent.disk.contents.Allow(e.Bytes) != nil {
		return false
	}
	for i, c := range all {
		if _, err := p.contents.AddSoon(bytes.NewReader(bodies[i]), c.Size); err != nil {
			p.unkept(err)
			return false
		}
	}
	return true
}

// whole gives a file of at most one chunk, if what came is that file.
func (p *part) whole(e *axispb.InboxEntry, c content) (body []byte, whole bool) {
	if len(c.Chunks) > 1 {
		return nil, false
	}
	for _, id := range c.Chunks {
		var came bool
		if body, came = p.brought[id]; !came {
			return nil, false
		}
		if sha256.Sum256(body) != id {
			t := p.agent.trouble(fmt.Errorf("%s: %w", c.Name, files.ErrChunk))
			p.agent.log.Warn("fetching failed", slog.String("id", e.Id), slog.String("code", e.Code), troubleAttr(t))
			return nil, false
		}
	}
	return body, uint64(len(body)) == c.Size && sha256.Sum256(body) == c.Digest
}

// settleContents waits until the files that came with the page are durable. Where one is
// not, no document of the part is taken to have its own.
func (p *part) settleContents() {
	err := p.contents.Settle()
	if err == nil {
		return
	}
	p.unkept(err)
	for _, o := range p.outcomes {
		if o.arrived != nil {
			o.arrived.whole = false
		}
	}
}

func (p *part) unkept(why error) {
	p.agent.log.Warn("files that came with a page were not kept, and are fetched", slog.Any("error", why))
}

// receiveWhole is T2 within T1, for a document whose files are here.
func (a *Agent) receiveWhole(tx *bbolt.Tx, arrived *arrival) (err error) {
	arrived.touched, err = a.enterConsigned(tx, inbox.KeyOf(arrived.entry), claim{event: axispb.Event_EVENT_CONTENT_CONSIGNMENT})
	arrived.consigned = err == nil
	return err
}
