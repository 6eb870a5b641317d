package hubtest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"docaxis/endpoint"
	"docaxis/endpoint/vxp/vxptest"
	"docaxis/internal/hubtest"
	"docaxis/internal/vectors"
)

// face is what a child does that serves a system: an endpoint with its listener.
func (o order) face(ctx context.Context) error {
	settings, err := endpoint.LoadSettings(o.Dir)
	if err != nil {
		return err
	}
	a, err := endpoint.Open(o.Dir, endpoint.Config{Settings: settings, Log: o.log(), Retry: quick})
	if err != nil {
		return err
	}
	f, err := endpoint.OpenFace(a)
	if err != nil {
		return errors.Join(err, a.Close())
	}
	ran := make(chan error, 1)
	go func() { ran <- a.Run(ctx) }()
	return errors.Join(f.Run(ctx), <-ran, a.Close())
}

// killable is an endpoint in a process of its own, which is killed again and again.
type killable struct {
	t     *testing.T
	dir   string
	kills int
	// soon are the kills that were told to happen in the middle of a call.
	soon sync.WaitGroup

	mu  sync.Mutex // guards the rest
	cmd *exec.Cmd
	in  io.Closer
	log bytes.Buffer
}

func (k *killable) start() {
	k.t.Helper()
	k.cmd = exec.CommandContext(k.t.Context(), os.Args[0])
	k.cmd.Env = append(os.Environ(), childVariable+"=1")
	k.cmd.Stderr = &k.log
	in, err := k.cmd.StdinPipe()
	if err == nil {
		err = k.cmd.Start()
	}
	if err == nil {
		err = json.NewEncoder(in).Encode(order{Face: true, Dir: k.dir})
	}
	if err != nil {
		k.t.Error(err)
	}
	k.in = in
}

// kill ends the process as a power cut would, and starts it again.
func (k *killable) kill() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kills++
	if err := k.cmd.Process.Kill(); err != nil {
		k.t.Error(err)
	}
	k.cmd.Wait() //nolint:errcheck // it was killed
	k.start()
}

func (k *killable) stop() {
	k.soon.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.in.Close() //nolint:errcheck // its end is what counts
	if err := k.cmd.Wait(); err != nil {
		k.t.Errorf("%v\n%s", err, k.log.String())
	}
}

// dmsOffice is a document-management system: one service object for everything, and a
// folder of what it has.
type dmsOffice struct {
	t       *testing.T
	client  *vxptest.Client
	between func()
	stored  map[string][]byte
	done    map[string]bool
}

// call repeats a call until it is answered for good, as the people of such systems do.
func (o *dmsOffice) call(what string, call func() (vxptest.Answer, error)) (a vxptest.Answer) {
	o.t.Helper()
	o.between()
	eventually(o.t, what, func() (err error) {
		if a, err = call(); err != nil {
			return err
		}
		if a.Code != nil && (*a.Code == "503" || *a.Code == "100") {
			return errors.New(*a.Code)
		}
		return nil
	})
	return a
}

func (o *dmsOffice) send(from, class, name string) {
	o.t.Helper()
	file := vectors.EdXML(name)
	a := o.call(name, func() (vxptest.Answer, error) { return o.client.SendEdoc(o.t.Context(), from, class, file) })
	if !a.OK() {
		o.t.Fatalf("%s: %s", name, a.Body)
	}
}

// take fetches, stores and confirms what is listed, and gives how many were listed.
func (o *dmsOffice) take() (listed int) {
	o.t.Helper()
	for _, class := range []string{"edoc", "status"} {
		list := o.call("list", func() (vxptest.Answer, error) { return o.client.Received(o.t.Context(), class) })
		for _, e := range list.List {
			listed++
			id := e["docId"]
			if o.done[id] {
				o.t.Errorf("%s is listed after it was confirmed", id)
			}
			if o.stored[id] == nil {
				o.fetch(id)
			}
			a := o.call("confirm", func() (vxptest.Answer, error) { return o.client.UpdateStatus(o.t.Context(), id, "done") })
			if !a.OK() {
				o.t.Errorf("confirm %s: %s", id, a.Body)
			}
			o.done[id] = true
		}
	}
	return listed
}

// fetch fetches by the one way and the other.
func (o *dmsOffice) fetch(id string) {
	o.t.Helper()
	way := o.client.GetEdoc
	if len(o.stored)%2 == 1 {
		way = o.client.DownloadEdoc
	}
	a := o.call("fetch", func() (vxptest.Answer, error) { return way(o.t.Context(), id) })
	if !a.Saved {
		o.t.Errorf("fetch %s: %s", id, a.Body)
	}
	o.stored[id] = a.Data
}

// takes waits until so many of a file have come.
func (o *dmsOffice) takes(name string, n int) {
	o.t.Helper()
	eventually(o.t, name+" to come", func() error {
		if o.take(); o.has(name) < n {
			return fmt.Errorf("%d of %d", o.has(name), n)
		}
		return nil
	})
}

// has counts the deliveries of a file.
func (o *dmsOffice) has(name string) (n int) {
	for _, raw := range o.stored {
		if sha256.Sum256(raw) == sha256.Sum256(vectors.EdXML(name)) {
			n++
		}
	}
	return n
}

// dmsStep is a package from one side to the other.
type dmsStep struct {
	file, class string
	fromA       bool
	copies      int
}

// TestTwoSystemsWhoseEndpointsAreKilled: two programs, each with one object of the SDK,
// exchange documents of every kind and statuses of every code, while their endpoints
// are killed between any two calls and in the middle of some, and a third of their
// connections break before the answer. Everything arrives byte for byte and once.
func TestTwoSystemsWhoseEndpointsAreKilled(t *testing.T) {
	t.Parallel()
	w := newDMSWorld(t, false, vxptest.IDs{}, nil)
	chance := rand.New(rand.NewPCG(1, 2))
	endpoints := []*killable{w.apart(vxptest.SystemA), w.apart(vxptest.SystemB)}
	var calls int
	between := func() {
		calls++
		k := endpoints[chance.IntN(2)]
		switch chance.IntN(8) {
		case 0:
			k.kill()
		case 1:
			k.soon.Go(k.kill)
		}
	}
	a, b := w.dms(vxptest.SystemA, between), w.dms(vxptest.SystemB, between)
	steps := []dmsStep{
		{"new-1-attachment.edxml", "edoc", true, 1},
		{"status-01.edxml", "status", false, 1},
		{"status-03.edxml", "status", false, 1},
		{"status-04.edxml", "status", false, 1},
		{"status-05.edxml", "status", false, 1},
		{"new-3-recipients.edxml", "edoc", true, 3},
		{"update.edxml", "edoc", true, 2},
		{"status-15.edxml", "status", false, 1},
		{"replacement.edxml", "edoc", true, 2},
		{"status-16.edxml", "status", false, 1},
		{"status-06.edxml", "status", false, 1},
		{"status-13.edxml", "status", true, 1},
		{"revocation.edxml", "edoc", true, 1},
		{"status-02.edxml", "status", false, 1},
	}
	for _, s := range steps {
		if s.fromA {
			a.send("000.00.00.X90", s.class, s.file)
			b.takes(s.file, s.copies)
		} else {
			b.send("000.00.00.X91", s.class, s.file)
			a.takes(s.file, s.copies)
		}
	}
	for _, s := range steps {
		to := map[bool]*dmsOffice{true: b, false: a}[s.fromA]
		if n := to.has(s.file); n != s.copies {
			t.Errorf("%s came %d times, not %d", s.file, n, s.copies)
		}
	}
	t.Logf("%d calls, kills: %d and %d", calls, endpoints[0].kills, endpoints[1].kills)
	for _, k := range endpoints {
		k.stop()
		if k.kills == 0 {
			t.Error("an endpoint was never killed")
		}
	}
	for _, system := range []string{vxptest.SystemA, vxptest.SystemB} {
		if err := w.Member(codesOf(system)[0]).Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "promises 1 to 3", func() error { return hubtest.Check(t.Context(), w.World) })
}

// apart lets a system's endpoint go on in a process of its own, at an address that stays.
func (w *dmsWorld) apart(system string) *killable {
	w.t.Helper()
	w.closeFace(system)
	m := w.Member(codesOf(system)[0])
	if err := m.Stop(); err != nil {
		w.t.Fatal(err)
	}
	address, err := hubtest.Port()
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.faces[system] = nil
	w.addresses[system] = address
	w.mu.Unlock()
	settings, err := os.OpenFile(filepath.Join(m.Dir, endpoint.SettingsFile), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = fmt.Fprintf(settings, "\n[vxp]\nlisten = %q\n", address)
	}
	if err := errors.Join(err, settings.Close()); err != nil {
		w.t.Fatal(err)
	}
	k := &killable{t: w.t, dir: m.Dir}
	k.start()
	return k
}

func (w *dmsWorld) dms(system string, between func()) *dmsOffice {
	connections := 0
	line := vxptest.Breaking(w.t, func() string { return w.Address(system) }, func() bool { connections++; return connections%3 == 0 })
	c := vxptest.New("http://"+line, system, w.secrets[system])
	return &dmsOffice{t: w.t, client: c, between: between, stored: map[string][]byte{}, done: map[string]bool{}}
}
