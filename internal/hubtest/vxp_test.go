package hubtest_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/vxp"
	"docaxis/endpoint/vxp/vxptest"
	"docaxis/internal/hubtest"
)

// dmsWorld is an axis with the agencies of the recorded exchanges and an endpoint for
// each of the two systems.
type dmsWorld struct {
	*hubtest.World
	t     *testing.T
	names naming
	// recorded: requests are signed with the secrets of the recordings.
	recorded bool

	mu        sync.Mutex // guards the rest
	faces     map[string]*face
	addresses map[string]string
	secrets   map[string]string
}

// face is the listener of a system's endpoint while it runs.
type face struct {
	stop context.CancelFunc
	done chan error
}

// asRecorded is an Exchange whose systems have the secrets of the recordings.
type asRecorded struct{ vxp.Exchange }

func (x asRecorded) Secrets(system string) ([][]byte, error) {
	own, err := x.Exchange.Secrets(system)
	if err != nil || len(own) == 0 {
		return nil, err
	}
	return [][]byte{[]byte(map[string]string{vxptest.SystemA: vxptest.SecretA, vxptest.SystemB: vxptest.SecretB}[system])}, nil
}

// naming gives sendings and deliveries the ids of the recordings.
type naming struct {
	ids vxptest.IDs
	mu  sync.Mutex // guards the rest
	by  map[string]string
}

func (n *naming) sending(id string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, known := n.by[id]; !known {
		n.by[id] = ""
		if at := len(n.by) - 1; at < len(n.ids.Sent) {
			n.by[id] = n.ids.Sent[at]
		}
	}
	return n.by[id]
}

func (n *naming) delivery(k inbox.Key) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if id := n.ids.Delivered[[2]string{n.by[k.ID], k.Code}]; id != "" {
		return id
	}
	return inbox.DeliveryID(k)
}

// codesOf are the agencies of a recorded system.
func codesOf(system string) (codes []string) {
	for _, a := range vxptest.RecordedAgencies() {
		if a.System == system {
			codes = append(codes, a.Code)
		}
	}
	return codes
}

func newDMSWorld(t *testing.T, recorded bool, ids vxptest.IDs, adjust func(*hubtest.Config)) *dmsWorld {
	t.Helper()
	w := &dmsWorld{t: t, recorded: recorded, names: naming{ids: ids, by: map[string]string{}}, faces: map[string]*face{}, addresses: map[string]string{}, secrets: map[string]string{}}
	var csv strings.Builder
	csv.WriteString("code,name,aliases,parent,level,valid_from,note\n")
	for _, a := range vxptest.RecordedAgencies() {
		csv.WriteString(a.Code + "," + a.Name + ",,,unit,,\n")
	}
	cfg := hubtest.Config{
		Dir: t.TempDir(), Agencies: csv.String(), PullEvery: time.Hour,
		Retry: endpoint.Retry{Min: 10 * time.Millisecond, Max: 100 * time.Millisecond},
		AdjustEndpoint: func(_ string, c *endpoint.Config) {
			c.Settings.VXP.Listen = "127.0.0.1:0"
			c.DocID, c.DeliveryID = w.names.sending, w.names.delivery
		},
	}
	if adjust != nil {
		adjust(&cfg)
	}
	var err error
	if w.World, err = hubtest.New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for system := range w.faces {
			w.closeFace(system)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, system := range []string{vxptest.SystemA, vxptest.SystemB} {
		w.connect(system)
	}
	return w
}

// connect joins an endpoint, gives it a system and opens its face.
func (w *dmsWorld) connect(system string) {
	w.t.Helper()
	codes := codesOf(system)
	m, err := w.Join(w.t.Context(), codes...)
	if err != nil {
		w.t.Fatal(err)
	}
	added, err := endpoint.Clerk(m.Agent()).ChangeSystem(w.t.Context(), clerk.SystemChange{Do: clerk.SystemAdd, Name: system, Codes: codes})
	if err != nil {
		w.t.Fatal(err)
	}
	w.secrets[system] = added.Secret
	w.openFace(system)
}

// listener is a Face, or the same with the recorded secrets.
type listener interface {
	Run(context.Context) error
}

func (w *dmsWorld) listen(system string) (listener, string) {
	w.t.Helper()
	agent := w.Member(codesOf(system)[0]).Agent()
	if w.recorded {
		s, err := vxp.Listen(vxp.ServerConfig{Address: "127.0.0.1:0"}, vxp.Handler(asRecorded{endpoint.Exchange(agent)}, vxp.Options{}))
		if err != nil {
			w.t.Fatal(err)
		}
		return s, s.Addr().String()
	}
	f, err := endpoint.OpenFace(agent)
	if err != nil {
		w.t.Fatal(err)
	}
	return f, f.Addr()
}

func (w *dmsWorld) openFace(system string) {
	w.t.Helper()
	l, address := w.listen(system)
	ctx, stop := context.WithCancel(context.Background())
	f := &face{stop: stop, done: make(chan error, 1)}
	go func() { f.done <- l.Run(ctx) }()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faces[system], w.addresses[system] = f, address
}

func (w *dmsWorld) closeFace(system string) {
	w.mu.Lock()
	f := w.faces[system]
	w.mu.Unlock()
	if f == nil {
		return // it is in a process of its own
	}
	f.stop()
	if err := <-f.done; err != nil {
		w.t.Error(err)
	}
}

// Address is for vxptest.World.
func (w *dmsWorld) Address(system string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a := w.addresses[system]; a != "" {
		return a
	}
	return w.addresses[vxptest.SystemB] // a system that is not there
}

// Settle waits until the senders know that everything they sent has come.
func (w *dmsWorld) Settle(t *testing.T) {
	t.Helper()
	for _, system := range []string{vxptest.SystemA, vxptest.SystemB} {
		exchange := endpoint.Exchange(w.Member(codesOf(system)[0]).Agent())
		until(t, "everything has come", func() bool {
			for _, class := range []vxp.Class{vxp.Documents, vxp.Statuses} {
				rows, err := exchange.SentBy(t.Context(), system, class, "", 1000)
				if err != nil || slices.ContainsFunc(rows, func(r vxp.SentRow) bool { return r.ReceiverDocID == "" }) {
					return false
				}
			}
			return true
		})
	}
}

// Notices is for vxptest.World: a sender is told by a status that its document was taken.
func (w *dmsWorld) Notices() bool { return true }

// TestRecordedExchangesOverARealAxis: the requests of the unmodified SDK, byte for byte,
// against two endpoints with an axis between them.
func TestRecordedExchangesOverARealAxis(t *testing.T) {
	vxptest.Replay(t, func(t *testing.T, ids vxptest.IDs) vxptest.World {
		return newDMSWorld(t, true, ids, nil)
	})
}
