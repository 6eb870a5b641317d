package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"docaxis/edxml"
	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/vxp/vxptest"
)

// systems measures what document systems get of their endpoints over the national
// axis's protocol: from the first endpoint to the last.
func (p plan) systems(ctx context.Context, w *world) (*Systems, error) {
	s, out := p.Systems, &Systems{PackageBytes: p.Systems.PackageBytes, Packages: p.Systems.Packages, LargeBytes: p.Systems.LargeBytes, Waiting: p.Systems.Waiting}
	from, to := w.members[0], w.members[len(w.members)-1]
	for _, m := range []*member{from, to} {
		if err := w.connect(ctx, m); err != nil {
			return nil, err
		}
	}
	if err := w.passPackage(ctx, from, to, s, out); err != nil {
		return nil, fmt.Errorf("large package: %w", err)
	}
	if err := w.fillList(ctx, from, to, s, out); err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	rates, err := w.sendPackages(ctx, from, to, s)
	if err != nil {
		return nil, fmt.Errorf("sendEdoc: %w", err)
	}
	out.SendPerSecond = spread(rates)
	// With the axis away an endpoint takes all the same: what it does alone.
	if err := w.axis.stop(); err != nil {
		return nil, err
	}
	if rates, err = w.sendPackages(ctx, from, to, s); err != nil {
		return nil, fmt.Errorf("sendEdoc without the axis: %w", err)
	}
	out.AlonePerSecond = spread(rates)
	synced, err := syncedRate(filepath.Join(w.dir, "synced"), p.Memory.SyncedBytes)
	out.SyncedPerSecond = synced * 1e6 / float64(s.PackageBytes)
	return out, err
}

// connect gives an endpoint a system of its own and an address for it.
func (w *world) connect(ctx context.Context, m *member) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return err
	}
	var added clerk.SystemChanged
	change := clerk.SystemChange{Do: clerk.SystemAdd, Name: "bench." + m.code, Codes: []string{m.code}}
	if err := m.api.Post(ctx, clerk.PathSystemChange, change, &added); err != nil {
		return err
	}
	if err := m.stop(); err != nil {
		return err
	}
	settings, err := os.ReadFile(filepath.Join(m.dir, endpoint.SettingsFile))
	if err != nil {
		return err
	}
	settings = fmt.Appendf(settings, "\n[vxp]\nlisten = %q\n", address)
	if err := os.WriteFile(filepath.Join(m.dir, endpoint.SettingsFile), settings, 0o600); err != nil {
		return err
	}
	if err := w.restart(ctx, m); err != nil {
		return err
	}
	m.caller = func() *vxptest.Client { return vxptest.New("http://"+address, added.Name, added.Secret) }
	return nil
}

// packageOf makes a package of about so many bytes, unlike any other.
func packageOf(from, to string, n int64, size int, content io.Reader) ([]byte, error) {
	number := edxml.DocumentNumber{Number: fmt.Sprint(n), Notation: "ĐO-HN"}
	day := edxml.Date("2026/11/03")
	d := &edxml.Document{
		From: edxml.Party{OrganID: edxml.OrganID(from), Name: "Cơ quan gửi"}, To: []edxml.Party{{OrganID: edxml.OrganID(to), Name: "Cơ quan nhận"}},
		ID: edxml.NewDocumentID(edxml.OrganID(from), day, number), Number: number,
		Promulgation: edxml.Promulgation{Place: "Hà Nội", Date: day}, Subject: "Công văn đo hiệu năng", Content: "Công văn đo hiệu năng",
		Business: edxml.Business{Type: edxml.NewDocument},
	}
	file := edxml.File{Name: "cong-van.pdf", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(content, int64(size)*3/4)), nil
	}}
	var b bytes.Buffer
	b.Grow(size + 8<<10)
	err := edxml.WriteDocument(&b, d, file)
	return b.Bytes(), err
}

// send has a system send a package; when it returns, the package is safe.
func send(ctx context.Context, c *vxptest.Client, from *member, body []byte) error {
	a, err := c.SendEdoc(ctx, from.code, "edoc", body)
	if err == nil && !a.OK() {
		err = fmt.Errorf("answered %s", a.Body)
	}
	return err
}

// burstOf has callers send packages of a size at the same time.
func burstOf(ctx context.Context, from, to *member, count, atOnce, size int) (time.Duration, error) {
	var sent atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	begun := time.Now()
	for range atOnce {
		g.Go(func() error {
			c, content := from.caller(), newContent()
			defer c.Close()
			for n := sent.Add(1); n <= int64(count); n = sent.Add(1) {
				body, err := packageOf(from.code, to.code, n, size, content)
				if err != nil {
					return err
				}
				if err := send(ctx, c, from, body); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := g.Wait()
	return time.Since(begun), err
}

func (w *world) sendPackages(ctx context.Context, from, to *member, s systemsPlan) (rates []float64, err error) {
	for range s.Runs {
		took, err := burstOf(ctx, from, to, s.Packages, s.AtOnce, s.PackageBytes)
		if err != nil {
			return nil, err
		}
		rates = append(rates, float64(s.Packages)/took.Seconds())
	}
	return rates, nil
}

// passPackage lets a large package pass, in and out, by both ways out.
func (w *world) passPackage(ctx context.Context, from, to *member, s systemsPlan, out *Systems) error {
	body, err := packageOf(from.code, to.code, 0, s.LargeBytes, newContent())
	if err != nil {
		return err
	}
	c, r := from.caller(), to.caller()
	defer c.Close()
	defer r.Close()
	if err := send(ctx, c, from, body); err != nil {
		return err
	}
	id, err := waiting(ctx, r, 1)
	if err != nil {
		return err
	}
	for _, fetch := range []func(context.Context, string) (vxptest.Answer, error){r.DownloadEdoc, r.GetEdoc} {
		a, err := fetch(ctx, id)
		if err != nil {
			return err
		}
		if !bytes.Equal(a.Data, body) {
			return fmt.Errorf("%d bytes came, %d were sent", len(a.Data), len(body))
		}
	}
	if a, err := r.UpdateStatus(ctx, id, "done"); err != nil || !a.OK() {
		return fmt.Errorf("confirm: answered %s: %w", a.Body, err)
	}
	out.SenderMiB, _ = residentMiB(from.process, "VmHWM")
	out.ReceiverMiB, _ = residentMiB(to.process, "VmHWM")
	return nil
}

// waiting waits until so many deliveries are listed, and gives the first one's id.
func waiting(ctx context.Context, c *vxptest.Client, n int) (string, error) {
	for {
		a, err := c.Count(ctx, "edoc")
		if err != nil {
			return "", err
		}
		if a.Count >= n {
			break
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return "", err
		}
	}
	a, err := c.Received(ctx, "edoc")
	if err != nil || len(a.List) == 0 {
		return "", fmt.Errorf("list: answered %.200s: %w", a.Body, err)
	}
	return a.List[0]["docId"], nil
}

// fillList lets packages wait at the recipient, and times the first page of its list.
func (w *world) fillList(ctx context.Context, from, to *member, s systemsPlan, out *Systems) error {
	if _, err := burstOf(ctx, from, to, s.Waiting, s.AtOnce, 4<<10); err != nil {
		return err
	}
	c := to.caller()
	defer c.Close()
	if _, err := waiting(ctx, c, s.Waiting); err != nil {
		return err
	}
	var all []time.Duration
	for range s.Lists {
		begun := time.Now()
		a, err := c.Received(ctx, "edoc")
		if err != nil {
			return err
		}
		all = append(all, time.Since(begun))
		out.Listed = len(a.List)
	}
	out.List = timing(all)
	return nil
}
