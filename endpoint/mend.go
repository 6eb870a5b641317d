package endpoint

import (
	"context"
	"errors"
	"log/slog"

	"docaxis/endpoint/files"
	"docaxis/internal/chunk"
	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// mending is a file of a received document that is to be fetched again.
type mending struct {
	leaf    uint64
	content content
}

// maxMending bounds how many files wait to be fetched again; whoever finds more asks
// again later anyway.
const maxMending = 64

// mend has a file fetched again that is damaged, or gone, and gives what is said to
// whoever wanted to read it.
func (a *Agent) mend(leaf uint64, c content, why error) error {
	path := a.files.Path(c.Digest)
	a.log.Error("a file is damaged on this machine's disk and is fetched again", slog.String("file", path), slog.Any("error", why))
	select {
	case a.mending <- mending{leaf, c}:
	default:
	}
	return lang.Errorf("Tệp %s trên đĩa của máy này bị hỏng hoặc bị mất, đang được tải lại từ trục. Hãy thử lại sau ít phút. Nếu vẫn lỗi, hãy khôi phục tệp từ bản sao lưu và kiểm tra ổ đĩa.",
		"File %s on this machine's disk is damaged or lost and is fetched again from the axis. Try again in a few minutes. Should that not help, put the file back from a backup, and have the disk checked.",
		path).Because(why)
}

// mendFiles fetches files again, one after the other, each until it is here or the
// axis says that nobody has it.
func (a *Agent) mendFiles(ctx context.Context) error {
	for {
		select {
		case m := <-a.mending:
			a.mendFile(ctx, m)
		case <-ctx.Done():
			return nil
		}
	}
}

func (a *Agent) mendFile(ctx context.Context, m mending) {
	get := func(ctx context.Context, id chunk.ID, offset, limit uint32) ([]byte, error) {
		if err := a.roomFor(offset, limit); err != nil {
			return nil, err
		}
		return a.link.Load().Get(ctx, m.leaf, id, offset, limit)
	}
	for n := uint32(0); ; n++ {
		err := a.files.Fetch(ctx, m.content.File, get)
		switch {
		case err == nil:
			a.log.Info("a damaged file was fetched again", slog.String("file", a.files.Path(m.content.Digest)))
			return
		case errors.Is(err, files.ErrDigest), reason.Is(err, axispb.ReasonCode_REASON_NOT_FOUND):
			a.log.Error("a damaged file cannot be fetched again: put it back from a backup",
				slog.String("file", a.files.Path(m.content.Digest)), slog.Any("error", err))
			return
		}
		if !nap(ctx, a.cfg.Retry.wait(n), nil) {
			return
		}
	}
}
