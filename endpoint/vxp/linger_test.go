package vxp_test

import (
	"bytes"
	"slices"
	"testing"

	"docaxis/endpoint/vxp"
	"docaxis/endpoint/vxp/vxptest"
	"docaxis/internal/vectors"
)

// two sends two packages to system b and gives what they are called there.
func two(t *testing.T) (f *fake, address, first, second string) {
	t.Helper()
	f = newFake(vxptest.IDs{})
	address = serve(t, f, vxp.Options{})
	sent(t, address, package101())
	sent(t, address, vectors.EdXML("new-3-attachments-signed.edxml"))
	ids := waiting(t, address)
	if len(ids) != 2 {
		t.Fatalf("%d deliveries", len(ids))
	}
	return f, address, ids[0], ids[1]
}

func TestAListIsNotFilteredByWhatLingers(t *testing.T) {
	_, address, first, second := two(t)
	for _, lingering := range [][]p{
		{{"status", "done"}},
		{{"docId", first}},
		{{"docid", "khong-co"}},
		{{"to", `["001.00.01.X92"]`}, {"from", "000.00.01.X92"}},
		{{"fromDate", "2030/01/01"}, {"toDate", "2030/12/31"}, {"pageSize", "1"}, {"pageIndex", "9"}},
		{{"hash-file", "0"}, {"filePath", "xml"}, {"Content-Type", "application/json"}},
	} {
		if got := waiting(t, address, lingering...); !slices.Equal(got, []string{first, second}) {
			t.Errorf("with %v: %v", lingering, got)
		}
		a := ask(t, address, "countReceiveEdoc", fromB(append(lingering, p{"messagetype", "status"})...), "{}")
		if a.Count != 2 {
			t.Errorf("with %v: %d", lingering, a.Count)
		}
	}
}

// TestDocIdToFetchDocidToConfirm: recordings 24 to 27, and each alone.
func TestDocIdToFetchDocidToConfirm(t *testing.T) {
	f, address, first, second := two(t)
	size := func(id string) int {
		d, err := f.find(vxptest.SystemB, id)
		if err != nil {
			t.Fatal(err)
		}
		return len(d.bytes)
	}
	for _, params := range [][]p{
		{{"docId", second}, {"docid", first}},
		{{"docid", first}, {"docId", second}},
		{{"docId", second}},
		{{"docid", second}},
	} {
		if a := ask(t, address, "getEdoc", fromB(params...), "{}"); len(a.Data) != size(second) {
			t.Errorf("getEdoc with %v: %d bytes", params, len(a.Data))
		}
		if a := ask(t, address, "downloadEdoc", fromB(params...), ""); len(a.Body) != size(second) {
			t.Errorf("downloadEdoc with %v: %d bytes", params, len(a.Body))
		}
	}
	for _, params := range [][]p{
		{{"docId", second}, {"docid", first}},
		{{"docid", first}, {"docId", second}},
		{{"docId", first}},
		{{"docid", first}},
	} {
		f.handed[0].status = ""
		wantCode(t, ask(t, address, "updateStatus", fromB(append(params, p{"status", "processing"})...), "{}"), "0")
		if f.handed[0].status != "processing" || f.handed[1].status != "initial" {
			t.Errorf("with %v: %q and %q", params, f.handed[0].status, f.handed[1].status)
		}
	}
}

func TestADocumentIsNotRoutedByTo(t *testing.T) {
	f := newFake(vxptest.IDs{})
	address := serve(t, f, vxp.Options{})
	file := package101()
	for _, to := range []string{`["001.00.01.X92"]`, `"001.00.01.X92"`, "["} {
		f.sendings, f.handed = nil, nil
		wantCode(t, ask(t, address, "sendEdoc", sendParams(file, p{"to", to}, p{"status", "done"}, p{"docId", "x"}), string(file)+"\r\n"), "0")
		if len(f.handed) != 1 || f.handed[0].to != "000.00.00.X91" {
			t.Errorf("to %s: %v", to, f.handed)
		}
	}
}

func TestALeftOverDocIdDoesNotEmptyTheListOfSendings(t *testing.T) {
	_, address, received, _ := two(t)
	for id, rows := range map[string]int{received: 2, uuid(0): 1, "khong-co": 2, "": 2} {
		a := ask(t, address, "getSentEdocList", fromA(p{"messagetype", "edoc"}, p{"docId", id}), "")
		if len(a.List) != rows {
			t.Errorf("docId %q: %d rows", id, len(a.List))
		}
	}
}

// TestOneObjectForARoundOfWork is a program that uses one service object for all.
func TestOneObjectForARoundOfWork(t *testing.T) {
	for _, version := range []vxptest.Version{vxptest.V200, vxptest.V201} {
		_, address, _, _ := two(t)
		c := vxptest.New("http://"+address, vxptest.SystemB, vxptest.SecretB)
		c.Version, c.Leave = version, true
		defer c.Close()
		done := 0
		for round := 0; ; round++ {
			list, err := c.Received(t.Context(), "edoc")
			if err != nil {
				t.Fatal(err)
			}
			if len(list.List) != 2-round {
				t.Fatalf("round %d: %d entries", round, len(list.List))
			}
			if len(list.List) == 0 {
				break
			}
			id := list.List[0]["docId"]
			got, err := c.GetEdoc(t.Context(), id)
			if err != nil || !bytes.HasPrefix(got.Data, []byte("<?xml")) || !got.Saved {
				t.Fatalf("%v: %.80s", err, got.Body)
			}
			confirmed, err := c.UpdateStatus(t.Context(), id, "done")
			if err != nil || !confirmed.OK() {
				t.Fatalf("%v: %s", err, confirmed.Body)
			}
			done++
			status := vectors.EdXML("status-03.edxml")
			if reply, err := c.SendEdoc(t.Context(), "000.00.00.X91", "status", status); err != nil || !reply.OK() {
				t.Fatalf("%v: %s", err, reply.Body)
			}
		}
		if done != 2 {
			t.Errorf("%d were confirmed", done)
		}
	}
}
