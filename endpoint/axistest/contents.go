package axistest

import (
	"slices"

	"docaxis/proto/axispb"
)

// smallDocument is what the files of a document may have together that come with a page.
const smallDocument = 16 << 10

// carry adds the contents of a small document, and says how many bytes those are.
func (a *Axis) carry(d *document, room uint32, page *axispb.Page) (size uint32) {
	if d == nil {
		return 0
	}
	var all []*axispb.PageChunk
	for id := range d.chunks {
		data := a.chunks[d.endpoint][id]
		size += uint32(len(data))
		all = append(all, &axispb.PageChunk{Digest: id[:], Data: slices.Clone(data)})
	}
	if size > min(room, smallDocument) {
		return 0
	}
	page.Contents = append(page.Contents, all...)
	return size
}

// takeAboard keeps what came inside a submission, where the axis knows of that.
func (a *Axis) takeAboard(endpoint string, chunks [][]byte) {
	if a.Older {
		return
	}
	for _, data := range chunks {
		a.holdChunk(endpoint, data)
	}
}
