package hubtest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/envelope"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
	"docaxis/signing"
)

// A new seal takes over from an old one: not before it is admitted and valid; while
// both are good, what either sealed is taken; what waits under the old one when it
// is retired arrives all the same.
func TestOneSealTakesOverFromAnother(t *testing.T) {
	t.Parallel()
	var clock shifted
	w := world(t, hubtest.Config{Now: clock.now, Retry: quick, PullEvery: time.Second}, "G22", "H41")
	sender, receiver := w.Member("G22"), w.Member("H41")
	if err := receiver.Stop(); err != nil {
		t.Fatal(err)
	}
	next, err := hubtest.NewSealFrom(filepath.Join(sender.Dir, "next.pem"), "G22", time.Now().AddDate(0, 0, 10))
	if err != nil {
		t.Fatal(err)
	}
	addSeal(t, sender, "G22", "next.pem")
	old := sealOf(t, w, sender, "not admitted yet", "")

	if _, err := w.Hub().AdmitSeal(t.Context(), operator.Seal{Why: because("mới"), Code: "G22", Certificate: next}); err != nil {
		t.Fatal(err)
	}
	admitted := status(t, w).Size
	eventually(t, "the sender knows that it is admitted", func() error {
		st, err := sender.Agent().Status()
		if n := st.Progress.GetSeen().GetSize(); err == nil && n < admitted {
			err = fmt.Errorf("%d of %d records were pulled", n, admitted)
		}
		return err
	})
	sealOf(t, w, sender, "not valid yet", old)
	clock.days(11)
	eventually(t, "the new seal is known at the sender", func() error {
		if got := sealOf(t, w, sender, "both are good", ""); got == old {
			return fmt.Errorf("sealed with %s", got)
		}
		return nil
	})
	newest := digestOf(next)
	sealOf(t, w, sender, "both are good", newest)

	for _, digest := range []string{"", "zz", newest[2:], digestOf([]byte("another"))} {
		if _, err := w.Hub().RetireSeal(t.Context(), operator.Retire{Why: because("thử"), Code: "G22", Digest: digest}); err == nil {
			t.Errorf("retired seal %q, which is none", digest)
		}
	}
	if _, err := w.Hub().RetireSeal(t.Context(), operator.Retire{Why: because("cũ"), Code: "G22", Digest: old}); err != nil {
		t.Fatal(err)
	}
	sealOf(t, w, sender, "the old one is retired", newest)
	if err := receiver.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := endpoint.Clerk(sender.Agent()).Outbox(t.Context(), clerk.Page{})
	if err != nil || len(all) < 5 {
		t.Fatalf("%d documents, %v", len(all), err)
	}
	for _, d := range all {
		wait(t, sender, d.ID, axispb.State_STATE_CONSIGNED)
	}
	newExchange(t, w, 90).settle()
	check(t, w)
}

func digestOf(cert []byte) string {
	sum := sha256.Sum256(cert)
	return hex.EncodeToString(sum[:])
}

// addSeal names a further seal in an endpoint's settings, and starts it again.
func addSeal(t *testing.T, m *hubtest.Member, code, file string) {
	t.Helper()
	path := filepath.Join(m.Dir, endpoint.SettingsFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text = fmt.Appendf(text, "\n[[seal]]\ncode = %q\nkey = %q\n", code, file)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := m.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// sealOf sends a document, which must be accepted, and gives the digest of the
// certificate that sealed it; want may be empty.
func sealOf(t *testing.T, w *hubtest.World, m *hubtest.Member, what, want string) string {
	t.Helper()
	id := send(t, m, clerk.Draft{To: []string{"H41"}, Subject: what}, []byte(what))
	wait(t, m, id, axispb.State_STATE_ACCEPTED)
	var got string
	err := w.Hub().Blocks(t.Context(), func(raw []byte) error {
		for _, r := range blockOf(raw).Records {
			if headerOf(r).Kind != axispb.Kind_KIND_DOCUMENT {
				continue
			}
			e, err := envelope.Parse(r.Body)
			if err != nil {
				return err
			}
			if e.Document.ID != id {
				continue
			}
			verdict := e.CheckSeal(signing.Options{At: time.Now()})
			if verdict.Signer == nil {
				return fmt.Errorf("no signer: %v", verdict)
			}
			got = digestOf(verdict.Signer.Raw)
		}
		return nil
	})
	if err != nil || got == "" {
		t.Fatalf("%s: %v", what, err)
	}
	if want != "" && got != want {
		t.Errorf("%s: sealed with %s, not %s", what, got, want)
	}
	return got
}
