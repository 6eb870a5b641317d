package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

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

// ServeConfig limits what endpoints may have under way. Zero values mean the
// values named.
type ServeConfig struct {
	// MaxRequests (8) and MaxBytes (4 MiB) bound what one endpoint has under way,
	// MaxTotalBytes (256 MiB) what all have.
	MaxRequests   int
	MaxBytes      int64
	MaxTotalBytes int64
	// An endpoint is told at most ExcessCount (200) times within ExcessWindow
	// (10 s) that it has too much under way. Then it gets no answer to what is too
	// much, and is reported to Excess, which should bar it, and may block.
	ExcessCount  int
	ExcessWindow time.Duration
	Excess       func(endpoint string)
	// Timeout (60 s) ends the context of a handler.
	Timeout time.Duration
	Now     func() time.Time
	Log     *slog.Logger
}

func (c ServeConfig) withDefaults() ServeConfig {
	c.MaxRequests = orDefault(c.MaxRequests, 8)
	c.MaxBytes = orDefault(c.MaxBytes, 4<<20)
	c.MaxTotalBytes = orDefault(c.MaxTotalBytes, 256<<20)
	c.ExcessCount = orDefault(c.ExcessCount, 200)
	c.ExcessWindow = orDefault(c.ExcessWindow, 10*time.Second)
	c.Timeout = orDefault(c.Timeout, defaultTimeout)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Excess == nil {
		c.Excess = func(string) {}
	}
	return c
}

const (
	// What a request costs beside its bytes: a goroutine and its frames.
	requestOverhead = 4 << 10
	// nats.go drops the messages of everybody above these; the callbacks are far
	// faster than any flood, so this is only room for a stop of the scheduler.
	pendingMessages = 1 << 20
	pendingBytes    = 256 << 20
)

// Stats counts since the start.
type Stats struct {
	// Taken requests were given to a handler, Busy ones refused at once, Ignored
	// ones came from an endpoint that had been told so too often.
	Taken, Busy, Ignored uint64
	// BadReply requests named a reply subject that is not the asker's own.
	BadReply uint64
	// Dropped messages were lost before they were seen: the axis is overrun.
	Dropped uint64
	// Panics of handlers; each is a fault to be reported.
	Panics uint64
}

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

	taken, busy, ignored, badReply, panics atomic.Uint64
}

// Serve begins to answer on the connection, which needs no other rights than to
// subscribe AnySubject of the services and to publish AllInboxes and AllBells.
func Serve(nc *nats.Conn, handlers map[Service]Handler, cfg ServeConfig) (*Server, error) {
	if cfg.Log == nil {
		return nil, errors.New("bus: a log is needed")
	}
	cfg = cfg.withDefaults()
	busy, err := answerBytes(reason.Temporary(axispb.ReasonCode_REASON_BUSY), nil)
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
	defer s.load.done(endpoint, size)
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.Timeout)
	defer cancel()
	answer, err := s.guarded(ctx, h, endpoint, m.Data)
	s.reply(m.Reply, s.refusal(service, endpoint, err), answer)
}

// refusal is what the asker is told of an error; the causes stay in the log.
func (s *Server) refusal(service Service, endpoint string, err error) *reason.Error {
	if err == nil {
		return nil
	}
	log := s.cfg.Log.With(slog.String("service", string(service)), slog.String("endpoint", endpoint))
	var r *reason.Error
	if !errors.As(err, &r) {
		log.Error("a request failed", slog.Any("error", err))
		return reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, string(service))
	}
	if r.Unwrap() != nil {
		log.Info("a request was refused", slog.Any("error", err))
	}
	return r
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

func (s *Server) reply(subject string, refusal *reason.Error, body proto.Message) {
	data, err := answerBytes(refusal, body)
	if err == nil && len(data) > MaxPayload {
		err = fmt.Errorf("an answer of %d bytes", len(data))
	}
	if err != nil {
		s.cfg.Log.Error("an answer cannot be sent", slog.Any("error", err))
		data, _ = answerBytes(reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "answer"), nil)
	}
	s.publish(subject, data)
}

func (s *Server) publish(subject string, answer []byte) {
	if err := s.nc.Publish(subject, answer); err != nil {
		s.cfg.Log.Warn("an answer was not sent", slog.Any("error", err))
	}
}

func answerBytes(refusal *reason.Error, body proto.Message) ([]byte, error) {
	a := new(axispb.Answer)
	if refusal != nil {
		a.Error, a.Temporary = refusal.Reason, refusal.Temporary()
		return proto.Marshal(a)
	}
	if body == nil {
		return nil, errors.New("neither an answer nor an error")
	}
	var err error
	if a.Body, err = proto.Marshal(body); err != nil {
		return nil, err
	}
	return proto.Marshal(a)
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

// Stats counts what was done.
func (s *Server) Stats() Stats {
	st := Stats{Taken: s.taken.Load(), Busy: s.busy.Load(), Ignored: s.ignored.Load(), BadReply: s.badReply.Load(), Panics: s.panics.Load()}
	for _, sub := range s.subs {
		// A subscription that is closed cannot say any more.
		if n, err := sub.Dropped(); err == nil {
			st.Dropped += uint64(n)
		}
	}
	return st
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
