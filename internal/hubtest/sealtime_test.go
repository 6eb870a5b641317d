package hubtest_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"docaxis/axis"
	operator "docaxis/axis/admin"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/hubtest"
	"docaxis/internal/lang"
	"docaxis/internal/timestamp"
	"docaxis/signing"
	"docaxis/signing/signingtest"
)

// The log gets the time of an authority outside: once in a minute with traffic, never
// without, and each record of a document is proven to have been there by then.
func TestTheLogIsTimestamped(t *testing.T) {
	t.Parallel()
	var clock shifted
	c := newClockmaker(t, clock.now)
	w := world(t, c.asks(hubtest.Config{Now: clock.now, Retry: quick, PullEvery: time.Second}), "G22", "H41")
	eventually(t, "the first checkpoint is sealed", func() error {
		if n := len(sealedOf(t, w)); n != 1 {
			return fmt.Errorf("%d are", n)
		}
		return nil
	})
	first := send(t, w.Member("G22"), clerk.Draft{To: []string{"H41"}}, []byte("một"))
	wait(t, w.Member("G22"), first, consigned)
	allSaid(t, w)
	if n := len(sealedOf(t, w)); n != 1 {
		t.Errorf("%d checkpoints are sealed within a minute", n)
	}
	clock.pass(time.Minute)
	covered(t, w)
	if all := sealedOf(t, w); len(all) != 2 {
		t.Errorf("%d checkpoints are sealed, not a second one", len(all))
	}
	timed(t, w, first)

	asked, size := c.asked.Load(), status(t, w).Size
	clock.pass(time.Hour)
	if n, err := w.Hub().SealNow(t.Context()); n || err != nil || c.asked.Load() != asked || status(t, w).Size != size {
		t.Errorf("without traffic: %v, %v, asked %d times, not %d", n, err, c.asked.Load(), asked)
	}
	s := timestampsOf(t, w)
	if all := sealedOf(t, w); s.LastMS == 0 || s.Covers != all[1].Size || s.Authorities != 1 {
		t.Errorf("the operator is told %+v", s)
	}
	check(t, w)
}

// Promise 6. No authority answers for a week: documents keep moving, nothing is
// journaled about it, it is said since when; and then one token covers everything.
func TestNoAuthorityAnswersForAWeek(t *testing.T) {
	t.Parallel()
	var clock shifted
	c := newClockmaker(t, clock.now)
	c.down()
	w := world(t, c.asks(hubtest.Config{Now: clock.now, Retry: quick, PullEvery: time.Second}), "G22", "H41")
	since := failing(t, w).FailingMS
	var ids []string
	for day := range 7 {
		id := send(t, w.Member("G22"), clerk.Draft{To: []string{"H41"}}, []byte{byte(day)})
		wait(t, w.Member("G22"), id, consigned)
		ids = append(ids, id)
		asked := c.asked.Load()
		clock.days(1)
		eventually(t, "it is tried again", func() error {
			if c.asked.Load() == asked {
				return errors.New("it is not")
			}
			return nil
		})
	}
	allSaid(t, w)
	if s := failing(t, w); s.FailingMS != since || s.LastMS != 0 || len(sealedOf(t, w)) != 0 {
		t.Errorf("after a week without an authority: %+v, %d sealed checkpoints", s, len(sealedOf(t, w)))
	}
	c.honest()
	clock.pass(time.Minute)
	covered(t, w)
	if s := timestampsOf(t, w); s.FailingMS != 0 || len(sealedOf(t, w)) != 1 {
		t.Errorf("once an authority answers: %+v, %d sealed checkpoints", s, len(sealedOf(t, w)))
	}
	for _, id := range ids {
		timed(t, w, id)
	}
	check(t, w)
}

// What an authority lies about is never journaled, and the next that is honest is
// taken.
func TestALyingAuthorityIsNeverJournaled(t *testing.T) {
	t.Parallel()
	var clock shifted
	c, stranger := newClockmaker(t, clock.now), newClockmaker(t, clock.now)
	usual, err := c.root.Issue("Không phải giờ", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.down()
	w := world(t, c.asks(hubtest.Config{Now: clock.now, Retry: quick, PullEvery: time.Second}), "G22")
	failing(t, w)
	for _, l := range []struct {
		name   string
		by     *signingtest.TimestampAuthority
		change func(*signingtest.Info)
	}{
		{"another nonce", c.tsa, func(i *signingtest.Info) { i.Nonce.Add(i.Nonce, i.Nonce) }},
		{"no nonce", c.tsa, func(i *signingtest.Info) { i.Nonce = nil }},
		{"another imprint", c.tsa, func(i *signingtest.Info) { i.Imprint.Digest[3] ^= 1 }},
		{"another use", &signingtest.TimestampAuthority{Identity: usual, Now: clock.now}, func(*signingtest.Info) {}},
		{"another authority", stranger.tsa, func(*signingtest.Info) {}},
		{"an hour early", c.tsa, func(i *signingtest.Info) { i.Time = i.Time.Add(-time.Hour) }},
		{"an hour late", c.tsa, func(i *signingtest.Info) { i.Time = i.Time.Add(time.Hour) }},
	} {
		c.lie(l.by, l.change)
		asked := c.asked.Load()
		done, err := w.Hub().SealNow(t.Context())
		if done || err == nil || c.asked.Load() == asked || len(sealedOf(t, w)) != 0 {
			t.Errorf("%s: sealed %v, %v", l.name, done, err)
		}
	}
	c.lie(c.tsa, func(*signingtest.Info) {}) // the helper itself can be honest
	if done, err := w.Hub().SealNow(t.Context()); !done || err != nil || len(sealedOf(t, w)) != 1 {
		t.Errorf("an honest answer: %v, %v", done, err)
	}
	check(t, w)
}

// The axis dies at each step of sealing: at the next start the log is covered all the
// same, by one record.
func TestTheAxisIsKilledWhileItSeals(t *testing.T) {
	t.Parallel()
	var clock shifted
	c := newClockmaker(t, clock.now)
	w := world(t, c.asks(hubtest.Config{Now: clock.now, Retry: quick, PullEvery: time.Second}), "G22", "H41")
	cover(t, w)
	c.configure(w.AxisDir())
	want := len(sealedOf(t, w))
	for _, r := range []killed{
		{"seal.sign.before", 1},
		{"seal.stamp.before", 1},
		{"seal.stamp.after", 1},
		{"seal.journal.before", 1},
		{"append.before", 1},
		{"append.after", 1},
		{"apply.before", 1},
		{"seal.journal.after", 1},
	} {
		id := send(t, w.Member("G22"), clerk.Draft{To: []string{"H41"}}, []byte(r.point))
		wait(t, w.Member("G22"), id, consigned)
		allSaid(t, w)
		for _, m := range w.Members() {
			stop(t, m) // nothing but the sealing may come to a point
		}
		if err := w.StopAxis(); err != nil {
			t.Fatal(err)
		}
		clock.pass(2 * time.Minute)
		dead, end := spawn(t, order{Dir: w.AxisDir(), Listen: w.Address(), Point: r.point, Hit: r.hit, Ahead: time.Duration(clock.ahead.Load())})
		err := <-dead
		end()
		if err != nil {
			t.Fatal(err)
		}
		if err := w.StartAxis(t.Context()); err != nil {
			t.Fatal(err)
		}
		covered(t, w)
		if want++; len(sealedOf(t, w)) != want {
			t.Errorf("%s: %d sealed checkpoints, not %d", r.point, len(sealedOf(t, w)), want)
		}
		for _, m := range w.Members() {
			if err := m.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		timed(t, w, id)
		check(t, w)
	}
}

// The log's key is replaced while an authority thinks: what it stamped is not journaled
// under the new epoch, whose own checkpoint is sealed next.
func TestAnEpochBeginsWhileAnAuthorityThinks(t *testing.T) {
	t.Parallel()
	var clock shifted
	c := newClockmaker(t, clock.now)
	c.down()
	w := world(t, c.asks(hubtest.Config{Now: clock.now, Retry: quick, PullEvery: time.Second}), "G22", "H41")
	failing(t, w)
	rolls := true
	c.serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if rolls {
			rolls = false
			roll(t, w, operator.KeyLog)
		}
		timestamp.Handler(c.tsa.Respond).ServeHTTP(rw, r)
	}))
	if done, err := w.Hub().SealNow(t.Context()); done || err != nil || len(sealedOf(t, w)) != 0 {
		t.Errorf("a checkpoint of the epoch before: %v, %v, %d journaled", done, err, len(sealedOf(t, w)))
	}
	if done, err := w.Hub().SealNow(t.Context()); !done || err != nil || len(sealedOf(t, w)) != 1 {
		t.Errorf("the epoch's own: %v, %v", done, err)
	}
	check(t, w)
}

// An axis that was set back to an older copy claims no time for what it lost, and
// proves that of what endpoints give back anew.
func TestTimesAfterAnOlderCopy(t *testing.T) {
	t.Parallel()
	var clock shifted
	c := newClockmaker(t, clock.now)
	w := world(t, c.asks(hubtest.Config{Now: clock.now, Retry: quick, PullEvery: time.Second}), "G22", "H41")
	sealedAt := func(text string) string {
		t.Helper()
		id := send(t, w.Member("G22"), clerk.Draft{To: []string{"H41"}}, []byte(text))
		wait(t, w.Member("G22"), id, consigned)
		allSaid(t, w)
		cover(t, w)
		timed(t, w, id)
		return id
	}
	kept := sealedAt("còn")
	if err := w.StopAxis(); err != nil {
		t.Fatal(err)
	}
	copied := t.TempDir()
	if err := errors.Join(os.CopyFS(copied, os.DirFS(w.AxisDir())), w.StartAxis(t.Context())); err != nil {
		t.Fatal(err)
	}
	lost := sealedAt("mất")
	before := len(sealedOf(t, w))
	if err := errors.Join(w.StopAxis(), os.RemoveAll(w.AxisDir()), os.CopyFS(w.AxisDir(), os.DirFS(copied)), marked(w.AxisDir(), ""), w.StartAxis(t.Context())); err != nil {
		t.Fatal(err)
	}
	if n := len(sealedOf(t, w)); n >= before {
		t.Errorf("%d sealed checkpoints in the older copy, %d before", n, before)
	}
	eventually(t, "what was lost comes back", func() error {
		set, err := w.Hub().Proofs(t.Context(), lost)
		if err == nil && len(set.Records) < 2 {
			err = errors.New("its evidence is not back")
		}
		return err
	})
	allSaid(t, w)
	cover(t, w)
	timed(t, w, kept)
	timed(t, w, lost)
	eventually(t, "its content is back, too", func() error { return hubtest.Check(t.Context(), w) })
}

// Without an authority nothing is sealed, and who looks is told.
func TestNoAuthorityIsConfigured(t *testing.T) {
	t.Parallel()
	w := world(t, hubtest.Config{})
	if done, err := w.Hub().SealNow(t.Context()); done || err != nil {
		t.Errorf("%v, %v", done, err)
	}
	s := timestampsOf(t, w)
	if s.Authorities != 0 || s.LastMS != 0 || !s.Uncovered || s.FailingMS != 0 {
		t.Errorf("the operator is told %+v", s)
	}
}

// What cannot be read of seal and certificates takes the log's time, and nothing else: it
// is said which setting, and once it is mended everything is covered.
func TestASealThatCannotBeReadTakesTheTimeAlone(t *testing.T) {
	t.Parallel()
	var clock shifted
	c := newClockmaker(t, clock.now)
	cfg := c.asks(hubtest.Config{Now: clock.now, Retry: quick, PullEvery: time.Second})
	good, settings := cfg.AdjustAxis, func(*axis.Config) {}
	cfg.AdjustAxis = func(a *axis.Config) {
		good(a)
		settings(a)
	}
	w := world(t, cfg, "G22", "H41")
	cover(t, w)
	before := len(sealedOf(t, w))
	for _, s := range []struct {
		says   string
		change func(*axis.Config)
	}{
		{"timestamps.anchors", func(a *axis.Config) { a.Timestamps.Anchors = nil }},
		{"[seal]", func(a *axis.Config) { a.Seal.Key = "seal.pem" }},
		{"no private key", func(a *axis.Config) { a.Seal.Key = c.file }},
		{"password_file", func(a *axis.Config) { a.Seal.Key, a.Seal.PasswordFile = c.file, "password" }},
	} {
		settings = s.change
		if err := errors.Join(w.StopAxis(), w.StartAxis(t.Context())); err != nil {
			t.Fatal(err)
		}
		id := send(t, w.Member("G22"), clerk.Draft{To: []string{"H41"}}, []byte(s.says))
		wait(t, w.Member("G22"), id, consigned)
		_, err := w.Hub().SealNow(t.Context())
		if err == nil || !strings.Contains(lang.Say(err, lang.English), s.says) || lang.Say(err, lang.Vietnamese) == lang.Say(err, lang.English) {
			t.Errorf("%s: %v", s.says, err)
		}
		failing(t, w)
	}
	if n := len(sealedOf(t, w)); n != before {
		t.Errorf("%d sealed checkpoints, not %d", n, before)
	}
	allSaid(t, w)
	settings = func(*axis.Config) {}
	if err := errors.Join(w.StopAxis(), w.StartAxis(t.Context())); err != nil {
		t.Fatal(err)
	}
	cover(t, w)
	check(t, w)
}

// The axis seals with a seal of its own where the settings name one: PKCS#12, with its
// password in a file.
func TestTheAxisSealsWithASealOfItsOwn(t *testing.T) {
	t.Parallel()
	var clock shifted
	c := newClockmaker(t, clock.now)
	seal, err := c.root.Issue("Con dấu của trục", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := c.asks(hubtest.Config{Now: clock.now})
	dir, asks := t.TempDir(), cfg.AdjustAxis
	put(t, dir, "password", "mật khẩu\r\nx")
	p12, err := pkcs12.Modern.Encode(seal.Key, seal.Certificate(), nil, "mật khẩu")
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "seal.p12", string(p12))
	cfg.AdjustAxis = func(a *axis.Config) {
		asks(a)
		a.Seal = axis.SealSettings{Key: filepath.Join(dir, "seal.p12"), PasswordFile: filepath.Join(dir, "password")}
	}
	w := world(t, cfg, "G22")
	cover(t, w)
	for _, s := range sealedOf(t, w) {
		v, err := signing.Verify(s.Seal, s.Note, signing.Options{At: clock.now(), Pinned: []*x509.Certificate{seal.Certificate()}})
		if err != nil || !v[0].Passed() {
			t.Errorf("%+v, %v", v, err)
		}
	}
	check(t, w)
}
