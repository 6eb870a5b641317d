package hubtest_test

import (
	"bytes"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	operator "docaxis/axis/admin"
	"docaxis/internal/hubtest"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// looks counts what is looked at on the way of documents, and holds up what a test says.
type looks struct {
	before, behind atomic.Int64
	hold           atomic.Pointer[chan struct{}]
}

func (l *looks) at(point string) error {
	switch point {
	case "files.judge.before":
		l.before.Add(1)
		if hold := l.hold.Swap(nil); hold != nil {
			<-*hold
		}
	case "labels.look.before":
		l.behind.Add(1)
	}
	return nil
}

// sayWhy waits until the sender sees that a document was refused, and gives the reason.
func sayWhy(t *testing.T, m *hubtest.Member, id string) (vi, en string) {
	t.Helper()
	wait(t, m, id, axispb.State_STATE_REJECTED)
	story, err := m.Agent().Show(id)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range story.Steps {
		if s.State == axispb.State_STATE_REJECTED {
			vi, en = reason.Sentence(s.Reason, reason.Vietnamese), reason.Sentence(s.Reason, reason.English)
		}
	}
	return vi, en
}

// What a policy asks of files that an agency sends holds before they are accepted: the
// sender sees which file and why, in a signed refusal. Without a policy nobody looks at
// a file on the way of a document.
func TestThePolicyOnSentFilesRefuses(t *testing.T) {
	t.Parallel()
	c, seen := newCA(t), new(looks)
	var silence atomic.Bool
	w := world(t, hubtest.Config{
		AdjustAxis: c.trusted(false), AxisFaults: seen.at, EndpointFaults: deaf("G22", &silence), Retry: quick,
	}, "G22", "H41")
	m, good := w.Member("G22"), c.signed()
	altered, plain := named{"sửa.pdf", alteredPDF(good)}, named{"thường.pdf", unsignedPDF()}
	id := sendNamed(t, m, "H41", altered, plain)
	wait(t, m, id, axispb.State_STATE_CONSIGNED)
	labelled(t, w, id, whatever)
	if seen.before.Load() != 0 || seen.behind.Load() == 0 {
		t.Errorf("without a policy, %d looks on the way and %d behind it", seen.before.Load(), seen.behind.Load())
	}

	silence.Store(true) // so that the axis judges, whatever the endpoint knows
	ask := func(word string) { set(t, w, operator.SetPolicy{Code: "G22", SentFiles: &word}) }
	ask("sound")
	for _, tt := range []struct {
		policy string
		file   named
		code   string
		what   string
	}{
		{"sound", altered, "FILE_PROBLEM", "sửa.pdf"},
		{"sound", named{"gói.edxml", packed(t, altered.content)}, "FILE_PROBLEM", "trong.pdf"},
		{"sound", plain, "", ""},
		{"signed", named{"ký.pdf", good}, "", ""},
		{"signed", plain, "FILE_UNSIGNED", "thường.pdf"},
		{"signed", named{"lạ.pdf", newCA(t).signed()}, "FILE_UNSIGNED", "lạ.pdf"},
		{"label", altered, "", ""},
	} {
		ask(tt.policy)
		id := sendNamed(t, m, "H41", tt.file, named{"chữ.txt", []byte("x")})
		if tt.code == "" {
			wait(t, m, id, axispb.State_STATE_ACCEPTED)
			continue
		}
		if got := rejectedFor(t, w, m, id); got != tt.code {
			t.Errorf("%s, %s: refused for %s", tt.policy, tt.file.name, got)
		}
		if vi, en := sayWhy(t, m, id); !strings.Contains(vi, tt.what) || !strings.Contains(en, tt.what) || strings.Contains(vi, "signature") {
			t.Errorf("%s, %s: the sender reads %q, %q", tt.policy, tt.file.name, vi, en)
		}
	}
	if n := seen.before.Load(); n != 6 {
		t.Errorf("%d looks for 6 documents that a policy asks about", n)
	}
	// Another agency's documents are its own policy's matter.
	wait(t, w.Member("H41"), sendNamed(t, w.Member("H41"), "G22", altered), axispb.State_STATE_ACCEPTED)
	if n := seen.before.Load(); n != 6 {
		t.Error("a file was looked at that no policy asks about")
	}
	silence.Store(false)
	checked(t, w)
}

// A look that does not end holds up its own document alone: not the appender, not
// another document of another agency that a policy asks about.
func TestALookThatDoesNotEndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	c, seen := newCA(t), new(looks)
	w := world(t, hubtest.Config{AdjustAxis: c.trusted(false), AxisFaults: seen.at, Retry: quick}, "G22", "H41", "H41.11")
	signed, sound := "signed", "sound"
	set(t, w, operator.SetPolicy{SentFiles: &sound})
	unasked := "label"
	set(t, w, operator.SetPolicy{Code: "H41.11", SentFiles: &unasked})

	hold := make(chan struct{})
	seen.hold.Store(&hold)
	good := named{"ký.pdf", c.signed()}
	held := sendNamed(t, w.Member("G22"), "H41", named{"thường.pdf", unsignedPDF()})
	eventually(t, "the look begins", func() error {
		if seen.before.Load() == 0 {
			return errors.New("it has not")
		}
		return nil
	})
	wait(t, w.Member("H41"), sendNamed(t, w.Member("H41"), "G22", good), axispb.State_STATE_CONSIGNED)
	wait(t, w.Member("H41.11"), sendNamed(t, w.Member("H41.11"), "G22", good), axispb.State_STATE_CONSIGNED)

	// What the policy has come to ask meanwhile counts for what is decided after it.
	set(t, w, operator.SetPolicy{SentFiles: &signed})
	close(hold)
	if got := rejectedFor(t, w, w.Member("G22"), held); got != "FILE_UNSIGNED" {
		t.Errorf("refused for %s", got)
	}
	checked(t, w)
}

// Large files that ask for much work are looked at, and others move meanwhile.
func TestHostileFilesAreLabelled(t *testing.T) {
	t.Parallel()
	c := newCA(t)
	var silence atomic.Bool
	w := world(t, hubtest.Config{AdjustAxis: c.trusted(false), EndpointFaults: deaf("G22", &silence), Retry: quick}, "G22", "H41")
	silence.Store(true) // the endpoint would not seal it
	sound := "sound"
	set(t, w, operator.SetPolicy{Code: "G22", SentFiles: &sound})
	var startless bytes.Buffer
	startless.WriteString("%PDF-1.7\n")
	for startless.Len() < 5<<20 {
		startless.WriteString("1 0 obj\n<<" + strings.Repeat("[", 60) + "\nstartxref\n9\n%%EOF\n")
	}
	large := sendNamed(t, w.Member("G22"), "H41", named{"lớn.pdf", startless.Bytes()})
	small := sendNamed(t, w.Member("H41"), "G22", named{"lồng.pdf", []byte("%PDF-" + strings.Repeat("<<", 100_000))})
	wait(t, w.Member("H41"), small, axispb.State_STATE_ACCEPTED)
	if f := labelled(t, w, small, whatever).Files[0]; f.Label != "unreadable" {
		t.Errorf("%+v", f)
	}
	if got := rejectedFor(t, w, w.Member("G22"), large); got != "FILE_PROBLEM" {
		t.Errorf("refused for %s", got)
	}
	silence.Store(false)
	checked(t, w)
}
