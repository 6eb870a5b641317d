package hubtest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"docaxis/edxml"
	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/vxp/vxptest"
	"docaxis/internal/hubtest"
)

// caller is a DMS at a member, with the SDK's client.
type caller struct {
	*vxptest.Client
	t *testing.T
	m *hubtest.Member
}

// calls opens a member's address for systems, and gives it one that acts for its code.
func calls(t *testing.T, m *hubtest.Member) caller {
	t.Helper()
	added, err := endpoint.Clerk(m.Agent()).ChangeSystem(t.Context(), clerk.SystemChange{
		Do: clerk.SystemAdd, Name: "qlvb." + m.Code, Codes: []string{m.Code},
	})
	if err != nil {
		t.Fatal(err)
	}
	server, err := endpoint.OpenFace(m.Agent())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	c := caller{vxptest.New("http://"+server.Addr(), added.Name, added.Secret), t, m}
	t.Cleanup(func() {
		c.Close()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return c
}

func (c caller) must(a vxptest.Answer, err error) vxptest.Answer {
	c.t.Helper()
	if err != nil || !a.OK() {
		c.t.Fatalf("answered %s: %v", a.Body, err)
	}
	return a
}

func (c caller) send(class string, body []byte) string {
	c.t.Helper()
	return *c.must(c.SendEdoc(c.t.Context(), "000.00.00."+c.m.Code, class, body)).DocID
}

// awaits polls the list, as every program does.
func (c caller) awaits(class string, n int) []map[string]string {
	c.t.Helper()
	var list []map[string]string
	eventually(c.t, fmt.Sprint(n, " of ", class), func() error {
		a, err := c.Received(c.t.Context(), class)
		if list = a.List; err == nil && len(list) != n {
			err = fmt.Errorf("%d are listed", len(list))
		}
		return err
	})
	return list
}

// takes fetches and confirms, and gives the package.
func (c caller) takes(docID string) *edxml.Package {
	c.t.Helper()
	raw := c.must(c.GetEdoc(c.t.Context(), docID)).Data
	p, err := edxml.Open(bytes.NewReader(raw), int64(len(raw)), edxml.Limits{})
	if err != nil {
		c.t.Fatal(err)
	}
	c.must(c.UpdateStatus(c.t.Context(), docID, "done"))
	return p
}

func (c caller) letter(name string, business edxml.Business, to ...string) []byte {
	c.t.Helper()
	d := &edxml.Document{
		From: edxml.Party{OrganID: edxml.OrganID("000.00.00." + c.m.Code)}, ID: name, Business: business,
		Number: edxml.DocumentNumber{Number: "7816", Notation: "VPCP-TTĐT"}, Promulgation: edxml.Promulgation{Date: "2026/03/02"},
		Subject: "V/v kết nối, liên thông văn bản",
	}
	for _, code := range to {
		d.To = append(d.To, edxml.Party{OrganID: edxml.OrganID("000.00.00." + code)})
	}
	var b bytes.Buffer
	err := edxml.WriteDocument(&b, d, edxml.File{Name: "cong-van.pdf", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("%PDF-1.4 " + name)), nil
	}})
	if err != nil {
		c.t.Fatal(err)
	}
	return b.Bytes()
}

func (c caller) word(code edxml.StatusCode, to, name string) []byte {
	c.t.Helper()
	var b bytes.Buffer
	err := edxml.WriteStatus(&b, &edxml.Status{
		From:        edxml.Party{OrganID: edxml.OrganID("000.00.00." + c.m.Code)},
		ResponseFor: edxml.ResponseFor{OrganID: edxml.OrganID("000.00.00." + to), DocumentID: name},
		Code:        code, Time: "2026/03/02 09:15:00",
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return b.Bytes()
}

// Two DMSs that know nothing but the national axis's SDK and the agencies' old codes
// exchange a document, tell each other how it gets on, and take it back; every proof
// holds in the end.
func TestSystemsExchangeByTheirSDK(t *testing.T) {
	w := world(t, hubtest.Config{Retry: quick, AdjustEndpoint: func(_ string, c *endpoint.Config) {
		c.Settings.VXP.Listen = "127.0.0.1:0"
	}}, "G22", "H41")
	eventually(t, "G22 knows H41", func() error {
		e, err := w.Member("G22").Agent().Lookup("H41")
		if err == nil && e.GetEndpoint() == "" {
			err = fmt.Errorf("nobody serves it")
		}
		return err
	})
	a, b := calls(t, w.Member("G22")), calls(t, w.Member("H41"))
	const name = "000.00.00.G22,2026/03/02,7816/VPCP-TTĐT"
	body := a.letter(name, edxml.Business{}, "H41")
	id := a.send("edoc", body)
	if again := a.send("edoc", body); again != id {
		t.Errorf("sent again it is %s, not %s", again, id)
	}
	got := b.awaits("edoc", 1)[0]
	raw := b.must(b.GetEdoc(t.Context(), got["docId"])).Data
	if !bytes.Equal(raw, body) {
		t.Error("other bytes were fetched")
	}
	b.takes(got["docId"])
	b.send("status", b.word(edxml.Accepted, "G22", name))
	var codes []edxml.StatusCode
	for _, d := range a.awaits("status", 2) {
		p := a.takes(d["docId"])
		codes = append(codes, p.Status.Code)
		if f := p.Status.ResponseFor; f.DocumentID != name || f.OrganID != "000.00.00.G22" || p.Status.From.OrganID != "000.00.00.H41" {
			t.Errorf("told is %+v", p.Status)
		}
	}
	if slices.Sort(codes); !slices.Equal(codes, []edxml.StatusCode{edxml.Arrived, edxml.Accepted}) {
		t.Errorf("told are %v", codes)
	}
	rows := a.must(a.Sent(t.Context(), "edoc", id)).List
	if len(rows) != 1 || rows[0]["receiveStatusDesc"] != "Đã tiếp nhận" || rows[0]["receiverDocId"] != got["docId"] || rows[0]["toCode"] != "H41" {
		t.Errorf("sent is shown as %v", rows)
	}

	a.send("edoc", a.letter(name, edxml.Business{Type: edxml.Recall}, "H41"))
	recall := b.takes(b.awaits("edoc", 1)[0]["docId"])
	if recall.Document.Business.Type != edxml.Recall {
		t.Errorf("it is no recall: %+v", recall.Document)
	}
	b.send("status", b.word(edxml.ChangeAgreed, "G22", name))
	if p := a.takes(a.awaits("status", 1)[0]["docId"]); p.Status.Code != edxml.ChangeAgreed {
		t.Errorf("answered is %+v", p.Status)
	}
	newExchange(t, w, 1).settle()
	eventually(t, "promises 1 to 3 hold", func() error { return hubtest.Check(t.Context(), w) })
}
