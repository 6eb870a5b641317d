package endpoint

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"docaxis/endpoint/axistest"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/link"
	"docaxis/internal/bus"
	"docaxis/internal/envelope"
	"docaxis/internal/sealtest"
	"docaxis/internal/signer/signertest"
	"docaxis/proto/axispb"
)

func TestMain(m *testing.M) {
	signertest.Run()
	goleak.VerifyTestMain(m)
}

const patience = 60 * time.Second

// world is an axis with offices.
type world struct {
	t    *testing.T
	axis *axistest.Axis
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{t: t, axis: axistest.New(t)}
}

// office is an endpoint with its folder, which may be stopped and started.
type office struct {
	t      *testing.T
	axis   *axistest.Axis
	dir    string
	name   string
	codes  []string
	seals  map[string]sealtest.Seal
	faults faults
	now    func() time.Time
	logs   logs
	// adjust changes the configuration of the next start.
	adjust func(*Config)

	agent *Agent
	conn  *axistest.Conn
	stop  func() error
}

// office enrols an endpoint that serves codes, each with an admitted seal. It is
// not started.
func (w *world) office(name string, codes ...string) *office {
	w.t.Helper()
	return w.officeUntil(name, sealtest.NotAfter, codes...)
}

func (w *world) officeUntil(name string, until time.Time, codes ...string) *office {
	w.t.Helper()
	o := &office{t: w.t, axis: w.axis, dir: w.t.TempDir(), name: name, codes: codes, seals: map[string]sealtest.Seal{}, now: time.Now}
	o.join(until)
	for _, code := range codes {
		seal := sealtest.New(w.t, sealtest.Seal{}, "Seal of "+code)
		o.seals[code] = seal
		w.axis.AdmitSeal(code, seal.Certificate())
		o.writeSeal(code, seal)
	}
	w.t.Cleanup(func() {
		if o.stop != nil {
			o.halt()
		}
	})
	return o
}

func (o *office) join(until time.Time) {
	o.t.Helper()
	invite := bus.Invite{Address: "axis.test:4222", Pin: o.axis.Pin()}
	_, err := link.JoinWith(o.t.Context(), o.dir, invite, func(_ context.Context, csr []byte, _ string) (*axispb.EnrolAnswer, error) {
		return o.axis.Enrol(o.name, csr, until, o.codes...), nil
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) writeSeal(code string, seal sealtest.Seal) {
	o.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(seal.Key)
	if err != nil {
		o.t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: seal.Certificate().Raw})...)
	if err := os.WriteFile(filepath.Join(o.dir, code+".pem"), text, 0o600); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) config() Config {
	c := Config{
		Log: slog.New(slog.NewTextHandler(&o.logs, nil)), Faults: o.faults.at, Now: o.now,
		Retry: Retry{Min: time.Millisecond, Max: 20 * time.Millisecond}, PullEvery: 50 * time.Millisecond, LabelAfter: time.Nanosecond,
		Dial: func(context.Context, link.Identity) (link.Conn, error) {
			o.conn = o.axis.Dial(o.name)
			return o.conn, nil
		},
	}
	for _, code := range o.codes {
		c.Settings.Seals = append(c.Settings.Seals, SealSettings{Code: code, Key: code + ".pem"})
	}
	if o.adjust != nil {
		o.adjust(&c)
	}
	return c
}

// open opens the agent without running it.
func (o *office) open() *office {
	o.t.Helper()
	agent, err := Open(o.dir, o.config())
	if err != nil {
		o.t.Fatal(err)
	}
	o.agent = agent
	o.stop = func() error { return nil }
	return o
}

// start opens the agent and runs it.
func (o *office) start() *office {
	o.t.Helper()
	return o.open().run()
}

// run runs an agent that is open.
func (o *office) run() *office {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- o.agent.Run(ctx) }()
	o.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	return o
}

// halt stops the agent, asks whether its stores hold what they promise, and closes
// it.
func (o *office) halt() {
	o.t.Helper()
	if err := o.stop(); err != nil {
		o.t.Errorf("%s: Run: %v", o.name, err)
	}
	if err := errors.Join(o.agent.Check(), o.agent.files.Check(), o.agent.CheckFiles(context.Background())); err != nil {
		o.t.Errorf("%s: %v", o.name, err)
	}
	if err := o.agent.Close(); err != nil {
		o.t.Errorf("%s: close: %v", o.name, err)
	}
	o.stop = nil
	if o.t.Failed() {
		o.t.Logf("%s:\n%s", o.name, o.logs.String())
	}
}

// restart is a crash and a new start, without faults.
func (o *office) restart() {
	o.t.Helper()
	o.halt()
	o.faults.clear()
	o.start()
}

func draft(sender string, to ...string) Draft {
	return Draft{Document: envelope.Document{
		Sender: sender, To: to, Kind: envelope.KindDocument, Subject: "Về việc kết nối trục liên thông",
	}}
}

func (d Draft) with(files ...[]byte) Draft {
	for i, f := range files {
		d.Files = append(d.Files, DraftFile{Title: fmt.Sprintf("Công văn %d.pdf", i+1), Type: "application/pdf", Content: bytes.NewReader(f)})
	}
	return d
}

func (d Draft) about(sender, id string, kind envelope.Kind) Draft {
	d.Document.Kind = kind
	d.Document.References = []envelope.Reference{{Sender: sender, ID: id, Relation: envelope.RelationTarget}}
	if kind == envelope.KindStatus {
		d.Document.Status = "13"
	}
	return d
}

func (o *office) send(d Draft) string {
	o.t.Helper()
	id, err := o.agent.Send(o.t.Context(), d)
	if err != nil {
		o.t.Fatal(err)
	}
	return id
}

func (o *office) wait(id string, s axispb.State) {
	o.t.Helper()
	if err := o.waitErr(id, s); err != nil {
		states, _ := o.agent.states(id, s)
		o.t.Fatalf("%s: %s does not come to %s, is %v: %v", o.name, id, s, states, err)
	}
}

func (o *office) waitErr(id string, s axispb.State) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return o.agent.Wait(ctx, id, s)
}

// received is the one entry of a document at a code.
func (o *office) received(id, code string) *axispb.InboxEntry {
	o.t.Helper()
	all, err := o.agent.Inbox(inbox.Filter{Code: code})
	if err != nil {
		o.t.Fatal(err)
	}
	var found []*axispb.InboxEntry
	for _, e := range all {
		if e.Id == id {
			found = append(found, e)
		}
	}
	if len(found) != 1 {
		o.t.Fatalf("%s has %s %d times", code, id, len(found))
	}
	return found[0]
}

func (o *office) confirm(id, code string) {
	o.t.Helper()
	key := inbox.KeyOf(o.received(id, code))
	if err := errors.Join(o.agent.MarkFetched(o.t.Context(), key), o.agent.Confirm(o.t.Context(), key, true, "")); err != nil {
		o.t.Fatal(err)
	}
}

// content reads a file of a received document.
func (o *office) content(id, code string, file int) []byte {
	o.t.Helper()
	r, err := o.agent.Document(inbox.KeyOf(o.received(id, code)))
	if err != nil {
		o.t.Fatal(err)
	}
	f, err := r.File(file)
	if err != nil {
		o.t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		o.t.Fatal(err)
	}
	return data
}

// until polls a condition.
func (o *office) until(what string, ok func() bool) {
	o.t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			o.t.Fatalf("%s: not in time: %s", o.name, what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

func (o *office) status() Status {
	o.t.Helper()
	s, err := o.agent.Status()
	if err != nil {
		o.t.Fatal(err)
	}
	return s
}

// synced waits until the directory knows the codes, so that what is sent to them is
// not refused for want of a pull.
func (o *office) synced(codes ...string) *office {
	o.t.Helper()
	for _, code := range codes {
		o.until("directory has "+code, func() bool {
			e, err := o.agent.Lookup(code)
			return err == nil && e != nil
		})
	}
	return o
}

// pair is a sender (H41) and a recipient (H42), both running.
func pair(t *testing.T) (*world, *office, *office) {
	t.Helper()
	w := newWorld(t)
	from, to := w.office("from", "H41"), w.office("to", "H42")
	from.start().synced("H41", "H42")
	to.start().synced("H41", "H42")
	return w, from, to
}

// withoutContents has nobody given contents that he asks for, until bring.
func (w *world) withoutContents() (bring func()) {
	w.axis.Lock()
	defer w.axis.Unlock()
	away := true
	w.axis.Hook = func(_ string, s bus.Service, _ string) error {
		if s == bus.Get && away {
			return axistest.Away()
		}
		return nil
	}
	return func() {
		w.axis.Lock()
		defer w.axis.Unlock()
		away = false
	}
}

// faults fails points, once or from one on.
type faults struct {
	mu    sync.Mutex
	point string
	after int
	dead  bool
	hit   chan struct{}
}

var errCrash = errors.New("crash")

// crash makes everything fail from the nth time on that a point is reached.
func (f *faults) crash(point string, nth int) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.point, f.after, f.dead, f.hit = point, nth, false, make(chan struct{})
	return f.hit
}

func (f *faults) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.point, f.dead = "", false
}

func (f *faults) at(point string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if point == f.point && !f.dead {
		if f.after--; f.after == 0 {
			f.dead = true
			close(f.hit)
		}
	}
	if f.dead {
		return errCrash
	}
	return nil
}

// logs keeps what was logged.
type logs struct {
	mu  sync.Mutex
	all strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}
