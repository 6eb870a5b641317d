package journal

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// counted holds a stream's own word to what the server expects. Measured: a server that
// meets a damaged record while it starts cuts the stream's file there, silently, and still
// expects the sequence that it counted before, at which nothing can ever be appended.
//
// It offers a message behind a sequence that no stream reaches, which is refused with the
// right one. In a cluster the refusal names none, and the stream's word is taken.
func (j *Journal) counted(ctx context.Context, n, said uint64) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	_, err := j.js.PublishMsg(ctx, &nats.Msg{Subject: j.subject(n)}, jetstream.WithRetryAttempts(0),
		jetstream.WithExpectStream(j.streamName(n)), jetstream.WithExpectLastSequence(math.MaxUint64))
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return fmt.Errorf("journal: ask where stream %s goes on: %w", j.streamName(n), err)
	}
	var last uint64
	if _, err := fmt.Sscanf(api.Description, "wrong last sequence: %d", &last); err != nil || last <= said {
		return nil //nolint:nilerr // sealed, or in other words: nothing to compare
	}
	// Another writer may have appended since the stream spoke.
	info, err := j.ensureStream(ctx, n)
	if err != nil || info.State.LastSeq >= last {
		return err
	}
	return &CutError{Stream: j.streamName(n), Last: Location{n, info.State.LastSeq}, Counter: last}
}
