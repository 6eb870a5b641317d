package pades_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"testing"
	"time"

	"docaxis/internal/sealtest"
	"docaxis/signing"
	"docaxis/signing/pades"
	"docaxis/signing/pades/padestest"
	"docaxis/signing/signingtest"
)

// authority stamps sealtest.At, the moment at which everybody signs.
func authority(t *testing.T) *signingtest.TimestampAuthority {
	t.Helper()
	root, err := signingtest.NewRoot("Time", sealtest.NotBefore, sealtest.NotAfter)
	if err != nil {
		t.Fatal(err)
	}
	a, err := root.NewTimestampAuthority("TSA", func() time.Time { return sealtest.At })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// stamp is a document timestamp.
func stamp(t *testing.T, a *signingtest.TimestampAuthority) padestest.Sig {
	return padestest.Sig{Field: "Time", SubFilter: "ETSI.RFC3161", Value: func(content []byte) []byte {
		digest := sha256.Sum256(content)
		request, err := signing.TimestampRequest(crypto.SHA256, digest[:], nil)
		if err != nil {
			t.Fatal(err)
		}
		token, err := signing.ReadTimestampResponse(a.Respond(request))
		if err != nil {
			t.Fatal(err)
		}
		return token
	}}
}

// store adds certificates and lists to the document's store.
func store(d *padestest.Doc, key string, ders ...[]byte) {
	var nums []int
	for _, der := range ders {
		num := d.Take()
		d.PutStream(num, "/Filter/FlateDecode", padestest.Deflate(der))
		nums = append(nums, num)
	}
	d.Root["DSS"] = fmt.Sprintf("<</%s%s>>", key, padestest.Refs(nums))
	d.PutRoot()
	d.End()
}

// TestKeptForLong: a person and the agency sign, certificates are added, a
// timestamp closes it. Years later, when the signers' certificates have expired,
// the timestamp still proves that they had not when they signed.
func TestKeptForLong(t *testing.T) {
	w, a := newWorld(t), authority(t)
	brief := func(c *x509.Certificate) { c.NotAfter = sealtest.At.Add(time.Hour) }
	w.person = sealtest.Issue(t, w.root, "Nguyễn Văn Thử", sealtest.P256(t), brief)
	d := w.signedTwice(false)
	store(d, "Certs", w.root.Certificate().Raw)
	unstamped := d.Clone()
	d.Sign(stamp(t, a))

	late := w.options()
	late.At = sealtest.At.AddDate(5, 0, 0)
	late.Timestamping = signing.NewTrust([]*x509.Certificate{a.Chain[len(a.Chain)-1]}, nil)
	found := inspectBy(t, d.B, late)
	if found.Label != pades.Valid || len(found.Signatures) != 3 || len(found.Validation.Certificates) != 1 {
		t.Fatalf("%s: %s, %+v", found.Label, found.Trouble, found.Signatures)
	}
	for _, s := range found.Signatures[:2] {
		when, proven := s.When()
		if s.Verdict.TimeSource != signing.TimeTimestamp || !proven || when.After(sealtest.At.Add(time.Minute)) {
			t.Errorf("%s: %s %v", s.Field, s.Verdict.TimeSource, when)
		}
		if !has(s.Changes, pades.ChangeTimestamp) || !has(s.Changes, pades.ChangeValidation) {
			t.Errorf("%v", s.Changes)
		}
	}
	if s := found.Signatures[2]; s.Kind != pades.Timestamp || !s.Token.Time.Equal(sealtest.At) || !s.WholeFile {
		t.Errorf("%+v", s)
	}

	if s := inspectBy(t, unstamped.B, late).Signatures[0]; s.Verdict.SubIndication != signing.OutOfBoundsNoPOE {
		t.Errorf("without the timestamp: %s", s.Verdict.SubIndication)
	}
	late.Timestamping = nil
	found = inspectBy(t, d.B, late)
	if s := found.Signatures[0]; s.Verdict.SubIndication != signing.OutOfBoundsNoPOE {
		t.Errorf("by an authority that nobody believes: %s", s.Verdict.SubIndication)
	}
	late.At = sealtest.At
	if found = inspectBy(t, d.B, late); found.Label != pades.Valid {
		t.Errorf("a timestamp that cannot be judged: %s", found.Label)
	}
}

// TestATimestampOfOtherBytes proves nothing, and is a problem.
func TestATimestampOfOtherBytes(t *testing.T) {
	w, a := newWorld(t), authority(t)
	s := stamp(t, a)
	right := s.Value
	s.Value = func(content []byte) []byte { return right(content[1:]) }
	d := padestest.NewDoc().End().Sign(w.by("Person", w.person)).Sign(s)
	o := w.options()
	o.Timestamping = signing.NewTrust([]*x509.Certificate{a.Chain[len(a.Chain)-1]}, nil)
	found := inspectBy(t, d.B, o)
	if v := found.Signatures[1].Verdict; found.Label != pades.Problem || v.SubIndication != signing.HashFailure {
		t.Errorf("%s: %s", found.Label, v.SubIndication)
	}
	if s := found.Signatures[0]; !s.Verdict.Passed() || s.Verdict.TimeSource == signing.TimeTimestamp {
		t.Errorf("%s by %s", s.Verdict.Indication, s.Verdict.TimeSource)
	}
}

// TestATimestampAlone says when, not who.
func TestATimestampAlone(t *testing.T) {
	w := newWorld(t)
	found := w.inspect(padestest.NewDoc().End().Sign(stamp(t, authority(t))).B)
	if found.Label != pades.Unsigned || len(found.Signatures) != 1 || found.Sentence("vi") == found.Sentence("en") {
		t.Errorf("%s: %+v", found.Label, found.Signatures)
	}
}

// TestTheStoreKnowsRevocation: a list in the file is used where the caller asks.
func TestTheStoreKnowsRevocation(t *testing.T) {
	w := newWorld(t)
	root, err := signingtest.NewRoot("Root", sealtest.NotBefore, sealtest.NotAfter)
	if err != nil {
		t.Fatal(err)
	}
	id, err := root.Issue("Nguyễn Văn Thử", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := signing.Options{At: sealtest.At, Anchors: []*x509.Certificate{root.Certificate()}, Revocation: &signing.Revocation{}}
	for name, tt := range map[string]struct {
		revoked []signingtest.Revoked
		passed  bool
	}{
		"not revoked": {nil, true},
		"revoked":     {[]signingtest.Revoked{{Certificate: id.Certificate(), At: sealtest.At.Add(-time.Hour)}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := root.CRL(sealtest.At.Add(-time.Minute), sealtest.At.Add(time.Hour), tt.revoked, nil)
			if err != nil {
				t.Fatal(err)
			}
			d := padestest.NewDoc().End().Sign(w.by("Person", sealtest.Seal{Key: id.Key, Chain: id.Chain}))
			if v := inspectBy(t, d.B, o).Signatures[0].Verdict; v.SubIndication != signing.TryLater {
				t.Errorf("without a list: %s", v.SubIndication)
			}
			store(d, "CRLs", list, []byte("no list"))
			found := inspectBy(t, d.B, o)
			if v := found.Signatures[0].Verdict; v.Passed() != tt.passed || len(v.Revocation) != 1 || len(found.Validation.CRLs) != 2 {
				t.Errorf("%s: %s, %d lists", v.SubIndication, v.Detail, len(found.Validation.CRLs))
			}
		})
	}
}

func inspectBy(t testing.TB, b []byte, o signing.Options) *pades.Document {
	t.Helper()
	d, err := pades.Inspect(bytes.NewReader(b), int64(len(b)), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
