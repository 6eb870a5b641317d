package hubtest

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/endpoint/link"
	"docaxis/internal/bus"
	"docaxis/internal/fault"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// dial connects as an endpoint does, but comes back faster, and over a line that
// can lose a request or its answer: fault points call.SERVICE.before and
// call.SERVICE.after.
func (m *Member) dial(faults fault.Hook) func(context.Context, link.Identity) (link.Conn, error) {
	return func(ctx context.Context, id link.Identity) (link.Conn, error) {
		conn, err := bus.Dial(ctx, bus.DialConfig{
			Address: id.Address, Endpoint: id.Endpoint, Certificate: id.Certificate, CA: id.CA,
			Log: m.log(), Now: m.now(), Wait: m.world.cfg.Reconnect, MaxWait: 10 * m.world.cfg.Reconnect,
		})
		if err != nil {
			return nil, err
		}
		return line{conn, faults}, nil
	}
}

type line struct {
	*bus.Conn
	faults fault.Hook
}

// Call loses the request, or carries it out and loses the answer: whoever asked
// cannot tell the one from the other.
func (l line) Call(ctx context.Context, s bus.Service, req, resp proto.Message) error {
	point := "call." + string(s)
	if err := l.faults.At(point + ".before"); err != nil {
		return lost(err)
	}
	answer := resp.ProtoReflect().New().Interface()
	if err := l.Conn.Call(ctx, s, req, answer); err != nil {
		return err
	}
	if err := l.faults.At(point + ".after"); err != nil {
		return lost(err)
	}
	proto.Merge(resp, answer)
	return nil
}

func lost(cause error) error {
	return reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "no answer in time").Because(cause)
}

// defaultReconnect is how long an endpoint waits at first before it connects again.
const defaultReconnect = 20 * time.Millisecond
