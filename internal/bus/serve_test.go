package bus_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"docaxis/internal/bus"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

// plain runs a server that lets everybody do everything: what is tested here must
// not rest on the broker's rights.
func plain(t *testing.T) (dial func() *nats.Conn) {
	t.Helper()
	srv, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true, MaxPayload: bus.MaxPayload})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	return func() *nats.Conn {
		nc, err := nats.Connect("", nats.InProcessServer(srv), nats.CustomInboxPrefix(bus.InboxPrefix("h41")))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc
	}
}

// logged collects what is logged.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func serve(t *testing.T, nc *nats.Conn, h bus.Handler) (*bus.Server, *logged) {
	t.Helper()
	log := new(logged)
	s, err := bus.Serve(nc, map[bus.Service]bus.Handler{bus.Put: h}, bus.ServeConfig{Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return s, log
}

func drain(t *testing.T, s *bus.Server) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return s.Drain(ctx)
}

func request(t *testing.T, nc *nats.Conn) *axispb.Answer {
	t.Helper()
	msg, err := nc.Request(bus.ServiceSubject(bus.Put, "h41"), nil, patience)
	if err != nil {
		t.Fatal(err)
	}
	var a axispb.Answer
	if err := proto.Unmarshal(msg.Data, &a); err != nil {
		t.Fatal(err)
	}
	return &a
}

func TestAnswers(t *testing.T) {
	quota := axispb.ReasonCode_REASON_QUOTA
	for name, test := range map[string]struct {
		handler bus.Handler
		code    axispb.ReasonCode
		args    []string
		temp    bool
		logged  string
	}{
		"permanent": {failing(reason.Permanent(quota, "x")), quota, []string{"x"}, false, ""},
		"temporary": {failing(reason.Temporary(quota)), quota, nil, true, ""},
		"wrapped":   {failing(errors.Join(errors.New("a"), reason.Permanent(quota))), quota, nil, false, ""},
		"cause":     {failing(reason.Permanent(quota).Because(errors.New("full disk"))), quota, nil, false, "full disk"},
		"other":     {failing(errors.New("broken")), axispb.ReasonCode_REASON_UNAVAILABLE, []string{"put"}, true, "broken"},
		"panic": {
			func(context.Context, string, []byte) (proto.Message, error) { panic("oops") },
			axispb.ReasonCode_REASON_UNAVAILABLE,
			[]string{"put"},
			true, "oops",
		},
		"nothing": {failing(nil), axispb.ReasonCode_REASON_UNAVAILABLE, []string{"answer"}, true, "neither"},
		"too large": {func(context.Context, string, []byte) (proto.Message, error) {
			return wrapperspb.Bytes(make([]byte, bus.MaxPayload)), nil
		}, axispb.ReasonCode_REASON_UNAVAILABLE, []string{"answer"}, true, "an answer of"},
	} {
		t.Run(name, func(t *testing.T) {
			dial := plain(t)
			s, log := serve(t, dial(), test.handler)
			a := request(t, dial())
			if a.Error.GetCode() != test.code || a.Temporary != test.temp || !equal(a.Error.GetArgs(), test.args) || len(a.Body) != 0 {
				t.Errorf("%v", a)
			}
			if err := drain(t, s); err != nil {
				t.Error(err)
			}
			if !strings.Contains(log.String(), test.logged) || test.logged == "" && log.String() != "" {
				t.Errorf("log: %s", log)
			}
			if name == "panic" && s.Stats().Panics != 1 {
				t.Errorf("%+v", s.Stats())
			}
		})
	}
}

func equal(a, b []string) bool { return strings.Join(a, "\n") == strings.Join(b, "\n") }

func failing(err error) bus.Handler {
	return func(context.Context, string, []byte) (proto.Message, error) { return nil, err }
}

func TestDrainFinishesWhatWasTaken(t *testing.T) {
	dial := plain(t)
	entered, hold := make(chan struct{}), make(chan struct{})
	var calls atomic.Int32
	s, _ := serve(t, dial(), func(context.Context, string, []byte) (proto.Message, error) {
		if calls.Add(1) == 1 {
			close(entered)
			<-hold
		}
		return wrapperspb.String("done"), nil
	})
	asker, late := dial(), dial()
	answer := make(chan *axispb.Answer, 1)
	go func() { answer <- request(t, asker) }()
	<-entered
	drained := make(chan error, 1)
	go func() { drained <- drain(t, s) }()
	// Whoever asks from now on is told to come back, then that nobody serves.
	for {
		msg, err := late.Request(bus.ServiceSubject(bus.Put, "h41"), nil, patience)
		if errors.Is(err, nats.ErrNoResponders) {
			break
		}
		var a axispb.Answer
		if err != nil || proto.Unmarshal(msg.Data, &a) != nil || a.Error != nil && a.Error.Code != axispb.ReasonCode_REASON_BUSY {
			t.Fatalf("%v, %v", &a, err)
		}
	}
	close(hold)
	if err := <-drained; err != nil {
		t.Error(err)
	}
	if a := <-answer; a.Error != nil || len(a.Body) == 0 {
		t.Errorf("the request under way: %v", a)
	}
}

func TestDrainHasADeadline(t *testing.T) {
	dial := plain(t)
	entered, ended := make(chan struct{}), make(chan struct{})
	s, _ := serve(t, dial(), func(ctx context.Context, _ string, _ []byte) (proto.Message, error) {
		close(entered)
		<-ctx.Done()
		close(ended)
		return nil, ctx.Err()
	})
	nc := dial()
	if err := nc.PublishRequest(bus.ServiceSubject(bus.Put, "h41"), bus.InboxPrefix("h41")+".x", nil); err != nil {
		t.Fatal(err)
	}
	<-entered
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Drain(ctx); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "1 requests") {
		t.Error(err)
	}
	<-ended
}

func TestHandlerGetsTheRequest(t *testing.T) {
	dial := plain(t)
	s, _ := serve(t, dial(), func(ctx context.Context, endpoint string, req []byte) (proto.Message, error) {
		if _, ok := ctx.Deadline(); !ok {
			return nil, errors.New("no deadline")
		}
		return wrapperspb.Bytes(append([]byte(endpoint), req...)), nil
	})
	msg, err := dial().Request(bus.ServiceSubject(bus.Put, "h41"), []byte("\x00\xff"), patience)
	if err != nil {
		t.Fatal(err)
	}
	var (
		a   axispb.Answer
		got wrapperspb.BytesValue
	)
	if err := errors.Join(proto.Unmarshal(msg.Data, &a), proto.Unmarshal(a.Body, &got)); err != nil || string(got.Value) != "h41\x00\xff" {
		t.Errorf("%v, %q, %v", &a, got.Value, err)
	}
	if err := drain(t, s); err != nil {
		t.Error(err)
	}
}

// Whoever asks again as soon as it is answered has as many requests under way as it may,
// and is never told that these are too many.
func TestAnAnswerMakesRoomForTheNext(t *testing.T) {
	const atOnce = 8
	dial := plain(t)
	s, err := bus.Serve(dial(), map[bus.Service]bus.Handler{
		bus.Put: func(context.Context, string, []byte) (proto.Message, error) { return wrapperspb.String("done"), nil },
	}, bus.ServeConfig{MaxRequests: atOnce, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	nc := dial()
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for range 500 {
				msg, err := nc.Request(bus.ServiceSubject(bus.Put, "h41"), nil, patience)
				var a axispb.Answer
				if err := errors.Join(err, proto.Unmarshal(msg.Data, &a)); err != nil || a.Error != nil {
					t.Errorf("%v, %v", err, a.Error)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := drain(t, s); err != nil {
		t.Error(err)
	}
}

func TestWhatIsDoneIsGivenBack(t *testing.T) {
	dial := plain(t)
	s, err := bus.Serve(dial(), map[bus.Service]bus.Handler{
		bus.Put: func(context.Context, string, []byte) (proto.Message, error) { return wrapperspb.String("done"), nil },
	}, bus.ServeConfig{MaxTotalBytes: 1 << 20, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	nc := dial()
	for range 1000 {
		if a := request(t, nc); a.Error != nil {
			t.Fatalf("%v, %+v", a, s.Stats())
		}
	}
	if err := drain(t, s); err != nil {
		t.Error(err)
	}
}
