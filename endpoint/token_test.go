package endpoint

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/vxp"
	"docaxis/internal/doctor"
	"docaxis/internal/reason"
	"docaxis/internal/signer/signertest"
	"docaxis/proto/axispb"
)

// inToken puts an office's seal into a token.
func (o *office) inToken(code string) *signertest.Token {
	o.t.Helper()
	seal := o.seals[code]
	token := signertest.New(o.t, seal.Key, seal.Certificate())
	o.adjust = func(c *Config) {
		c.Settings.Seals = []SealSettings{{Code: code, Key: token.URI(), Signer: token.Program()}}
		c.TokenRest, c.TokenPatience = time.Millisecond, 20*time.Second
	}
	return token
}

// tokenWorld is a sender whose seal is in a token, and a recipient.
func tokenWorld(t *testing.T) (a, b dms, token *signertest.Token) {
	t.Helper()
	w := newWorld(t)
	from, to := w.office("from", "H41"), w.office("to", "H42")
	token = from.inToken("H41")
	from.start().synced("H41", "H42")
	to.start().synced("H41", "H42")
	return from.has("sys.a", "H41"), to.has("sys.b", "H42"), token
}

func (o *office) clerkStatus() clerk.Status {
	o.t.Helper()
	s, err := Clerk(o.agent).Status(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	return s
}

// A document that comes while the token is away is kept, told to people, and goes by
// itself when it is back; so does what came before a start without the token. A clerk is
// told at once.
func TestDocumentsWaitForATokenAndGoByThemselves(t *testing.T) {
	a, b, token := tokenWorld(t)
	token.Behave(signertest.Away)
	_, err := a.agent.Send(t.Context(), draft("H41", "H42"))
	if wantCode(t, "a clerk", err, axispb.ReasonCode_REASON_SEAL_AWAY); !reason.IsTemporary(err) {
		t.Errorf("it counts as permanent: %v", err)
	}
	first := letterOf(t, "H41", "one", "H42")
	id := a.post("H41", vxp.Documents, first)
	if s := a.clerkStatus(); s.Away != 1 || s.AwayID != id || s.Unsealed != 0 {
		t.Errorf("its status is %+v", s.Held)
	}
	story, err := Clerk(a.agent).Show(t.Context(), id)
	if err != nil || story[0].State != "PARKED" || story[0].Trouble == nil || !strings.Contains(story[0].Trouble.Vietnamese, "thiết bị") {
		t.Errorf("its story is %+v: %v", story, err)
	}
	a.restart()
	a.synced("H41", "H42")
	second := letterOf(t, "H41", "two", "H42")
	a.post("H41", vxp.Documents, second)
	if s := a.clerkStatus(); s.Away != 2 {
		t.Errorf("after a start without the token: %+v", s.Held)
	}
	token.Behave(signertest.Good)
	waiting := b.awaits(vxp.Documents, 2)
	for _, w := range waiting {
		if got := b.fetched(w.DocID); !bytes.Equal(got, first) && !bytes.Equal(got, second) {
			t.Error("other bytes arrived")
		}
	}
	a.until("nothing waits", func() bool { return a.clerkStatus().Away == 0 })
}

// Whatever happens to the signer at a signature, the document is taken once and arrives.
func TestNothingIsLostWithTheSigner(t *testing.T) {
	for _, how := range []string{signertest.Dies, signertest.Fails, signertest.Forges, signertest.Nonsense, "killed"} {
		t.Run(how, func(t *testing.T) {
			a, b, token := tokenWorld(t)
			body := letterOf(t, "H41", "one", "H42")
			if how == "killed" {
				p, err := os.FindProcess(token.Pids()[0])
				if err = errors.Join(err, p.Signal(syscall.SIGKILL)); err != nil {
					t.Fatal(err)
				}
			} else {
				token.Behave(how)
			}
			id := a.post("H41", vxp.Documents, body)
			token.Behave(signertest.Good)
			if again := a.post("H41", vxp.Documents, body); again != id {
				t.Errorf("the same again is %s, not %s", again, id)
			}
			if got := b.fetched(b.awaits(vxp.Documents, 1)[0].DocID); !bytes.Equal(got, body) {
				t.Error("other bytes arrived")
			}
			if n := a.axis.Documents(); n != 1 {
				t.Errorf("the axis has %d documents", n)
			}
		})
	}
}

// A wrong PIN stops the start, however often it is tried, after one try at the token; one
// that becomes wrong while documents wait is told, and they go when it is mended.
func TestAWrongPINAtAnEndpoint(t *testing.T) {
	w := newWorld(t)
	from, to := w.office("from", "H41"), w.office("to", "H42")
	token := from.inToken("H41")
	token.SetPIN("000000")
	for range 5 {
		_, err := Open(from.dir, from.config())
		if err == nil || !strings.Contains(err.Error(), "refused the PIN") || strings.Contains(err.Error(), "000000") {
			t.Errorf("%v", err)
		}
	}
	if n := token.Logins(); n != 1 {
		t.Errorf("the token was given %d PINs", n)
	}
	token.SetPIN(signertest.PIN)
	from.start().synced("H41", "H42")
	to.start().synced("H41", "H42")
	a, b := from.has("sys.a", "H41"), to.has("sys.b", "H42")
	token.SetPIN("111111")
	token.Behave(signertest.Dies)
	id := a.post("H41", vxp.Documents, letterOf(t, "H41", "one", "H42"))
	a.until("the PIN is told", func() bool {
		e, err := a.agent.Sent(id)
		return err == nil && strings.Contains(reason.Sentence(e.Trouble.GetReason(), reason.English), "refused the PIN")
	})
	if n := token.Wrong(); n != 1 {
		t.Errorf("%d wrong PINs", n)
	}
	token.Behave(signertest.Good)
	token.SetPIN(signertest.PIN)
	b.awaits(vxp.Documents, 1)
	for name, text := range map[string]string{"log": a.logs.String(), "URI": token.URI()} {
		if strings.Contains(text, "111111") || strings.Contains(text, signertest.PIN) {
			t.Errorf("a PIN stands in the %s", name)
		}
	}
}

// What waits for a token and meets another fault waits for a person.
func TestAWaitingDocumentMeetsAnotherFault(t *testing.T) {
	a, _, token := tokenWorld(t)
	token.Behave(signertest.Away)
	id := a.post("H41", vxp.Documents, letterOf(t, "H41", "one", "H42"))
	digest := sha256.Sum256(a.seals["H41"].Certificate().Raw)
	a.axis.Change(&axispb.Change{Change: &axispb.Change_RetireSeal{RetireSeal: &axispb.RetireSeal{Code: "H41", Digest: digest[:]}}})
	a.until("it is told", func() bool {
		e, err := a.agent.Sent(id)
		return err == nil && e.Trouble.GetReason().GetCode() == axispb.ReasonCode_REASON_SEAL_RETIRED
	})
	token.Behave(signertest.Good)
	if s := a.clerkStatus(); s.Away != 0 || s.Unsealed != 1 {
		t.Errorf("its status is %+v", s.Held)
	}
}

// sealFindings are what a doctor says about seals.
func sealFindings(t *testing.T, o *office, settings string) (doctor.Verdict, string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(o.dir, SettingsFile), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	var (
		worst doctor.Verdict
		said  string
	)
	for _, f := range Doctor(t.Context(), o.dir, DoctorConfig{Patience: time.Millisecond, Now: o.now}).Findings {
		if f.Check == "seals" {
			worst, said = f.Verdict, said+f.Found.English+" "+f.Do.English+"\n"
		}
	}
	return worst, said
}

// A doctor says that a token does not answer, and who else may read the PIN.
func TestADoctorLooksAtTokens(t *testing.T) {
	w := newWorld(t)
	o := w.office("from", "H41")
	token := o.inToken("H41")
	settings := "[[seal]]\ncode = \"H41\"\nkey = '" + token.URI() + "'\nsigner = '" + token.Program() + "'\n"
	if v, said := sealFindings(t, o, settings); v != doctor.Well {
		t.Errorf("a good token: %s %s", v, said)
	}
	if err := os.Chmod(filepath.Join(token.Dir, "pin"), 0o644); err != nil {
		t.Fatal(err)
	}
	if v, said := sealFindings(t, o, settings); v != doctor.Warning || !strings.Contains(said, "chmod 600") {
		t.Errorf("a PIN for all: %s %s", v, said)
	}
	token.Behave(signertest.Away)
	if v, said := sealFindings(t, o, settings); v != doctor.Wrong || !strings.Contains(said, "does not sign: no slot has the token") {
		t.Errorf("without the token: %s %s", v, said)
	}
	if v, said := sealFindings(t, o, strings.Replace(settings, "object=seal", "object=other", 1)); v != doctor.Wrong || !strings.Contains(said, "no slot has the token") {
		t.Errorf("a token that was never seen: %s %s", v, said)
	}
}

func TestSettingsOfTokens(t *testing.T) {
	const uri = "pkcs11:token=t;object=o?module-path=/m"
	for settings, want := range map[SealSettings]string{
		{Code: "H41", Key: uri, Signer: "/usr/bin/signer"}:   "",
		{Code: "H41", Key: uri + "&pin-value=1"}:             "a PIN must not stand here",
		{Code: "H41", Key: uri, PasswordFile: "pin"}:         "pin-source",
		{Code: "H41", Key: "seal.pem", Signer: "/bin/x"}:     "take it out",
		{Code: "H41", Key: "pkcs11:object=o?module-path=/m"}: "must name the token",
	} {
		err := Settings{Seals: []SealSettings{settings}}.Validate()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%+v: %v", settings, err)
		}
	}
	files := SealSettings{Key: uri + "&pin-source=pin", Certificate: "c"}.files()
	if len(files) != 2 || files[0] != "pin" || files[1] != "c" {
		t.Errorf("its files are %q", files)
	}
}
