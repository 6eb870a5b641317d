package endpoint

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"docaxis/edxml"
	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/vxp"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// watch is a clock that a test sets on.
type watch struct {
	mu sync.Mutex
	by time.Duration
}

func (w *watch) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.by)
}

func (w *watch) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.by += d
}

// dms is a system at an office.
type dms struct {
	*office
	system string
}

// has gives an office a system that acts for codes.
func (o *office) has(system string, codes ...string) dms {
	o.t.Helper()
	if _, err := Clerk(o.agent).ChangeSystem(o.t.Context(), clerk.SystemChange{Do: clerk.SystemAdd, Name: system, Codes: codes}); err != nil {
		o.t.Fatal(err)
	}
	return dms{o, system}
}

func (d dms) exchange() vxp.Exchange { return Exchange(d.agent) }

func (d dms) try(from string, c vxp.Class, body []byte) (vxp.Sent, error) {
	return d.exchange().Send(d.t.Context(), d.system, vxp.Package{
		From: from, Class: c, Body: bytes.NewReader(body), Bytes: uint64(len(body)),
	})
}

// post sends a package and gives its DocId.
func (d dms) post(from string, c vxp.Class, body []byte) string {
	d.t.Helper()
	sent, err := d.try(from, c, body)
	if err != nil {
		d.t.Fatal(err)
	}
	return sent.DocID
}

// listed is what is listed now, and as many are counted.
func (d dms) listed(c vxp.Class) (all []vxp.Delivery) {
	d.t.Helper()
	d.until("as many are counted as are listed", func() bool {
		var err error
		if all, err = d.exchange().Waiting(d.t.Context(), d.system, c, 1000); err != nil {
			d.t.Fatal(err)
		}
		n, err := d.exchange().Count(d.t.Context(), d.system, c)
		if err != nil {
			d.t.Fatal(err)
		}
		return n == len(all) // else one came between
	})
	return all
}

// awaits waits until so many are listed.
func (d dms) awaits(c vxp.Class, n int) []vxp.Delivery {
	d.t.Helper()
	d.until("deliveries", func() bool { return len(d.listed(c)) == n })
	return d.listed(c)
}

func (d dms) fetched(docID string) []byte {
	d.t.Helper()
	c, err := d.exchange().Fetch(d.t.Context(), d.system, docID)
	if err != nil {
		d.t.Fatal(err)
	}
	raw, err := io.ReadAll(c)
	if err != nil || int64(len(raw)) != c.Bytes {
		d.t.Fatalf("%d bytes of %d: %v", len(raw), c.Bytes, err)
	}
	if err := c.Close(); err != nil {
		d.t.Fatal(err)
	}
	return raw
}

func (d dms) report(docID string, r vxp.Report) {
	d.t.Helper()
	if err := d.exchange().Report(d.t.Context(), d.system, docID, r); err != nil {
		d.t.Fatal(err)
	}
}

func (d dms) sentRows(docID string) []vxp.SentRow {
	d.t.Helper()
	rows, err := d.exchange().SentBy(d.t.Context(), d.system, vxp.Documents, docID, 100)
	if err != nil {
		d.t.Fatal(err)
	}
	return rows
}

// letterOf is a document as a DMS makes it, with one attachment.
func letterOf(t testing.TB, from, name string, to ...string) []byte {
	return packageOf(t, from, name, func(*edxml.Document) {}, to...)
}

func packageOf(t testing.TB, from, name string, change func(*edxml.Document), to ...string) []byte {
	t.Helper()
	d := &edxml.Document{
		From: edxml.Party{OrganID: edxml.OrganID(from), Name: "Cơ quan gửi"}, ID: name,
		Number: edxml.DocumentNumber{Number: "101", Notation: "CQA-VP"}, Promulgation: edxml.Promulgation{Date: "2026/03/02"},
		Subject: "V/v kết nối, liên thông văn bản", Content: "Toàn văn",
	}
	for _, code := range to {
		d.To = append(d.To, edxml.Party{OrganID: edxml.OrganID(code)})
	}
	change(d)
	var b bytes.Buffer
	err := edxml.WriteDocument(&b, d, edxml.File{Name: "cong-van.pdf", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("%PDF-1.4 " + name)), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// wordOf is a status message about a document of another agency.
func wordOf(t testing.TB, from, to, name, code string) []byte {
	t.Helper()
	var b bytes.Buffer
	err := edxml.WriteStatus(&b, &edxml.Status{
		From:        edxml.Party{OrganID: edxml.OrganID(from)},
		ResponseFor: edxml.ResponseFor{OrganID: edxml.OrganID(to), DocumentID: name},
		Code:        edxml.StatusCode(code), Description: "Đã tiếp nhận", Time: "2026/03/02 09:15:00",
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bodies counts what lies in the file store.
func (o *office) bodies() (n int) {
	o.t.Helper()
	err := filepath.WalkDir(filepath.Join(o.dir, "content"), func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return n
}

func wantCode(t *testing.T, what string, err error, code axispb.ReasonCode) {
	t.Helper()
	if !reason.Is(err, code) {
		t.Errorf("%s: %v, not %s", what, err, code)
	}
}

// twoSystems are a sender (H41) and a recipient (H42), each with a system.
func twoSystems(t *testing.T) (a, b dms) {
	t.Helper()
	_, from, to := pair(t)
	return from.has("sys.a", "H41"), to.has("sys.b", "H42")
}
