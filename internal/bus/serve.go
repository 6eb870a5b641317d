package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Handler carries out a request of an endpoint; req are the bytes of the
// service's request message, not yet read. A *reason.Error is answered as it is;
// any other error is logged and answered with REASON_UNAVAILABLE, temporary. For
// Enrol, endpoint is the InviteUser of the invitation.
type Handler func(ctx context.Context, endpoint string, req []byte) (proto.Message, error)

// Server answers the requests of endpoints.
//
// Fairness: callbacks only sort. A request is either started at once in a
// goroutine of its own or answered busy at once; nothing queues behind another
// endpoint's request. So an endpoint costs the others at most its share: eight
// handlers and four megabytes.
type Server struct {
	nc     *nats.Conn
	cfg    ServeConfig
	load   *load
	subs   []*nats.Subscription
	closed sync.WaitGroup // subscriptions not yet drained
	aside  sync.WaitGroup // calls of Excess
	ctx    context.Context
	cancel context.CancelFunc

	busyAnswer []byte
	buffers    buffers

	taken, busy, ignored, badReply, panics atomic.Uint64
}

// Serve begins to answer on the connection, which needs no other rights than to
// subscribe AnySubject of the services and to publish AllInboxes and AllBells.
func Serve(nc *nats.Conn, handlers map[Service]Handler, cfg ServeConfig) (*Server, error) {
	if cfg.Log == nil {
		return nil, errors.New("bus: a log is needed")
	}
	cfg = cfg.withDefaults()
	busy, err := refusalBytes(reason.Temporary(axispb.ReasonCode_REASON_BUSY))
	if err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	s := &Server{nc: nc, cfg: cfg, load: newLoad(cfg), busyAnswer: busy}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for service, h := range handlers {
		if err := s.subscribe(service, h); err != nil {
			s.unsubscribe()
			return nil, fmt.Errorf("bus: serve %s: %w", service, err)
		}
	}
	// The server has the subscriptions before anybody is told that it serves.
	if err := nc.FlushTimeout(connectTimeout); err != nil {
		s.unsubscribe()
		return nil, fmt.Errorf("bus: serve: %w", err)
	}
	return s, nil
}

func (s *Server) subscribe(service Service, h Handler) error {
	sub, err := s.nc.Subscribe(AnySubject(service), func(m *nats.Msg) { s.sort(service, h, m) })
	if err != nil {
		return err
	}
	s.subs = append(s.subs, sub)
	s.closed.Add(1)
	sub.SetClosedHandler(func(string) { s.closed.Done() })
	return sub.SetPendingLimits(pendingMessages, pendingBytes)
}

func (s *Server) unsubscribe() {
	s.cancel()
	for _, sub := range s.subs {
		if err := sub.Unsubscribe(); err != nil {
			s.cfg.Log.Debug("unsubscribe", slog.Any("error", err))
		}
	}
}

// sort runs in the callback of the service's subscription: it must not wait.
func (s *Server) sort(service Service, h Handler, m *nats.Msg) {
	endpoint, ok := asker(service, m.Subject)
	if !ok || !ReplyAllowed(endpoint, m.Reply) {
		s.badReply.Add(1)
		return
	}
	size := int64(m.Size()) + requestOverhead
	switch s.load.take(endpoint, size) {
	case taken:
		s.taken.Add(1)
		go s.work(service, h, endpoint, m, size)
	case busy:
		s.busy.Add(1)
		s.publish(m.Reply, s.busyAnswer)
	case excess:
		s.aside.Go(func() {
			s.cfg.Excess(endpoint)
			s.load.heard(endpoint)
		})
		fallthrough
	case ignored:
		s.ignored.Add(1)
	}
}

func (s *Server) work(service Service, h Handler, endpoint string, m *nats.Msg, size int64) {
	defer s.load.answered()
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.Timeout)
	defer cancel()
	answer, err := s.guarded(ctx, h, endpoint, m.Data)
	s.load.done(endpoint, size)
	s.reply(m.Reply, s.refusal(service, endpoint, err), answer)
}

// guarded turns a panic into an error: one request must not take the axis down.
func (s *Server) guarded(ctx context.Context, h Handler, endpoint string, req []byte) (answer proto.Message, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.panics.Add(1)
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return h(ctx, endpoint, req)
}

// Ring rings an endpoint's bell. Nothing is promised: an endpoint that is away
// does not hear it.
func (s *Server) Ring(endpoint string) {
	if !ValidEndpoint(endpoint) {
		return
	}
	if err := s.nc.Publish(BellSubject(endpoint), nil); err != nil {
		s.cfg.Log.Debug("a bell was not rung", slog.String("endpoint", endpoint), slog.Any("error", err))
	}
}

// Drain takes no more requests, waits until those that were taken are answered,
// and sends the answers out. When ctx ends first, the handlers' contexts are
// cancelled and the error says how many were left; a server that drained cannot
// serve again.
func (s *Server) Drain(ctx context.Context) error {
	defer s.cancel()
	idle := s.load.drain()
	for _, sub := range s.subs {
		if err := sub.Drain(); err != nil {
			s.cfg.Log.Debug("drain a subscription", slog.Any("error", err))
		}
	}
	select {
	case <-idle:
	case <-ctx.Done():
		return fmt.Errorf("bus: %d requests were not finished: %w", s.load.underWay(), ctx.Err())
	}
	if err := errors.Join(wait(ctx, &s.closed), wait(ctx, &s.aside)); err != nil {
		return fmt.Errorf("bus: drain: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := s.nc.FlushWithContext(ctx); err != nil {
		return fmt.Errorf("bus: send the last answers: %w", err)
	}
	return nil
}

func wait(ctx context.Context, wg *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
