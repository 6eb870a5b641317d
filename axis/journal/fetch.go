package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// pageBytes bounds what one batch asks of the server, which has no flow control
	// for it; the last block may go over.
	pageBytes  = 4 << 20
	pageBlocks = 1024
	// readTimeout is how long one request may take that reads.
	readTimeout = 10 * time.Second
)

// message is a stored message as read.
type message struct {
	at   Location
	data []byte
}

// getRequest is the body of both of JetStream's ways to read a message
// (nats-architecture-and-design ADR-31).
type getRequest struct {
	Seq      uint64 `json:"seq,omitempty"`
	Batch    int    `json:"batch,omitempty"`
	MaxBytes int    `json:"max_bytes,omitempty"`
	NextFor  string `json:"next_by_subj,omitempty"`
}

// page reads messages in order from a location to at most the end of its stream; none
// means that there are none. Sequences are without gaps in it, save that it may start
// later than asked where the leader, too, has nothing there.
func (j *Journal) page(ctx context.Context, from Location) ([]message, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	page, err := j.directBatch(ctx, from)
	if err != nil {
		return nil, fmt.Errorf("journal: read from %v: %w", from, err)
	}
	if len(page) > 0 && page[0].at == from {
		return untilGap(page), nil
	}
	m, err := j.leaderNext(ctx, from)
	if err != nil || m == nil {
		return nil, err
	}
	return []message{*m}, nil
}

func untilGap(page []message) []message {
	for i := range page {
		if page[i].at.Seq != page[0].at.Seq+uint64(i) {
			return page[:i]
		}
	}
	return page
}

// directBatch asks whichever replica answers for a run of messages.
func (j *Journal) directBatch(ctx context.Context, from Location) ([]message, error) {
	inbox := j.nc.NewInbox()
	sub, err := j.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	defer sub.Unsubscribe()
	req, err := json.Marshal(getRequest{Seq: from.Seq, Batch: pageBlocks, MaxBytes: pageBytes})
	if err != nil {
		return nil, err
	}
	if err := j.nc.PublishRequest(j.directSubject(from.Stream), inbox, req); err != nil {
		return nil, err
	}
	var page []message
	for {
		reply, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return nil, err
		}
		m, last, err := parseDirect(reply, from.Stream)
		if err != nil || last {
			return page, err
		}
		page = append(page, m)
	}
}

func (j *Journal) directSubject(stream uint64) string {
	return jetstream.DefaultAPIPrefix + "DIRECT.GET." + j.streamName(stream)
}

// parseDirect reads one answer of Direct Get; end means that there is no (more) message.
func parseDirect(m *nats.Msg, stream uint64) (got message, end bool, err error) {
	switch status := m.Header.Get("Status"); status {
	case "":
	case "204", "404":
		return message{}, true, nil
	default:
		return message{}, false, fmt.Errorf("direct get: status %s %s", status, m.Header.Get("Description"))
	}
	seq, err := strconv.ParseUint(m.Header.Get(jetstream.SequenceHeader), 10, 64)
	if err != nil {
		return message{}, false, fmt.Errorf("direct get: sequence: %w", err)
	}
	return message{at: Location{stream, seq}, data: m.Data}, false, nil
}

// leaderNext reads the first message at or after a location in its stream from the
// stream's leader, the only one whose "there is none" is worth anything; nil then.
func (j *Journal) leaderNext(ctx context.Context, from Location) (*message, error) {
	req, err := json.Marshal(getRequest{Seq: from.Seq, NextFor: j.subject(from.Stream)})
	if err != nil {
		return nil, err
	}
	reply, err := j.nc.RequestWithContext(ctx, jetstream.DefaultAPIPrefix+"STREAM.MSG.GET."+j.streamName(from.Stream), req)
	if err != nil {
		return nil, fmt.Errorf("journal: read %v from the leader: %w", from, err)
	}
	var answer struct {
		Error   *jetstream.APIError `json:"error"`
		Message *struct {
			Seq  uint64 `json:"seq"`
			Data []byte `json:"data"`
		} `json:"message"`
	}
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		return nil, fmt.Errorf("journal: read %v from the leader: %w", from, err)
	}
	switch {
	case answer.Error != nil && answer.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound:
		return nil, nil
	case answer.Error != nil:
		return nil, fmt.Errorf("journal: read %v from the leader: %w", from, answer.Error)
	case answer.Message == nil:
		return nil, errors.New("journal: the leader's answer holds no message")
	}
	return &message{at: Location{from.Stream, answer.Message.Seq}, data: answer.Message.Data}, nil
}

// one reads the message at a location; nil where there is none.
func (j *Journal) one(ctx context.Context, at Location, timeout time.Duration) (*message, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := json.Marshal(getRequest{Seq: at.Seq})
	if err != nil {
		return nil, err
	}
	reply, err := j.nc.RequestWithContext(ctx, j.directSubject(at.Stream), req)
	if err != nil {
		return nil, fmt.Errorf("journal: read %v: %w", at, err)
	}
	m, absent, err := parseDirect(reply, at.Stream)
	if err != nil {
		return nil, fmt.Errorf("journal: read %v: %w", at, err)
	}
	if !absent {
		return &m, nil
	}
	next, err := j.leaderNext(ctx, at)
	if err != nil || next == nil || next.at != at {
		return nil, err
	}
	return next, nil
}
