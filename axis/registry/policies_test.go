package registry_test

import (
	"strings"
	"testing"

	"docaxis/axis/registry"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

const (
	allowed   = axispb.Permission_PERMISSION_ALLOWED
	forbidden = axispb.Permission_PERMISSION_FORBIDDEN
	label     = axispb.FilePolicy_FILE_POLICY_LABEL
)

func policy(p *axispb.Policy) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_PutPolicy{PutPolicy: p}}
}

func TestPolicyIsInherited(t *testing.T) {
	w := nghean(t)
	want := func(code string, p registry.Policy) {
		t.Helper()
		if got := w.Policy(code); got != p {
			t.Errorf("policy of %q: %+v, want %+v", code, got, p)
		}
		if got := w.RetentionDays(code); got != p.RetentionDays {
			t.Errorf("retention of %q: %d", code, got)
		}
	}
	byDefault := registry.Policy{SentFiles: label, ReceivedFiles: label, DelegatedSeals: true, RetentionDays: 400, Security: "ordinary", Registrations: true}
	want("H41", byDefault)
	want("", byDefault)
	want("nobody", byDefault)

	w.do(noon, policy(&axispb.Policy{DelegatedSeals: forbidden, RetentionDays: 30, Security: "confidential"}))
	everybody := registry.Policy{SentFiles: label, ReceivedFiles: label, RetentionDays: 30, Security: "confidential", Registrations: true}
	want("H41", everybody)
	want("", everybody)

	// By an alias: it is the agency's, under any of its codes, and nobody else's.
	w.do(noon, policy(&axispb.Policy{Code: "000.00.00.H41", DelegatedSeals: allowed}))
	own := registry.Policy{SentFiles: label, ReceivedFiles: label, DelegatedSeals: true, RetentionDays: 30, Security: "confidential", Registrations: true}
	want("H41", own)
	want("000.00.00.H41", own)
	want("H41.11", everybody)

	// What is set anew replaces all that was there.
	w.do(noon, policy(&axispb.Policy{Code: "H41", RetentionDays: 7}))
	want("H41", registry.Policy{SentFiles: label, ReceivedFiles: label, RetentionDays: 7, Security: "confidential", Registrations: true})
	w.do(noon, policy(&axispb.Policy{}))
	want("H41", registry.Policy{SentFiles: label, ReceivedFiles: label, DelegatedSeals: true, RetentionDays: 7, Security: "ordinary", Registrations: true})

	if all := w.Policies(); len(all) != 2 || all[0].Code != "" || all[1].Code != "H41" || all[1].Position != w.position-1 {
		t.Errorf("%+v", all)
	}
	if !strings.Contains(w.Dump(), `policy "H41" delegated 0 retention 7 security "" registrations 0 held 0 hours 0 0 files 0 0 position`) {
		t.Errorf("the dump has no policy:\n%s", w.Dump())
	}
}

// What is asked of files that go and of files that come is inherited apart.
func TestPolicyOnFilesIsInherited(t *testing.T) {
	const (
		sound  = axispb.FilePolicy_FILE_POLICY_SOUND
		signed = axispb.FilePolicy_FILE_POLICY_SIGNED
	)
	w := nghean(t)
	want := func(code string, sent, received axispb.FilePolicy) {
		t.Helper()
		if p := w.Policy(code); p.SentFiles != sent || p.ReceivedFiles != received {
			t.Errorf("of %q: %v and %v, not %v and %v", code, p.SentFiles, p.ReceivedFiles, sent, received)
		}
	}
	want("H41", label, label)
	w.do(noon, policy(&axispb.Policy{SentFiles: sound}))
	want("H41", sound, label)
	w.do(noon, policy(&axispb.Policy{Code: "H41", ReceivedFiles: signed}))
	want("H41", sound, signed)
	want("H41.11", sound, label)
	w.do(noon, policy(&axispb.Policy{Code: "H41", SentFiles: label, ReceivedFiles: signed}))
	want("H41", label, signed)
	w.do(noon, policy(&axispb.Policy{}))
	want("H41", label, signed)
	want("H41.11", label, label)
}

func TestPolicyRefused(t *testing.T) {
	w := nghean(t)
	before := w.Dump()
	tests := []struct {
		name, what string
		policy     *axispb.Policy
	}{
		{"of the unknown", "H99", &axispb.Policy{Code: "H99"}},
		{"level of one agency", "without a code", &axispb.Policy{Code: "H41", Security: "ordinary"}},
		{"unknown level", "no security level", &axispb.Policy{Security: "mật"}},
		{"unknown word", "inherit", &axispb.Policy{DelegatedSeals: 9}},
		{"for ever", "at most", &axispb.Policy{RetentionDays: 4_000_000_000}},
		{"unknown word on registrations", "held", &axispb.Policy{Registrations: 9}},
		{"unknown word on holding", "held", &axispb.Policy{RegistrationsHeld: 9}},
		{"deadline for ever", "at most", &axispb.Policy{ConsignHours: 4_000_000_000}},
		{"unknown word on files sent", "signed", &axispb.Policy{SentFiles: 9}},
		{"unknown word on files received", "signed", &axispb.Policy{ReceivedFiles: 9}},
		{"hand-over for ever", "at most", &axispb.Policy{HandoverHours: 9000}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := w.Check(change(policy(tt.policy)), noon)
			if !reason.Is(err, axispb.ReasonCode_REASON_REGISTRY_CONFLICT) || !strings.Contains(reason.Of(err).Args[0], tt.what) {
				t.Errorf("%v; want a conflict with %q in it", err, tt.what)
			}
			// In a journal written under other rules it changes nothing.
			w.Apply(99, noon, change(policy(tt.policy)))
			if w.Dump() != before || w.Invariants() != nil {
				t.Error("it was taken all the same")
			}
		})
	}
	if got := registry.Audience(change(policy(&axispb.Policy{}))); got != axispb.Audience_AUDIENCE_PUBLIC {
		t.Errorf("audience %v", got)
	}
}
