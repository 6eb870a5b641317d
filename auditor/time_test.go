package auditor_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"google.golang.org/protobuf/proto"

	"docaxis/auditor"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
	"docaxis/signing"
	"docaxis/signing/signingtest"
)

// stamper makes time proofs of an axis's first record, right ones and wrong ones.
type stamper struct {
	*axis
	sent, other *axispb.Record
	seal        signingtest.Identity
	tsa         *signingtest.TimestampAuthority
	checkpoint  []byte
	inclusion   [][]byte
}

func newStamper(a *axis) *stamper {
	a.t.Helper()
	s := &stamper{axis: a, seal: a.endpoint(a.ca, evidence.AxisIssuer)}
	s.sent = a.record(axispb.Kind_KIND_DOCUMENT, a.example("envelope"), &axispb.Decision{Endpoint: "g02", Document: &axispb.DocumentDecision{Rows: 1}})
	s.other = a.record(axispb.Kind_KIND_ACT, []byte("x"), &axispb.Decision{})
	leaves := [2]tlog.Hash{evidence.LeafHash(s.sent.Header), evidence.LeafHash(s.other.Header)}
	s.checkpoint = a.signed(origin, tlog.NodeHash(leaves[0], leaves[1]), a.signer)
	s.inclusion = [][]byte{leaves[1][:]}
	tsa, err := a.root.NewTimestampAuthority("Giờ thử", func() time.Time { return at })
	a.must(err)
	s.tsa = tsa
	return s
}

func (a *axis) signed(origin string, root tlog.Hash, by note.Signer) []byte {
	a.t.Helper()
	signed, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n2\n%s\n", origin, root)}, by)
	a.must(err)
	return signed
}

// stamp asks an authority for a time-stamp of a signature.
func (s *stamper) stamp(signature []byte) []byte {
	s.t.Helper()
	stamped, err := signing.AddTimestamp(signature, 0, func(value []byte) ([]byte, error) {
		digest := sha256.Sum256(value)
		request, err := signing.TimestampRequest(crypto.SHA256, digest[:], nil)
		s.must(err)
		return signing.ReadTimestampResponse(s.tsa.Respond(request))
	})
	s.must(err)
	return stamped
}

func (s *stamper) sign(content []byte) []byte {
	s.t.Helper()
	signature, err := signing.Sign(content, s.seal.Key, s.seal.Chain)
	s.must(err)
	return signature
}

// proof is the time proof as it stands now.
func (s *stamper) proof(seal []byte, r *axispb.Record) []byte {
	s.t.Helper()
	sealed := s.marshal(&axispb.SealedCheckpoint{Version: 1, Checkpoint: s.checkpoint, Seal: seal})
	proof, err := evidence.NewTimeProof(sealed, r, 0, s.inclusion)
	s.must(err)
	return proof
}

// good is a proof in which everything is right but what was changed before.
func (s *stamper) good() []byte { return s.proof(s.stamp(s.sign(s.checkpoint)), s.sent) }

// put writes the record with its receipt, the epoch and a time proof.
func (s *stamper) folder(name string, proof []byte) string {
	s.t.Helper()
	dir := s.write(name, s.sent, s.other)
	s.put(filepath.Join(name, "0.time"), proof)
	return dir
}

func (s *stamper) anchored(more ...*x509.Certificate) auditor.Options {
	o := s.options()
	o.At = at.Add(time.Hour)
	o.Anchors = append([]*x509.Certificate{s.ca.Certificate(), s.certificate("seal.crt")}, more...)
	return o
}

// TestTimeProofs: each thing that may be wrong has its answer, and a seal is judged at
// the best time that is proven.
func TestTimeProofs(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	authority := func(s *stamper, key crypto.Signer, change func(*x509.Certificate), off time.Duration) {
		id, err := s.root.Issue("Giờ thử", key, change)
		s.must(err)
		s.tsa = &signingtest.TimestampAuthority{Identity: id, Now: func() time.Time { return at.Add(off) }}
	}
	for i, tt := range []struct {
		name   string
		make   func(s *stamper) []byte
		sub    signing.SubIndication
		result auditor.Result
		source signing.TimeSource // of the document's seal
	}{
		{"it holds", (*stamper).good, "", auditor.Passed, signing.TimeTimestamp},
		{"stamped a minute before, by the authority's clock", func(s *stamper) []byte {
			authority(s, nil, signingtest.Timestamping, -time.Minute)
			return s.good()
		}, "", auditor.Passed, signing.TimeTimestamp},
		{"stamped at this very moment", func(s *stamper) []byte {
			authority(s, nil, signingtest.Timestamping, time.Hour)
			return s.good()
		}, "", auditor.Passed, signing.TimeTimestamp},
		{"another place", func(s *stamper) []byte {
			flip(s.inclusion[0])
			return s.good()
		}, signing.HashFailure, auditor.Failed, signing.TimeCheckpoint},
		{"another record", func(s *stamper) []byte { return s.proof(s.stamp(s.sign(s.checkpoint)), s.other) }, signing.HashFailure, auditor.Failed, signing.TimeCheckpoint},
		{"another log's checkpoint", func(s *stamper) []byte {
			skey, _, err := note.GenerateKey(rand.Reader, "axis.other.vn/1")
			s.must(err)
			signer, err := note.NewSigner(skey)
			s.must(err)
			s.checkpoint = s.signed("axis.other.vn/1", tlog.Hash{}, signer)
			return s.good()
		}, signing.NoCertificateChainFound, auditor.Indeterminate, signing.TimeCheckpoint},
		{"a checkpoint that the log did not sign", func(s *stamper) []byte {
			skey, _, err := note.GenerateKey(rand.Reader, origin)
			s.must(err)
			signer, err := note.NewSigner(skey)
			s.must(err)
			s.checkpoint = s.signed(origin, tlog.Hash{}, signer)
			return s.good()
		}, signing.SigCryptoFailure, auditor.Failed, signing.TimeCheckpoint},
		{"a seal of other bytes", func(s *stamper) []byte { return s.proof(s.stamp(s.sign([]byte("x"))), s.sent) }, signing.HashFailure, auditor.Failed, signing.TimeCheckpoint},
		{"a seal by an endpoint", func(s *stamper) []byte {
			s.seal = s.endpoint(s.ca, "h41")
			return s.good()
		}, signing.TryLater, auditor.Indeterminate, signing.TimeCheckpoint},
		{"a seal by a stranger who says that he is the axis", func(s *stamper) []byte {
			s.seal = s.endpoint(newAxis(s.world).ca, evidence.AxisIssuer)
			return s.good()
		}, signing.NoCertificateChainFound, auditor.Indeterminate, signing.TimeCheckpoint},
		{"no seal", func(s *stamper) []byte { return s.proof([]byte{0x30, 0}, s.sent) }, signing.FormatFailure, auditor.Failed, signing.TimeCheckpoint},
		{"no time-stamp", func(s *stamper) []byte { return s.proof(s.sign(s.checkpoint), s.sent) }, signing.NoPOE, auditor.Indeterminate, signing.TimeCheckpoint},
		{"a time-stamp of other bytes", func(s *stamper) []byte {
			seal := s.stamp(s.sign(s.checkpoint))
			v, err := signing.Verify(seal, s.checkpoint, signing.Options{At: at, Timestamping: signing.NewTrust(nil, nil)})
			s.must(err)
			other := bytes.Clone(v[0].Timestamps[0].Token.Digest)
			flip(other)
			return s.proof(bytes.Replace(seal, v[0].Timestamps[0].Token.Digest, other, 1), s.sent)
		}, signing.HashFailure, auditor.Failed, signing.TimeCheckpoint},
		{"a weak time-stamp", func(s *stamper) []byte {
			authority(s, weak, signingtest.Timestamping, 0)
			return s.good()
		}, signing.CryptoConstraintsFailure, auditor.Indeterminate, signing.TimeCheckpoint},
		{"a time-stamp by whoever may not", func(s *stamper) []byte {
			authority(s, nil, nil, 0)
			return s.good()
		}, signing.ChainConstraintsFailure, auditor.Indeterminate, signing.TimeCheckpoint},
		{"a time-stamp from before the record", func(s *stamper) []byte {
			authority(s, nil, signingtest.Timestamping, -time.Hour)
			return s.good()
		}, signing.TimestampOrderFailure, auditor.Indeterminate, signing.TimeCheckpoint},
		{"a time-stamp of tomorrow", func(s *stamper) []byte {
			authority(s, nil, signingtest.Timestamping, 24*time.Hour)
			return s.good()
		}, signing.TimestampOrderFailure, auditor.Indeterminate, signing.TimeCheckpoint},
	} {
		s := newStamper(newAxis(newWorld(t)))
		proof := tt.make(s)
		f := s.verify(filepath.Join(s.folder(fmt.Sprint("case", i), proof), "0"), s.anchored(s.tsa.Certificate()))
		all := map[string]auditor.Signature{}
		for _, sig := range f.Signatures {
			all[sig.For] = sig
		}
		proven, seal := all[auditor.ForTime], all[auditor.ForSeal]
		if f.Result != tt.result || proven.SubIndication != tt.sub || proven.Indication != tt.sub.Indication() || seal.TimeSource != tt.source || !(seal.Indication == signing.TotalPassed) {
			t.Errorf("%s: %s; time %s %s (%s); seal %s at %s", tt.name, f.Result, proven.Indication, proven.SubIndication, proven.Detail, seal.Indication, seal.TimeSource)
		}
		if tt.sub == "" && (len(proven.Timestamps) != 1 || !seal.Time.Equal(*proven.Time) || proven.Covers.Record.LeafIndex != 0) {
			t.Errorf("%s: %+v", tt.name, proven)
		}
	}
}

// TestWhoIsBelievedAboutTime: only whom the caller names.
func TestWhoIsBelievedAboutTime(t *testing.T) {
	s := newStamper(newAxis(newWorld(t)))
	path := filepath.Join(s.folder("p", s.good()), "0")
	for name, tt := range map[string]struct {
		anchors []*x509.Certificate
		sub     signing.SubIndication
	}{
		"nobody":             {nil, signing.NoCertificateChainFound},
		"the authority":      {[]*x509.Certificate{s.tsa.Certificate()}, ""},
		"who issued it only": {[]*x509.Certificate{s.root.Certificate()}, signing.TryLater},
	} {
		f := s.verify(path, s.anchored(tt.anchors...))
		i := 1 // after the receipt
		if got := f.Signatures[i]; got.For != auditor.ForTime || got.SubIndication != tt.sub {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestATimeStampThatCameLate takes nothing away: where the seal's certificate had ended
// by then, the log's own time counts.
func TestATimeStampThatCameLate(t *testing.T) {
	s := newStamper(newAxis(newWorld(t)))
	ended := s.certificate("seal.crt").NotAfter.Add(24 * time.Hour)
	root, err := signingtest.NewRoot("Gốc giờ", from, ended.AddDate(5, 0, 0))
	s.must(err)
	s.tsa, err = root.NewTimestampAuthority("Giờ thử", func() time.Time { return ended })
	s.must(err)
	ca, err := signingtest.NewRoot("CA của trục", from, ended.AddDate(5, 0, 0))
	s.must(err)
	s.ca, s.seal = ca, s.endpoint(ca, evidence.AxisIssuer)
	o := s.anchored(s.tsa.Certificate())
	o.At = ended.Add(time.Hour)
	f := s.verify(filepath.Join(s.folder("p", s.good()), "0"), o)
	proven, seal := f.Signatures[1], f.Signatures[2]
	if f.Result != auditor.Passed || proven.Indication != signing.TotalPassed || seal.TimeSource != signing.TimeCheckpoint {
		t.Errorf("%s; %+v; %+v", f.Result, proven, seal)
	}
}

// TestTimeProofsFindTheirRecord: by the digest, whatever they are named; and one by
// itself is none of anything.
func TestTimeProofsFindTheirRecord(t *testing.T) {
	s := newStamper(newAxis(newWorld(t)))
	dir := s.folder("p", s.good())
	o := s.anchored(s.tsa.Certificate())
	s.put("p/another name", s.good())
	f := s.verify(dir, o)
	if len(f.Within) != 3 || len(f.Within[1].Signatures) != 4 || f.Within[1].Signatures[1].For != auditor.ForTime || f.Within[1].Signatures[2].For != auditor.ForTime {
		t.Errorf("%+v", f)
	}
	if f := s.verify(filepath.Join(dir, "0.time"), o); f.Result != auditor.Passed || len(f.Signatures) != 3 {
		t.Errorf("named by itself: %+v", f)
	}
	s.put("alone/0.time", s.good())
	s.put("alone/epoch-1", s.epoch(at.UnixMilli()))
	if f := s.verify(filepath.Join(s.dir, "alone", "0.time"), o); f.Result != auditor.Indeterminate || len(f.Signatures) != 1 || f.Signatures[0].Indication != signing.TotalPassed {
		t.Errorf("without its record: %+v", f)
	}
}

// TestTheTimeOfWhatCameBack is that of the record that carries it now.
func TestTheTimeOfWhatCameBack(t *testing.T) {
	s := newStamper(newAxis(newWorld(t)))
	past, err := evidence.NewRecovered(s.example("envelope"), s.example("receipt"))
	s.must(err)
	s.sent = s.record(axispb.Kind_KIND_RECOVERED, past, &axispb.Decision{})
	leaves := [2]tlog.Hash{evidence.LeafHash(s.sent.Header), evidence.LeafHash(s.other.Header)}
	s.checkpoint = s.signed(origin, tlog.NodeHash(leaves[0], leaves[1]), s.signer)
	good := s.good()
	s.put("p/epoch-1", s.epoch(at.UnixMilli()))
	s.put("p/0", s.example("envelope"))
	s.put("p/0.receipt", s.example("receipt"))
	var p axispb.TimeProof
	s.must(proto.Unmarshal(good, &p))
	p.Recovered = append(p.Recovered, 0x42, 0)
	for proof, want := range map[string]signing.SubIndication{string(good): "", string(s.marshal(&p)): signing.FormatFailure} {
		s.put("p/0.time", []byte(proof))
		f := s.verify(filepath.Join(s.dir, "p", "0"), s.anchored(s.tsa.Certificate()))
		got := map[string]auditor.Signature{}
		for _, sig := range f.Signatures {
			got[sig.For] = sig
		}
		if got[auditor.ForTime].SubIndication != want || want == "" && got[auditor.ForSeal].TimeSource != signing.TimeTimestamp {
			t.Errorf("%q: %+v", want, f.Signatures)
		}
	}
}
