package vxp_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"docaxis/edxml"
	"docaxis/endpoint/vxp"
	"docaxis/endpoint/vxp/vxptest"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// fake is an Exchange in memory: one place where everything that is sent lies with its
// recipients at once.
type fake struct {
	mu       sync.Mutex
	ids      vxptest.IDs
	secrets  map[string][][]byte
	agencies []vxp.Agency
	sendings []*sending
	handed   []*delivery
	// hook, where it is set, is called at the beginning of each method but Secrets.
	hook func(method string) error
	// waiting is what Send says of a document that a person must seal.
	waiting string
	now     time.Time
}

type sending struct {
	system, from, docID string
	digest              [32]byte
	class               vxp.Class
	title, notation     string
	bytes               []byte
	at                  time.Time
}

type delivery struct {
	*sending
	docID, to string
	done      time.Time
	status    string
}

func newFake(ids vxptest.IDs) *fake {
	f := &fake{ids: ids, secrets: map[string][][]byte{
		vxptest.SystemA: {[]byte(vxptest.SecretA)},
		vxptest.SystemB: {[]byte("khoa-moi-b"), []byte(vxptest.SecretB)},
	}, now: time.Date(2026, 11, 21, 20, 41, 7, 0, time.UTC)}
	for _, a := range vxptest.RecordedAgencies() {
		f.agencies = append(f.agencies, vxp.Agency{Code: a.Code, Code102: a.Code, Name: a.Name, System: a.System, Version: 1, Changed: f.now})
	}
	return f
}

func (f *fake) enter(method string) (func(), error) {
	if f.hook != nil {
		if err := f.hook(method); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	f.now = f.now.Add(time.Second)
	return f.mu.Unlock, nil
}

func (f *fake) Secrets(system string) ([][]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.secrets[system], nil
}

func (f *fake) serves(system, code string) bool {
	return slices.ContainsFunc(f.agencies, func(a vxp.Agency) bool { return a.Code == code && a.System == system && !a.Closed })
}

func (f *fake) Agencies(context.Context, string) ([]vxp.Agency, error) {
	leave, err := f.enter("Agencies")
	if err != nil {
		return nil, err
	}
	defer leave()
	return slices.Clone(f.agencies), nil
}

func (f *fake) Register(_ context.Context, system string, a vxp.Registration) (bool, error) {
	leave, err := f.enter("Register")
	if err != nil {
		return false, err
	}
	defer leave()
	if !f.serves(system, a.Parent) && !f.serves(system, a.Code) {
		return false, reason.Permanent(axispb.ReasonCode_REASON_FORBIDDEN, a.Code)
	}
	f.agencies = slices.DeleteFunc(f.agencies, func(old vxp.Agency) bool { return old.Code == a.Code })
	f.agencies = append(f.agencies, vxp.Agency{
		Code: a.Code, Code102: a.Code, Parent: a.Parent, Name: a.Name, Mail: a.Mail, Phone: a.Phone, Fax: a.Fax,
		System: system, Version: 1, Changed: f.now,
	})
	return false, nil
}

func (f *fake) Close(_ context.Context, system, code string) (bool, error) {
	leave, err := f.enter("Close")
	if err != nil {
		return false, err
	}
	defer leave()
	if !f.serves(system, code) {
		return false, reason.Permanent(axispb.ReasonCode_REASON_UNKNOWN_CODE, code)
	}
	for i := range f.agencies {
		if f.agencies[i].Code == code {
			f.agencies[i].Closed, f.agencies[i].Version = true, f.agencies[i].Version+1
		}
	}
	return false, nil
}

func (f *fake) Send(_ context.Context, system string, p vxp.Package) (vxp.Sent, error) {
	leave, err := f.enter("Send")
	if err != nil {
		return vxp.Sent{}, err
	}
	defer leave()
	if !f.serves(system, p.From) {
		return vxp.Sent{}, reason.Permanent(axispb.ReasonCode_REASON_SENDER_NOT_SERVED, p.From)
	}
	raw, err := io.ReadAll(p.Body)
	if err != nil {
		return vxp.Sent{}, fmt.Errorf("fake: %w", err)
	}
	if uint64(len(raw)) != p.Bytes {
		return vxp.Sent{}, fmt.Errorf("fake: %d bytes were announced, %d came", p.Bytes, len(raw))
	}
	s := &sending{system: system, from: p.From, class: p.Class, digest: sha256.Sum256(raw), bytes: raw, at: f.now}
	if err := p.Check(s.digest); err != nil {
		return vxp.Sent{}, err
	}
	for _, old := range f.sendings {
		if old.system == system && old.from == p.From && old.digest == s.digest {
			return vxp.Sent{DocID: old.docID}, nil
		}
	}
	to, err := s.read()
	if err != nil {
		return vxp.Sent{}, err
	}
	s.docID = uuid(len(f.sendings))
	if len(f.sendings) < len(f.ids.Sent) {
		s.docID = f.ids.Sent[len(f.sendings)]
	}
	f.sendings = append(f.sendings, s)
	for _, code := range to {
		id := f.ids.Delivered[[2]string{s.docID, code}]
		if id == "" {
			id = uuid(1000 + len(f.handed))
		}
		f.handed = append(f.handed, &delivery{sending: s, docID: id, to: code, status: "initial"})
	}
	return vxp.Sent{DocID: s.docID, Waiting: f.waiting}, nil
}

func uuid(n int) string { return fmt.Sprintf("00000000-0000-8000-8000-%012d", n) }

// read finds what a package is and where it goes.
func (s *sending) read() (to []string, err error) {
	p, err := edxml.Open(bytes.NewReader(s.bytes), int64(len(s.bytes)), edxml.Limits{})
	if err != nil {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_BAD_DOCUMENT, "edxml", err.Error())
	}
	if p.Status != nil {
		return []string{string(p.Status.ResponseFor.OrganID)}, nil
	}
	d := p.Document
	s.title, s.notation = d.Subject, d.Number.Number+"/"+d.Number.Notation
	for _, one := range d.To {
		to = append(to, string(one.OrganID))
	}
	return to, nil
}

func (f *fake) Waiting(_ context.Context, system string, c vxp.Class, limit int) ([]vxp.Delivery, error) {
	leave, err := f.enter("Waiting")
	if err != nil {
		return nil, err
	}
	defer leave()
	var list []vxp.Delivery
	for _, d := range f.handed {
		if d.class == c && d.done.IsZero() && f.serves(system, d.to) && len(list) < limit {
			list = append(list, vxp.Delivery{
				DocID: d.docID, Class: c, From: d.from, To: d.to, Created: d.at, Updated: d.at,
				Status: d.status, StateText: "Chờ nhận",
			})
		}
	}
	return list, nil
}

func (f *fake) Count(ctx context.Context, system string, c vxp.Class) (int, error) {
	list, err := f.Waiting(ctx, system, c, 1<<30)
	return len(list), err
}

func (f *fake) find(system, docID string) (*delivery, error) {
	for _, d := range f.handed {
		if d.docID == docID && f.serves(system, d.to) {
			return d, nil
		}
	}
	return nil, reason.Permanent(axispb.ReasonCode_REASON_NOT_FOUND, docID)
}

type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

func (f *fake) Fetch(_ context.Context, system, docID string) (vxp.Content, error) {
	leave, err := f.enter("Fetch")
	if err != nil {
		return vxp.Content{}, err
	}
	defer leave()
	d, err := f.find(system, docID)
	if err != nil {
		return vxp.Content{}, err
	}
	return vxp.Content{ReadSeekCloser: memory{bytes.NewReader(d.bytes)}, Bytes: int64(len(d.bytes))}, nil
}

func (f *fake) Report(_ context.Context, system, docID string, r vxp.Report) error {
	leave, err := f.enter("Report")
	if err != nil {
		return err
	}
	defer leave()
	d, err := f.find(system, docID)
	if err != nil {
		return err
	}
	d.status = string(r)
	if r == vxp.Done {
		d.done = f.now
	}
	return nil
}

func (f *fake) SentBy(_ context.Context, system string, c vxp.Class, docID string, limit int) ([]vxp.SentRow, error) {
	leave, err := f.enter("SentBy")
	if err != nil {
		return nil, err
	}
	defer leave()
	own := func(d *delivery) bool { return d.system == system && d.class == c }
	if !slices.ContainsFunc(f.handed, func(d *delivery) bool { return own(d) && d.sending.docID == docID }) {
		docID = ""
	}
	var rows []vxp.SentRow
	for _, d := range slices.Backward(f.handed) {
		if !own(d) || docID != "" && d.sending.docID != docID || len(rows) == limit {
			continue
		}
		rows = append(rows, vxp.SentRow{
			Class: c, SenderDocID: d.sending.docID, ReceiverDocID: d.docID, From: d.from, To: d.to,
			Title: d.title, Notation: d.notation, SentAt: d.at, ReceivedAt: d.done,
			SendStatus: "done", SendText: "Đã gửi", ReceiveStatus: d.status, ReceiveText: "Chờ nhận",
		})
	}
	return rows, nil
}

// serve starts a server over an exchange and gives its address.
func serve(t testing.TB, e vxp.Exchange, o vxp.Options) string {
	t.Helper()
	return serveWith(t, e, o, vxp.ServerConfig{Address: "127.0.0.1:0", Language: o.Language})
}

func serveWith(t testing.TB, e vxp.Exchange, o vxp.Options, c vxp.ServerConfig) string {
	t.Helper()
	s, err := vxp.Listen(c, vxp.Handler(e, o))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s.Addr().String()
}
