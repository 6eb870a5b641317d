package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// headroom in a message for our headers beside a block of MaxBlock bytes.
	headroom = 4 << 10
	// noDuplicates is the smallest duplicate window the server takes. Nothing rests on
	// de-duplication, and a start reads every message within the window.
	noDuplicates = 100 * time.Millisecond
	// overhead is what a message takes in a stream beside the block: frame, subject
	// and our two headers.
	overhead = 160
)

// stored is about what a block of size bytes adds to its stream.
func stored(size int) uint64 { return uint64(size) + overhead }

func (j *Journal) streamName(n uint64) string { return fmt.Sprintf("%s-%06d", j.cfg.Prefix, n) }

// subject is literal: no wildcard ever matches a block.
func (j *Journal) subject(n uint64) string {
	return fmt.Sprintf("%s.%06d", strings.ToLower(j.cfg.Prefix), n)
}

func (j *Journal) streamConfig(n uint64) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        j.streamName(n),
		Subjects:    []string{j.subject(n)},
		Storage:     jetstream.FileStorage,
		Replicas:    j.cfg.Replicas,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		MaxMsgs:     -1,
		MaxBytes:    -1,
		MaxMsgSize:  MaxBlock + headroom,
		Duplicates:  noDuplicates,
		DenyDelete:  true,
		DenyPurge:   true,
		AllowDirect: true,
	}
}

// checkConfig refuses a stream that could lose or alter a block, whoever made it.
func (j *Journal) checkConfig(n uint64, c jetstream.StreamConfig) error {
	switch {
	case !slices.Equal(c.Subjects, []string{j.subject(n)}) || c.SubjectTransform != nil:
		return fmt.Errorf("journal: stream %s does not hold %s alone", c.Name, j.subject(n))
	case c.RePublish != nil:
		return fmt.Errorf("journal: stream %s passes blocks on", c.Name)
	case c.Mirror != nil || len(c.Sources) != 0 || c.NoAck:
		return fmt.Errorf("journal: stream %s takes messages of others", c.Name)
	case c.Storage != jetstream.FileStorage || c.PersistMode != jetstream.DefaultPersistMode:
		return fmt.Errorf("journal: stream %s is not on disk", c.Name)
	case !c.DenyDelete || !c.DenyPurge || c.AllowRollup:
		return fmt.Errorf("journal: stream %s lets blocks be deleted", c.Name)
	case c.Retention != jetstream.LimitsPolicy || c.Discard != jetstream.DiscardNew || c.AllowMsgTTL ||
		c.MaxAge > 0 || c.MaxMsgsPerSubject > 0:
		return fmt.Errorf("journal: stream %s lets blocks expire", c.Name)
	case !c.AllowDirect:
		return fmt.Errorf("journal: stream %s allows no direct get", c.Name)
	}
	return nil
}

// ensureStream makes sure that stream n exists. Creating it again changes nothing, so
// a crash on either side of it is harmless.
func (j *Journal) ensureStream(ctx context.Context, n uint64) (*jetstream.StreamInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	s, err := j.js.Stream(ctx, j.streamName(n))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s, err = j.js.CreateStream(ctx, j.streamConfig(n))
	}
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		s, err = j.js.Stream(ctx, j.streamName(n))
	}
	if err != nil {
		return nil, fmt.Errorf("journal: create stream %s: %w", j.streamName(n), err)
	}
	info := s.CachedInfo()
	return info, j.checkConfig(n, info.Config)
}

// seal keeps a closed stream from taking anything more. It is housekeeping: the closing
// block has ended the stream already, so a failure is only logged, and Open does it later.
func (j *Journal) seal(ctx context.Context, cfg jetstream.StreamConfig) {
	if cfg.Sealed {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, j.cfg.AttemptTimeout)
	defer cancel()
	cfg.Sealed = true
	if _, err := j.js.UpdateStream(ctx, cfg); err != nil {
		j.cfg.Log.Warn("journal: a closed stream was not sealed", "stream", cfg.Name, "error", err)
	}
}

// sealStream is seal for a stream whose configuration is not at hand.
func (j *Journal) sealStream(ctx context.Context, n uint64) {
	ctx, cancel := context.WithTimeout(ctx, j.cfg.AttemptTimeout)
	defer cancel()
	s, err := j.js.Stream(ctx, j.streamName(n))
	if err != nil {
		j.cfg.Log.Warn("journal: a closed stream was not sealed", "stream", j.streamName(n), "error", err)
		return
	}
	j.seal(ctx, s.CachedInfo().Config)
}

// streams counts the streams of the chain. A gap is an error: in a cluster that is
// starting it may pass.
func (j *Journal) streams(ctx context.Context) (uint64, error) {
	names := j.js.StreamNames(ctx, jetstream.WithStreamListSubject(strings.ToLower(j.cfg.Prefix)+".*"))
	var numbers []uint64
	var foreign error
	for name := range names.Name() { // to the end, or the lister never ends
		rest, ok := strings.CutPrefix(name, j.cfg.Prefix+"-")
		n, err := strconv.ParseUint(rest, 10, 64)
		if !ok || err != nil || j.streamName(n) != name {
			foreign = fmt.Errorf("stream %q is not of the chain", name)
		}
		numbers = append(numbers, n)
	}
	if err := errors.Join(names.Err(), foreign); err != nil {
		return 0, fmt.Errorf("journal: list streams: %w", err)
	}
	if len(numbers) == 0 {
		return 0, nil
	}
	last := slices.Max(numbers)
	for n := uint64(1); n < last; n++ {
		if slices.Contains(numbers, n) {
			continue
		}
		if err := j.takeUp(ctx, n); err != nil {
			return 0, err
		}
	}
	return last, nil
}

// takeUp brings back a stream that the server passed over when it started. It writes a
// stream's description and then its checksum, when a stream is made and when it is
// sealed; killed in between, it believes neither, though the blocks are there: a stream
// of that name is made over them.
func (j *Journal) takeUp(ctx context.Context, n uint64) error {
	info, err := j.ensureStream(ctx, n)
	if err != nil {
		return err
	}
	if info.State.LastSeq == 0 {
		return fmt.Errorf("journal: stream %s is missing", j.streamName(n))
	}
	j.cfg.Log.Warn("journal: a stream was taken up that the server had passed over", "stream", j.streamName(n))
	return nil
}
