package auditor_test

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"docaxis/auditor"
	"docaxis/proto/axispb"
	"docaxis/signing"
)

// named are the signatures of a folder's files, by file and what they are for.
func named(f auditor.File) map[string]auditor.Signature {
	all := map[string]auditor.Signature{}
	for _, w := range f.Within {
		for _, s := range w.Signatures {
			all[w.File+" "+s.For] = s
		}
	}
	return all
}

const (
	sealed    = "000003-envelope"
	consigned = "000006-evidence-ContentConsignment"
)

func TestAFolderOfProofs(t *testing.T) {
	w := newWorld(t)
	dir, anchors := w.proofs("proofs")
	o := w.options()
	o.Anchors = anchors
	f := w.verify(dir, o)
	w.want("folder", f, answer{auditor.KindFolder, auditor.Passed, ""})
	all := named(f)
	for _, name := range []string{"epoch-1 epoch", sealed + " receipt", sealed + " seal", consigned + " receipt", consigned + " statement"} {
		if s, ok := all[name]; !ok || s.Indication != signing.TotalPassed || len(s.Chain) == 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
	seal, receipt := all[sealed+" seal"], all[sealed+" receipt"]
	if seal.TimeSource != signing.TimeCheckpoint || !seal.Time.Equal(*receipt.Time) {
		t.Errorf("the seal is judged at %v (%s), not at %v", seal.Time, seal.TimeSource, receipt.Time)
	}
	if r := receipt.Covers.Record; r == nil || *r != (auditor.Record{Origin: "axis.example.vn/1", Epoch: 1, LeafIndex: 3, Kind: "document"}) {
		t.Errorf("%+v", r)
	}
	if len(all) != 5 || len(f.PassedOver) != 2 {
		t.Errorf("%d proofs, passed over %v", len(all), f.PassedOver)
	}
}

// TestTrustInProofs: what lies in the folder vouches for nothing in it.
func TestTrustInProofs(t *testing.T) {
	w := newWorld(t)
	dir, anchors := w.proofs("proofs")
	o := w.options()
	for name, tt := range map[string]struct {
		anchors []*x509.Certificate
		passed  []string
	}{
		"nobody":            {nil, nil},
		"another authority": {[]*x509.Certificate{w.root.Certificate()}, nil},
		"the axis alone":    {anchors[:1], []string{"epoch-1 epoch", sealed + " receipt", consigned + " receipt", consigned + " statement"}},
		"the seal alone":    {anchors[1:], []string{sealed + " seal"}},
	} {
		o.Anchors = tt.anchors
		f := w.verify(dir, o)
		if f.Result != auditor.Indeterminate {
			t.Errorf("%s: %s", name, f.Result)
		}
		passed := 0
		for _, s := range named(f) {
			if s.Indication == signing.TotalPassed {
				passed++
			} else if s.SubIndication != signing.NoCertificateChainFound {
				t.Errorf("%s: %s", name, s.SubIndication)
			}
		}
		if passed != len(tt.passed) {
			t.Errorf("%s: %d passed", name, passed)
		}
		for _, want := range tt.passed {
			if s := named(f)[want]; s.Indication != signing.TotalPassed {
				t.Errorf("%s: %s is %s", name, want, s.SubIndication)
			}
		}
	}
}

// change changes one message in place.
func change[M proto.Message](t *testing.T, path string, m M, change func(M)) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err == nil {
		err = proto.Unmarshal(raw, m)
	}
	if err != nil {
		t.Fatal(err)
	}
	change(m)
	if raw, err = proto.Marshal(m); err == nil {
		err = os.WriteFile(path, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func flip(b []byte) { b[len(b)-1] ^= 1 }

func TestProofsThatWereChanged(t *testing.T) {
	for _, tt := range []struct {
		name   string
		spoil  func(t *testing.T, dir string)
		result auditor.Result
		proof  string
		sub    signing.SubIndication
	}{
		{"the envelope", func(t *testing.T, dir string) {
			change(t, filepath.Join(dir, sealed), new(axispb.Envelope), func(e *axispb.Envelope) { e.Document = bytes.Replace(e.Document, []byte("H41"), []byte("H42"), 1) })
		}, auditor.Failed, sealed + " receipt", signing.HashFailure},
		{"the envelope, to noise", func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, sealed), []byte{255, 0, 255}, 0o600); err != nil {
				t.Fatal(err)
			}
		}, auditor.Failed, sealed + " receipt", signing.HashFailure},
		{"the statement", func(t *testing.T, dir string) {
			change(t, filepath.Join(dir, consigned), new(axispb.Evidence), func(e *axispb.Evidence) {
				e.Statement = bytes.Replace(e.Statement, []byte("H41.11.05"), []byte("H41.11.06"), 1)
			})
		}, auditor.Failed, consigned + " statement", signing.SigCryptoFailure},
		{"the inclusion proof", func(t *testing.T, dir string) {
			change(t, filepath.Join(dir, sealed+".receipt"), new(axispb.Receipt), func(r *axispb.Receipt) { flip(r.Inclusion[0]) })
		}, auditor.Failed, sealed + " receipt", signing.HashFailure},
		{"the place", func(t *testing.T, dir string) {
			change(t, filepath.Join(dir, sealed+".receipt"), new(axispb.Receipt), func(r *axispb.Receipt) { r.LeafIndex++ })
		}, auditor.Failed, sealed + " receipt", signing.HashFailure},
		{"the checkpoint", func(t *testing.T, dir string) {
			change(t, filepath.Join(dir, sealed+".receipt"), new(axispb.Receipt), func(r *axispb.Receipt) {
				r.Checkpoint = bytes.Replace(r.Checkpoint, []byte("\n5\n"), []byte("\n6\n"), 1)
			})
		}, auditor.Failed, sealed + " receipt", signing.SigCryptoFailure},
		{"the decision", func(t *testing.T, dir string) {
			change(t, filepath.Join(dir, sealed+".receipt"), new(axispb.Receipt), func(r *axispb.Receipt) { flip(r.Decision) })
		}, auditor.Failed, sealed + " receipt", signing.FormatFailure},
		{"the epoch", func(t *testing.T, dir string) {
			change(t, filepath.Join(dir, "epoch-1"), new(axispb.SignedEpoch), func(e *axispb.SignedEpoch) { flip(e.Signature) })
		}, auditor.Indeterminate, "epoch-1 epoch", signing.NoCertificateChainFound},
		{"a receipt is away", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, consigned+".receipt")); err != nil {
				t.Fatal(err)
			}
		}, auditor.Indeterminate, consigned + " statement", ""},
		{"a record is away", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, consigned)); err != nil {
				t.Fatal(err)
			}
		}, auditor.Indeterminate, consigned + ".receipt receipt", ""},
		{"a receipt is noise", func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, consigned+".receipt"), []byte{255, 0, 255}, 0o600); err != nil {
				t.Fatal(err)
			}
		}, auditor.Unusable, consigned + " statement", ""},
		{"receipts are exchanged", func(t *testing.T, dir string) {
			a, b := filepath.Join(dir, sealed+".receipt"), filepath.Join(dir, consigned+".receipt")
			for _, move := range [][2]string{{a, a + "-"}, {b, a}, {a + "-", b}} {
				if err := os.Rename(move[0], move[1]); err != nil {
					t.Fatal(err)
				}
			}
		}, auditor.Passed, sealed + " receipt", ""},
	} {
		w := newWorld(t)
		dir, anchors := w.proofs("proofs")
		o := w.options()
		o.Anchors = anchors
		tt.spoil(t, dir)
		f := w.verify(dir, o)
		s, ok := named(f)[tt.proof]
		if f.Result != tt.result || !ok || s.SubIndication != tt.sub {
			t.Errorf("%s: %s, %s, %q: %+v", tt.name, f.Result, tt.proof, s.SubIndication, s)
		}
	}
}

// TestAProofByItself takes the epoch and its pair from beside it.
func TestAProofByItself(t *testing.T) {
	w := newWorld(t)
	dir, anchors := w.proofs("proofs[1]")
	o := w.options()
	o.Anchors = anchors
	for name, want := range map[string]answer{
		sealed:                 {auditor.KindRecord, auditor.Passed, ""},
		sealed + ".receipt":    {auditor.KindRecord, auditor.Passed, ""},
		consigned:              {auditor.KindRecord, auditor.Passed, ""},
		consigned + ".receipt": {auditor.KindRecord, auditor.Passed, ""},
		"epoch-1":              {auditor.KindEpoch, auditor.Passed, ""},
	} {
		w.want(name, w.verify(filepath.Join(dir, name), o), want)
	}
	w.must(os.Remove(filepath.Join(dir, "epoch-1")))
	w.want("without the epoch", w.verify(filepath.Join(dir, sealed), o), answer{auditor.KindRecord, auditor.Indeterminate, signing.NoCertificateChainFound})
	w.must(os.Remove(filepath.Join(dir, consigned+".receipt")))
	f := w.verify(filepath.Join(dir, consigned), o)
	w.want("evidence alone", f, answer{auditor.KindRecord, auditor.Indeterminate, ""})
	if len(f.Signatures) != 1 || f.Signatures[0].Indication != signing.TotalPassed {
		t.Errorf("the signature of evidence alone: %+v", f.Signatures)
	}
	alone := w.put("alone/receipt", w.example("receipt"))
	w.put("alone/epoch", w.example("epoch"))
	w.want("a receipt alone", w.verify(alone, o), answer{auditor.KindRecord, auditor.Indeterminate, ""})
}
