package endpoint

import (
	"context"
	"sync/atomic"
	"time"

	"docaxis/internal/bus"
	"docaxis/internal/chunk"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// apartFor is how long content is only uploaded after the axis did not take it inside a
// submission; or until the endpoint connects again, perhaps to a newer axis.
const apartFor = time.Hour

// apart says until when content does not travel inside submissions, Unix milliseconds.
type apart struct{ until atomic.Int64 }

func (p *apart) now(now time.Time) bool { return now.UnixMilli() < p.until.Load() }

func (p *apart) begin(now time.Time) { p.until.Store(now.Add(apartFor).UnixMilli()) }

func (p *apart) end() { p.until.Store(0) }

// offer brings content and envelope to the axis, in one request where they are small, and
// gives its answer. moved as for trySubmit.
func (a *Agent) offer(ctx context.Context, e *axispb.OutboxEntry, env *envelope.Envelope, giveWay func() bool) (answer *axispb.SubmitAnswer, moved bool, err error) {
	if answer, ok, err := a.offerAboard(ctx, e, env); ok {
		return answer, false, err
	}
	if moved, err = a.upload(ctx, env, e.Attempts > 1, giveWay); err != nil {
		return nil, moved, err
	}
	if err = a.offered(ctx, e); err != nil {
		return nil, moved, err
	}
	answer, err = a.callSubmit(ctx, &axispb.SubmitRequest{Envelope: env.Raw})
	return answer, moved, err
}

// offerAboard offers an envelope together with its content. It is not ok where the content
// must be uploaded: it is too much, the line is slow, the axis is of an older version, or
// there is something about the content that an upload will name.
func (a *Agent) offerAboard(ctx context.Context, e *axispb.OutboxEntry, env *envelope.Envelope) (answer *axispb.SubmitAnswer, ok bool, err error) {
	if e.State == axispb.State_STATE_QUEUED || a.apart.now(a.cfg.Now()) {
		return nil, false, nil
	}
	n, fits := sizeAboard(env, a.cfg.Aboard)
	if !fits {
		return nil, false, nil
	}
	done, ok := a.link.Load().Aboard(n)
	if !ok {
		return nil, false, nil
	}
	defer func() { done(err) }()
	chunks, err := a.readAboard(env)
	if err != nil {
		return nil, false, nil //nolint:nilerr // the upload meets it again, and says which file it is
	}
	answer, err = a.callSubmit(ctx, &axispb.SubmitRequest{Envelope: env.Raw, Chunks: chunks})
	if len(chunks) > 0 && a.wantsUpload(e, answer, err) {
		a.apart.begin(a.cfg.Now())
		return nil, false, nil
	}
	return answer, true, err
}

// sizeAboard adds up a document's files, and says whether they may travel inside its
// submission.
func sizeAboard(env *envelope.Envelope, limit int) (n uint64, fits bool) {
	chunks := uint64(0)
	for _, f := range env.Files() {
		if f.Content.Size > chunk.MaxAboard {
			return 0, false
		}
		n += f.Content.Size
		chunks += chunk.Count(f.Content.Size)
	}
	return n, limit >= 0 && n <= min(uint64(limit), chunk.MaxAboard) && chunks <= chunk.MaxAboardCount
}

// readAboard reads a document's files, each of which is one chunk or empty.
func (a *Agent) readAboard(env *envelope.Envelope) ([][]byte, error) {
	var chunks [][]byte
	for _, f := range env.Files() {
		data, err := a.files.Read(f.Content.Digest, chunk.MaxAboard)
		if err != nil {
			return nil, err
		}
		if len(data) > 0 {
			chunks = append(chunks, data)
		}
	}
	return chunks, nil
}

// wantsUpload reports whether the axis did not take content from inside a submission. One
// that does not know of it finds the content missing; what else it refuses for good, an
// upload is to find out, which knows the files by their names.
func (a *Agent) wantsUpload(e *axispb.OutboxEntry, answer *axispb.SubmitAnswer, err error) bool {
	const missing = axispb.ReasonCode_REASON_CONTENT_MISSING
	if err != nil {
		return reason.Is(err, missing) || !reason.IsTemporary(err)
	}
	if len(answer.Rejection) == 0 {
		return false
	}
	st, err := a.checkRejection(e, answer.Rejection)
	return err == nil && st.Reason.GetCode() == missing
}

func (a *Agent) callSubmit(ctx context.Context, req *axispb.SubmitRequest) (*axispb.SubmitAnswer, error) {
	answer := new(axispb.SubmitAnswer)
	return answer, a.step("submit", func() error { return a.link.Load().Call(ctx, bus.Submit, req, answer) })
}
