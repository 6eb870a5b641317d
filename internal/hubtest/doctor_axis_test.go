package hubtest_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"docaxis/axis"
	operator "docaxis/axis/admin"
	axistlog "docaxis/axis/tlog"
	"docaxis/internal/diskspace"
	"docaxis/internal/doctor"
	"docaxis/internal/durable"
	"docaxis/internal/hubtest"
)

// Each thing that may be wrong with an axis is found and named, with what to do, in
// both languages; and looking changes nothing.
func TestAxisDoctor(t *testing.T) {
	t.Parallel()
	w := world(t, hubtest.Config{})
	if _, err := w.Join(t.Context(), "G22"); err != nil {
		t.Fatal(err)
	}
	chunkOf(t, w.AxisDir(), "an attachment")
	backups := t.TempDir()
	put(t, backups, "axis.backup", "x")
	sound := axis.DoctorConfig{Space: plenty, Backups: backups}
	running := sound
	status, err := w.Hub().Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if running.Endpoints, err = w.Hub().ListEndpoints(t.Context()); err != nil {
		t.Fatal(err)
	}
	status.Timestamps = operator.Timestamps{Authorities: 1, LastMS: time.Now().UnixMilli(), Covers: status.Size}
	status.Signatures.Anchors = 1
	running.Status = &status
	if r := axis.Doctor(t.Context(), w.AxisDir(), running); r.Worst() != doctor.Well || len(r.Findings) < 18 {
		t.Fatalf("a sound axis that runs: %+v", r.Findings)
	}
	for _, c := range runningAilments(t, w.AxisDir()) {
		cfg, s := running, status
		cfg.Status = &s
		c.spoil("", &cfg)
		c.expect(t, axis.Doctor(t.Context(), w.AxisDir(), cfg))
	}
	if err := w.StopAxis(); err != nil {
		t.Fatal(err)
	}
	restingAxis(t, w.AxisDir(), sound)
}

// restingAxis looks at an axis that does not run, whole and spoilt.
func restingAxis(t *testing.T, dir string, sound axis.DoctorConfig) {
	t.Helper()
	before := listingOf(t, dir)
	r := axis.Doctor(t.Context(), dir, sound)
	if r.Worst() != doctor.Warning || finding(r, "running", doctor.Warning) == nil || finding(r, "ledger", doctor.Well) == nil || finding(r, "listen", doctor.Well) == nil {
		t.Errorf("a sound axis that does not run: %+v", r.Findings)
	}
	if after := listingOf(t, dir); after != before {
		t.Errorf("looking changed the folder:\n%s\nbefore:\n%s", after, before)
	}
	deep := sound
	deep.Deep = true
	if f := finding(axis.Doctor(t.Context(), copyAxis(t, dir), deep), "journal", doctor.Well); f == nil || !strings.Contains(f.Found.English, "every block") {
		t.Errorf("a deep look at a sound journal: %+v", f)
	}
	for _, c := range restingAilments(t) {
		cfg, copied := sound, copyAxis(t, dir)
		c.spoil(copied, &cfg)
		c.expect(t, axis.Doctor(t.Context(), copied, cfg))
	}
}

// axisAilment is something that is wrong with an axis, and how it is to be found.
type axisAilment struct {
	name, check string
	verdict     doctor.Verdict
	found       string
	spoil       func(dir string, cfg *axis.DoctorConfig)
}

func (c axisAilment) expect(t *testing.T, r *doctor.Report) {
	t.Helper()
	f := finding(r, c.check, c.verdict)
	switch {
	case f == nil || !strings.Contains(f.Found.English, c.found):
		t.Errorf("%s: %s is not %s with %q: %+v", c.name, c.check, c.verdict, c.found, r.Findings)
	case f.Found.Vietnamese == f.Found.English || f.Found.Vietnamese == "" || f.Looked.Vietnamese == f.Looked.English,
		c.verdict != doctor.Well && (f.Do.English == "" || f.Do.Vietnamese == f.Do.English):
		t.Errorf("%s: not said in both languages, with what to do: %+v", c.name, f)
	}
}

const aDay = 24 * time.Hour

func axisLater(d time.Duration) func(string, *axis.DoctorConfig) {
	return func(_ string, cfg *axis.DoctorConfig) { cfg.Now = func() time.Time { return time.Now().Add(d) } }
}

func axisFree(n uint64) func(string, *axis.DoctorConfig) {
	return func(_ string, cfg *axis.DoctorConfig) {
		cfg.Space = func(string) (diskspace.Space, error) { return diskspace.Space{Free: n, Total: 100 << 30}, nil }
	}
}

func runningAilments(t *testing.T, dir string) []axisAilment {
	t.Helper()
	status := func(f func(s *operator.Status)) func(string, *axis.DoctorConfig) {
		return func(_ string, cfg *axis.DoctorConfig) { f(cfg.Status) }
	}
	endpoint := func(e operator.EndpointLine) func(string, *axis.DoctorConfig) {
		return func(_ string, cfg *axis.DoctorConfig) { cfg.Endpoints = []operator.EndpointLine{e} }
	}
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).UnixMilli() }
	far := ago(-300 * aDay)
	return []axisAilment{
		{"an axis that hangs", "running", doctor.Wrong, "does not answer", func(_ string, cfg *axis.DoctorConfig) {
			cfg.Status, cfg.Unanswered = nil, errors.New("timeout")
		}},
		{"an endpoint's certificate that ends", "endpoint-certificates", doctor.Warning, "H41", endpoint(operator.EndpointLine{Name: "H41", UntilMS: ago(-20 * aDay)})},
		{"an endpoint that is long away", "endpoints-away", doctor.Warning, "H41", endpoint(operator.EndpointLine{Name: "H41", UntilMS: far, Waiting: 3, OldestMS: ago(8 * aDay)})},
		{"an endpoint that was revoked", "endpoints-away", doctor.Well, "", endpoint(operator.EndpointLine{Name: "H41", Revoked: true, Waiting: 3, OldestMS: ago(8 * aDay)})},
		{"an endpoint away since yesterday", "endpoints-away", doctor.Well, "", endpoint(operator.EndpointLine{Name: "H41", UntilMS: far, Waiting: 3, OldestMS: ago(aDay)})},
		{"no authority of time", "timestamps", doctor.Warning, "no authority", status(func(s *operator.Status) { s.Timestamps = operator.Timestamps{} })},
		{"no authority that answers", "timestamps", doctor.Warning, "HTTP 503", status(func(s *operator.Status) {
			s.Timestamps.FailingMS, s.Timestamps.Problem, s.Timestamps.ProblemVI = ago(aDay), "HTTP 503", "lỗi HTTP 503"
		})},
		{"no need of time yet", "timestamps", doctor.Well, "none was needed", status(func(s *operator.Status) { s.Timestamps.LastMS = 0 })},
		{"the time of the log", "timestamps", doctor.Well, "over every record before", status(func(*operator.Status) {})},
		{"lost records", "losses", doctor.Warning, "2 came back", status(func(s *operator.Status) { s.Lost, s.CameBack = 5, 2 })},
		{"all came back", "losses", doctor.Well, "", status(func(s *operator.Status) { s.Lost, s.CameBack = 5, 5 })},
		{"recovering", "losses", doctor.Warning, "waits for endpoints", status(func(s *operator.Status) { s.Recovering = true })},
		{"a clock in doubt", "clock", doctor.Wrong, "decides nothing", status(func(s *operator.Status) { s.Clock = &operator.Clock{ShownMS: far} })},
		{"a guard put back", "guard", doctor.Wrong, "was replaced", status(func(s *operator.Status) { s.Size += 9 })},
		{"another journal", "journal", doctor.Wrong, "another journal", status(func(s *operator.Status) { s.Root = "AAAA" })},
		{"a listener's certificate that ended", "listen", doctor.Wrong, "not valid", axisLater(500 * aDay)},
		{"no known backups", "backup", doctor.Warning, "does not know", func(_ string, cfg *axis.DoctorConfig) { cfg.Backups = "" }},
		{"a host that the certificate lacks", "listen", doctor.Wrong, "lacks new.example.vn", func(_ string, _ *axis.DoctorConfig) {
			raw, err := os.ReadFile(filepath.Join(dir, axis.FileName))
			if err != nil {
				t.Fatal(err)
			}
			put(t, dir, axis.FileName, strings.Replace(string(raw), `hosts = [`, `hosts = ["new.example.vn", `, 1))
			t.Cleanup(func() { put(t, dir, axis.FileName, string(raw)) })
		}},
	}
}

func restingAilments(t *testing.T) []axisAilment {
	t.Helper()
	with := func(name, text string) func(string, *axis.DoctorConfig) {
		return func(dir string, _ *axis.DoctorConfig) { put(t, dir, name, text) }
	}
	without := func(name string) func(string, *axis.DoctorConfig) {
		return func(dir string, _ *axis.DoctorConfig) {
			if err := os.RemoveAll(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
				t.Fatal(err)
			}
		}
	}
	guard := func(f func(*axistlog.GuardState)) func(string, *axis.DoctorConfig) {
		return func(dir string, _ *axis.DoctorConfig) { guarded(t, dir, f) }
	}
	all := []axisAilment{
		{"a misspelt setting", "settings", doctor.Wrong, "lisen", with(axis.FileName, "lisen = 1\n")},
		{"unknown settings", "listen", doctor.Warning, "not known", with(axis.FileName, "lisen = 1\n")},
		{"no address of an authority of time", "settings", doctor.Wrong, "timestamps.authorities", with(axis.FileName, "[timestamps]\nauthorities = [\"tsa\"]\n")},
		{"too often", "settings", doctor.Wrong, "timestamps.every", with(axis.FileName, "[timestamps]\nevery = \"1s\"\n")},
		{"a seal without a key", "settings", doctor.Wrong, "seal.key", with(axis.FileName, "[seal]\ncertificate = \"x\"\n")},
		{"no certificate of an authority of time", "timestamps", doctor.Warning, "timestamps.anchors", with(axis.FileName, "[timestamps]\nauthorities = [\"http://tsa\"]\n")},
		{"no CA", "ca", doctor.Wrong, "cannot be used", without("keys/ca.key")},
		{"a broken CA", "ca", doctor.Wrong, "cannot be used", with("keys/ca.crt", "x")},
		{"a CA that ends", "ca", doctor.Warning, "only valid", axisLater(10_700 * aDay)},
		{"a CA that ended", "ca", doctor.Wrong, "expired", axisLater(31 * 365 * aDay)},
		{"a CA that is not valid yet", "ca", doctor.Wrong, "not valid yet", axisLater(-400 * aDay)},
		{"a CA half replaced", "ca", doctor.Warning, "not ended", with("keys/ca-next.pem", "x")},
		{"a broken evidence key", "certificate", doctor.Wrong, "cannot be used", with("keys/axis.key", "x")},
		{"an evidence certificate that ends", "certificate", doctor.Warning, "ends soon", axisLater(380 * aDay)},
		{"an evidence certificate that ended", "certificate", doctor.Warning, "expired", axisLater(400 * aDay)},
		{"a restored folder", "restored", doctor.Warning, "new epoch", with("keys/"+axis.RestoredFile, "{}")},
		{"a cut guard", "guard", doctor.Wrong, "cannot be read", with("keys/guard", "x")},
		{"no guard", "guard", doctor.Wrong, "there is none", without("keys/guard")},
		{"a log key that is gone", "log-key", doctor.Wrong, "gone", without("keys/log-000001.key")},
		{"a broken log key", "log-key", doctor.Wrong, "cannot be used", with("keys/log-000001.key", "x")},
		{"no ledger", "ledger", doctor.Warning, "there is none", without("ledger.db")},
		{"a broken ledger", "ledger", doctor.Warning, "cannot be used", with("ledger.db", strings.Repeat("x", 1<<16))},
		{"a ledger that was not closed", "ledger", doctor.Warning, "not stopped in order", with("ledger.db-wal", "x")},
		{"a ledger behind", "ledger", doctor.Well, "goes on from the journal", guard(func(s *axistlog.GuardState) { s.Size += 9 })},
		{"another history", "ledger", doctor.Wrong, "another root", guard(func(s *axistlog.GuardState) { s.Root[0]++ })},
		{"an older guard", "ledger", doctor.Wrong, "guard of epoch 0", guard(func(s *axistlog.GuardState) { s.Epoch = 0 })},
		{"no journal", "journal", doctor.Wrong, "is gone", without("journal")},
		{"a rotten chunk", "content", doctor.Wrong, "1 of 2 chunks", with("content/chunks/00/"+strings.Repeat("0", 64), "rot")},
		{"a nearly full disk", "disk", doctor.Wrong, "new documents wait", axisFree(1 << 30)},
		{"a full disk", "disk", doctor.Wrong, "everything waits", axisFree(1 << 20)},
		{"a disk that fills up", "disk", doctor.Warning, "left", axisFree(3 << 30)},
		{"a disk that cannot be asked", "disk", doctor.Warning, "cannot be asked", func(_ string, cfg *axis.DoctorConfig) {
			cfg.Space = func(string) (diskspace.Space, error) { return diskspace.Space{}, errors.New("no") }
		}},
		{"a clock that went back", "clock", doctor.Wrong, "before the last record", axisLater(-aDay)},
		{"a long stop", "clock", doctor.Warning, "long after", axisLater(20 * aDay)},
		{"old backups", "backup", doctor.Warning, "the newest", axisLater(3 * aDay)},
		{"no backups", "backup", doctor.Wrong, "there is none", func(_ string, cfg *axis.DoctorConfig) { cfg.Backups = t.TempDir() }},
		{"a folder of backups that is gone", "backup", doctor.Wrong, "cannot be read", func(_ string, cfg *axis.DoctorConfig) { cfg.Backups += "-gone" }},
		{"a port that is taken", "listen", doctor.Wrong, "cannot be opened", func(dir string, _ *axis.DoctorConfig) {
			taken := listen(t, "127.0.0.1:0", func(net.Conn) {})
			put(t, dir, axis.FileName, fmt.Sprintf("listen = %q\n", taken))
		}},
		{"a journal shorter than what was signed", "journal", doctor.Wrong, "were signed", func(dir string, cfg *axis.DoctorConfig) {
			cfg.Deep = true
			guarded(t, dir, func(s *axistlog.GuardState) { s.Size += 9 })
		}},
		{"a journal of another history", "journal", doctor.Wrong, "differs", func(dir string, cfg *axis.DoctorConfig) {
			cfg.Deep = true
			guarded(t, dir, func(s *axistlog.GuardState) { s.Root[0]++ })
		}},
	}
	if runtime.GOOS == "windows" {
		return all // it keeps permissions in another way
	}
	return append(all, axisAilment{"keys for all to read", "permissions", doctor.Wrong, "log-000001.key", func(dir string, _ *axis.DoctorConfig) {
		if err := os.Chmod(filepath.Join(dir, "keys", "log-000001.key"), 0o644); err != nil {
			t.Fatal(err)
		}
	}})
}

// put writes a file below a folder.
func put(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), durable.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// chunkOf puts a chunk into the content store, as an upload would.
func chunkOf(t *testing.T, dir, text string) {
	t.Helper()
	name := fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
	put(t, dir, "content/chunks/"+name[:2]+"/"+name, text)
}

// guarded replaces the guard by one that remembers something else.
func guarded(t *testing.T, dir string, change func(*axistlog.GuardState)) {
	t.Helper()
	path := filepath.Join(dir, "keys", "guard")
	state, _, err := axistlog.LookGuard(path)
	if err != nil {
		t.Fatal(err)
	}
	change(&state)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	g, err := axistlog.OpenGuard(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(g.Write(state), g.Close()); err != nil {
		t.Fatal(err)
	}
}

// copyAxis copies an axis's folder, with the modes that its keys need.
func copyAxis(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "axis")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(filepath.Join(to, "keys"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// listingOf lists a folder: names, sizes, times of change, contents.
func listingOf(t *testing.T, dir string) string {
	t.Helper()
	var list strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		sum := [sha256.Size]byte{}
		if !d.IsDir() {
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			sum = sha256.Sum256(raw)
		}
		fmt.Fprintln(&list, path, info.Mode(), info.Size(), info.ModTime().UnixNano(), fmt.Sprintf("%x", sum[:4]))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list.String()
}
