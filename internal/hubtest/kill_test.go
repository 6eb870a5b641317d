package hubtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"docaxis/axis"
	"docaxis/endpoint"
	"docaxis/internal/envelope"
	"docaxis/internal/fault"
	"docaxis/internal/hubtest"
)

// A process that is killed at a point runs nothing of what would have followed: no
// deferred call, no drain, no close. So these rows have the axis, or an endpoint, in
// a process of its own, which kills itself there; then it is started again over its
// folder, and the checker proves promises 1 to 3.

// order tells a child what to be, and where to die.
type order struct {
	Endpoint, Face bool
	Dir, Listen    string
	MaxStreamBytes uint64
	Point          string
	Hit            int32
	// Full: it does not die there; from then on no file can grow.
	Full bool
	// Ahead is how far its clock is ahead.
	Ahead time.Duration
	// Letters that an endpoint sends.
	Letters []message
}

// message is a document to send.
type message struct {
	Document envelope.Document
	Files    [][]byte
}

const childVariable = "DOCAXIS_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) == "" {
		os.Exit(m.Run())
	}
	if err := child(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child does what the first value on its input says until the input ends, or until
// it comes to the point where it dies.
func child() error {
	var o order
	in := json.NewDecoder(os.Stdin)
	if err := in.Decode(&o); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin) //nolint:errcheck // its end is what counts
		cancel()
	}()
	if o.Face {
		return o.face(ctx)
	}
	if o.Endpoint {
		return o.endpoint(ctx)
	}
	return o.axis(ctx)
}

func (o order) hook() fault.Hook {
	var hits atomic.Int32
	return func(point string) error {
		if point == o.Point && hits.Add(1) == o.Hit {
			if o.Full {
				fmt.Println(point)
				return fillDisk()
			}
			p, err := os.FindProcess(os.Getpid())
			if err == nil {
				fmt.Println(point)
				err = p.Kill()
			}
			if err == nil {
				select {}
			}
			return err
		}
		return nil
	}
}

func (o order) log() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func (o order) axis(ctx context.Context) error {
	file, err := axis.LoadFile(o.Dir)
	if err != nil {
		return err
	}
	file.Listen = o.Listen
	h, err := axis.Open(ctx, o.Dir, axis.Config{
		File: file, Log: o.log(), Faults: o.hook(), MaxStreamBytes: o.MaxStreamBytes, HealthEvery: 20 * time.Millisecond, SealEvery: 5 * time.Millisecond,
		Now: func() time.Time { return time.Now().Add(o.Ahead) },
	})
	if err != nil {
		return err
	}
	return errors.Join(h.Run(ctx), h.Close())
}

func (o order) endpoint(ctx context.Context) error {
	settings, err := endpoint.LoadSettings(o.Dir)
	if err != nil {
		return err
	}
	a, err := endpoint.Open(o.Dir, endpoint.Config{Settings: settings, Log: o.log(), Faults: o.hook(), Retry: quick})
	if err != nil {
		return err
	}
	ran := make(chan error, 1)
	go func() { ran <- a.Run(ctx) }()
	for _, l := range o.Letters {
		if _, err := a.Send(ctx, draft(l.Document, l.Files)); err != nil {
			return err
		}
	}
	return errors.Join(<-ran, a.Close())
}

// spawn runs a child; dead gives nil when it was killed at its point.
func spawn(t *testing.T, o order) (dead <-chan error, end func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=1")
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		err = json.NewEncoder(in).Encode(o)
	}
	if err != nil {
		t.Fatal(err)
	}
	died := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		if out.String() == o.Point+"\n" && err != nil {
			died <- nil
			return
		}
		died <- fmt.Errorf("it never came to %s: %w\n%s", o.Point, err, log.String())
	}()
	return died, func() { in.Close() }
}

// killed is a point at which a process dies, the nth time that it comes there.
type killed struct {
	point string
	hit   int32
}

// The axis dies while three endpoints exchange documents.
func TestTheAxisIsKilled(t *testing.T) {
	t.Parallel()
	const stream = 8 << 10
	for _, rows := range [][]killed{
		{{"append.before", 3}, {"append.after", 2}, {"sign.before", 3}, {"guard.before", 2}, {"guard.after", 1}, {"apply.before", 2}, {"apply.after", 3}},
		{{"put.after", 1}, {"rename.before", 2}, {"rename.after", 1}, {"row.after", 2}, {"rotate.closing.after", 1}, {"rotate.create.before", 1}, {"rotate.create.after", 1}},
	} {
		t.Run(rows[0].point+" and more", func(t *testing.T) {
			t.Parallel()
			w := newTable(t, hubtest.Config{MaxStreamBytes: stream}).world
			for i, r := range rows {
				t.Run(r.point, func(t *testing.T) {
					if err := w.StopAxis(); err != nil {
						t.Fatal(err)
					}
					dead, end := spawn(t, order{Dir: w.AxisDir(), Listen: w.Address(), MaxStreamBytes: stream, Point: r.point, Hit: r.hit})
					again := make(chan error, 1)
					go func() { again <- errors.Join(<-dead, w.StartAxis(t.Context())) }()
					newExchange(t, w, uint64(60+i)).play()
					end()
					if err := <-again; err != nil {
						t.Fatal(err)
					}
					check(t, w)
				})
			}
		})
	}
}

// The sender dies on the way from the draft to the receipt.
func TestTheSenderIsKilled(t *testing.T) {
	t.Parallel()
	killEndpoint(t, "G22", []killed{
		{"seal.after", 2},
		{"outbox.add.after", 2},
		{"attempt.after", 2},
		{"put.after", 1}, // of the large one: the others come inside their submissions
		{"submit.before", 2},
		{"submit.after", 1},
		{"receipt.store.before", 2},
		{"receipt.store.after", 1},
	})
}

// The receiver dies on the way from the mailbox to the evidence.
func TestTheReceiverIsKilled(t *testing.T) {
	t.Parallel()
	killEndpoint(t, "H41.11", []killed{
		{"t1.before", 1},
		{"t1.after", 1},
		{"fetch.after", 1},
		{"t2.before", 2},
		{"t2.after", 1},
		{"evidence.send.after", 1},
		{"evidence.store.before", 1},
		{"evidence.store.after", 1},
	})
}

func killEndpoint(t *testing.T, code string, rows []killed) {
	w := newTable(t, hubtest.Config{}).world
	for i, r := range rows {
		t.Run(r.point, func(t *testing.T) {
			m, x := w.Member(code), newExchange(t, w, uint64(80+i))
			to := envelope.Document{To: []string{"H41.11"}}
			letters := []*letter{
				x.write("small", "G22", to, want{"H41.11": consigned}, 20_000, 0),
				x.write("urgent", "G22", envelope.Document{To: to.To, Priority: 1}, want{"H41.11": consigned}, 300),
				x.write("large", "G22", to, want{"H41.11": consigned}, 1_300_000),
			}
			if err := m.Stop(); err != nil {
				t.Fatal(err)
			}
			o := order{Endpoint: true, Dir: m.Dir, Point: r.point, Hit: r.hit}
			for _, l := range letters {
				if code == l.from {
					o.Letters = append(o.Letters, message{l.doc, l.files})
				} else if err := l.submit(t.Context(), w); err != nil {
					t.Fatal(err)
				}
			}
			dead, end := spawn(t, o)
			defer end()
			if err := errors.Join(<-dead, m.Start(t.Context())); err != nil {
				t.Fatal(err)
			}
			// Whoever got no answer asks again, under the same id.
			for _, l := range letters {
				eventually(t, "send "+l.name, func() error { return l.submit(t.Context(), w) })
			}
			x.settle()
			check(t, w)
		})
	}
}
