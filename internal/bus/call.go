package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Call asks a service and reads its answer into resp. The error is always a
// *reason.Error: the axis's own, or a temporary one when no answer came
// (REASON_UNAVAILABLE; whether the request was carried out is then unknown) or
// the axis lets this endpoint not ask just now (REASON_FORBIDDEN: a certificate
// that expired may only renew).
func (c *Conn) Call(ctx context.Context, s Service, req, resp proto.Message) error {
	data, back, err := c.buffers.request(req)
	defer back() // the answer may be here or not: what was sent is copied
	if err != nil {
		return unavailable("the request cannot be written", err)
	}
	if !c.Connected() {
		return unavailable("not connected", c.Trouble())
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	ctx, leave := c.waiting.enter(ctx, s)
	defer leave()
	return ask(ctx, c.nc, s, c.cfg.Endpoint, data, resp)
}

func ask(ctx context.Context, nc *nats.Conn, s Service, name string, data []byte, resp proto.Message) error {
	msg, err := nc.RequestWithContext(ctx, ServiceSubject(s, name), data)
	if err != nil {
		return callError(ctx, s, len(data), err)
	}
	return readAnswer(msg.Data, resp)
}

func callError(ctx context.Context, s Service, size int, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	switch {
	case errors.Is(err, nats.ErrMaxPayload):
		return reason.Permanent(axispb.ReasonCode_REASON_MALFORMED,
			fmt.Sprintf("%s: %d > %d bytes", s, size, MaxPayload)).Because(err)
	case errors.Is(err, nats.ErrPermissionViolation):
		return reason.Temporary(axispb.ReasonCode_REASON_FORBIDDEN, string(s)).Because(err)
	case errors.Is(err, nats.ErrNoResponders):
		return unavailable("the axis is not serving", err)
	case errors.Is(err, context.DeadlineExceeded):
		return unavailable("no answer in time", err)
	default:
		return unavailable("the connection was lost", err)
	}
}

func readAnswer(data []byte, resp proto.Message) error {
	a, body, err := readAnswerOf(data)
	if err != nil {
		return unavailable("the answer cannot be read", err)
	}
	if a.Error != nil && a.Temporary {
		return reason.Temporary(a.Error.Code, a.Error.Args...)
	}
	if a.Error != nil {
		return reason.Permanent(a.Error.Code, a.Error.Args...)
	}
	if err := proto.Unmarshal(body, resp); err != nil {
		return unavailable("the answer cannot be read", err)
	}
	return nil
}

func unavailable(what string, cause error) error {
	return reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, what).Because(cause)
}

// waiting knows the calls under way: nats.go leaves them to their deadline when
// the connection is lost or the server refuses a publish.
type waiting struct {
	mu    sync.Mutex
	calls map[*call]struct{}
}

type call struct {
	service Service
	cancel  context.CancelCauseFunc
}

func (w *waiting) enter(ctx context.Context, s Service) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	one := &call{service: s, cancel: cancel}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calls == nil {
		w.calls = make(map[*call]struct{})
	}
	w.calls[one] = struct{}{}
	return ctx, func() { w.leave(one) }
}

func (w *waiting) leave(one *call) {
	w.mu.Lock()
	delete(w.calls, one)
	w.mu.Unlock()
	one.cancel(nil)
}

// abort ends every call.
func (w *waiting) abort(cause error) {
	w.end(func(*call) bool { return true }, cause)
}

// deny ends the calls to the service that a permission violation names.
func (w *waiting) deny(endpoint string, violation error) {
	w.end(func(one *call) bool {
		return strings.Contains(violation.Error(), strconv.Quote(ServiceSubject(one.service, endpoint)))
	}, violation)
}

func (w *waiting) end(which func(*call) bool, cause error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.calls {
		if which(one) {
			one.cancel(cause)
		}
	}
}
