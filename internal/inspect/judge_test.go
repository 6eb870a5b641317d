package inspect_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/edxml"
	"docaxis/internal/inspect"
	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/internal/sealtest"
	"docaxis/internal/vectors"
	"docaxis/proto/axispb"
	"docaxis/signing"
	"docaxis/signing/pades/padestest"
)

// world is a judge with an authority whose list can be changed.
type world struct {
	judge      *inspect.Judge
	dir        string
	root, seal sealtest.Seal
	web        *httptest.Server

	mu   sync.Mutex
	at   time.Time
	list []byte // nil: the authority does not answer
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) forward(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

func (w *world) ServeHTTP(out http.ResponseWriter, _ *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.list == nil {
		out.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	_, _ = out.Write(w.list)
}

// publish makes the authority answer with a list of now, which revokes the seal where
// since is not zero.
func (w *world) publish(t *testing.T, since time.Time) {
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: w.now(), NextUpdate: w.now().Add(24 * time.Hour)}
	if !since.IsZero() {
		list.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: w.seal.Certificate().SerialNumber, RevocationTime: since}}
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, w.root.Certificate(), w.root.Key)
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = der
}

func newWorld(t *testing.T) *world {
	w := &world{dir: t.TempDir(), at: sealtest.At}
	w.web = httptest.NewServer(w)
	t.Cleanup(w.web.Close)
	w.root = sealtest.Issue(t, sealtest.Seal{}, "Root", sealtest.P256(t), func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid = true, true
		c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	})
	w.seal = sealtest.Issue(t, w.root, "Ủy ban nhân dân xã Thử", sealtest.P256(t), func(c *x509.Certificate) {
		c.CRLDistributionPoints = []string{w.web.URL + "/crl"}
	})
	w.trust(t)
	w.judge = w.open(t, inspect.Settings{Allow: []string{"127.0.0.0/8"}})
	return w
}

// trust puts the root into the folder where anchors are by default.
func (w *world) trust(t *testing.T) {
	folder := filepath.Join(w.dir, inspect.DefaultAnchors)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	anchor := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.root.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(folder, "root.pem"), anchor, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (w *world) open(t *testing.T, s inspect.Settings) *inspect.Judge {
	t.Helper()
	j, err := inspect.Open(inspect.Config{Folder: w.dir, Settings: s, Now: w.now})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// run fetches until the test ends.
func (w *world) run(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- w.judge.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func (w *world) sign(t *testing.T, by sealtest.Seal) []byte {
	return padestest.NewDoc().End().Sign(padestest.Sig{Field: "A", Value: func(content []byte) []byte {
		der, err := signing.Sign(content, by.Key, by.Chain[:1])
		if err != nil {
			t.Fatal(err)
		}
		return der
	}}).B
}

func (w *world) label(t *testing.T, j *inspect.Judge, name string, b []byte, at time.Time) (*axispb.FileLabel, time.Time) {
	t.Helper()
	l, retry, err := j.Label(t.Context(), name, "", bytes.NewReader(b), int64(len(b)), at)
	if err != nil {
		t.Fatal(err)
	}
	if l.SentenceVi == "" || l.SentenceEn == "" || l.SentenceVi == l.SentenceEn {
		t.Errorf("%s: %q and %q", name, l.SentenceVi, l.SentenceEn)
	}
	return l, retry
}

// eventually looks again until the label is another.
func (w *world) eventually(t *testing.T, b []byte, at time.Time, sub string) (*axispb.FileLabel, time.Time) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		l, retry := w.label(t, w.judge, "a.pdf", b, at)
		if l.Signatures[0].SubIndication == sub {
			return l, retry
		}
		if time.Now().After(deadline) {
			t.Fatalf("never %q: %v %+v", sub, l, w.judge.Status())
		}
		w.forward(time.Minute)
		select {
		case <-time.After(5 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
}

func altered(b []byte) []byte { return bytes.Replace(b, []byte("(Noi dung)"), []byte("(Noi dong)"), 1) }

func expect(t *testing.T, what string, l *axispb.FileLabel, label axispb.Label, failed, anchored bool) {
	t.Helper()
	if l.Label != label || l.Failed != failed || l.Anchored != anchored {
		t.Errorf("%s: %s, failed %v, anchored %v: %s", what, l.Label, l.Failed, l.Anchored, l.SentenceEn)
	}
}

const (
	valid      = axispb.Label_LABEL_VALID
	problem    = axispb.Label_LABEL_PROBLEM
	unsigned   = axispb.Label_LABEL_UNSIGNED
	unreadable = axispb.Label_LABEL_UNREADABLE
)

// A label changes with what becomes known: nothing, in order, and revoked since before
// the document was accepted. It is final once a list of after the acceptance was seen.
func TestALabelFollowsWhatIsKnown(t *testing.T) {
	w := newWorld(t)
	w.run(t)
	b := w.sign(t, w.seal)
	accepted := w.now()
	l, retry := w.label(t, w.judge, "a.pdf", b, accepted)
	expect(t, "nothing known", l, problem, false, true)
	if l.Signatures[0].SubIndication != "TRY_LATER" || retry.IsZero() {
		t.Errorf("%v, again %s", l.Signatures, retry)
	}

	w.mu.Lock()
	w.at = accepted.Add(-time.Hour)
	w.mu.Unlock()
	w.publish(t, time.Time{})
	w.forward(time.Hour)
	l, retry = w.eventually(t, b, accepted, "")
	expect(t, "in order before", l, valid, false, true)
	if want := accepted.Add(23 * time.Hour); !retry.Equal(want) {
		t.Errorf("again at %s, not when the next list is to come, %s", retry, want)
	}
	s := l.Signatures[0]
	if s.Signer != "Ủy ban nhân dân xã Thử" || s.Holder != "organisation" || s.Indication != "TOTAL-PASSED" ||
		s.TimeSource != "checkpoint" || s.TimeMs != accepted.UnixMilli() || s.SentenceVi == "" || s.SentenceEn == "" {
		t.Errorf("%v", s)
	}

	w.forward(25 * time.Hour)
	w.publish(t, accepted.Add(-30*time.Minute))
	l, retry = w.eventually(t, b, accepted, "REVOKED_NO_POE")
	expect(t, "revoked", l, problem, false, true)
	if !retry.IsZero() {
		t.Errorf("final, and again at %s", retry)
	}
	if early, _ := w.label(t, w.judge, "a.pdf", b, accepted.Add(-time.Hour)); early.Label != valid {
		t.Errorf("accepted before it was revoked: %v", early)
	}
}

func TestLabelIsFinalWithANewerList(t *testing.T) {
	w := newWorld(t)
	w.run(t)
	b := w.sign(t, w.seal)
	accepted := w.now()
	w.forward(time.Hour)
	w.publish(t, time.Time{})
	if l, retry := w.eventually(t, b, accepted, ""); l.Label != valid || !retry.IsZero() {
		t.Errorf("%v, again at %s", l, retry)
	}
	if l, retry := w.label(t, w.judge, "a.pdf", b, time.Time{}); l.Signatures[0].TimeSource != "now" || !retry.IsZero() {
		t.Errorf("%v, again at %s", l, retry)
	}
}

// What a policy refuses is in the file, and its reason is said in both languages.
func TestRefuses(t *testing.T) {
	w := newWorld(t)
	elsewhere := sealtest.Root(t, "Other")
	other := sealtest.New(t, elsewhere, "Lạ")
	good, foreign, plain := w.sign(t, w.seal), w.sign(t, other), padestest.NewDoc().End().B
	past := func(c *x509.Certificate) { c.NotAfter = sealtest.At.Add(-time.Hour) }
	ended, gone := sealtest.Issue(t, w.root, "Hết hạn", sealtest.P256(t), past), sealtest.Issue(t, elsewhere, "Lạ", sealtest.P256(t), past)
	none := w.open(t, inspect.Settings{Anchors: []string{}})
	deaf := w.open(t, inspect.Settings{Revocation: new(bool)})
	const no = axispb.ReasonCode_REASON_UNSPECIFIED
	const bad, missing = axispb.ReasonCode_REASON_FILE_PROBLEM, axispb.ReasonCode_REASON_FILE_UNSIGNED
	for _, tt := range []struct {
		what          string
		judge         *inspect.Judge
		name          string
		content       []byte
		label         axispb.Label
		failed        bool
		anchored      bool
		sound, signed axispb.ReasonCode
	}{
		{"an authority that does not answer", w.judge, "a.pdf", good, problem, false, true, no, no},
		{"nobody is asked", deaf, "a.pdf", good, valid, false, true, no, no},
		{"altered", w.judge, "a.pdf", altered(good), problem, true, false, bad, bad},
		{"unsigned", w.judge, "a.pdf", plain, unsigned, false, false, no, missing},
		{"a stranger", w.judge, "a.pdf", foreign, problem, false, false, no, missing},
		{"ended", w.judge, "a.pdf", w.sign(t, ended), problem, false, true, no, no},
		{"ended, of a stranger", w.judge, "a.pdf", w.sign(t, gone), problem, false, false, no, missing},
		{"damaged", w.judge, "a.pdf", good[:len(good)/2], unreadable, true, false, bad, bad},
		{"a text", w.judge, "a.txt", []byte("x"), unsigned, false, false, no, no},
		{"no package", w.judge, "a.edxml", []byte("<x"), unreadable, true, false, bad, bad},
		{"no anchors, unsigned", none, "a.pdf", plain, unsigned, false, false, no, no},
		{"no anchors, signed", none, "a.pdf", good, problem, false, false, no, no},
		{"no anchors, altered", none, "a.pdf", altered(good), problem, true, false, bad, bad},
	} {
		l, _ := w.label(t, tt.judge, tt.name, tt.content, w.now())
		expect(t, tt.what, l, tt.label, tt.failed, tt.anchored)
		for p, want := range map[axispb.FilePolicy]axispb.ReasonCode{
			axispb.FilePolicy_FILE_POLICY_UNSPECIFIED: no, axispb.FilePolicy_FILE_POLICY_LABEL: no,
			axispb.FilePolicy_FILE_POLICY_SOUND: tt.sound, axispb.FilePolicy_FILE_POLICY_SIGNED: tt.signed,
		} {
			got := tt.judge.Refuses(p, "H41", l)
			if got.GetCode() != want {
				t.Errorf("%s, %s: %v", tt.what, p, got)
			}
			if got == nil {
				continue
			}
			vi, en := reason.Sentence(got, lang.Vietnamese), reason.Sentence(got, lang.English)
			if !strings.Contains(vi, tt.name) || strings.Contains(vi, " the ") || strings.Contains(vi, "The ") || !strings.Contains(en, "H41") {
				t.Errorf("%s, %s: %q, %q", tt.what, p, vi, en)
			}
		}
	}
}

// A package is as bad as the worst of its files, and the refusal names that file.
func TestPackagesAreLabelledByTheirFiles(t *testing.T) {
	w := newWorld(t)
	deaf := w.open(t, inspect.Settings{Revocation: new(bool)})
	good := w.sign(t, w.seal)
	for _, tt := range []struct {
		what    string
		content []byte
		label   axispb.Label
		signed  axispb.ReasonCode
	}{
		{"good", good, valid, axispb.ReasonCode_REASON_UNSPECIFIED},
		{"altered", altered(good), problem, axispb.ReasonCode_REASON_FILE_PROBLEM},
		{"unsigned", padestest.NewDoc().End().B, unsigned, axispb.ReasonCode_REASON_FILE_UNSIGNED},
	} {
		l, _ := w.label(t, deaf, "goi.edxml", packageOf(t, tt.content), w.now())
		if len(l.Within) != 1 || l.Label != tt.label || l.Within[0].Label != tt.label {
			t.Errorf("%s: %v", tt.what, l)
		}
		got := deaf.Refuses(axispb.FilePolicy_FILE_POLICY_SIGNED, "H41", l)
		if got.GetCode() != tt.signed || got != nil && !strings.Contains(got.Args[1], "goi.edxml / ") {
			t.Errorf("%s: %v", tt.what, got)
		}
	}
	entries, err := os.ReadDir(filepath.Join(w.dir, inspect.LookingFolder))
	if err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}

// packageOf is a package with one PDF.
func packageOf(t *testing.T, pdf []byte) []byte {
	t.Helper()
	from := vectors.EdXML("variants/wrapped-base64.edxml")
	p, err := edxml.Open(bytes.NewReader(from), int64(len(from)), edxml.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(pdf)), nil }
	if err := edxml.WriteDocument(&out, p.Document, edxml.File{Name: "a.pdf", Open: open}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Trust is what the settings say: another basis once the anchors change, and nothing
// goes on where they cannot be read.
func TestSettings(t *testing.T) {
	w := newWorld(t)
	if got := w.judge.Status(); got.Anchors != 1 || !got.Asks {
		t.Errorf("%+v", got)
	}
	again := w.open(t, inspect.Settings{Anchors: []string{filepath.Join(w.dir, "trust", "root.pem")}})
	none := w.open(t, inspect.Settings{Anchors: []string{}})
	if again.Basis() != w.judge.Basis() || none.Basis() == w.judge.Basis() || none.Status().Anchors != 0 {
		t.Errorf("%s %s %s", w.judge.Basis(), again.Basis(), none.Basis())
	}
	if j, err := inspect.Open(inspect.Config{Folder: t.TempDir()}); err != nil || j.Status().Anchors != 0 {
		t.Errorf("without a folder trust: %v", err)
	}
	for what, s := range map[string]inspect.Settings{
		"no such anchors": {Anchors: []string{"other"}},
		"an address":      {Allow: []string{"http://crl.coquan.local"}},
		"a port":          {Allow: []string{"crl.coquan.local:80"}},
		"nothing":         {Allow: []string{""}},
		"proxy":           {Proxy: "proxy:3128"},
	} {
		_, err := inspect.Open(inspect.Config{Folder: w.dir, Settings: s})
		if err == nil || lang.Say(err, lang.Vietnamese) == lang.Say(err, lang.English) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A host within our walls is asked where its name is allowed, and not otherwise.
func TestNamesThatAreAllowed(t *testing.T) {
	var asked atomic.Int32
	w := newWorld(t)
	w.web.Config.Handler = http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) { asked.Add(1); w.ServeHTTP(out, r) })
	seal := sealtest.Issue(t, w.root, "X", sealtest.P256(t), func(c *x509.Certificate) {
		c.CRLDistributionPoints = []string{strings.Replace(w.web.URL, "127.0.0.1", "localhost", 1) + "/crl"}
	})
	w.publish(t, time.Time{})
	b := w.sign(t, seal)
	w.judge = w.open(t, inspect.Settings{})
	stop := runFor(t, w.judge)
	w.label(t, w.judge, "a.pdf", b, w.now())
	wait(t, func() bool {
		return len(w.judge.Status().Revocation.Troubles) > 0 && w.judge.Status().Revocation.Troubles[0].Err != nil
	})
	stop()
	if asked.Load() > 0 {
		t.Error("asked though it is within our walls")
	}
	w.judge = w.open(t, inspect.Settings{Allow: []string{"LocalHost"}})
	defer runFor(t, w.judge)()
	w.eventually(t, b, w.now(), "")
}

func runFor(t *testing.T, j *inspect.Judge) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- j.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func wait(t *testing.T, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatal("never")
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
}

// Looks follow each other soon at first, then daily, and never before it is worth while.
func TestAgain(t *testing.T) {
	now := sealtest.At
	for looks, want := range map[uint32]time.Duration{
		0: 15 * time.Second, 1: 15 * time.Second, 2: time.Minute, 4: 16 * time.Minute, 7: 61440 * time.Second, 8: 24 * time.Hour, 1 << 31: 24 * time.Hour,
	} {
		if got := inspect.Again(now, now, looks); got.Sub(now) != want {
			t.Errorf("after %d looks: %s", looks, got.Sub(now))
		}
	}
	if got := inspect.Again(now.Add(48*time.Hour), now, 1); got.Sub(now) != 48*time.Hour {
		t.Errorf("before it is worth while: %s", got)
	}
	if !inspect.Again(time.Time{}, now, 3).IsZero() {
		t.Error("again, though it is final")
	}
}

// The labels of a document with all that may be in one do not fill the store.
func TestFit(t *testing.T) {
	small := &axispb.DocumentLabels{Files: []*axispb.FileLabel{{Name: "a", Signatures: []*axispb.SignatureLabel{{Signer: "x"}}}}}
	inspect.Fit(small)
	if len(small.Files[0].Signatures) != 1 {
		t.Error("details are left out though there is room")
	}
	d := &axispb.DocumentLabels{}
	for i := range 200 {
		f := &axispb.FileLabel{Name: fmt.Sprint(i), SentenceVi: "vi", Label: problem}
		for range 10 {
			f.Within = append(f.Within, &axispb.FileLabel{Name: "w", Signatures: []*axispb.SignatureLabel{{SentenceVi: strings.Repeat("x", 2000)}}})
		}
		d.Files = append(d.Files, f)
	}
	inspect.Fit(d)
	if n := proto.Size(d); n > inspect.MaxLabels || n < inspect.MaxLabels/2 || len(d.Files) != 200 || d.Files[199].Label != problem {
		t.Errorf("%d bytes, %d files", n, len(d.Files))
	}
}

type failing struct{}

func (failing) ReadAt([]byte, int64) (int, error) { return 0, errors.New("the disk is gone") }

// A reader's fault is nobody's label, and a file that costs too much is given up.
func TestAReaderThatFails(t *testing.T) {
	w := newWorld(t)
	if _, _, err := w.judge.Label(t.Context(), "a.pdf", "", failing{}, 1000, w.now()); err == nil {
		t.Error("a label of what was not read")
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	b := w.sign(t, w.seal)
	if _, _, err := w.judge.Label(ctx, "a.pdf", "", bytes.NewReader(b), int64(len(b)), w.now()); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
