package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"docaxis/axis"
	operator "docaxis/axis/admin"
	"docaxis/deploy"
	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/link"
	"docaxis/endpoint/vxp/vxptest"
	"docaxis/internal/admin"
	"docaxis/internal/hubtest"
)

// readyWithin is how long endpoints may take to know one another.
const readyWithin = time.Minute

// States as the local API names them.
const (
	accepted  = "ACCEPTED"
	consigned = "CONSIGNED"
)

var why = operator.Why{Actor: "bench", Reason: "measuring"}

// world is an axis and its endpoints, each a process.
type world struct {
	dir     string
	profile string // path of the profiles up to the process's name; empty for none
	codes   []string
	newSeal sealMaker
	axis    *process
	api     *admin.Client // of the axis
	members []*member
}

// member is an endpoint: a process, and a client of its local API.
type member struct {
	*process
	code, dir string
	api       *admin.Client
	// caller makes a system's client, once connect gave the endpoint one.
	caller func() *vxptest.Client
}

// found makes an axis and an endpoint for each of the world's codes, and waits until
// each knows where to find the others.
func (w *world) found(ctx context.Context) error {
	if err := w.initAxis(); err != nil {
		return err
	}
	if err := w.startAxis(ctx); err != nil {
		return err
	}
	err := w.api.Post(ctx, operator.PathImport, operator.Import{Why: why, CSV: deploy.Agencies}, nil)
	if err != nil {
		return fmt.Errorf("import the agencies: %w", err)
	}
	for _, code := range w.codes {
		if err := w.join(ctx, code); err != nil {
			return fmt.Errorf("%s: %w", code, err)
		}
	}
	return w.ready(ctx)
}

func (w *world) axisDir() string { return filepath.Join(w.dir, "axis") }

// initAxis founds the axis, at an address that it keeps over restarts. The quotas of an
// endpoint are no part of any figure.
func (w *world) initAxis() (err error) {
	file := axis.DefaultFile()
	if file.Listen, err = hubtest.Port(); err != nil {
		return err
	}
	file.Admin, file.DocumentsPerDay = "127.0.0.1:0", 1<<40
	return axis.Init(w.axisDir(), file, axis.Config{})
}

// startAxis starts the axis over its folder; it serves when startAxis returns.
func (w *world) startAxis(ctx context.Context) (err error) {
	if w.axis, err = w.start(ctx, "axis", "role-axis", w.axisDir()); err != nil {
		return err
	}
	w.api, err = admin.Open(w.axisDir())
	return err
}

func (w *world) start(ctx context.Context, name, command, dir string) (*process, error) {
	args := []string{command, dir}
	if w.profile != "" {
		args = append(args, "--profile", freeProfile(w.profile+name))
	}
	return start(ctx, name, filepath.Join(w.dir, name+".log"), args...)
}

// freeProfile names a process's profile apart from those of its earlier starts.
func freeProfile(path string) string {
	for n, free := 2, path; ; n++ {
		if _, err := os.Stat(free + ".cpu.pprof"); err != nil {
			return free
		}
		free = fmt.Sprintf("%s-%d", path, n)
	}
}

// join enrols an endpoint, admits its seal and starts it.
func (w *world) join(ctx context.Context, code string) error {
	m, err := w.enrol(ctx, code)
	if err != nil {
		return err
	}
	if err := w.restart(ctx, m); err != nil {
		return err
	}
	w.members = append(w.members, m)
	return nil
}

// enrol makes an endpoint's folder, with an identity and an admitted seal, without
// starting it.
func (w *world) enrol(ctx context.Context, code string) (*member, error) {
	m := &member{code: code, dir: filepath.Join(w.dir, "endpoint-"+code)}
	if err := os.Mkdir(m.dir, 0o700); err != nil {
		return nil, err
	}
	var invited operator.Invited
	if err := w.api.Post(ctx, operator.PathInvite, operator.Invite{Why: why, Codes: []string{code}}, &invited); err != nil {
		return nil, err
	}
	if _, err := link.Join(ctx, m.dir, invited.Invitation); err != nil {
		return nil, err
	}
	return m, w.seal(ctx, m)
}

// restart starts an endpoint that is not running.
func (w *world) restart(ctx context.Context, m *member) (err error) {
	if m.process, err = w.start(ctx, "endpoint-"+m.code, "role-endpoint", m.dir); err != nil {
		return err
	}
	m.api, err = admin.Open(m.dir)
	return err
}

func (w *world) seal(ctx context.Context, m *member) error {
	cert, err := w.newSeal(filepath.Join(m.dir, sealFile), m.code)
	if err != nil {
		return err
	}
	settings := fmt.Sprintf("listen = \"127.0.0.1:0\"\n\n[[seal]]\ncode = %q\nkey = %q\n", m.code, sealFile)
	if err := os.WriteFile(filepath.Join(m.dir, endpoint.SettingsFile), []byte(settings), 0o600); err != nil {
		return err
	}
	return w.api.Post(ctx, operator.PathSeal, operator.Seal{Why: why, Code: m.code, Certificate: cert}, nil)
}

// ready waits until every endpoint is connected and its directory has them all.
func (w *world) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for _, m := range w.members {
		for {
			knows, err := m.knows(ctx, w.members)
			if err != nil {
				return err
			}
			if knows {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%s does not learn who is there: %w", m.code, ctx.Err())
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return nil
}

func (m *member) knows(ctx context.Context, members []*member) (bool, error) {
	var status clerk.Status
	if err := m.api.Get(ctx, clerk.PathStatus, nil, &status); err != nil || !status.Connected {
		return false, err
	}
	for _, other := range members {
		var found []clerk.Agency
		if err := m.api.Get(ctx, clerk.PathAgencies, url.Values{"search": {other.code}}, &found); err != nil {
			return false, err
		}
		if !slices.ContainsFunc(found, func(a clerk.Agency) bool { return a.Code == other.code && a.Served }) {
			return false, nil
		}
	}
	return true, nil
}

// send gives a document to the endpoint; it is safe there when send returns.
func (m *member) send(ctx context.Context, to string, size int64, content io.Reader) (id string, err error) {
	d := clerk.Draft{
		To: []string{to}, Subject: "Công văn đo hiệu năng",
		Files: []clerk.FileInfo{{Title: "cong-van.bin", Type: "application/octet-stream", Bytes: uint64(size)}},
	}
	sent, err := clerk.Send(ctx, m.api, d, func(int) (io.ReadCloser, error) { return io.NopCloser(content), nil })
	return sent.ID, err
}

func (m *member) sendBytes(ctx context.Context, to string, content []byte) (string, error) {
	return m.send(ctx, to, int64(len(content)), bytes.NewReader(content))
}

// wait returns when a document is in a state, or beyond it, at every recipient.
func (m *member) wait(ctx context.Context, id, state string) error {
	err := m.api.Get(ctx, clerk.PathWait, url.Values{"id": {id}, "state": {state}}, nil)
	if err != nil {
		return fmt.Errorf("%s: document %s does not become %s: %w", m.code, id, state, err)
	}
	return nil
}

// failed adds what the processes said to an error.
func (w *world) failed(err error) error {
	if err == nil {
		return nil
	}
	for _, p := range w.processes() {
		err = p.said(err)
	}
	return err
}

// processes are those that were started, the axis last.
func (w *world) processes() (all []*process) {
	for _, m := range w.members {
		if m.process != nil {
			all = append(all, m.process)
		}
	}
	if w.axis != nil {
		all = append(all, w.axis)
	}
	return all
}

// close ends the endpoints, then the axis.
func (w *world) close() error {
	var errs []error
	for _, p := range w.processes() {
		errs = append(errs, p.stop())
	}
	return errors.Join(errs...)
}
