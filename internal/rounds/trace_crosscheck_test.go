//go:build crosscheck

package rounds_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	operator "docaxis/axis/admin"
	clerk "docaxis/endpoint/admin"
)

// traced is what a process runs under, so that every call is written down that tells
// the disk something, or sends something.
func (p *process) traced() []string {
	return []string{
		"strace", "-D", "-f", "-yy", "-s", "0", "-q", "-o", p.straced(),
		"-e", "trace=write,writev,pwrite64,sendto,sendmsg,fsync,fdatasync,renameat",
	}
}

func (p *process) trace(t *testing.T) []momentOf {
	t.Helper()
	f, err := os.Open(p.straced())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := parseTrace(f)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// No answer leaves before the disk was told what it promises: one document, from a
// quiet sender to a quiet receiver, as the system calls of all three tell it.
func TestNothingLeavesBeforeTheDiskIsTold(t *testing.T) {
	w := newWorld(t, found(t))
	sender, receiver := w.ends["G22"], w.ends["H41"]
	listen := w.listens(t)
	w.axis.start(w.axis.traced()...)
	sender.start(sender.traced()...)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	// From then on nobody asks for anything: what leaves is about the document.
	w.await(ctx, t, sender, func(s clerk.Status) bool { return s.SeenSize == w.axisSize(ctx) })
	l := letter{subject: "Công văn", from: "G22", to: []string{"H41"}, sizes: []int{50_000}}
	if err := w.offer(ctx, sender, l); err != nil {
		t.Fatal(err)
	}
	answers := "TCP:[" + sender.admin(t) + "->"
	w.await(ctx, t, sender, func(s clerk.Status) bool { return s.Outbox["ACCEPTED"] == 1 })
	sender.end(false)
	receiver.start(receiver.traced()...)
	w.await(ctx, t, receiver, func(s clerk.Status) bool { return s.Inbox["CONSIGNED"] == 1 && s.Unsent == 0 })
	receiver.end(false)
	w.axis.end(false)

	k, found := axisPromise(listen).check(w.axis.trace(t))
	for _, err := range found {
		t.Errorf("axis: %v", err)
	}
	// The document, its evidence, and the guard of each; its chunk and document.json.
	if k.writes < 4 || k.names < 1 || k.leaves < 6 {
		t.Errorf("the axis's trace has too little to prove anything: %+v", k)
	}
	// bbolt syncs twice for each commit: its pages, then the page that names them.
	for _, x := range []struct {
		who  *process
		what string
		way  string
	}{
		{sender, "the answer that a document is safe", answers},
		{receiver, "the evidence that a document is here", "->" + listen + "]"},
	} {
		n, err := commits(x.who.trace(t), endpointPromise(x.way), "/endpoint.db")
		if err != nil || n < 2 {
			t.Errorf("%s leaves after %d syncs of endpoint.db (%v)", x.what, n, err)
		}
	}
}

// await waits until an endpoint's status is as it should be.
func (w *world) await(ctx context.Context, t *testing.T, p *process, as func(clerk.Status) bool) {
	t.Helper()
	err := until(ctx, func() error {
		s, err := get[clerk.Status](ctx, p, clerk.PathStatus, nil)
		if err == nil && !as(s) {
			err = fmt.Errorf("it is %+v", s)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// axisSize is how many records the axis has; more than anybody has seen while it
// does not answer.
func (w *world) axisSize(ctx context.Context) uint64 {
	s, err := get[operator.Status](ctx, w.axis, operator.PathStatus, nil)
	if err != nil {
		return math.MaxUint64
	}
	return s.Size
}

// listens is where endpoints find the axis.
func (w *world) listens(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(w.axis.dir, "axis.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(regexp.MustCompile(`(?m)^listen = "(.*)"`).FindSubmatch(text)[1])
}

// admin is where a process's commands connect.
func (p *process) admin(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, "admin.json"))
	if err != nil {
		t.Fatal(err)
	}
	var at struct{ Address string }
	if err := json.Unmarshal(text, &at); err != nil {
		t.Fatal(err)
	}
	return at.Address
}

// commits is how many syncs of a file ended between the last name that a body was
// given, with its folder's sync, and what left next.
func commits(trace []momentOf, p promise, db string) (n int, err error) {
	named, synced := "", false
	for _, m := range trace {
		c := m.call
		switch {
		case c.name == "renameat" && m.ends:
			if _, to := c.renamed(); p.named(to) {
				named, synced, n = filepath.Dir(to), false, 0
			}
		case c.syncs() && m.ends && c.file() == named:
			synced = true
		case c.syncs() && m.ends && strings.HasSuffix(c.file(), db) && synced:
			n++
		case c.writes() && !m.ends && named != "" && p.leaves(c.file()):
			if !synced {
				return n, fmt.Errorf("line %d: something leaves before folder %s is synced", c.line, named)
			}
			return n, nil
		}
	}
	return n, errors.New("nothing left after the last name")
}

// What the disk must be told before something of an endpoint leaves by a connection.
func endpointPromise(connection string) promise {
	return promise{
		durable: func(string) bool { return false }, // see commits
		named:   func(path string) bool { return strings.Contains(path, "/content/files/") },
		leaves:  func(c string) bool { return strings.Contains(c, connection) },
	}
}
