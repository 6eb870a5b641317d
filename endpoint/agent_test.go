package endpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"docaxis/endpoint/axistest"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/link"
	"docaxis/endpoint/outbox"
	"docaxis/internal/bus"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/internal/sealtest"
	"docaxis/proto/axispb"
)

func TestSendRefusesWhatItCanKnow(t *testing.T) {
	_, from, _ := pair(t)
	secret := draft("H41", "H42")
	secret.Document.Security = envelope.SecuritySecret
	late := draft("H41", "H42")
	late.Document.Deadline = time.Now().Add(-time.Hour)
	for name, c := range map[string]struct {
		d    Draft
		want axispb.ReasonCode
	}{
		"sender without a seal": {draft("H49", "H42"), axispb.ReasonCode_REASON_SENDER_NOT_SERVED},
		"no recipient":          {draft("H41"), axispb.ReasonCode_REASON_NO_RECIPIENT},
		"unknown recipient":     {draft("H41", "H77"), axispb.ReasonCode_REASON_UNKNOWN_CODE},
		"no code":               {draft("H41", "h 42"), axispb.ReasonCode_REASON_BAD_CODE},
		"twice the same":        {draft("H41", "H42", "H42"), axispb.ReasonCode_REASON_DUPLICATE_CODE},
		"state secret":          {secret, axispb.ReasonCode_REASON_SECURITY_LEVEL},
		"deadline passed":       {late, axispb.ReasonCode_REASON_DEADLINE_PASSED},
		"change of nothing":     {draft("H41", "H42").kind(envelope.KindReply), axispb.ReasonCode_REASON_BAD_DOCUMENT},
	} {
		if _, err := from.agent.Send(t.Context(), c.d); !reason.Is(err, c.want) || reason.IsTemporary(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	from.agent.cfg.Settings.Limits.FileBytes = 10
	if _, err := from.agent.Send(t.Context(), draft("H41", "H42").with(noise(11))); !reason.Is(err, axispb.ReasonCode_REASON_FILE_TOO_LARGE) {
		t.Errorf("large file: %v", err)
	}
	if _, err := from.agent.Send(t.Context(), draft("H41", "H42").with(noise(10))); err != nil {
		t.Errorf("file at the limit: %v", err)
	}
	if all, _ := from.agent.Outbox(outbox.Filter{}); len(all) != 1 {
		t.Errorf("%d entries", len(all))
	}
	// A seal that the registry does not know will not pass: said at once.
	from.agent.seals["H41"] = []seal{{Signer: sealtest.P256(t), Chain: sealtest.New(t, sealtest.Seal{}, "x").Chain}}
	if _, err := from.agent.Send(t.Context(), draft("H41", "H42")); !reason.Is(err, axispb.ReasonCode_REASON_SEAL_NOT_ADMITTED) {
		t.Errorf("unknown seal: %v", err)
	}
}

func (d Draft) kind(k envelope.Kind) Draft { d.Document.Kind = k; return d }

// Before the first pull nothing is known of any code, and the axis decides.
func TestSendBeforeTheFirstPull(t *testing.T) {
	w := newWorld(t)
	from := w.office("from", "H41").open()
	id := from.send(draft("H41", "H41", "H77"))
	from.halt()
	from.start()
	from.wait(id, axispb.State_STATE_ACCEPTED)
	line, err := from.agent.Show(id)
	if err != nil || len(line.Recipients) != 2 || line.Recipients[1].State != axispb.State_STATE_REJECTED {
		t.Fatalf("%+v, %v", line.Recipients, err)
	}
	if r := line.Recipients[1].Steps[0].Reason; r.GetCode() != axispb.ReasonCode_REASON_UNKNOWN_CODE {
		t.Fatalf("reason %v", r)
	}
}

func TestTheSameIdTwice(t *testing.T) {
	_, from, _ := pair(t)
	d := draft("H41", "H42")
	d.Document.ID = "01940000-0000-7000-8000-000000000001"
	for range 2 {
		if id, err := from.agent.Send(t.Context(), d.with([]byte("same"))); err != nil || id != d.Document.ID {
			t.Fatalf("%s, %v", id, err)
		}
	}
	if _, err := from.agent.Send(t.Context(), d.with([]byte("other"))); !reason.Is(err, axispb.ReasonCode_REASON_ID_COLLISION) {
		t.Fatalf("got %v", err)
	}
}

// A change is submitted after its target, and the recipient's DMS gets the target
// first.
func TestAChangeFollowsItsTarget(t *testing.T) {
	w, from, to := pair(t)
	bring := w.withoutContents()
	w.axis.SetOnline("from", false)
	target := from.send(draft("H41", "H42").with(noise(100)))
	change := from.send(draft("H41", "H42").about("H41", target, envelope.KindRecall))
	w.axis.SetOnline("from", true)
	from.wait(change, axispb.State_STATE_ACCEPTED)
	to.until("the change is here", func() bool { l, err := to.agent.Show(change); return err == nil && len(l.Received) == 1 })
	if s := to.received(change, "H42").State; s != axispb.State_STATE_WAITING {
		t.Fatalf("the change is %s", s)
	}
	bring()
	from.wait(target, axispb.State_STATE_CONSIGNED)
	from.wait(change, axispb.State_STATE_CONSIGNED)
}

// A change whose target was put aside does not wait for ever.
func TestAChangeOfWhatNeverCame(t *testing.T) {
	w, from, to := pair(t)
	once := true
	w.tamper("to", bus.Pull, func(m proto.Message) {
		for _, i := range m.(*axispb.Page).Items {
			if i.Lane == axispb.Lane_LANE_NORMAL && once {
				flip(i.Record.Body)
				once = false
			}
		}
	})
	target := from.send(draft("H41", "H42"))
	to.until("put aside", func() bool { q, _ := to.agent.Quarantined(1); return len(q) == 1 })
	change := from.send(draft("H41", "H42").about("H41", target, envelope.KindStatus))
	from.wait(change, axispb.State_STATE_CONSIGNED)
}

func TestAFollowUpOfARefusedDocumentWaitsForAPerson(t *testing.T) {
	w, from, _ := pair(t)
	w.axis.SetOnline("from", false)
	target := from.send(draft("H41", "H42").about("H42", "01940000-0000-7000-8000-00000000000f", envelope.KindReply))
	change := from.send(draft("H41", "H42").about("H41", target, envelope.KindUpdate))
	w.axis.SetOnline("from", true)
	if err := from.waitErr(change, axispb.State_STATE_ACCEPTED); !errors.Is(err, ErrStuck) {
		t.Fatalf("got %v", err)
	}
	if e, _ := from.agent.Sent(change); e.State != axispb.State_STATE_PARKED || e.Trouble == nil {
		t.Fatalf("got %v", e)
	}
}

func TestConfirmations(t *testing.T) {
	w, from, to := pair(t)
	ctx := t.Context()
	id := from.send(draft("H41", "H42"))
	from.wait(id, axispb.State_STATE_CONSIGNED)
	key := inbox.KeyOf(to.received(id, "H42"))
	if err := to.agent.Confirm(ctx, key, false, "Thiếu chữ ký"); err != nil {
		t.Fatal(err)
	}
	if err := from.waitErr(id, axispb.State_STATE_HANDED_OVER); !errors.Is(err, ErrStuck) {
		t.Fatalf("refused: %v", err)
	}
	line, _ := from.agent.Show(id)
	last := line.Recipients[0].Steps[len(line.Recipients[0].Steps)-1]
	if last.Reason.GetCode() != axispb.ReasonCode_REASON_REFUSED_BY_DMS || last.Reason.Args[0] != "Thiếu chữ ký" {
		t.Fatalf("reason %v", last.Reason)
	}
	// The DMS takes it after all, without ever having read it, and asks thrice.
	for range 3 {
		if err := to.agent.Confirm(ctx, key, true, ""); err != nil {
			t.Fatal(err)
		}
	}
	from.until("taken after all", func() bool { return from.waitErr(id, axispb.State_STATE_HANDED_OVER) == nil })
	st := w.axis.Stated("H41", id, "H42", axispb.Event_EVENT_CONTENT_HANDOVER)
	if st == nil || !st.ConfirmedUnread || st.Counter != 3 {
		t.Fatalf("stated %v", st)
	}
	if err := to.agent.Confirm(ctx, key, false, "no longer wanted"); !errors.Is(err, inbox.ErrState) {
		t.Fatalf("refusing what was taken: %v", err)
	}
	if err := to.agent.Confirm(ctx, inbox.Key{ID: "x", Sender: "y", Code: "z"}, true, ""); !errors.Is(err, inbox.ErrNotFound) {
		t.Fatalf("unknown: %v", err)
	}
	if err := to.agent.stateBusiness(ctx, key, "01"); err != nil {
		t.Fatal(err)
	}
	from.until("business state", func() bool { l, _ := from.agent.Show(id); return l.Recipients[0].BusinessState == "01" })
	if err := to.agent.stateBusiness(ctx, key, "03"); err == nil {
		t.Fatal("an endpoint does not make state 03 itself")
	}
}

func TestConfirmBeforeTheContentIsHere(t *testing.T) {
	w, from, to := pair(t)
	w.withoutContents()
	id := from.send(draft("H41", "H42").with(noise(10)))
	to.until("it is there", func() bool { l, err := to.agent.Show(id); return err == nil && len(l.Received) == 1 })
	key := inbox.KeyOf(to.received(id, "H42"))
	for _, err := range []error{to.agent.Confirm(t.Context(), key, true, ""), to.agent.MarkFetched(t.Context(), key)} {
		if !errors.Is(err, inbox.ErrState) {
			t.Fatalf("got %v", err)
		}
	}
}

// A new epoch that lost nothing changes nothing; one that lost records brings no
// document twice, and what comes after it arrives.
func TestNewEpochs(t *testing.T) {
	w, from, to := pair(t)
	first := from.send(draft("H41", "H42"))
	to.wait(first, axispb.State_STATE_CONSIGNED)
	from.wait(first, axispb.State_STATE_CONSIGNED)
	w.axis.NewEpoch(w.axis.Size())
	second := from.send(draft("H41", "H42").with(noise(10)))
	from.wait(second, axispb.State_STATE_CONSIGNED)
	to.confirm(second, "H42")
	from.wait(second, axispb.State_STATE_HANDED_OVER)

	// Lost: the second document, its evidence and the record of its epoch. What
	// comes now has the positions that they had.
	w.axis.NewEpoch(w.axis.Size() - 4)
	third := from.send(draft("H41", "H42").with(noise(11)))
	from.wait(third, axispb.State_STATE_CONSIGNED)
	to.wait(third, axispb.State_STATE_CONSIGNED)
	for _, id := range []string{first, second, third} {
		to.received(id, "H42")
		line, err := from.agent.Show(id)
		if err != nil || !line.Steps[1].Verified {
			t.Fatalf("%s: %v: %s", id, err, line.Steps[1].Problem)
		}
	}
	from.restart()
	if p := from.status().Progress; p.Epoch != 3 {
		t.Fatalf("epoch %d", p.Epoch)
	}
	from.until("pulling goes on", func() bool { return from.status().Parked == nil })
	fourth := from.send(draft("H41", "H42"))
	from.wait(fourth, axispb.State_STATE_CONSIGNED)
}

// A disk that does not give the envelope out for a moment says nothing about the receipt:
// the story is an error until it can be read, and never one with a proof that fails.
func TestAnEnvelopeThatCannotBeReadIsNoBrokenProof(t *testing.T) {
	_, from, _ := pair(t)
	id := from.send(draft("H41", "H42"))
	from.wait(id, axispb.State_STATE_CONSIGNED)
	sent, err := from.agent.Show(id)
	if err != nil {
		t.Fatal(err)
	}
	from.halt() // it remembers the last envelopes
	digest := fmt.Sprintf("%x", sent.Sent.EnvelopeDigest)
	body, away := filepath.Join(from.dir, "content", "files", digest[:2], digest), filepath.Join(from.dir, "away")
	if err := errors.Join(os.Rename(body, away), os.Mkdir(body, 0o700)); err != nil {
		t.Fatal(err)
	}
	from.start()
	var failed *fs.PathError
	if shown, err := from.agent.Show(id); !errors.As(err, &failed) {
		t.Fatalf("%v: %+v", err, shown.Steps)
	}
	if err := errors.Join(os.Remove(body), os.Rename(away, body)); err != nil {
		t.Fatal(err)
	}
	if sent, err = from.agent.Show(id); err != nil || !sent.Steps[1].Verified {
		t.Fatalf("%v: %+v", err, sent.Steps)
	}
}

// An endpoint that lost its store and joined again under its name: its DMS is not
// offered again what it took, what it had not taken comes again, and no counter is
// used twice.
func TestAReissuedEndpoint(t *testing.T) {
	w, from, to := pair(t)
	open := from.send(draft("H41", "H42").with(noise(6)))
	from.wait(open, axispb.State_STATE_CONSIGNED)
	taken := from.send(draft("H41", "H42").with(noise(5)))
	from.wait(taken, axispb.State_STATE_CONSIGNED)
	to.confirm(taken, "H42")
	from.wait(taken, axispb.State_STATE_HANDED_OVER)
	to.halt()

	to.dir = t.TempDir()
	to.join(sealtest.NotAfter)
	to.writeSeal("H42", to.seals["H42"])
	w.axis.Lock()
	// Row by row, and slowly: nothing may be stated before all rows told what
	// was stated.
	w.axis.MaxItems = 1
	slow := 0
	w.axis.Tamper = func(_ string, _ bus.Service, resp proto.Message) {
		if p, ok := resp.(*axispb.Page); ok && len(p.Items) > 0 && p.Items[0].Lane == axispb.Lane_LANE_NORMAL && slow == 0 {
			slow = 30
		}
	}
	w.axis.Hook = func(name string, s bus.Service, when string) error {
		if name == "to" && s == bus.Pull && when == "before" && slow > 1 {
			slow--
			return axistest.Away()
		}
		return nil
	}
	w.axis.Unlock()
	to.start()
	to.wait(open, axispb.State_STATE_CONSIGNED)
	to.wait(taken, axispb.State_STATE_HANDED_OVER)
	to.confirm(open, "H42")
	from.wait(open, axispb.State_STATE_HANDED_OVER)
	if to.status().Parked != nil {
		t.Fatalf("parked: %v", to.status().Parked)
	}
}

// A store that was set back states other things under counters that are used: the
// instance is stopped and told why.
func TestARestoredCopyIsStopped(t *testing.T) {
	_, from, to := pair(t)
	id := from.send(draft("H41", "H42"))
	from.wait(id, axispb.State_STATE_CONSIGNED)
	to.until("nothing is unsent", func() bool {
		own := to.received(id, "H42").Evidence
		l, _ := to.agent.Show(id)
		return len(own) == 1 && len(l.Received[0].Steps[1].Receipt) > 0
	})
	to.halt()
	db := filepath.Join(to.dir, "endpoint.db")
	backup, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	to.start()
	to.confirm(id, "H42")
	from.wait(id, axispb.State_STATE_HANDED_OVER)
	to.halt()
	if err := os.WriteFile(db, backup, 0o600); err != nil {
		t.Fatal(err)
	}
	to.start()
	key := inbox.KeyOf(to.received(id, "H42"))
	if err := to.agent.Confirm(t.Context(), key, false, "another history"); err != nil {
		t.Fatal(err)
	}
	to.until("parked", func() bool { return to.status().Parked != nil })
	if code := to.status().Parked.Reason.GetCode(); code != axispb.ReasonCode_REASON_COUNTER_REUSED {
		t.Fatalf("parked for %s", code)
	}
}

func TestACertificateIsRenewed(t *testing.T) {
	w := newWorld(t)
	o := w.officeUntil("from", time.Now().Add(30*24*time.Hour), "H41")
	before, err := link.LoadIdentity(o.dir)
	if err != nil {
		t.Fatal(err)
	}
	o.start()
	o.until("renewed", func() bool {
		id, err := link.LoadIdentity(o.dir)
		return err == nil && !bytes.Equal(id.Certificate.Leaf.Raw, before.Certificate.Leaf.Raw)
	})
	after, _ := link.LoadIdentity(o.dir)
	o.until("it is used", func() bool { return o.agent.signer.Load().Certificate().Equal(after.Certificate.Leaf) })
	if c := o.conn.Certificate(); c == nil || !c.Leaf.Equal(after.Certificate.Leaf) {
		t.Error("the connection does not use the new certificate")
	}
	if n := w.axis.Requests("from", bus.Renew); n != 1 {
		t.Errorf("asked %d times", n)
	}
	id := o.send(draft("H41", "H41"))
	o.wait(id, axispb.State_STATE_CONSIGNED)
}

func TestOpenWithoutJoining(t *testing.T) {
	o := &office{t: t}
	if _, err := Open(t.TempDir(), o.config()); !errors.Is(err, link.ErrNotJoined) {
		t.Fatalf("got %v", err)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	w := newWorld(t)
	o := w.office("from", "H41").open()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := o.agent.Wait(ctx, "nobody knows it", axispb.State_STATE_ACCEPTED); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if _, err := o.agent.Show("nobody knows it"); !errors.Is(err, outbox.ErrNotFound) {
		t.Fatalf("got %v", err)
	}
	if len(o.agent.watch.by) != 0 {
		t.Fatal("a subscription was left")
	}
}

func TestSettings(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"good":              {"listen = \"127.0.0.1:1\"\nsecurity = \"ordinary\"\n[limits]\nfile_bytes = 5\n[[seal]]\ncode = \"H41\"\nkey = \"a.p12\"\npassword_file = \"pw\"\ncertificate = \"c.pem\"\n", ""},
		"misspelt":          {"lisen = \"x:1\"\n", `there is no setting "lisen"`},
		"misspelt in seal":  {"[[seal]]\ncode = \"H41\"\nkey = \"a\"\npasword_file = \"x\"\n", `there is no setting "seal.pasword_file"`},
		"address":           {"listen = \"nowhere\"\n", "listen"},
		"code":              {"[[seal]]\ncode = \"hello\"\nkey = \"a\"\n", "code"},
		"no key":            {"[[seal]]\ncode = \"H41\"\n", "no key"},
		"two of one agency": {"[[seal]]\ncode = \"H41\"\nkey = \"a\"\n[[seal]]\ncode = \"H41\"\nkey = \"a\"\n", "H41 has this seal above already"},
		"level":             {"security = \"open\"\n", "security"},
		"no TOML":           {"{", "endpoint.toml"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, SettingsFile), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := LoadSettings(dir)
		if c.want == "" && (err != nil || s.Limits.FileBytes != 5 || s.Seals[0].Code != "H41") {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s, err := LoadSettings(t.TempDir()); err != nil || s.Limits.FileBytes != defaultFileBytes {
		t.Errorf("defaults: %+v, %v", s, err)
	}
}

func TestASealThatCannotBeReadStopsTheStart(t *testing.T) {
	w := newWorld(t)
	o := w.office("from", "H41")
	if err := os.Remove(filepath.Join(o.dir, "H41.pem")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(o.dir, o.config()); err == nil || !strings.Contains(err.Error(), "H41") {
		t.Fatalf("got %v", err)
	}
}

func TestRetryGrowsAndStaysBelowItsLimit(t *testing.T) {
	r := Retry{Min: time.Second, Max: 5 * time.Minute}
	for attempts, limit := range map[uint32]time.Duration{0: time.Second, 3: 8 * time.Second, 20: r.Max, 1 << 31: r.Max} {
		for range 1000 {
			if d := r.wait(attempts); d <= 0 || d > limit {
				t.Fatalf("%v after %d attempts", d, attempts)
			}
		}
	}
}

// stateBusiness states a business state about a received document, as a change does.
func (a *Agent) stateBusiness(ctx context.Context, key inbox.Key, state string) error {
	err := a.db.Update(ctx, func(tx *bbolt.Tx) error {
		in := inbox.In(tx)
		e, err := in.Get(key)
		if err != nil {
			return err
		}
		counter, err := a.state(tx, e, claim{event: axispb.Event_EVENT_BUSINESS_STATE, business: state})
		if err != nil {
			return err
		}
		return in.Note(key, counter)
	})
	if err == nil {
		a.watch.changed(key.ID)
		ring(a.wake.evidence)
	}
	return err
}
