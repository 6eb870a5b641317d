package pades_test

import (
	"bytes"
	"crypto/x509"
	"testing"

	"docaxis/internal/sealtest"
	"docaxis/signing"
	"docaxis/signing/pades"
	"docaxis/signing/pades/padestest"
)

// FuzzInspect: whatever the bytes are, the answer is sound. What a signature is said to
// cover is a file of its own, in which that signature covers everything and whose
// verdict no later change lowers.
func FuzzInspect(f *testing.F) {
	w := newWorld(f)
	for _, b := range [][]byte{
		padestest.NewDoc().End().B,
		w.signedTwice(false).B,
		w.signedTwice(true).B,
		packed().Sign(w.by("Person", w.person)).B,
		linearised(true).B,
	} {
		f.Add(b)
	}
	for _, l := range []string{"a comment", "text of the page", "more certificates", "a hole that is filled"} {
		d := padestest.NewDoc()
		if before := laters[l].before; before != nil {
			before(d)
		}
		s := padestest.Sig{SubFilter: "ETSI.CAdES.detached", Room: 4, Value: func([]byte) []byte { return []byte{0x30, 0} }}
		d.End().Sign(s)
		laters[l].after(d)
		f.Add(d.End().B)
	}
	o := signing.Options{At: sealtest.At, Anchors: []*x509.Certificate{w.root.Certificate()}}
	f.Fuzz(func(t *testing.T, b []byte) {
		d := inspectBy(t, b, o)
		if d.Sentence("vi") == "" || d.Sentence("en") == "" || d.Label.Words("vi") == d.Label.Words("en") {
			t.Error("nothing to say")
		}
		for _, s := range d.Signatures {
			if s.Revision > 0 {
				mustCoverItsRevision(t, b, s, o)
			} else if s.Verdict.SubIndication != signing.FormatFailure {
				t.Errorf("covers nothing, and is %s", s.Verdict.SubIndication)
			}
		}
	})
}

func mustCoverItsRevision(t *testing.T, b []byte, s pades.Signature, o signing.Options) {
	t.Helper()
	then := inspectBy(t, b[:s.End], o)
	for _, e := range then.Signatures {
		if e.Revision == s.Revision && e.SubFilter == s.SubFilter && e.WholeFile {
			if s.Verdict.Passed() && !e.Verdict.Passed() {
				t.Errorf("passed only with what came later: %s", e.Verdict.Detail)
			}
			return
		}
	}
	t.Errorf("no such signature in the %d bytes it covers: %s %s", s.End, then.Label, then.Trouble)
}

// TestSignedRevisionsStandAlone is what the fuzz target asks, of real signatures.
func TestSignedRevisionsStandAlone(t *testing.T) {
	w := newWorld(t)
	b := w.signedTwice(false).B
	for _, s := range w.inspect(b).Signatures {
		mustCoverItsRevision(t, b, s, w.options())
		if d := w.inspect(bytes.Clone(b[:s.End])); d.Label != pades.Valid {
			t.Errorf("%s: %s", s.Field, d.Label)
		}
	}
}
