package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	clerk "docaxis/endpoint/admin"
)

// sent is a document of the demo and what must become of it.
type sent struct {
	n       int
	id      string
	from    string
	to      string // for people
	subject string
	// recipients that must take it, and the one of them that refuses it.
	recipients []string
	refusing   string
	// rejected: the axis must refuse it.
	rejected bool
	// told: its steps are shown, not only its line in the table.
	told bool

	seen map[string]bool // steps that were shown
	done bool
	took time.Duration // from sending to the last step
}

// act is a document to send.
type act struct {
	draft      clerk.Draft
	to         string
	recipients []string
	refusing   string
	rejected   bool
	told       bool
	files      []file
}

const (
	refusal = "Sai nơi nhận"
	// unwanted is the subject of the document that its recipient refuses.
	unwanted = "Văn bản gửi nhầm"
)

// play lets the documents cross and shows what happens.
func (s *stage) play(ctx context.Context, g *errgroup.Group, once bool) error {
	if err := s.join(ctx, g); err != nil {
		return err
	}
	acts, err := s.acts()
	if err != nil {
		return err
	}
	if err := s.ready(ctx); err != nil {
		return err
	}
	s.say("\n%d văn bản đi theo mọi hướng. Diễn biến của vài văn bản, mỗi bước kèm bằng chứng đã kiểm:\n",
		"\n%d documents cross in every direction. The story of some, each step with its evidence, checked:\n", len(acts)+1)
	receiving, stop := context.WithCancel(ctx)
	defer stop()
	for _, code := range codes() {
		g.Go(func() error { return ignoreCancel(s.receive(receiving, code)) })
	}
	if err := s.sendAll(ctx, acts); err != nil {
		return err
	}
	if err := s.watch(ctx); err != nil {
		return err
	}
	problems := s.report()
	untimed, err := s.timed(ctx)
	if err != nil {
		return err
	}
	problems += untimed
	s.concluded(problems)
	if once {
		stop()
		if problems > 0 {
			return errUnproved()
		}
		return nil
	}
	s.further()
	<-ctx.Done()
	return nil
}

func ignoreCancel(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// acts are the documents: one in every direction, and the special ones.
func (s *stage) acts() ([]act, error) {
	edxml, err := edXMLFiles()
	if err != nil {
		return nil, err
	}
	var all []act
	for _, from := range codes() {
		for _, to := range codes() {
			if from == to {
				continue
			}
			f := pdf(fmt.Sprintf("Công văn %d.pdf", len(all)+1), fmt.Sprintf("Cong van so %d", len(all)+1))
			if len(edxml) > 0 {
				f, edxml = edxml[0], edxml[1:]
			}
			all = append(all, act{
				draft: clerk.Draft{From: from, To: []string{to}, Subject: fmt.Sprintf("Văn bản từ %s đến %s", from, to)},
				to:    to, recipients: []string{to}, files: []file{f},
			})
		}
	}
	last := &all[len(all)-1]
	last.refusing, last.draft.Subject, last.told = last.recipients[0], unwanted, true
	all[0].told = true
	for _, a := range s.special() {
		a.told = true
		all = append(all, a)
	}
	return all, nil
}

func (s *stage) special() []act {
	under := []string{"H41.11", "H41.11.05"}
	return []act{
		{
			draft: clerk.Draft{From: "G22", To: []string{"H41.11.05"}, Subject: "Hồ sơ 20 MiB"},
			to:    "H41.11.05", recipients: []string{"H41.11.05"}, files: []file{large("Hồ sơ thiết kế.bin", 20<<20)},
		},
		{
			draft: clerk.Draft{From: "G22", Groups: []string{"all"}, Subject: "Thông báo gửi tất cả"},
			to:    s.o.Say("tất cả", "all"), recipients: codes()[1:], files: []file{pdf("Thông báo.pdf", "Thong bao")},
		},
		{
			draft: clerk.Draft{From: "H41", Groups: []string{"H41"}, Subject: "Kế hoạch của tỉnh"},
			to:    s.o.Say("nhóm dưới H41", "group under H41"), recipients: under, files: []file{pdf("Kế hoạch.pdf", "Ke hoach")},
		},
		{
			draft: clerk.Draft{From: "H41.11.05", To: []string{"G22", "H41"}, Priority: 3, Subject: "HỎA TỐC: báo cáo bão"},
			to:    "G22 H41", recipients: []string{"G22", "H41"}, files: []file{pdf("Báo cáo.pdf", "Bao cao")},
		},
		{
			draft: clerk.Draft{From: "G22", To: []string{"H27"}, Subject: "Gửi cơ quan chưa nối"},
			to:    "H27", rejected: true, files: []file{pdf("Công văn.pdf", "Cong van")},
		},
	}
}

// ready waits until every endpoint has the directory and knows that its own seal
// is admitted.
func (s *stage) ready(ctx context.Context) error {
	for _, code := range codes() {
		for {
			status, err := s.clerk(code).Status(ctx)
			if err != nil {
				return err
			}
			if status.Connected && len(status.Codes) > 0 {
				break
			}
			if err := pause(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(50 * time.Millisecond):
		return nil
	}
}

// sendAll sends every document, and a reply to the first.
func (s *stage) sendAll(ctx context.Context, acts []act) error {
	for _, a := range acts {
		if err := s.send(ctx, a); err != nil {
			return err
		}
	}
	first := s.plays[0]
	return s.send(ctx, act{
		draft: clerk.Draft{From: first.recipients[0], To: []string{first.from}, ReplyTo: first.id, Subject: "Trả lời văn bản số 1"},
		to:    first.from, recipients: []string{first.from}, told: true, files: []file{pdf("Trả lời.pdf", "Tra loi")},
	})
}

func (s *stage) send(ctx context.Context, a act) error {
	var files []clerk.File
	for _, f := range a.files {
		info := clerk.FileInfo{Title: f.title, Type: f.media, Bytes: uint64(len(f.content))}
		a.draft.Files = append(a.draft.Files, info)
		files = append(files, clerk.File{FileInfo: info, Content: bytes.NewReader(f.content)})
	}
	// A reply may be written before its target has come in: wait for it.
	for a.draft.ReplyTo != "" {
		if _, err := s.clerk(a.draft.From).Show(ctx, a.draft.ReplyTo); err == nil {
			break
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
	done, err := s.clerk(a.draft.From).Send(ctx, a.draft, files)
	if err != nil {
		return fmt.Errorf("%s: %w", a.draft.Subject, err)
	}
	s.plays = append(s.plays, &sent{
		n: len(s.plays) + 1, id: done.ID, from: a.draft.From, to: a.to, subject: a.draft.Subject,
		recipients: a.recipients, refusing: a.refusing, rejected: a.rejected, told: a.told, seen: map[string]bool{},
	})
	return nil
}

// receive plays an agency's system: it takes what arrives, reads it and confirms,
// but for the document that it refuses.
func (s *stage) receive(ctx context.Context, code string) error {
	c := s.clerk(code)
	for {
		all, err := c.Inbox(ctx, clerk.Page{New: true})
		if err != nil {
			return err
		}
		for _, d := range all {
			if d.State != "CONSIGNED" {
				continue
			}
			if err := s.take(ctx, c, d); err != nil {
				return err
			}
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

func (s *stage) take(ctx context.Context, c clerk.Clerk, d clerk.Incoming) error {
	for n := range d.Files {
		f, err := c.Content(ctx, d.ID, d.Code, n)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	req := clerk.Confirm{ID: d.ID, Code: d.Code}
	if d.Subject == unwanted {
		req.Refuse = refusal
	}
	_, err := c.Confirm(ctx, req)
	return err
}
