package hubtest_test

import (
	"crypto/x509"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"docaxis/auditor"
	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/link"
	"docaxis/internal/hubtest"
	"docaxis/internal/lang"
	"docaxis/internal/proofset"
	"docaxis/signing"
)

// exported writes what an endpoint has to prove a document, and has the auditor judge
// it.
func exported(t *testing.T, m *hubtest.Member, id string, anchors []*x509.Certificate, at time.Time) (proofset.Set, auditor.Report) {
	t.Helper()
	set, err := endpoint.Clerk(m.Agent()).Prove(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "proofs")
	if _, err := set.Write(dir); err != nil {
		t.Fatal(err)
	}
	return set, auditor.Verify([]string{dir}, auditor.Options{Anchors: anchors, At: at, Source: signing.TimeGiven, Lang: lang.English})
}

// What an endpoint exports is what the axis hands out: an auditor who believes CA, seal
// and authority passes all of it, at the authority's time; and without an axis all of it
// but the time.
func TestAnEndpointExportsItsProofs(t *testing.T) {
	t.Parallel()
	var clock shifted
	c := newClockmaker(t, clock.now)
	w := world(t, c.asks(hubtest.Config{Now: clock.now, Retry: quick, PullEvery: time.Second}), "G22", "H41")
	sender, receiver := w.Member("G22"), w.Member("H41")
	id := send(t, sender, clerk.Draft{To: []string{"H41"}}, []byte("một"))
	wait(t, sender, id, consigned)
	confirm(t, receiver, id)
	wait(t, sender, id, handedOver)
	allSaid(t, w)
	early, _ := exported(t, sender, id, nil, clock.now())
	cover(t, w)
	who, err := link.LoadIdentity(sender.Dir)
	if err != nil {
		t.Fatal(err)
	}
	seal, err := signing.LoadCertificates(filepath.Join(sender.Dir, "seal-G22.pem"))
	if err != nil {
		t.Fatal(err)
	}
	anchors := append(seal, who.CA, c.tsa.Certificate())
	later := clock.now().Add(time.Hour)
	for _, m := range []*hubtest.Member{sender, receiver} {
		set, report := exported(t, m, id, anchors, later)
		if len(set.Records) != 3 || set.Untimed() != 0 || report.Result != auditor.Passed {
			t.Errorf("%s: %d records, %d without a time; %+v", m.Code, len(set.Records), set.Untimed(), report)
		}
		for _, f := range report.Files[0].Within {
			for _, s := range f.Signatures {
				if s.For == auditor.ForSeal && s.TimeSource != signing.TimeTimestamp {
					t.Errorf("%s: the seal is judged at %s", m.Code, s.TimeSource)
				}
			}
		}
	}
	if err := w.StopAxis(); err != nil {
		t.Fatal(err)
	}
	if set, report := exported(t, sender, id, anchors, later); len(set.Records) != len(early.Records) || set.Untimed() != len(set.Records) || report.Result != auditor.Passed {
		t.Errorf("without an axis: %d records, %d without a time; %+v", len(set.Records), set.Untimed(), report)
	}
	if _, err := endpoint.Clerk(sender.Agent()).Prove(t.Context(), "no-such"); err == nil {
		t.Error("a document that nobody knows is proven")
	}
	if err := errors.Join(w.StartAxis(t.Context())); err != nil {
		t.Fatal(err)
	}
}
