package hubtest_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/link"
	"docaxis/internal/fault"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// certificatesOf lists what the journal says an endpoint was issued, oldest first.
func certificatesOf(t *testing.T, w *hubtest.World, name string) (all [][]byte) {
	t.Helper()
	err := w.Hub().Blocks(t.Context(), func(raw []byte) error {
		for _, r := range blockOf(raw).Records {
			var c axispb.RegistryChange
			if headerOf(r).Kind != axispb.Kind_KIND_REGISTRY {
				continue
			}
			if err := proto.Unmarshal(r.Body, &c); err != nil {
				return err
			}
			for _, step := range c.Changes {
				if e := step.GetPutEndpoint(); e.GetName() == name {
					all = append(all, e.Certificate)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func certificateOf(t *testing.T, m *hubtest.Member) []byte {
	t.Helper()
	id, err := link.LoadIdentity(m.Dir)
	if err != nil {
		t.Fatal(err)
	}
	return id.Certificate.Certificate[0]
}

// A certificate is renewed when under 180 of its 398 days are left, and not before.
// What was stated under the old one, and not sent yet, is taken over the new one.
func TestACertificateIsRenewedByItself(t *testing.T) {
	t.Parallel()
	var clock shifted
	var hold atomic.Bool
	w := world(t, hubtest.Config{
		Now: clock.now, Retry: quick, PullEvery: time.Second, RenewEvery: 10 * time.Millisecond,
		EndpointFaults: func(code string) fault.Hook {
			return func(point string) error {
				if code == "H41" && point == "evidence.send.before" && hold.Load() {
					return errFault
				}
				return nil
			}
		},
	}, "G22", "H41")
	m := w.Member("H41")
	first := certificateOf(t, m)
	hold.Store(true)
	id := send(t, w.Member("G22"), clerk.Draft{To: []string{"H41"}}, []byte("x"))
	wait(t, m, id, consigned)
	clock.days(217)
	later := send(t, w.Member("G22"), clerk.Draft{To: []string{"H41"}}, []byte("y"))
	wait(t, m, later, consigned)
	if got := certificatesOf(t, w, m.Name); len(got) != 1 || !bytes.Equal(certificateOf(t, m), first) {
		t.Errorf("renewed with 181 days left: %d certificates", len(got))
	}
	clock.days(2)
	eventually(t, "the certificate is renewed", func() error {
		if bytes.Equal(certificateOf(t, m), first) {
			return fmt.Errorf("%d certificates", len(certificatesOf(t, w, m.Name)))
		}
		return nil
	})
	hold.Store(false)
	wait(t, w.Member("G22"), id, consigned)
	wait(t, w.Member("G22"), later, consigned)
	last := send(t, w.Member("G22"), clerk.Draft{To: []string{"H41"}}, []byte("z"))
	wait(t, w.Member("G22"), last, consigned)
	for id, want := range map[string][]byte{id: first, later: first, last: certificateOf(t, m)} {
		if got := signerOf(t, w.Member("G22"), id); !bytes.Equal(got, want) {
			t.Errorf("%s: stated under certificate %x, not %x", id, sha256.Sum256(got), sha256.Sum256(want))
		}
	}
	newExchange(t, w, 1).settle()
	check(t, w)
}

// signerOf is the certificate under which a document's consignment was stated.
func signerOf(t *testing.T, m *hubtest.Member, id string) []byte {
	t.Helper()
	s, err := m.Agent().Show(id)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range s.Recipients {
		for _, step := range l.Steps {
			var e axispb.Evidence
			if err := proto.Unmarshal(step.Evidence, &e); err != nil {
				t.Fatal(err)
			}
			if len(e.Certificate) > 0 {
				return e.Certificate
			}
		}
	}
	t.Fatalf("%s has no evidence of its recipient", id)
	return nil
}

// The renewal fails at each step, and the endpoint dies at each: it comes back with
// the key that it had, and is issued one certificate for each renewal, no more.
func TestFailuresOfARenewal(t *testing.T) {
	t.Parallel()
	var clock shifted
	p := &plan{}
	w := world(t, hubtest.Config{
		Now: clock.now, Retry: quick, PullEvery: time.Second, RenewEvery: 10 * time.Millisecond,
		EndpointFaults: func(code string) fault.Hook { return p.hook(code) },
	}, "G22", "H41")
	m := w.Member("H41")
	renewals := 0
	for _, dies := range []bool{false, true} {
		for _, point := range []string{
			"renew.before", "call.renew.before", "call.renew.after", "renew.after", "promote.before", "promote.after",
		} {
			t.Run(fmt.Sprintf("%s, dies: %v", point, dies), func(t *testing.T) {
				before := certificateOf(t, m)
				p.once("H41 " + point)
				clock.days(219)
				renewals++
				eventually(t, "the renewal fails", func() error {
					if p.fired("H41 "+point) == 0 {
						return errFault
					}
					return nil
				})
				if dies {
					if err := m.Stop(); err != nil {
						t.Fatal(err)
					}
					if err := m.Start(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				eventually(t, "the certificate is renewed", func() error {
					if bytes.Equal(certificateOf(t, m), before) {
						return fmt.Errorf("%d certificates", len(certificatesOf(t, w, m.Name)))
					}
					return nil
				})
				eventually(t, "it is connected with it", func() error {
					if s, err := m.Agent().Status(); err != nil || !s.Connected {
						return fmt.Errorf("%+v, %w", s, err)
					}
					return nil
				})
				if got := certificatesOf(t, w, m.Name); len(got) != renewals+1 {
					t.Errorf("%d certificates for %d renewals", len(got), renewals)
				}
			})
		}
	}
	if got := certificatesOf(t, w, m.Name); len(got) != renewals+1 || !bytes.Equal(got[renewals], certificateOf(t, m)) {
		t.Errorf("%d certificates for %d renewals", len(got), renewals)
	}
}
