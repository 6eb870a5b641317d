package pades_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"docaxis/internal/sealtest"
	"docaxis/signing"
	"docaxis/signing/pades"
	"docaxis/signing/pades/padestest"
)

// TestByteRanges: a range that leaves out more or less than Contents, or does not
// reach from the first byte to the end of a revision, signs another file.
func TestByteRanges(t *testing.T) {
	w := newWorld(t)
	for name, spoil := range map[string]func(*[4]int64){
		"begins late":                 func(r *[4]int64) { r[0]++; r[1]-- },
		"begins late, and is as long": func(r *[4]int64) { r[0]++ },
		"begins before":               func(r *[4]int64) { r[0] = -1 },
		"gap begins early":            func(r *[4]int64) { r[1]-- },
		"gap begins late":             func(r *[4]int64) { r[1]++ },
		"gap ends early":              func(r *[4]int64) { r[2]--; r[3]++ },
		"gap ends late":               func(r *[4]int64) { r[2]++; r[3]-- },
		"without the brackets":        func(r *[4]int64) { r[1]++; r[2]--; r[3]++ },
		"ranges overlap":              func(r *[4]int64) { r[2], r[3] = r[1]-10, r[3]+r[2]-r[1]+10 },
		"ranges turned round":         func(r *[4]int64) { r[0], r[1], r[2], r[3] = r[2], r[3], r[0], r[1] },
		"nothing behind":              func(r *[4]int64) { r[3] = 0 },
		"ends early":                  func(r *[4]int64) { r[3] -= 7 },
		"ends before %%EOF":           func(r *[4]int64) { r[3] -= 6 },
		"ends behind the file":        func(r *[4]int64) { r[3]++ },
		"overflows":                   func(r *[4]int64) { r[3] = 1<<63 - 1 },
		"negative":                    func(r *[4]int64) { r[3] = -r[3] },
		"all zero":                    func(r *[4]int64) { *r = [4]int64{} },
	} {
		t.Run(name, func(t *testing.T) {
			s := w.by("Person", w.person)
			s.Spoil = spoil
			d := w.inspect(padestest.NewDoc().End().Sign(s).B)
			mustBeRefused(t, d)
		})
	}
}

func mustBeRefused(t *testing.T, d *pades.Document) {
	t.Helper()
	if len(d.Signatures) != 1 {
		t.Fatalf("%s (%s): %d signatures", d.Label, d.Trouble, len(d.Signatures))
	}
	s := d.Signatures[0]
	if d.Label != pades.Problem || s.Verdict.SubIndication != signing.FormatFailure || s.Revision != 0 || s.WholeFile {
		t.Errorf("%s: %s (%s), revision %d", d.Label, s.Verdict.SubIndication, s.Verdict.Detail, s.Revision)
	}
	for _, lang := range []string{"vi", "en"} {
		if !strings.Contains(d.Sentence(lang), "PAdES") {
			t.Errorf("%q", d.Sentence(lang))
		}
	}
}

// TestRangesCutShort: an end without the last line end is what some programs sign.
func TestRangesCutShort(t *testing.T) {
	w := newWorld(t)
	s := w.by("Person", w.person)
	s.Spoil = func(r *[4]int64) { r[3]-- }
	d := w.inspect(padestest.NewDoc().End().Sign(s).B)
	if d.Label != pades.Valid || !d.Signatures[0].WholeFile {
		t.Errorf("%s: %+v", d.Label, d.Signatures)
	}
}

// TestDictionaries: what the dictionary of a signature may not be.
func TestDictionaries(t *testing.T) {
	w := newWorld(t)
	for name, dictionary := range map[string]string{
		"empty":                 "<<>>",
		"no dictionary":         "(signed)",
		"no range":              "<</SubFilter/ETSI.CAdES.detached/Contents<00>>>",
		"three numbers":         "<</SubFilter/ETSI.CAdES.detached/ByteRange[0 1 2]/Contents<00>>>",
		"six numbers":           "<</SubFilter/ETSI.CAdES.detached/ByteRange[0 1 2 3 4 5]/Contents<00>>>",
		"a range elsewhere":     "<</SubFilter/ETSI.CAdES.detached/ByteRange 6 0 R/Contents<00>>>",
		"numbers elsewhere":     "<</SubFilter/ETSI.CAdES.detached/ByteRange[0 6 0 R 6 0 R 6 0 R]/Contents<00>>>",
		"two ranges":            "<</SubFilter/ETSI.CAdES.detached/ByteRange[0 1 2 3]/ByteRange[0 1 2 3]/Contents<00>>>",
		"two ranges, disguised": "<</SubFilter/ETSI.CAdES.detached/ByteRange[0 1 2 3]/Byte#52ange[0 1 2 3]/Contents<00>>>",
		"no contents":           "<</SubFilter/ETSI.CAdES.detached/ByteRange[0 1 2 3]>>",
		"contents elsewhere":    "<</SubFilter/ETSI.CAdES.detached/ByteRange[0 1 2 3]/Contents 6 0 R>>",
		"half a range":          "<</SubFilter/ETSI.CAdES.detached/ByteRange[0 1.5 2 3]/Contents<00>>>",
	} {
		t.Run(name, func(t *testing.T) {
			s := w.by("Person", w.person)
			s.Dictionary = dictionary
			d := padestest.NewDoc().End()
			d.PutSignature(s)
			found := w.inspect(d.End().B)
			if name == "no dictionary" && found.Label == pades.Unreadable {
				return
			}
			mustBeRefused(t, found)
		})
	}
}

// TestTwoAnswers: a dictionary with two answers to one question lets two readers see
// different signatures, however good one of them is.
func TestTwoAnswers(t *testing.T) {
	w := newWorld(t)
	for _, extra := range []string{"/ByteRange[0 1 2 3]", "/Byte#52ange[0 1 2 3]", "/Contents<3000>", "/SubFilter/adbe.pkcs7.detached"} {
		s := w.by("Person", w.person)
		s.Extra = extra
		mustBeRefused(t, w.inspect(padestest.NewDoc().End().Sign(s).B))
	}
}

// TestASignatureDressedAsATimestamp is a signature: it counts, and proves no time.
func TestASignatureDressedAsATimestamp(t *testing.T) {
	w := newWorld(t)
	stranger := w.by("Stranger", sealtest.New(t, sealtest.Root(t, "Other"), "Other"))
	for name, s := range map[string]padestest.Sig{"passed": w.by("Person", w.person), "not passed": stranger} {
		d := padestest.NewDoc().End().Sign(w.by("Agency", w.agency))
		d.Type = "DocTimeStamp"
		found := w.inspect(d.Sign(s).B)
		if want := map[string]pades.Label{"passed": pades.Valid, "not passed": pades.Problem}[name]; found.Label != want {
			t.Errorf("%s: %s %+v", name, found.Label, found.Signatures)
		}
		if k := found.Signatures[1].Kind; k != pades.Approval {
			t.Errorf("%s: %s", name, k)
		}
	}
}

// TestMoreThanAreJudged: a document with more signatures than are judged is not called
// valid, however good those are.
func TestMoreThanAreJudged(t *testing.T) {
	w := newWorld(t)
	d := padestest.NewDoc().End()
	s := w.by("Person", w.person)
	s.Room = 1500
	for range 64 {
		d.Sign(s)
	}
	if found := w.inspect(d.B); found.Label != pades.Valid {
		t.Fatalf("%s: %s", found.Label, found.Trouble)
	}
	if found := w.inspect(d.Sign(s).B); found.Label != pades.Problem || found.Left != 1 || !strings.Contains(found.Sentence("vi"), "1 chữ ký") {
		t.Errorf("%s: %d left, %s", found.Label, found.Left, found.Sentence("vi"))
	}
}

// TestForms: forms of signatures that are not judged are named.
func TestForms(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		form string
		sub  signing.SubIndication
		word string
	}{
		{"adbe.pkcs7.sha1", signing.CryptoConstraintsFailure, "adbe.pkcs7.sha1"},
		{"adbe.x509.rsa_sha1", signing.CryptoConstraintsFailure, "adbe.x509.rsa_sha1"},
		{"adbe.pkcs7.detached", "", "Nguyễn Văn Thử"},
		{"ETSI.CAdES.detached", "", "Nguyễn Văn Thử"},
		{"ETSI.RFC3162", signing.FormatFailure, "PAdES"},
	} {
		t.Run(tt.form, func(t *testing.T) {
			s := w.by("Person", w.person)
			s.SubFilter = tt.form
			d := w.inspect(padestest.NewDoc().End().Sign(s).B)
			v := d.Signatures[0]
			if v.Verdict.SubIndication != tt.sub || string(v.SubFilter) != tt.form || !v.WholeFile {
				t.Errorf("%+v", v)
			}
			for _, lang := range []string{"vi", "en"} {
				if s := d.Sentence(lang); !strings.Contains(s, tt.word) {
					t.Errorf("%q", s)
				}
			}
		})
	}
}

// TestValues: what may stand in Contents beside one signature.
func TestValues(t *testing.T) {
	w := newWorld(t)
	good := w.by("Person", w.person)
	for name, tt := range map[string]struct {
		value func(content []byte) []byte
		sub   signing.SubIndication
	}{
		"nothing":        {func([]byte) []byte { return nil }, signing.FormatFailure},
		"noise":          {func([]byte) []byte { return []byte("noise") }, signing.FormatFailure},
		"noise behind":   {func(c []byte) []byte { return append(good.Value(c), 0, 0, 1) }, signing.FormatFailure},
		"two signatures": {func(c []byte) []byte { return append(good.Value(c), good.Value(c)...) }, signing.FormatFailure},
		"of other bytes": {func(c []byte) []byte { return good.Value(c[1:]) }, signing.HashFailure},
	} {
		t.Run(name, func(t *testing.T) {
			s := good
			s.Value = tt.value
			d := w.inspect(padestest.NewDoc().End().Sign(s).B)
			if v := d.Signatures[0].Verdict; v.SubIndication != tt.sub || d.Label != pades.Problem {
				t.Errorf("%s: %s", v.SubIndication, v.Detail)
			}
		})
	}
}

// TestEveryByteIsCovered: a change of any byte outside Contents is seen.
func TestEveryByteIsCovered(t *testing.T) {
	w := newWorld(t)
	s := w.by("Person", w.person)
	s.Room = 1500
	b := padestest.NewDoc().End().Sign(s).B
	gap := [2]int{bytes.Index(b, []byte("/Contents<")) + 9, bytes.LastIndex(b, []byte(">>>"))}
	for i := range b {
		if i >= gap[0] && i <= gap[1] {
			continue
		}
		changed := bytes.Clone(b)
		changed[i] ^= 1
		if d := w.inspect(changed); d.Label == pades.Valid {
			t.Errorf("byte %d of %d (%q): %s", i, len(b), b[max(0, i-20):min(len(b), i+20)], d.Label)
		}
	}
}

// TestTruncated: no beginning of a signed file is a signed file, but for the
// revisions that it once was.
func TestTruncated(t *testing.T) {
	w := newWorld(t)
	b := w.signedTwice(false).B
	ends := map[int]bool{len(b): true, len(b) - 1: true}
	for i := 0; i < len(b)-5; i++ {
		if string(b[i:i+5]) == "%%EOF" {
			ends[i+5], ends[i+6] = true, true
		}
	}
	for n := 0; n < len(b); n += 1 + n%7*len(b)/2000 {
		if d := w.inspect(b[:n]); !ends[n] && d.Label != pades.Unreadable && d.Label != pades.Problem {
			t.Errorf("%d of %d bytes: %s", n, len(b), d.Label)
		}
	}
}

// TestOneSignatureTwice: a field that shows another field's signature has none.
func TestOneSignatureTwice(t *testing.T) {
	w := newWorld(t)
	d := padestest.NewDoc().End().Sign(w.by("Person", w.person))
	num := d.Take()
	d.Put(num, fmt.Sprintf("<</FT/Sig/T(Again)/V %d 0 R>>", padestest.FirstFree+1))
	d.Fields = append(d.Fields, num)
	d.PutRoot()
	found := w.inspect(d.End().B)
	if found.Label != pades.Problem || len(found.Signatures) != 2 {
		t.Fatalf("%s: %+v", found.Label, found.Signatures)
	}
	if v := found.Signatures[1].Verdict; v.SubIndication != signing.FormatFailure {
		t.Errorf("%s: %s", v.SubIndication, v.Detail)
	}
}
