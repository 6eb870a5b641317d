package endpoint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docaxis/endpoint/systems"
	"docaxis/endpoint/vxp"
	"docaxis/internal/doctor"
)

// diagnosed are the findings about systems of an office that does not run.
func (o *office) diagnosed() (verdict doctor.Verdict, found, do string) {
	o.t.Helper()
	r := Doctor(o.t.Context(), o.dir, DoctorConfig{Patience: time.Millisecond, Now: o.now})
	for _, f := range r.Findings {
		if f.Check == "systems" {
			verdict = f.Verdict
			found, do = found+f.Found.English+"\n", do+f.Do.English+"\n"
			if f.Found.Vietnamese == f.Found.English || f.Do.English != "" && f.Do.Vietnamese == f.Do.English {
				o.t.Errorf("not said in both languages: %+v", f)
			}
		}
	}
	return verdict, found, do
}

// A doctor finds what of the systems' documents waits for a person, and a lost key, in
// the folder of an endpoint that does not run.
func TestADoctorFindsWhatSystemsWaitFor(t *testing.T) {
	limit := 1
	a, b, _ := timed(t, func(c *Config) { c.Settings.VXP.FailLimit = &limit })
	id := a.post("H41", vxp.Documents, letterOf(t, "H41", "one", "H42"))
	b.report(b.awaits(vxp.Documents, 1)[0].DocID, vxp.Fail)
	b.halt()
	if v, found, do := b.diagnosed(); v != doctor.Warning || !strings.Contains(found, "1 received documents") || !strings.Contains(do, "endpoint retry "+id) {
		t.Errorf("a parked delivery: %s %s %s", v, found, do)
	}
	a.halt()
	if v, found, _ := a.diagnosed(); v != doctor.Well || !strings.Contains(found, "1 systems") {
		t.Errorf("all is well: %s %s", v, found)
	}
	unlock := a.sealless()
	a.start()
	waits := a.post("H41", vxp.Documents, letterOf(t, "H41", "two", "H42"))
	a.halt()
	if v, found, do := a.diagnosed(); v != doctor.Warning || !strings.Contains(found, waits) || !strings.Contains(do, "[[seal]]") {
		t.Errorf("an unsealed document: %s %s %s", v, found, do)
	}
	settings := "[[seal]]\ncode = \"H41\"\nkey = \"H41.pem\"\n"
	if err := os.WriteFile(filepath.Join(a.dir, SettingsFile), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	if v, found, do := a.diagnosed(); v != doctor.Warning || !strings.Contains(found, "there is a seal now") || !strings.Contains(do, "endpoint retry "+waits) {
		t.Errorf("one that can be sealed: %s %s %s", v, found, do)
	}
	if err := os.Remove(filepath.Join(a.dir, systems.KeyFile)); err != nil {
		t.Fatal(err)
	}
	if _, found, do := a.diagnosed(); !strings.Contains(found, "systems.key is missing") || !strings.Contains(do, "rotate") {
		t.Errorf("a lost key: %s %s", found, do)
	}
	unlock()
	a.start()
	if _, err := a.exchange().Secrets(a.system); err == nil {
		t.Error("a lost key is not noticed")
	}
}
