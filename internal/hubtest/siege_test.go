package hubtest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/link"
	"docaxis/internal/bus"
	"docaxis/internal/chunk"
	"docaxis/internal/envelope"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
	"docaxis/signing"
)

const fourAgencies = `code,name,aliases,parent,level,valid_from,note
G22,Văn phòng Chính phủ,000.00.00.G22,,ministry,,
H41,Ủy ban nhân dân tỉnh Nghệ An,000.00.00.H41,,province,,
H42,Ủy ban nhân dân tỉnh Ninh Bình,000.00.00.H42,,province,,
H25,Ủy ban nhân dân tỉnh Hà Nam,000.00.00.H25,,province,,
`

// secret stands in everything that the victims write to one another. What is in no
// document for the attacker must be in no answer to it.
const secret = "chỉ dành cho người nhận"

// siege is a world in which victims exchange documents, and an endpoint that was
// properly enrolled turns on them.
type siege struct {
	*hubtest.World
	log *complaints
	// sender sends; receiver is there; away was enrolled and never came; attacker
	// has no agent running, but its certificate, key and seal.
	sender, receiver, away, attacker *hubtest.Member
	raw                              *raw // the attacker's connection
	me                               link.Identity
	counted                          uint64           // statements that the attacker made
	now                              func() time.Time // where a test turns it
	crossed                          parcel
	pending                          parcel            // for away
	accomplices                      []*hubtest.Member // of the attacker
	shared                           parcel            // for receiver and attacker
	offline                          atomic.Bool       // nobody can upload
	mend                             func() []byte     // makes good what was just refused
}

// parcel is a document of the victims, as its recipient got it.
type parcel struct {
	item     *axispb.Item
	envelope *envelope.Envelope
	content  []byte
}

func (p parcel) digest() []byte { return p.envelope.Pb.GetContents()[0].GetChunks()[0] }

func besiege(t *testing.T) *siege {
	t.Helper()
	s := &siege{log: &complaints{}}
	s.World = world(t, hubtest.Config{Agencies: fourAgencies, Log: slog.New(s.log)}, "G22", "H41")
	t.Cleanup(func() { s.log.check(t) })
	s.sender, s.receiver = s.Member("G22"), s.Member("H41")
	s.away, s.attacker = s.enrol(t, "H42"), s.enrol(t, "H25")
	s.raw, s.me = s.connect(t, s.attacker), s.identity(t, s.attacker)
	s.exchange(t)
	return s
}

func (s *siege) enrol(t *testing.T, code string) *hubtest.Member {
	t.Helper()
	m, err := s.Enrol(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// exchange lets the victims send three documents, and waits until nothing moves.
func (s *siege) exchange(t *testing.T) {
	t.Helper()
	crossed := s.send(t, "một", "H41")
	shared := s.send(t, "hai", "H41", "H25")
	pending := s.send(t, "ba", "H42")
	wait(t, s.sender, pending, axispb.State_STATE_ACCEPTED)
	for _, id := range []string{crossed, shared} {
		wait(t, s.receiver, id, axispb.State_STATE_CONSIGNED)
	}
	if _, err := endpoint.Clerk(s.receiver.Agent()).Confirm(t.Context(), clerk.Confirm{ID: crossed}); err != nil {
		t.Fatal(err)
	}
	wait(t, s.sender, crossed, axispb.State_STATE_HANDED_OVER)
	s.settle(t)
	s.crossed = s.parcel(t, s.receiver, crossed, "một")
	s.pending = s.parcel(t, s.away, pending, "ba")
	s.shared = s.parcel(t, s.receiver, shared, "hai")
}

func (s *siege) send(t *testing.T, what string, to ...string) string {
	t.Helper()
	return send(t, s.sender, clerk.Draft{To: to, Subject: secret + " " + what}, contentOf(what))
}

func contentOf(what string) []byte { return bytes.Repeat([]byte(secret+" "+what+"\n"), 4000) }

// parcel reads a document out of its recipient's own mailbox.
func (s *siege) parcel(t *testing.T, m *hubtest.Member, id, what string) parcel {
	t.Helper()
	page := new(axispb.Page)
	mustBody(t, s.connect(t, m).ask(t, bus.Pull, fromTheStart()), page)
	for _, item := range page.GetItems() {
		if e, err := envelope.Parse(item.GetRecord().GetBody()); err == nil && e.Document.ID == id {
			return parcel{item, e, contentOf(what)}
		}
	}
	t.Fatalf("%s is not in the mailbox of %s", id, m.Name)
	return parcel{}
}

// fromTheStart asks for everything in every lane.
func fromTheStart() *axispb.PullRequest {
	return &axispb.PullRequest{MaxBytes: 1 << 20, MaxContents: 1 << 20, Cursors: []*axispb.Cursor{
		{Lane: axispb.Lane_LANE_REGISTRY}, {Lane: axispb.Lane_LANE_URGENT}, {Lane: axispb.Lane_LANE_NORMAL},
	}}
}

// settle waits until every statement of the victims is journaled and nothing new
// comes.
func (s *siege) settle(t *testing.T) {
	t.Helper()
	before, quiet := state(nil), 0
	until(t, "the victims come to rest", func() bool {
		now := s.state(t)
		still := before != nil && len(before.changes(now)) == 0 && !now.underWay()
		before = now
		for _, m := range []*hubtest.Member{s.sender, s.receiver} {
			status, err := endpoint.Clerk(m.Agent()).Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			still = still && status.Unsent == 0
		}
		if quiet++; !still {
			quiet = 0
		}
		return quiet == 3
	})
}

func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(60 * time.Second)
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("it never came about that %s", what)
		}
	}
}

// raw is a connection with a member's own certificate and none of its manners.
type raw struct {
	*nats.Conn
	name string

	over context.Context // done when the connection was cut

	mu      sync.Mutex
	refused []string // what the server forbade
	loot    int      // answers with what only the victims know
}

func (s *siege) identity(t *testing.T, m *hubtest.Member) link.Identity {
	t.Helper()
	id, err := link.LoadIdentity(m.Dir)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (s *siege) connect(t *testing.T, m *hubtest.Member, opts ...nats.Option) *raw {
	t.Helper()
	id := s.identity(t, m)
	r, err := s.connectAs(m.Name, id.CA, &id.Certificate, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func (s *siege) connectAs(name string, ca *x509.Certificate, cert *tls.Certificate, opts ...nats.Option) (*raw, error) {
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	cfg := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13, Time: s.now}
	if cert != nil {
		// Shown whatever authorities the server says it accepts.
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	over, cut := context.WithCancel(context.Background())
	r := &raw{name: name, over: over}
	nc, err := nats.Connect("tls://"+s.Hub().Addr(), append([]nats.Option{
		nats.TLSHandshakeFirst(), nats.Secure(cfg), nats.NoReconnect(), nats.Timeout(30 * time.Second),
		nats.CustomInboxPrefix(bus.InboxPrefix(name)), nats.ErrorHandler(r.forbidden),
		nats.ClosedHandler(func(*nats.Conn) { cut() }),
	}, opts...)...)
	if err != nil {
		cut()
		return nil, err
	}
	r.Conn = nc
	return r, nil
}

func (r *raw) forbidden(_ *nats.Conn, _ *nats.Subscription, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused = append(r.refused, err.Error())
}

// refusals counts what the server forbade, of subjects that hold a text.
func (r *raw) refusals(of string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, text := range r.refused {
		if strings.Contains(text, of) {
			n++
		}
	}
	return n
}

// ask asks a service under the connection's own name.
func (r *raw) ask(t testing.TB, service bus.Service, req proto.Message) *axispb.Answer {
	t.Helper()
	return r.askRaw(t, service, wire(t, req))
}

func (r *raw) askRaw(t testing.TB, service bus.Service, req []byte) *axispb.Answer {
	t.Helper()
	a, err := r.tryAsk(service, req)
	if err != nil {
		t.Fatalf("%s: %v", service, err)
	}
	return a
}

func (r *raw) tryAsk(service bus.Service, req []byte) (*axispb.Answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	stop := context.AfterFunc(r.over, cancel)
	defer stop()
	m, err := r.RequestWithContext(ctx, bus.ServiceSubject(service, r.name), req)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(m.Data, []byte(secret+" một")) || bytes.Contains(m.Data, []byte(secret+" ba")) {
		r.mu.Lock()
		r.loot++
		r.mu.Unlock()
	}
	a := new(axispb.Answer)
	return a, proto.Unmarshal(m.Data, a)
}

// emptyHanded holds the attacker to have heard nothing of what is not for it.
func (s *siege) emptyHanded(t *testing.T) {
	t.Helper()
	s.raw.mu.Lock()
	defer s.raw.mu.Unlock()
	if s.raw.loot > 0 {
		t.Errorf("%d answers hold what the victims wrote to one another", s.raw.loot)
	}
	s.raw.loot = 0
}

func wire(t testing.TB, m proto.Message) []byte {
	t.Helper()
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func mustBody(t testing.TB, a *axispb.Answer, into proto.Message) {
	t.Helper()
	if a.GetError() != nil {
		t.Fatalf("refused: %v", a.GetError())
	}
	if err := proto.Unmarshal(a.GetBody(), into); err != nil {
		t.Fatal(err)
	}
}

// said is an answer's error as "temporary REASON [args]".
func said(a *axispb.Answer) string {
	if a.GetError() == nil {
		return "no error"
	}
	text := reasonText(a.GetError())
	if a.GetTemporary() {
		return "temporary " + text
	}
	return text
}

func reasonText(r *axispb.Reason) string {
	return fmt.Sprintf("%s %q", strings.TrimPrefix(r.GetCode().String(), "REASON_"), r.GetArgs())
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s, not %s", what, got, want)
	}
}

// compose seals a document under a member's seal.
func (s *siege) compose(t *testing.T, m *hubtest.Member, doc envelope.Document, contents ...[]byte) []byte {
	t.Helper()
	key, chain, err := signing.LoadKey(filepath.Join(m.Dir, "seal-"+m.Code+".pem"), "")
	if err != nil {
		t.Fatal(err)
	}
	return s.composeWith(t, envelope.Key{Signer: key, Chain: chain}, doc, contents...)
}

func (s *siege) composeWith(t *testing.T, key envelope.Key, doc envelope.Document, contents ...[]byte) []byte {
	t.Helper()
	doc.Version, doc.Created = 1, time.Now().UTC().Truncate(time.Second)
	doc.Kind = envelope.Kind(or(string(doc.Kind), string(envelope.KindDocument)))
	doc.ID, doc.Subject = or(doc.ID, newID(t)), or(doc.Subject, "Công văn của H25")
	var files []envelope.File
	for i, c := range contents {
		f, err := chunk.Read(bytes.NewReader(c))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, envelope.File{Title: fmt.Sprintf("%d.bin", i), Content: f})
	}
	raw, err := envelope.Seal(&doc, files, key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func newID(t *testing.T) string {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	return id.String()
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// upload puts a content of one range.
func (r *raw) upload(t testing.TB, content []byte) []byte {
	t.Helper()
	digest := sha256.Sum256(content)
	answer := new(axispb.PutAnswer)
	mustBody(t, r.ask(t, bus.Put, &axispb.PutRequest{Digest: digest[:], Size: uint32(len(content)), Data: content}), answer)
	if !answer.GetHeld().GetComplete() {
		t.Fatalf("not uploaded: %v", answer)
	}
	return digest[:]
}

// complaints keeps what the axis and the endpoints log as errors: whatever an
// attacker sends, none of it is one.
type complaints struct {
	mu    sync.Mutex
	lines []string
}

func (c *complaints) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }
func (c *complaints) WithAttrs([]slog.Attr) slog.Handler           { return c }
func (c *complaints) WithGroup(string) slog.Handler                { return c }

func (c *complaints) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "broker" {
		return nil // what the NATS server forbade; it is bounded in number
	}
	line := r.Message
	r.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, line)
	return nil
}

func (c *complaints) check(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.Sort(c.lines)
	for _, line := range slices.Compact(c.lines) {
		t.Errorf("an error was logged: %.500s", line)
	}
}

const huge = uint64(math.MaxUint64)
