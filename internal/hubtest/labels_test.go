package hubtest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/axis/labels"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// The files of an accepted document are labelled, whatever they are, and nobody waits for
// it. The labels are made again where their file is gone, or is not one any more.
func TestFilesAreLabelled(t *testing.T) {
	t.Parallel()
	c := newCA(t)
	w := world(t, hubtest.Config{AdjustAxis: c.trusted(false), Retry: quick}, "G22", "H41")
	good := c.signed()
	id := sendNamed(t, w.Member("G22"), "H41", named{"ký.pdf", good}, named{"sửa.pdf", alteredPDF(good)}, named{"thường.pdf", unsignedPDF()},
		named{"hỏng.pdf", good[:len(good)/2]}, named{"gói.edxml", packed(t, good)}, named{"gói sửa.edxml", packed(t, alteredPDF(good))}, named{"chữ.txt", []byte("x")})
	wait(t, w.Member("G22"), id, axispb.State_STATE_CONSIGNED)
	first := labelled(t, w, id, whatever)
	for i, want := range []string{"valid", "problem", "unsigned", "unreadable", "valid", "problem", "unsigned"} {
		f := first.Files[i]
		if f.Label != want || f.English == "" || f.Vietnamese == "" {
			t.Errorf("%s: %+v, not %s", f.Name, f, want)
		}
	}
	s := first.Files[0].Signatures
	if len(s) != 1 || s[0].Signer != "Ủy ban nhân dân xã Thử" || s[0].Holder != "organisation" || s[0].Indication != "TOTAL-PASSED" || s[0].TimeSource != "checkpoint" {
		t.Errorf("its signature: %+v", s)
	}
	if bad := first.Files[1].Signatures[0]; bad.Indication != "TOTAL-FAILED" {
		t.Errorf("of the altered one: %+v", bad)
	}
	if in := first.Files[4].Within; len(in) != 1 || in[0].Label != "valid" || !strings.Contains(in[0].Name, "trong.pdf") {
		t.Errorf("within the package: %+v", in)
	}
	for what, harm := range map[string]func(string) error{
		"gone": os.Remove,
		"no database any more": func(path string) error {
			return os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o600)
		},
	} {
		stopped(t, w, func(dir string) error { return harm(filepath.Join(dir, labels.FileName)) })
		again := labelled(t, w, id, whatever)
		again.LookedMS = first.LookedMS
		if !reflect.DeepEqual(first, again) {
			t.Errorf("%s, and made again otherwise:\n%+v\n%+v", what, first, again)
		}
	}
	if s, err := w.Hub().Status(t.Context()); err != nil || s.Signatures.Anchors != 1 || s.Signatures.Backlog+s.Signatures.Again > 0 || s.Signatures.Trouble != "" {
		t.Errorf("status %+v, %v", s.Signatures, err)
	}
	checked(t, w)
}

// Labels that were made stay when the content goes; none are made of what is gone.
func TestLabelsOutliveTheContent(t *testing.T) {
	t.Parallel()
	c := newCA(t)
	l := newLate(t, hubtest.Config{AdjustAxis: c.trusted(false)}, "G22", "H41")
	id := sendNamed(t, l.Member("G22"), "H41", named{"ký.pdf", c.signed()})
	wait(t, l.Member("G22"), id, axispb.State_STATE_CONSIGNED)
	before := labelled(t, l.World, id, whatever)
	l.at(401, "G22", "H41")
	l.release(1, 0)
	stopped(t, l.World, func(string) error { return nil })
	if after := labelled(t, l.World, id, whatever); !reflect.DeepEqual(before, after) {
		t.Errorf("other labels: %+v", after)
	}
	stopped(t, l.World, func(dir string) error { return os.Remove(filepath.Join(dir, labels.FileName)) })
	if gone := labelled(t, l.World, id, whatever); len(gone.Files) > 0 || gone.AgainMS > 0 {
		t.Errorf("labels of what is gone: %+v", gone)
	}
}

// The authorities do not answer for a week: documents move as ever, their labels say
// that it is not known, and the operator sees who is gone. When they answer, the labels
// follow by themselves.
func TestAuthoritiesAreAwayForAWeek(t *testing.T) {
	t.Parallel()
	c := newCA(t)
	l := newLate(t, hubtest.Config{AdjustAxis: c.trusted(true)}, "G22", "H41")
	subOf := func(sub string) func(*operator.Labels) error {
		return func(labels *operator.Labels) error {
			if got := labels.Files[0].Signatures[0].SubIndication; got != sub {
				return fmt.Errorf("it is %q, not %q", got, sub)
			}
			return nil
		}
	}
	var sent []string
	for day := range 7 {
		l.at(float64(day))
		id := sendNamed(t, l.Member("G22"), "H41", named{"ký.pdf", c.signed()})
		wait(t, l.Member("G22"), id, axispb.State_STATE_CONSIGNED)
		labelled(t, l.World, id, subOf("TRY_LATER"))
		sent = append(sent, id)
	}
	eventually(t, "the operator sees who does not answer", func() error {
		s, err := l.Hub().Status(t.Context())
		if err == nil && (len(s.Signatures.Unreachable) != 1 || s.Signatures.Again != 7 || s.Signatures.Unreachable[0].WhyVI == "") {
			err = fmt.Errorf("%+v", s.Signatures)
		}
		return err
	})
	if c.wasAsked() == 0 {
		t.Error("nobody asked the authority")
	}
	c.answers(time.Now().Add(7 * 24 * time.Hour))
	days := 7.0
	for _, id := range sent {
		labelled(t, l.World, id, func(labels *operator.Labels) error {
			err := subOf("")(labels)
			if err == nil && labels.Files[0].Label != "valid" {
				err = errors.New(labels.Files[0].Label)
			}
			if err != nil {
				days += 1.0 / 48
				l.at(days)
			}
			return err
		})
	}
	checked(t, l.World)
}
