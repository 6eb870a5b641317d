package hubtest_test

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"google.golang.org/protobuf/proto"

	operator "docaxis/axis/admin"
	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/link"
	"docaxis/internal/fault"
	"docaxis/internal/hubtest"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// checked holds the whole world to what the checker finds.
func checked(t *testing.T, w *hubtest.World) {
	t.Helper()
	eventually(t, "check", func() error { return hubtest.Check(t.Context(), w) })
}

// confirm hands a document over at its recipient.
func confirm(t *testing.T, m *hubtest.Member, id string) {
	t.Helper()
	if _, err := endpoint.Clerk(m.Agent()).Confirm(t.Context(), clerk.Confirm{ID: id}); err != nil {
		t.Fatal(err)
	}
}

// An endpoint that lost its machine comes back under its name: what the old machine
// had is refused from the moment the invitation is used, the mailbox is there, what
// its DMS took is not offered again, and no counter is used twice.
func TestAReissuedEndpointComesBack(t *testing.T) {
	t.Parallel()
	w := world(t, hubtest.Config{}, "G22", "H41")
	sender, old := w.Member("G22"), w.Member("H41")
	one := send(t, sender, clerk.Draft{To: []string{"H41"}}, []byte("một"))
	wait(t, sender, one, axispb.State_STATE_CONSIGNED)
	confirm(t, old, one)
	wait(t, sender, one, axispb.State_STATE_HANDED_OVER)
	two := send(t, sender, clerk.Draft{To: []string{"H41"}}, []byte("hai"))
	wait(t, sender, two, axispb.State_STATE_CONSIGNED)
	counted := counter(t, old)

	again, err := w.Reissue(t.Context(), old, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	// The old one still runs, and is not let in again.
	eventually(t, "the old one is cut", func() error {
		if isConnected(t, w, old) || statusOf(t, old).Connected {
			return errors.New("still connected")
		}
		return nil
	})
	three := send(t, sender, clerk.Draft{To: []string{"H41"}}, []byte("ba"))
	wait(t, sender, three, axispb.State_STATE_ACCEPTED)
	before := statusOf(t, old)
	if err := again.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	wait(t, sender, three, axispb.State_STATE_CONSIGNED)
	wait(t, again, two, axispb.State_STATE_CONSIGNED)
	wait(t, again, three, axispb.State_STATE_CONSIGNED)
	if now := statusOf(t, old); now.Connected || now.Inbox["CONSIGNED"] != before.Inbox["CONSIGNED"] {
		t.Errorf("the old one learned something: %+v", now)
	}
	stop(t, old)

	if s := statusOf(t, again); s.Inbox["HANDED_OVER"] != 1 || s.Inbox["CONSIGNED"] != 2 || !slices.Equal(s.Codes, []string{"H41"}) || s.Parked != nil {
		t.Errorf("the new one: %+v", s)
	}
	// What its DMS had not taken is there to be taken.
	f, err := endpoint.Clerk(again.Agent()).Content(t.Context(), two, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil || string(content) != "hai" {
		t.Errorf("content %q, %v", content, err)
	}
	confirm(t, again, two)
	confirm(t, again, three)
	wait(t, sender, two, axispb.State_STATE_HANDED_OVER)
	wait(t, sender, three, axispb.State_STATE_HANDED_OVER)
	if now := counter(t, again); now <= counted+1000 {
		t.Errorf("it counts from %d, and %d was counted before", now, counted)
	}
	checked(t, w)

	detail, err := w.Hub().ShowEndpoint(t.Context(), again.Name)
	if err != nil || len(detail.Certificates) != 2 || detail.Certificates[0].EndedMS == 0 || detail.Certificates[1].EndedMS != 0 || detail.ReissuedMS == 0 {
		t.Errorf("the operator sees %+v (%v)", detail, err)
	}
	if len(detail.History) != 4 || detail.History[0].Steps[0].What != "put_endpoint" && detail.History[1].Steps[0].What != "put_endpoint" {
		t.Errorf("history %+v", detail.History)
	}
}

// Statements that an endpoint had made and not given to the axis are taken after it
// was re-issued over the same folder: its key was lost, not what it saw. They are
// signed with the certificate that has ended, and stay as good as they were.
func TestEvidenceOfBeforeTheReissueIsTaken(t *testing.T) {
	t.Parallel()
	var mute atomic.Bool
	mute.Store(true)
	faults := func(code string) fault.Hook {
		return func(point string) error {
			if code == "H41" && point == "evidence.send.before" && mute.Load() {
				return errors.New("the line is down")
			}
			return nil
		}
	}
	w := world(t, hubtest.Config{EndpointFaults: faults, Retry: quick}, "G22", "H41")
	sender, m := w.Member("G22"), w.Member("H41")
	id := send(t, sender, clerk.Draft{To: []string{"H41"}}, []byte("một"))
	wait(t, m, id, axispb.State_STATE_CONSIGNED)
	stop(t, m)
	identity, err := link.LoadIdentity(m.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(m.Dir, "identity", "endpoint.pem")); err != nil {
		t.Fatal(err)
	}

	again, err := w.Reissue(t.Context(), m, m.Dir)
	if err != nil {
		t.Fatal(err)
	}
	mute.Store(false)
	if err := again.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	wait(t, sender, id, axispb.State_STATE_CONSIGNED)
	confirm(t, again, id)
	wait(t, sender, id, axispb.State_STATE_HANDED_OVER)

	var signers []*x509.Certificate
	for _, raw := range journaled(t, w) {
		cert, err := x509.ParseCertificate(raw.GetCertificate())
		if err != nil {
			t.Fatal(err)
		}
		signers = append(signers, cert)
	}
	if len(signers) != 2 || !signers[0].Equal(identity.Certificate.Leaf) || signers[1].Equal(signers[0]) {
		t.Errorf("%d statements, not the first by the old certificate and the second by the new", len(signers))
	}
	checked(t, w)
}

// journaled gives the evidence of the journal, in order.
func journaled(t *testing.T, w *hubtest.World) []*axispb.Evidence {
	t.Helper()
	var all []*axispb.Evidence
	err := w.Hub().Blocks(t.Context(), func(raw []byte) error {
		var b axispb.Block
		if err := proto.Unmarshal(raw, &b); err != nil {
			return err
		}
		for _, r := range b.GetRecords() {
			var h axispb.RecordHeader
			var e axispb.Evidence
			if err := proto.Unmarshal(r.GetHeader(), &h); err != nil || h.GetKind() != axispb.Kind_KIND_EVIDENCE {
				continue
			}
			if err := proto.Unmarshal(r.GetBody(), &e); err != nil {
				return err
			}
			all = append(all, &e)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Only an invitation to re-issue that very endpoint replaces an identity; any other
// leaves the folder as it is and stays good itself.
func TestAnIdentityIsReplacedByItsOwnInvitationAlone(t *testing.T) {
	t.Parallel()
	w := world(t, hubtest.Config{}, "G22", "H41")
	m := w.Member("H41")
	stop(t, m)
	by := operator.Why{Actor: "lan", Reason: "mất máy"}
	key := filepath.Join(m.Dir, "identity", "endpoint.pem")
	had := fileDigest(t, key)

	other, err := w.Hub().Invite(t.Context(), operator.Invite{Why: by, Codes: []string{"H41.11"}})
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := w.Hub().Reissue(t.Context(), operator.Reissue{Why: by, Endpoint: w.Member("G22").Name})
	if err != nil {
		t.Fatal(err)
	}
	for what, invitation := range map[string]string{"a new endpoint's": other.Invitation, "another endpoint's": foreign.Invitation} {
		if _, err := link.Join(t.Context(), m.Dir, invitation); !errors.Is(err, link.ErrJoined) {
			t.Errorf("%s: %v", what, err)
		}
		if fileDigest(t, key) != had {
			t.Errorf("%s replaced the key", what)
		}
	}
	// Neither was used up.
	if _, err := link.Join(t.Context(), t.TempDir(), other.Invitation); err != nil {
		t.Error(err)
	}

	// Two invitations: the later one counts, once, and a lost answer is given again.
	first, err := w.Hub().Reissue(t.Context(), operator.Reissue{Why: by, Endpoint: m.Name})
	if err != nil {
		t.Fatal(err)
	}
	second, err := w.Hub().Reissue(t.Context(), operator.Reissue{Why: by, Endpoint: m.Name})
	if err != nil || !slices.Equal(second.Codes, []string{"H41"}) {
		t.Fatalf("%+v, %v", second, err)
	}
	if _, err := link.Join(t.Context(), t.TempDir(), first.Invitation); !reason.Is(err, axispb.ReasonCode_REASON_INVITATION_INVALID) {
		t.Errorf("the replaced one: %v", err)
	}
	if _, err := link.Join(t.Context(), m.Dir, second.Invitation); err != nil || fileDigest(t, key) == had {
		t.Errorf("its own: %v", err)
	}
	if _, err := link.Join(t.Context(), t.TempDir(), second.Invitation); !reason.Is(err, axispb.ReasonCode_REASON_INVITATION_INVALID) {
		t.Errorf("used twice: %v", err)
	}
	if _, err := os.Stat(filepath.Join(m.Dir, "identity.old", "endpoint.pem")); err != nil {
		t.Errorf("the old identity is not kept: %v", err)
	}

	// What is revoked does not come back, not even with an invitation made before.
	late, err := w.Hub().Reissue(t.Context(), operator.Reissue{Why: by, Endpoint: m.Name})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Hub().Revoke(t.Context(), operator.Revoke{Why: by, Endpoint: m.Name}); err != nil {
		t.Fatal(err)
	}
	if _, err := link.Join(t.Context(), t.TempDir(), late.Invitation); !reason.Is(err, axispb.ReasonCode_REASON_ENDPOINT_REVOKED) {
		t.Errorf("a revoked one: %v", err)
	}
	if _, err := w.Hub().Reissue(t.Context(), operator.Reissue{Why: by, Endpoint: m.Name}); !reason.Is(err, axispb.ReasonCode_REASON_REGISTRY_CONFLICT) {
		t.Errorf("re-issue of a revoked one: %v", err)
	}
}

func fileDigest(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(raw))
}

func stop(t *testing.T, m *hubtest.Member) {
	t.Helper()
	if err := m.Stop(); err != nil {
		t.Fatal(err)
	}
}

func statusOf(t *testing.T, m *hubtest.Member) clerk.Status {
	t.Helper()
	s, err := endpoint.Clerk(m.Agent()).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// connected is what the operator is told.
func isConnected(t *testing.T, w *hubtest.World, m *hubtest.Member) bool {
	t.Helper()
	detail, err := w.Hub().ShowEndpoint(t.Context(), m.Name)
	if err != nil {
		t.Fatal(err)
	}
	return detail.Connected
}

func counter(t *testing.T, m *hubtest.Member) uint64 { return statusOf(t, m).Evidence }
