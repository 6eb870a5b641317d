package hubtest_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/diskspace"
	"docaxis/internal/hubtest"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// A recipient's disk fills up in the middle of an exchange and has room again later:
// nothing is lost or refused, nothing has to be done, and what is cleaned up then is
// what nobody needs. The checker finds all of it proven.
func TestAFullDiskAtTheRecipient(t *testing.T) {
	var free, ahead atomic.Int64
	free.Store(1 << 30)
	none := 0
	w := world(t, hubtest.Config{
		Retry: endpoint.Retry{Min: time.Millisecond, Max: 50 * time.Millisecond}, PullEvery: 100 * time.Millisecond,
		Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
		AdjustEndpoint: func(code string, c *endpoint.Config) {
			if code != "H41" {
				return
			}
			c.Settings.Limits.FreeBytes = 100 << 20
			c.Settings.Retention.InboxDays = &none
			c.Disk = func(string) (diskspace.Space, error) {
				return diskspace.Space{Free: uint64(free.Load()), Total: 4 << 30}, nil
			}
		},
	}, "G22", "H41")
	from, to := w.Member("G22"), w.Member("H41")
	becomes := func(bytes int64) {
		free.Store(bytes)
		ahead.Add(int64(2 * time.Second))
	}
	content := bytes.Repeat([]byte("Nghệ An "), 200_000)
	first := send(t, from, clerk.Draft{To: []string{"H41"}}, content)
	wait(t, from, first, axispb.State_STATE_CONSIGNED)
	becomes(50 << 20)
	second := send(t, from, clerk.Draft{To: []string{"H41"}}, append(content, 'x'))
	wait(t, from, second, axispb.State_STATE_ACCEPTED)
	eventually(t, "the second is known", func() error {
		_, err := to.Agent().Show(second)
		return err
	})
	eventually(t, "the operator sees why it waits", func() error {
		list, err := w.Hub().Waiting(t.Context(), operator.WaitingFilter{Limit: 10})
		if err == nil && (len(list.Rows) != 1 || list.Rows[0].Why != "disk") {
			err = fmt.Errorf("%+v", list.Rows)
		}
		return err
	})
	desk := endpoint.Clerk(to.Agent())
	if _, err := desk.Confirm(t.Context(), clerk.Confirm{ID: first}); err != nil {
		t.Fatal(err)
	}
	wait(t, from, first, axispb.State_STATE_HANDED_OVER)
	_, err := desk.Send(t.Context(), clerk.Draft{To: []string{"G22"}, Subject: "x"}, nil)
	if !reason.Is(err, axispb.ReasonCode_REASON_DISK_FULL) {
		t.Errorf("sending from a full disk: %v", err)
	}
	if status, err := desk.Status(t.Context()); err != nil || !status.Disk.Full || status.Inbox["FETCHING"] != 1 {
		t.Errorf("status %+v, %v", status, err)
	}
	becomes(1 << 30)
	wait(t, from, second, axispb.State_STATE_CONSIGNED)

	cleaned, err := desk.Clean(t.Context(), clerk.Clean{})
	if err != nil || len(cleaned.Removed) != 1 || cleaned.Removed[0].Documents != 1 {
		t.Errorf("cleaned up %+v, %v", cleaned, err)
	}
	if f, err := desk.Content(t.Context(), first, "", 0); !reason.Is(err, axispb.ReasonCode_REASON_RELEASED) {
		t.Errorf("the first has still its content: %v, %v", f, err)
	}
	f, err := desk.Content(t.Context(), second, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Close(), to.Agent().CheckFiles(t.Context()), hubtest.Check(t.Context(), w)); err != nil {
		t.Error(err)
	}
}
