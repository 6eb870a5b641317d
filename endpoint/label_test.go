package endpoint

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/edxml"
	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/directory"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/vxp"
	"docaxis/internal/admin"
	"docaxis/internal/doctor"
	"docaxis/internal/inspect"
	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/internal/sealtest"
	"docaxis/proto/axispb"
	"docaxis/signing"
	"docaxis/signing/pades/padestest"
)

// signers is an authority that signs PDF files and publishes a list.
type signers struct {
	t          *testing.T
	root, seal sealtest.Seal

	mu   sync.Mutex
	list []byte // nil: it does not answer
}

func newSigners(t *testing.T) *signers {
	t.Helper()
	s := &signers{t: t}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	s.root = sealtest.Issue(t, sealtest.Seal{}, "Root", sealtest.P256(t), func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid = true, true
		c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	})
	s.seal = sealtest.Issue(t, s.root, "Ủy ban nhân dân xã Thử", sealtest.P256(t), func(c *x509.Certificate) {
		c.CRLDistributionPoints = []string{web.URL + "/crl"}
	})
	return s
}

func (s *signers) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.list == nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write(s.list)
}

// publish answers with a list from now on; it revokes the seal where since is not zero.
func (s *signers) publish(now, since time.Time) {
	s.t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(now.Unix()), ThisUpdate: now, NextUpdate: now.Add(24 * time.Hour)}
	if !since.IsZero() {
		list.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: s.seal.Certificate().SerialNumber, RevocationTime: since}}
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, s.root.Certificate(), s.root.Key)
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = der
}

func (s *signers) pdf(by sealtest.Seal) []byte {
	s.t.Helper()
	return padestest.NewDoc().End().Sign(padestest.Sig{Field: "A", Value: func(content []byte) []byte {
		der, err := signing.Sign(content, by.Key, by.Chain[:1])
		if err != nil {
			s.t.Fatal(err)
		}
		return der
	}}).B
}

func (s *signers) signed() []byte { return s.pdf(s.seal) }

func (s *signers) altered() []byte {
	return bytes.Replace(s.signed(), []byte("(Noi dung)"), []byte("(Noi dong)"), 1)
}

func unsigned() []byte { return padestest.NewDoc().End().B }

// trustedBy puts the authority into the folder of an office, which may ask it.
func (s *signers) trustedBy(o *office) {
	o.t.Helper()
	folder := filepath.Join(o.dir, inspect.DefaultAnchors)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		o.t.Fatal(err)
	}
	anchor := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.root.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(folder, "root.pem"), anchor, 0o600); err != nil {
		o.t.Fatal(err)
	}
	o.adjust = func(c *Config) { c.Settings.Signatures.Allow = []string{"127.0.0.0/8"} }
}

// labelWorld is a sender (H41) and a recipient (H42), which trusts an authority and has
// a clock of its own.
func labelWorld(t *testing.T) (w *world, from, to *office, s *signers, clock *watch) {
	t.Helper()
	w, s, clock = newWorld(t), newSigners(t), &watch{}
	from, to = w.office("from", "H41"), w.office("to", "H42")
	s.trustedBy(from)
	s.trustedBy(to)
	to.now = clock.now
	from.start().synced("H41", "H42")
	to.start().synced("H41", "H42")
	return w, from, to, s, clock
}

// ask sets what is asked of files, and waits until an office has heard of it.
func (o *office) ask(w *world, p *axispb.Policy) {
	o.t.Helper()
	w.axis.Change(&axispb.Change{Change: &axispb.Change_PutPolicy{PutPolicy: p}})
	o.until("it hears of the policy", func() bool {
		got := directory.Policy{}
		err := o.agent.db.View(func(tx *bbolt.Tx) (err error) {
			got, err = directory.In(tx).Policy(p.Code)
			return err
		})
		return err == nil && got.SentFiles == p.SentFiles && got.ReceivedFiles == p.ReceivedFiles
	})
}

func (o *office) story(id string) clerk.Story {
	o.t.Helper()
	all, err := Clerk(o.agent).Show(o.t.Context(), id)
	if err != nil || len(all) != 1 {
		o.t.Fatalf("%d stories: %v", len(all), err)
	}
	return all[0]
}

// labelled waits until the files of a document have labels, and these say something.
func (o *office) labelled(id string, ok func(l []*admin.FileLabel) bool) clerk.Story {
	o.t.Helper()
	var s clerk.Story
	o.until("labels", func() bool {
		ring(o.agent.wake.label)
		s = o.story(id)
		var all []*admin.FileLabel
		for _, f := range s.Files {
			if f.Label == nil {
				return false
			}
			all = append(all, f.Label)
		}
		return len(all) > 0 && (ok == nil || ok(all))
	})
	return s
}

func is(label, sub string) func(l []*admin.FileLabel) bool {
	return func(l []*admin.FileLabel) bool {
		return l[0].Label == label && len(l[0].Signatures) > 0 && l[0].Signatures[0].SubIndication == sub
	}
}

// wrapped is a package with one PDF.
func wrapped(t *testing.T, pdf []byte) []byte {
	t.Helper()
	d := &edxml.Document{
		From: edxml.Party{OrganID: "H41", Name: "Cơ quan gửi"}, To: []edxml.Party{{OrganID: "H42"}}, ID: "1",
		Number: edxml.DocumentNumber{Number: "101", Notation: "CQA-VP"}, Promulgation: edxml.Promulgation{Date: "2026/03/02"},
		Subject: "V/v kết nối", Content: "Toàn văn",
	}
	var b bytes.Buffer
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(pdf)), nil }
	if err := edxml.WriteDocument(&b, d, edxml.File{Name: "cong-van.pdf", Open: open}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Files are labelled at both ends, whatever is in them, and nothing is kept back.
func TestFilesAreLabelled(t *testing.T) {
	_, from, to, s, _ := labelWorld(t)
	s.publish(time.Now(), time.Time{})
	d := draft("H41", "H42").with(s.signed(), s.altered(), unsigned(), noise(100))
	d.Files = append(d.Files, DraftFile{Title: "goi.edxml", Type: packageType, Content: bytes.NewReader(wrapped(t, s.signed()))},
		DraftFile{Title: "thư.docx", Content: strings.NewReader("word")})
	id := from.send(d)
	want := []string{admin.LabelValid, admin.LabelProblem, admin.LabelUnsigned, admin.LabelUnreadable, admin.LabelValid, admin.LabelUnsigned}
	for _, o := range []*office{from, to} {
		o.wait(id, axispb.State_STATE_CONSIGNED)
		// What was fetched of the authority comes a moment later: look again at once.
		story := o.labelled(id, func(l []*admin.FileLabel) bool {
			if l[0].Label == admin.LabelValid && l[0].Signatures[0].TimeSource == "checkpoint" {
				return true
			}
			o.dueNow(id)
			return false
		})
		for i, f := range story.Files {
			l := f.Label
			if l.Label != want[i] || l.Name != f.Title || l.Vietnamese == "" || l.English == "" {
				t.Errorf("%s, %s: %+v", o.name, f.Title, l)
			}
		}
		first, pack := story.Files[0].Label.Signatures[0], story.Files[4].Label
		if first.Signer != "Ủy ban nhân dân xã Thử" || first.Holder != "organisation" || first.Indication != "TOTAL-PASSED" {
			t.Errorf("%s: %+v", o.name, first)
		}
		if len(pack.Within) != 1 || pack.Within[0].Name != "cong-van.pdf" || story.Files[1].Label.Failed != true {
			t.Errorf("%s: %+v, %+v", o.name, pack, story.Files[1].Label)
		}
		if story.LookedMS == 0 || story.Hold != "" {
			t.Errorf("%s: %+v", o.name, story)
		}
	}
	list, err := Clerk(to.agent).Inbox(t.Context(), clerk.Page{})
	if err != nil || len(list) != 1 || list[0].Label != admin.LabelProblem {
		t.Errorf("in the list: %+v, %v", list, err)
	}
	sent, err := Clerk(from.agent).Outbox(t.Context(), clerk.Page{})
	if err != nil || len(sent) != 1 || sent[0].Label != admin.LabelProblem {
		t.Errorf("in the list: %+v, %v", sent, err)
	}
}

// dueNow has a document looked at without waiting for its time.
func (o *office) dueNow(id string) {
	o.t.Helper()
	err := o.agent.db.Update(o.t.Context(), func(tx *bbolt.Tx) error {
		due := tx.Bucket([]byte("labels_due"))
		var rows [][]byte
		err := due.ForEach(func(k, _ []byte) error {
			if bytes.Contains(k, []byte(id)) {
				rows = append(rows, bytes.Clone(k))
			}
			return nil
		})
		for _, k := range rows {
			if err := due.Put(slices.Concat(k[:1], make([]byte, 8), k[9:]), nil); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	ring(o.agent.wake.label)
}

// An authority is dead for a week: documents keep moving, what is asked of files refuses
// nothing for it, and labels say that it was not heard. Once it answers, a label
// changes by itself, here to what was revoked before the document was accepted.
func TestAnAuthorityIsDeadForAWeek(t *testing.T) {
	w, from, to, s, clock := labelWorld(t)
	to.ask(w, &axispb.Policy{Code: "H42", ReceivedFiles: axispb.FilePolicy_FILE_POLICY_SIGNED})
	from.ask(w, &axispb.Policy{Code: "H41", SentFiles: axispb.FilePolicy_FILE_POLICY_SIGNED})
	first := ""
	for day := range 7 {
		id := from.send(draft("H41", "H42").with(s.signed()))
		to.wait(id, axispb.State_STATE_CONSIGNED)
		to.labelled(id, is(admin.LabelProblem, "TRY_LATER"))
		to.until("it is handed out", func() bool { return inbox.Offered(to.received(id, "H42")) })
		to.content(id, "H42", 0)
		to.confirm(id, "H42")
		from.wait(id, axispb.State_STATE_HANDED_OVER)
		if day == 0 {
			first = id
		}
		clock.pass(24 * time.Hour)
	}
	story := to.labelled(first, func([]*admin.FileLabel) bool {
		return to.story(first).LookedMS > time.Now().Add(6*24*time.Hour).UnixMilli()
	})
	if wait := time.UnixMilli(story.AgainMS).Sub(time.UnixMilli(story.LookedMS)); wait <= 0 || wait > 24*time.Hour {
		t.Errorf("again after %s", wait)
	}
	to.until("the authority is named", func() bool {
		status, err := Clerk(to.agent).Status(t.Context())
		return err == nil && status.Signatures.Missing == 1 && status.Signatures.Anchors == 1
	})
	s.publish(clock.now(), time.Now().Add(-time.Hour))
	clock.pass(time.Minute)
	to.restart() // its timers ran by the machine's clock, and wait
	to.until("the label changes", func() bool {
		clock.pass(time.Hour)
		ring(to.agent.wake.label)
		l := to.story(first).Files[0].Label
		return l.Label == admin.LabelProblem && l.Signatures[0].SubIndication == "REVOKED_NO_POE"
	})
	if again := to.story(first).AgainMS; again != 0 {
		t.Errorf("it is final, and looked at again at %s", lang.Millis(again))
	}
}

// What the recipient's policy refuses is never handed out, its sender is told why, and a
// crash anywhere changes none of it. A policy is asked of those alone whom it concerns.
func TestThePolicyOfTheRecipientRefuses(t *testing.T) {
	for _, point := range []string{"", "label.before", "label.after", "t2.before", "t2.after"} {
		t.Run("crash at "+point, func(t *testing.T) {
			t.Parallel()
			w, from, to, s, _ := labelWorld(t)
			to.ask(w, &axispb.Policy{Code: "H42", ReceivedFiles: axispb.FilePolicy_FILE_POLICY_SIGNED})
			system := to.has("sys.b", "H42")
			if point != "" {
				crashed := to.faults.crash(point, 1)
				defer func() { <-crashed }()
			}
			bad, missing := from.send(draft("H41", "H42").with(s.altered())), from.send(draft("H41", "H42").with(s.signed(), unsigned()))
			good := from.send(draft("H41", "H42").with(s.signed()))
			if point != "" {
				to.until("crash", func() bool { return to.faults.at("") != nil })
				s.trustedBy(to)
				to.restart()
			}
			for id, code := range map[string]axispb.ReasonCode{
				bad: axispb.ReasonCode_REASON_FILE_PROBLEM, missing: axispb.ReasonCode_REASON_FILE_UNSIGNED,
			} {
				from.wait(id, axispb.State_STATE_HANDOVER_FAILED)
				st := w.axis.Stated("H41", id, "H42", axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE)
				if st.Reason.GetCode() != code || !strings.Contains(reason.Sentence(st.Reason, lang.Vietnamese), "Công văn") {
					t.Errorf("the sender is told %v", st.Reason)
				}
				to.refusedTo(id, system, code)
			}
			to.wait(good, axispb.State_STATE_CONSIGNED)
			system.awaits(vxp.Documents, 1)
			to.confirm(good, "H42")
			from.wait(good, axispb.State_STATE_HANDED_OVER)
		})
	}
}

// refusedTo tries every way to a document that is kept from its agency.
func (o *office) refusedTo(id string, system dms, code axispb.ReasonCode) {
	o.t.Helper()
	e := o.received(id, "H42")
	if inbox.Offered(e) || inbox.Unconfirmed(e) {
		o.t.Errorf("it is offered: %v", e)
	}
	_, err := Clerk(o.agent).Content(o.t.Context(), id, "", 0)
	wantCode(o.t, "a clerk reads it", err, code)
	_, err = Clerk(o.agent).Confirm(o.t.Context(), clerk.Confirm{ID: id})
	wantCode(o.t, "a clerk confirms it", err, code)
	_, err = system.exchange().Fetch(o.t.Context(), system.system, inbox.DeliveryOf(e))
	wantCode(o.t, "a system takes it", err, code)
	wantCode(o.t, "a system confirms it", system.exchange().Report(o.t.Context(), system.system, inbox.DeliveryOf(e), vxp.Done), code)
	for _, d := range system.listed(vxp.Documents) {
		if d.DocID == inbox.DeliveryOf(e) {
			o.t.Error("it is listed")
		}
	}
	if err := o.agent.MarkFetched(o.t.Context(), inbox.KeyOf(e)); err == nil {
		o.t.Error("it counts as fetched")
	}
}

// A document is kept from its agency until it was looked at, also over a restart and
// past its deadline, and then handed out.
func TestADocumentIsHeldUntilItWasLookedAt(t *testing.T) {
	w, from, to, s, clock := labelWorld(t)
	to.ask(w, &axispb.Policy{Code: "H42", ReceivedFiles: axispb.FilePolicy_FILE_POLICY_SOUND})
	system := to.has("sys.b", "H42")
	to.adjust = func(c *Config) {
		c.HandoverEvery = 5 * time.Millisecond
		c.Settings.Signatures.Allow = []string{"127.0.0.0/8"}
	}
	to.restart()
	w.axis.Change(&axispb.Change{Change: &axispb.Change_PutPolicy{PutPolicy: &axispb.Policy{Code: "H41", HandoverHours: 1}}})
	to.until("it hears of the deadline", func() bool {
		p := directory.Policy{}
		err := to.agent.db.View(func(tx *bbolt.Tx) (err error) {
			p, err = directory.In(tx).Policy("H41")
			return err
		})
		return err == nil && p.HandoverHours == 1
	})
	// Nobody looks as long as somebody else has every turn.
	release := to.agent.occupy(t)
	id := from.send(draft("H41", "H42").with(s.signed()))
	to.wait(id, axispb.State_STATE_CONSIGNED)
	clock.pass(2 * time.Hour)
	to.refusedTo(id, system, axispb.ReasonCode_REASON_FILES_UNCHECKED)
	status, err := Clerk(to.agent).Status(t.Context())
	if err != nil || status.Signatures.Waiting != 1 || to.story(id).Hold != clerk.HoldLooking {
		t.Errorf("%+v, %v, %v", status.Signatures, to.story(id), err)
	}
	if e := to.received(id, "H42"); e.State != axispb.State_STATE_CONSIGNED {
		t.Errorf("%s while it is looked at", e.State)
	}
	release()
	to.until("its deadline is stated now", func() bool { return to.received(id, "H42").State == axispb.State_STATE_HANDOVER_FAILED })
	system.awaits(vxp.Documents, 1)
	to.confirm(id, "H42")
	from.until("and it counts", func() bool { return from.waitErr(id, axispb.State_STATE_HANDED_OVER) == nil })
}

// occupy takes every turn of the judge, with files that are read only when it is given
// free.
func (a *Agent) occupy(t *testing.T) (release func()) {
	t.Helper()
	slow := &slowFile{started: make(chan struct{}, 2), free: make(chan struct{})}
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() { _, _, _ = a.judge.Label(t.Context(), "a.pdf", "", slow, 5, time.Time{}) })
		<-slow.started
	}
	return func() {
		close(slow.free)
		all.Wait()
	}
}

type slowFile struct {
	started, free chan struct{}
}

func (s *slowFile) ReadAt(p []byte, _ int64) (int, error) {
	select {
	case s.started <- struct{}{}:
	default:
	}
	<-s.free
	return len(p), io.EOF
}

// A refused document is looked at again when a person says so, by the policy as it is
// then; a sender's own policy stops it before it is sealed, from a clerk and a system.
func TestPoliciesAreMended(t *testing.T) {
	w, from, to, s, _ := labelWorld(t)
	to.ask(w, &axispb.Policy{Code: "H42", ReceivedFiles: axispb.FilePolicy_FILE_POLICY_SIGNED})
	id := from.send(draft("H41", "H42").with(unsigned()))
	from.wait(id, axispb.State_STATE_HANDOVER_FAILED)
	retry := func() {
		t.Helper()
		if err := Clerk(to.agent).Retry(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	retry()
	to.until("refused again", func() bool { return to.story(id).Hold == clerk.HoldRefused })
	to.ask(w, &axispb.Policy{Code: "H42", ReceivedFiles: axispb.FilePolicy_FILE_POLICY_LABEL})
	retry()
	to.until("handed out", func() bool { return inbox.Offered(to.received(id, "H42")) })
	to.confirm(id, "H42")
	from.until("and it counts", func() bool { return from.waitErr(id, axispb.State_STATE_HANDED_OVER) == nil })

	system := from.has("sys.a", "H41")
	from.ask(w, &axispb.Policy{Code: "H41", SentFiles: axispb.FilePolicy_FILE_POLICY_SIGNED})
	before, kept := w.axis.Documents(), from.bodies()
	_, err := from.agent.Send(t.Context(), draft("H41", "H42").with(unsigned()))
	wantCode(t, "unsigned", err, axispb.ReasonCode_REASON_FILE_UNSIGNED)
	_, err = from.agent.Send(t.Context(), draft("H41", "H42").with(s.altered()))
	wantCode(t, "altered", err, axispb.ReasonCode_REASON_FILE_PROBLEM)
	_, err = system.try("H41", vxp.Documents, wrapped(t, unsigned()))
	wantCode(t, "a package", err, axispb.ReasonCode_REASON_FILE_UNSIGNED)
	if list, err := Clerk(from.agent).Outbox(t.Context(), clerk.Page{}); err != nil || len(list) != 1 || w.axis.Documents() != before {
		t.Errorf("%d documents here, %d at the axis, %v", len(list), w.axis.Documents(), err)
	}
	if _, err := from.agent.Clean(t.Context(), false); err != nil || from.bodies() > kept {
		t.Errorf("%d bodies are left of %d, %v", from.bodies(), kept, err)
	}
	system.post("H41", vxp.Documents, wrapped(t, s.signed()))
}

// What was never looked at, or by another trust, is found at the next start: after a
// crash, in a store without labels, and after a change of the anchors.
func TestLabelsAreMadeAgain(t *testing.T) {
	w, from, to, s, _ := labelWorld(t)
	crashed := to.faults.crash("label.before", 1)
	ids := []string{from.send(draft("H41", "H42").with(s.signed())), from.send(draft("H41", "H42").with(unsigned()))}
	<-crashed
	to.restart()
	for _, id := range ids {
		to.wait(id, axispb.State_STATE_CONSIGNED)
		to.labelled(id, nil)
		from.labelled(id, nil)
	}

	to.ask(w, &axispb.Policy{Code: "H42", ReceivedFiles: axispb.FilePolicy_FILE_POLICY_SOUND})
	release := to.agent.occupy(t)
	held := from.send(draft("H41", "H42").with(s.signed()))
	to.wait(held, axispb.State_STATE_CONSIGNED)
	stop := to.stop
	to.stop = func() error {
		go release()
		return stop()
	}
	to.halt()
	removeBuckets(t, to, "labels", "labels_due", "labels_scan")
	to.start()
	for _, id := range append(ids, held) {
		to.labelled(id, nil)
	}
	to.until("what was held is handed out", func() bool { return inbox.Offered(to.received(held, "H42")) })
	to.labelled(ids[0], is(admin.LabelProblem, "TRY_LATER"))

	if err := os.RemoveAll(filepath.Join(to.dir, inspect.DefaultAnchors)); err != nil {
		t.Fatal(err)
	}
	to.restart()
	to.labelled(ids[0], is(admin.LabelProblem, "NO_CERTIFICATE_CHAIN_FOUND"))
}

func removeBuckets(t *testing.T, o *office, names ...string) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(o.dir, "endpoint.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range names {
			if err := tx.DeleteBucket([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err = joinErrors(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func joinErrors(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// A policy that nobody can be held to for lack of anchors refuses nothing, and is named
// to people, whether or not the endpoint runs.
func TestAPolicyWithoutAnchorsIsNamed(t *testing.T) {
	w, from, to := pair(t)
	to.ask(w, &axispb.Policy{Code: "H42", ReceivedFiles: axispb.FilePolicy_FILE_POLICY_SIGNED})
	id := from.send(draft("H41", "H42").with(unsigned()))
	to.until("handed out", func() bool {
		list, err := to.agent.Inbox(inbox.Filter{Code: "H42"})
		return err == nil && len(list) == 1 && inbox.Offered(list[0])
	})
	to.labelled(id, nil)
	status, err := Clerk(to.agent).Status(t.Context())
	if err != nil || !slices.Equal(status.Signatures.Unheeded, []string{"H42"}) {
		t.Errorf("%+v, %v", status.Signatures, err)
	}
	if f := to.examined(&status); f.Verdict != doctor.Warning {
		t.Errorf("while it runs: %+v", f)
	}
	to.halt()
	if f := to.examined(nil); f.Verdict != doctor.Warning {
		t.Errorf("while it rests: %+v", f)
	}
	if err := os.MkdirAll(filepath.Join(to.dir, inspect.DefaultAnchors), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to.dir, inspect.DefaultAnchors, "x.pem"), []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f := to.examined(nil); f.Verdict != doctor.Wrong {
		t.Errorf("with a file that is no certificate: %+v", f)
	}
	if _, err := Open(to.dir, to.config()); err == nil || lang.Say(err, lang.Vietnamese) == lang.Say(err, lang.English) {
		t.Errorf("it starts with anchors that cannot be read: %v", err)
	}
}

// examined is what a doctor says of signatures.
func (o *office) examined(status *clerk.Status) doctor.Finding {
	p := &patient{dir: o.dir, cfg: DoctorConfig{Status: status, Now: time.Now}, report: new(doctor.Report), name: o.name}
	p.store(o.name)
	p.signatures(o.config().Settings)
	return p.report.Findings[len(p.report.Findings)-1]
}
