package hubtest_test

import (
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	operator "docaxis/axis/admin"
	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/fault"
	"docaxis/internal/hubtest"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

var lan = operator.Why{Actor: "lan", Reason: "Quyết định 12"}

// deaf are the faults of endpoints that learn nothing while it is set: their
// directory stays as it is.
func deaf(code string, set *atomic.Bool) func(string) fault.Hook {
	return func(name string) fault.Hook {
		return func(point string) error {
			if name == code && point == "call.pull.before" && set.Load() {
				return errors.New("nothing comes in")
			}
			return nil
		}
	}
}

// trySend gives the error of an endpoint that refuses by itself.
func trySend(t *testing.T, m *hubtest.Member, d clerk.Draft) error {
	t.Helper()
	d.Subject = "Công văn"
	_, err := endpoint.Clerk(m.Agent()).Send(t.Context(), d, nil)
	return err
}

// rejectedFor waits until the axis refused a document, and gives its reason.
func rejectedFor(t *testing.T, w *hubtest.World, m *hubtest.Member, id string) string {
	t.Helper()
	wait(t, m, id, axispb.State_STATE_REJECTED)
	known, err := w.Hub().Documents(t.Context(), id)
	if err != nil || len(known) != 1 {
		t.Fatalf("the operator sees %+v (%v)", known, err)
	}
	return known[0].Refused
}

func set(t *testing.T, w *hubtest.World, p operator.SetPolicy) {
	t.Helper()
	p.Why = lan
	if _, err := w.Hub().SetPolicy(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

// delegated makes the seal of a member one that the endpoint holds for its agency.
func delegated(t *testing.T, w *hubtest.World, code string) {
	t.Helper()
	cert := certificateIn(t, filepath.Join(w.Member(code).Dir, "seal-"+code+".pem"))
	if _, err := w.Hub().AdmitSeal(t.Context(), operator.Seal{Why: lan, Code: code, Certificate: cert, Delegated: true}); err != nil {
		t.Fatal(err)
	}
}

// A delegated seal signs until the policy forbids it: then the endpoint refuses it as
// soon as it has heard, and the axis at once.
func TestThePolicyForbidsADelegatedSeal(t *testing.T) {
	t.Parallel()
	var silence atomic.Bool
	w := world(t, hubtest.Config{EndpointFaults: deaf("H41", &silence), Retry: quick}, "G22", "H41")
	m := w.Member("H41")
	to := clerk.Draft{To: []string{"G22"}}
	delegated(t, w, "H41")
	wait(t, m, send(t, m, to), axispb.State_STATE_CONSIGNED)

	silence.Store(true)
	forbid, allow := "forbid", "allow"
	set(t, w, operator.SetPolicy{DelegatedSeals: &forbid})
	if why := rejectedFor(t, w, m, send(t, m, to)); why != "SEAL_DELEGATED" {
		t.Errorf("the axis refused it for %s", why)
	}
	silence.Store(false)
	eventually(t, "the endpoint hears of the policy", func() error {
		if err := trySend(t, m, to); !reason.Is(err, axispb.ReasonCode_REASON_SEAL_DELEGATED) {
			return errors.Join(errors.New("not refused"), err)
		}
		return nil
	})
	// Others, whose seals are their own, go on; and so does an agency with a policy of
	// its own.
	wait(t, w.Member("G22"), send(t, w.Member("G22"), clerk.Draft{To: []string{"H41"}}), axispb.State_STATE_CONSIGNED)
	set(t, w, operator.SetPolicy{Code: "H41", DelegatedSeals: &allow})
	eventually(t, "the endpoint hears of its own policy", func() error { return trySend(t, m, to) })
	checked(t, w)
}

func certificateIn(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			return block.Bytes
		}
	}
	t.Fatalf("%s holds no certificate", path)
	return nil
}

// The highest security level is the policy's, at the endpoint and at the axis.
func TestThePolicyBoundsTheSecurityLevel(t *testing.T) {
	t.Parallel()
	var silence atomic.Bool
	w := world(t, hubtest.Config{EndpointFaults: deaf("H41", &silence), Retry: quick}, "G22", "H41")
	m := w.Member("H41")
	stop(t, m)
	path := filepath.Join(m.Dir, endpoint.SettingsFile)
	settings, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, slices.Concat([]byte("security = \"confidential\"\n"), settings), 0o600)
	}
	if err := errors.Join(err, m.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	secret := clerk.Draft{To: []string{"G22"}, Security: "confidential"}
	eventually(t, "the endpoint refuses it without a policy", func() error {
		if err := trySend(t, m, secret); !reason.Is(err, axispb.ReasonCode_REASON_SECURITY_LEVEL) {
			return errors.Join(errors.New("not refused"), err)
		}
		return nil
	})
	level, ordinary := "confidential", "ordinary"
	set(t, w, operator.SetPolicy{Security: &level})
	eventually(t, "the endpoint hears of the policy", func() error { return trySend(t, m, secret) })
	wait(t, m, send(t, m, secret), axispb.State_STATE_CONSIGNED)

	silence.Store(true)
	set(t, w, operator.SetPolicy{Security: &ordinary})
	if why := rejectedFor(t, w, m, send(t, m, secret)); why != "SECURITY_LEVEL" {
		t.Errorf("the axis refused it for %s", why)
	}
}

// Agencies are merged while documents wait for them: what waits goes to the one that
// takes over, what comes is routed and recorded, and the whole is one record.
func TestAgenciesAreMergedWhileDocumentsWait(t *testing.T) {
	t.Parallel()
	w := world(t, hubtest.Config{Retry: quick}, "G22", "H41", "H41.11.05", "H41.11.06")
	sender := w.Member("G22")
	for _, code := range []string{"H41.11.05", "H41.11.06"} {
		stop(t, w.Member(code))
	}
	waiting := send(t, sender, clerk.Draft{To: []string{"H41.11.05", "H41.11.06"}})
	wait(t, sender, waiting, axispb.State_STATE_ACCEPTED)

	merge := operator.CloseAgencies{
		Why: lan, Codes: []string{"H41.11.05", "H41.11.06"}, Successors: []string{"H41.11.30"},
		New: []operator.NewAgency{{Code: "H41.11.30", Name: "Ủy ban nhân dân xã Kim Nam", Endpoint: w.Member("H41").Name}},
	}
	bad := merge
	bad.Codes = append(slices.Clone(merge.Codes), "H99")
	if _, err := w.Hub().CloseAgencies(t.Context(), bad); !reason.Is(err, axispb.ReasonCode_REASON_REGISTRY_CONFLICT) {
		t.Errorf("with an unknown one: %v", err)
	}
	if a, err := w.Hub().ShowAgency(t.Context(), "H41.11.05"); err != nil || a.ClosedMS != 0 || a.Waiting != 1 {
		t.Fatalf("a refused merge did something: %+v, %v", a, err)
	}
	done, err := w.Hub().CloseAgencies(t.Context(), merge)
	if err != nil || len(done.Closed) != 2 || !done.Successors[0].Served {
		t.Fatalf("%+v, %v", done, err)
	}
	wait(t, sender, waiting, axispb.State_STATE_CONSIGNED)

	routed := send(t, sender, clerk.Draft{To: []string{"H41.11.05"}})
	wait(t, sender, routed, axispb.State_STATE_CONSIGNED)
	known, err := w.Hub().Documents(t.Context(), routed)
	if err != nil || known[0].Recipients[0].Serving != "H41.11.30" || known[0].Recipients[0].Endpoint != w.Member("H41").Name {
		t.Errorf("routed: %+v, %v", known, err)
	}
	a, err := w.Hub().ShowAgency(t.Context(), "H41.11.06")
	if err != nil || a.History[0].Actor != "lan" || a.History[0].Reason != lan.Reason || a.History[0].LeafIndex != done.LeafIndex {
		t.Errorf("history %+v, %v", a.History, err)
	}

	// Split: whoever sends to the old code is told whom to choose from.
	split := operator.CloseAgencies{
		Why: lan, Codes: []string{"H41.11.30"}, Successors: []string{"H41.11.31", "H41.11.32"},
		New: []operator.NewAgency{{Code: "H41.11.31", Name: "Xã Kim"}, {Code: "H41.11.32", Name: "Xã Nam"}},
	}
	if _, err := w.Hub().CloseAgencies(t.Context(), split); err != nil {
		t.Fatal(err)
	}
	refused := send(t, sender, clerk.Draft{To: []string{"H41.11.05"}})
	if why := rejectedFor(t, w, sender, refused); why != "SEVERAL_SUCCESSORS" {
		t.Errorf("refused for %s", why)
	}
	known, err = w.Hub().Documents(t.Context(), refused)
	if err != nil || !strings.Contains(known[0].RefusedWhy, "H41.11.31, H41.11.32") {
		t.Errorf("the successors are not named: %+v, %v", known, err)
	}
	for _, code := range []string{"H41.11.05", "H41.11.06"} {
		if err := w.Member(code).Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	checked(t, w)
}

// What changes a registry for good wants a reason.
func TestAnOperatorGivesAReason(t *testing.T) {
	t.Parallel()
	w := world(t, hubtest.Config{}, "H41")
	nobody := operator.Why{Actor: "lan", Reason: " "}
	hub, name := w.Hub(), w.Member("H41").Name
	for what, do := range map[string]func() error{
		"close": func() error {
			_, err := hub.CloseAgencies(t.Context(), operator.CloseAgencies{Why: nobody, Codes: []string{"H41"}})
			return err
		},
		"move": func() error {
			_, err := hub.MoveAgencies(t.Context(), operator.MoveAgencies{Why: nobody, Codes: []string{"G22"}, Endpoint: name})
			return err
		},
		"policy": func() error { _, err := hub.SetPolicy(t.Context(), operator.SetPolicy{Why: nobody}); return err },
		"retire": func() error {
			_, err := hub.RetireSeal(t.Context(), operator.Retire{Why: nobody, Code: "H41", Digest: "0"})
			return err
		},
		"revoke": func() error {
			_, err := hub.Revoke(t.Context(), operator.Revoke{Why: nobody, Endpoint: name})
			return err
		},
		"reissue": func() error {
			_, err := hub.Reissue(t.Context(), operator.Reissue{Why: nobody, Endpoint: name})
			return err
		},
	} {
		if err := do(); !reason.Is(err, axispb.ReasonCode_REASON_REGISTRY_CONFLICT) || !strings.Contains(err.Error(), "say why") {
			t.Errorf("%s without a reason: %v", what, err)
		}
	}
}
