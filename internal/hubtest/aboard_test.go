package hubtest_test

import (
	"context"
	"sync/atomic"
	"testing"

	"google.golang.org/protobuf/proto"

	"docaxis/endpoint"
	"docaxis/endpoint/link"
	"docaxis/internal/bus"
	"docaxis/internal/envelope"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// counting is a line that counts requests and, where older, passes over what an older
// axis does not know.
type counting struct {
	link.Conn
	older         bool
	submits, puts *atomic.Int32
}

func (c counting) Call(ctx context.Context, s bus.Service, req, resp proto.Message) error {
	switch r := req.(type) {
	case *axispb.SubmitRequest:
		c.submits.Add(1)
		if c.older {
			req = &axispb.SubmitRequest{Envelope: r.Envelope}
		}
	case *axispb.PutRequest:
		c.puts.Add(1)
	}
	return c.Conn.Call(ctx, s, req, resp)
}

// A small document costs one request until it is accepted. From an axis that does not
// know of files inside submissions the endpoint learns that once, and uploads.
func TestSmallDocumentsAtANewAndAtAnOlderAxis(t *testing.T) {
	t.Parallel()
	const documents = 5
	for name, test := range map[string]struct {
		older         bool
		submits, puts int32
	}{
		"new": {false, documents, 0}, "older": {true, documents + 1, documents},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var submits, puts atomic.Int32
			tb := newTable(t, hubtest.Config{AdjustEndpoint: func(code string, c *endpoint.Config) {
				if code != "G22" {
					return
				}
				dial := c.Dial
				c.Dial = func(ctx context.Context, id link.Identity) (link.Conn, error) {
					conn, err := dial(ctx, id)
					return counting{conn, test.older, &submits, &puts}, err
				}
			}})
			x := newExchange(t, tb.world, 5)
			for range documents {
				x.send("small", "G22", envelope.Document{To: []string{"H41"}}, want{"H41": consigned}, 4<<10)
				x.settle()
			}
			if submits.Load() != test.submits || puts.Load() != test.puts {
				t.Errorf("%d submissions and %d uploads, not %d and %d", submits.Load(), puts.Load(), test.submits, test.puts)
			}
			check(t, tb.world)
		})
	}
}
