package rounds_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/deploy"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/admin"
)

// answerLimit is how long whoever asks a process waits for its answer.
const answerLimit = 20 * time.Second

// ask asks the process of a folder one thing.
func (p *process) ask(ctx context.Context, what func(context.Context, *admin.Client) error) error {
	c, err := admin.Open(p.dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	return what(ctx, c)
}

func get[T any](ctx context.Context, p *process, path string, query url.Values) (into T, err error) {
	err = p.ask(ctx, func(ctx context.Context, c *admin.Client) error { return c.Get(ctx, path, query, &into) })
	return into, err
}

// load puts the plan's letters and everything else on the world and strikes its
// blows; it returns when all letters were offered and all blows have fallen.
func (w *world) load(ctx context.Context, p plan) {
	ctx, stop := context.WithCancel(ctx)
	var work, company sync.WaitGroup
	for _, c := range codes {
		work.Go(func() { w.send(ctx, p, c[0]) })
		company.Go(func() { w.receive(ctx, c[0]) })
		company.Go(func() { w.watch(ctx, c[0]) })
	}
	company.Go(func() { w.rename(ctx, int(p.round)*1000) })
	for _, x := range p.blows {
		work.Go(func() {
			if pause(ctx, x.at) {
				w.named(x.who).kill()
			}
		})
	}
	work.Wait()
	stop()
	company.Wait()
}

// pause waits; false when ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// sendTries bounds how often a letter is offered to an endpoint that does not answer:
// one that runs on a failing disk may never take it.
const sendTries = 40

// send offers an endpoint's letters, each until it is taken.
func (w *world) send(ctx context.Context, p plan, end string) {
	for _, l := range p.letters {
		if serving(l.from) != end || !pause(ctx, l.pause) {
			continue
		}
		for range sendTries {
			if w.offer(ctx, w.ends[end], l) == nil || !pause(ctx, 50*time.Millisecond) {
				break
			}
		}
	}
}

func (w *world) offer(ctx context.Context, p *process, l letter) error {
	d := clerk.Draft{From: l.from, To: l.to, Groups: l.groups, Subject: l.subject, Priority: l.priority}
	for n, size := range l.sizes {
		d.Files = append(d.Files, clerk.FileInfo{Title: fmt.Sprintf("tệp %d.bin", n+1), Bytes: uint64(size)})
	}
	w.story.offered(l)
	return p.ask(ctx, func(ctx context.Context, c *admin.Client) error {
		sent, err := clerk.Send(ctx, c, d, func(n int) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(l.content(n))), nil
		})
		if err == nil {
			w.story.answered(l, sent.ID)
		}
		return err
	})
}

// receive takes, refuses or leaves what came to an endpoint.
func (w *world) receive(ctx context.Context, end string) {
	p := w.ends[end]
	for pause(ctx, 30*time.Millisecond) {
		list, err := get[[]clerk.Incoming](ctx, p, clerk.PathInbox, nil)
		if err != nil {
			continue
		}
		for _, i := range list {
			if i.State == "CONSIGNED" && !w.story.decided(at{i.ID, i.Code}) {
				w.decide(ctx, p, i)
			}
		}
	}
}

func (w *world) decide(ctx context.Context, p *process, i clerk.Incoming) {
	c := clerk.Confirm{ID: i.ID, Code: i.Code}
	switch judge(i.Subject, i.Code) {
	case take:
		if w.fetch(ctx, p, i) != nil {
			return
		}
	case refuse:
		c.Refuse = "sai thẩm quyền"
	case leave:
		return
	}
	var done clerk.Confirmed
	err := p.ask(ctx, func(ctx context.Context, client *admin.Client) error {
		return client.Post(ctx, clerk.PathConfirm, c, &done)
	})
	if err == nil {
		w.story.decide(at{i.ID, i.Code}, done.State)
	}
}

// fetch reads every file of a received document, which must be as it was sent.
func (w *world) fetch(ctx context.Context, p *process, i clerk.Incoming) error {
	l, known := w.story.letter(i.Subject)
	if !known || len(l.sizes) != i.Files {
		w.story.complain("%s has %q, which nobody wrote", p.dir, i.Subject)
		return nil
	}
	for n := range l.sizes {
		query := url.Values{"id": {i.ID}, "code": {i.Code}, "n": {fmt.Sprint(n)}}
		err := p.ask(ctx, func(ctx context.Context, c *admin.Client) error {
			body, err := c.Download(ctx, clerk.PathContent, query)
			if err != nil {
				return err
			}
			defer body.Close()
			data, err := io.ReadAll(body)
			if err == nil && !bytes.Equal(data, l.content(n)) {
				w.story.complain("%s gives file %d of %q otherwise than it was written", p.dir, n, i.Subject)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// watch looks at what was sent and received, again and again, and keeps what it is
// shown.
func (w *world) watch(ctx context.Context, end string) {
	p := w.ends[end]
	for n := 0; pause(ctx, 20*time.Millisecond); n++ {
		list, err := get[[]clerk.Outgoing](ctx, p, clerk.PathOutbox, nil)
		if err != nil || len(list) == 0 {
			continue
		}
		w.show(ctx, p, list[n%min(len(list), 15)].ID)
	}
}

func (w *world) show(ctx context.Context, p *process, id string) ([]clerk.Story, error) {
	all, err := get[[]clerk.Story](ctx, p, clerk.PathShow, url.Values{"id": {id}})
	for _, s := range all {
		w.story.shown(p.dir, s)
	}
	return all, err
}

// renamed is the agency whose name changes all the time.
const renamed = "G02"

// rename changes the name of an agency in the registry, again and again.
func (w *world) rename(ctx context.Context, first int) {
	header, _, _ := strings.Cut(deploy.Agencies, "\n")
	for n := first; pause(ctx, 150*time.Millisecond); n++ {
		req := operator.Import{
			Why: operator.Why{Actor: "rounds", Reason: "renamed"},
			CSV: fmt.Sprintf("%s\n%s,Bộ số %d,,,ministry,,\n", header, renamed, n),
		}
		var done operator.Imported
		err := w.axis.ask(ctx, func(ctx context.Context, c *admin.Client) error {
			return c.Post(ctx, operator.PathImport, req, &done)
		})
		if err == nil {
			w.story.name(n)
		}
	}
}
