package evidence

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

func withEvent(ev axispb.Event, edit func(*axispb.Statement)) *axispb.Statement {
	s := consignment()
	s.Event = ev
	if edit != nil {
		edit(s)
	}
	return s
}

func giveReason(s *axispb.Statement) {
	s.Reason = &axispb.Reason{Code: axispb.ReasonCode_REASON_STORE_FAILED, Args: []string{"đĩa đầy"}}
}

// byAxis turns a statement into one of the axis.
func byAxis(s *axispb.Statement) {
	s.Issuer, s.Counter, s.Checkpoint = "axis", 0, nil
}

func TestStatementOfEachEventIsAccepted(t *testing.T) {
	w := newWorld(t)
	cases := map[string]*axispb.Statement{
		"consignment":           consignment(),
		"consignment failure":   withEvent(axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE, giveReason),
		"handover":              withEvent(axispb.Event_EVENT_CONTENT_HANDOVER, nil),
		"handover unread":       withEvent(axispb.Event_EVENT_CONTENT_HANDOVER, func(s *axispb.Statement) { s.ConfirmedUnread = true }),
		"handover failure":      withEvent(axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE, giveReason),
		"withdrawal":            withEvent(axispb.Event_EVENT_CONTENT_WITHDRAWAL, nil),
		"withdrawal and reason": withEvent(axispb.Event_EVENT_CONTENT_WITHDRAWAL, giveReason),
		"business state":        withEvent(axispb.Event_EVENT_BUSINESS_STATE, func(s *axispb.Statement) { s.BusinessState = "15" }),
		"rejection":             rejection(),
		"rejection of what had no manifest, sender or id": func() *axispb.Statement {
			s := rejection()
			s.Sender, s.EnvelopeId = "", ""
			return s
		}(),
		"deadline, by the axis": withEvent(axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE, func(s *axispb.Statement) {
			giveReason(s)
			byAxis(s)
		}),
		"seen in a later epoch": withEvent(axispb.Event_EVENT_CONTENT_HANDOVER, func(s *axispb.Statement) {
			s.Checkpoint.Epoch, s.Checkpoint.Size = 2, 3
		}),
	}
	for name, st := range cases {
		t.Run(name, func(t *testing.T) {
			signer := w.h41
			if st.Issuer == AxisIssuer {
				signer = w.axis
			}
			ev, err := signer.Sign(st)
			must(t, err)
			got, cert, err := w.trust.Statement(ev)
			must(t, err)
			if diff := cmp.Diff(st, got, protocmp.Transform()); diff != "" {
				t.Errorf("statement changed on the way:\n%s", diff)
			}
			if cert.Subject.CommonName != st.Issuer {
				t.Errorf("certificate of %q, want %q", cert.Subject.CommonName, st.Issuer)
			}
		})
	}
}

// Each edit breaks one rule of the format, and the statement is signed all the
// same: signing must refuse it, and so must who checks.
func TestStatementAgainstTheRulesIsRefused(t *testing.T) {
	w := newWorld(t)
	type edit = func(*axispb.Statement)
	cases := map[string]struct {
		base *axispb.Statement
		edit edit
	}{
		"version":                  {consignment(), func(s *axispb.Statement) { s.Version = 2 }},
		"no event":                 {consignment(), func(s *axispb.Statement) { s.Event = 0 }},
		"unknown event":            {consignment(), func(s *axispb.Statement) { s.Event = 9 }},
		"negative event number":    {consignment(), func(s *axispb.Statement) { s.Event = -2 }},
		"acceptance":               {consignment(), func(s *axispb.Statement) { s.Event = axispb.Event_EVENT_SUBMISSION_ACCEPTANCE }},
		"no issuer":                {consignment(), func(s *axispb.Statement) { s.Issuer = "" }},
		"no counter":               {consignment(), func(s *axispb.Statement) { s.Counter = 0 }},
		"counter without end":      {consignment(), func(s *axispb.Statement) { s.Counter = 1 << 63 }},
		"no time":                  {consignment(), func(s *axispb.Statement) { s.TimeMs = 0 }},
		"time before 1970":         {consignment(), func(s *axispb.Statement) { s.TimeMs = -1 }},
		"time without end":         {consignment(), func(s *axispb.Statement) { s.TimeMs = 1<<63 - 1 }},
		"no document":              {consignment(), func(s *axispb.Statement) { s.Document = nil }},
		"no epoch":                 {consignment(), func(s *axispb.Statement) { s.Document.Epoch = 0 }},
		"leaf without end":         {consignment(), func(s *axispb.Statement) { s.Document = &axispb.RecordRef{Epoch: 2, LeafIndex: 1 << 60} }},
		"no commitment":            {consignment(), func(s *axispb.Statement) { s.Commitment = nil }},
		"short commitment":         {consignment(), func(s *axispb.Statement) { s.Commitment = s.Commitment[:31] }},
		"no sender":                {consignment(), func(s *axispb.Statement) { s.Sender = "" }},
		"no id":                    {consignment(), func(s *axispb.Statement) { s.EnvelopeId = "" }},
		"long id":                  {consignment(), func(s *axispb.Statement) { s.EnvelopeId = strings.Repeat("0", 129) }},
		"line feed in sender":      {consignment(), func(s *axispb.Statement) { s.Sender = "G22\n01" }},
		"no manifest":              {consignment(), func(s *axispb.Statement) { s.ManifestDigest = nil }},
		"long manifest digest":     {consignment(), func(s *axispb.Statement) { s.ManifestDigest = make([]byte, 33) }},
		"no code":                  {consignment(), func(s *axispb.Statement) { s.Code = "" }},
		"envelope digest":          {consignment(), func(s *axispb.Statement) { s.EnvelopeDigest = digest("envelope") }},
		"reason when all is well":  {consignment(), giveReason},
		"reason for a handover":    {withEvent(axispb.Event_EVENT_CONTENT_HANDOVER, nil), giveReason},
		"no reason":                {consignment(), func(s *axispb.Statement) { s.Event = axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE }},
		"no reason for the DMS's":  {consignment(), func(s *axispb.Statement) { s.Event = axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE }},
		"no checkpoint":            {consignment(), func(s *axispb.Statement) { s.Checkpoint = nil }},
		"checkpoint of no epoch":   {consignment(), func(s *axispb.Statement) { s.Checkpoint.Epoch = 0 }},
		"empty checkpoint":         {consignment(), func(s *axispb.Statement) { s.Checkpoint = (Checkpoint{Epoch: 2, Root: EmptyRoot()}).Ref() }},
		"short root":               {consignment(), func(s *axispb.Statement) { s.Checkpoint.Root = s.Checkpoint.Root[1:] }},
		"checkpoint without end":   {consignment(), func(s *axispb.Statement) { s.Checkpoint.Size = 1 << 63 }},
		"checkpoint too early":     {consignment(), func(s *axispb.Statement) { s.Checkpoint.Size = 5 }},
		"business state":           {consignment(), func(s *axispb.Statement) { s.BusinessState = "01" }},
		"no business state":        {consignment(), func(s *axispb.Statement) { s.Event = axispb.Event_EVENT_BUSINESS_STATE }},
		"unread consignment":       {consignment(), func(s *axispb.Statement) { s.ConfirmedUnread = true }},
		"business state of others": {withEvent(axispb.Event_EVENT_BUSINESS_STATE, nil), func(s *axispb.Statement) { s.BusinessState = "03" }},
		"reason without code":      {withEvent(axispb.Event_EVENT_CONTENT_WITHDRAWAL, giveReason), func(s *axispb.Statement) { s.Reason.Code = 0 }},
		"too many words":           {withEvent(axispb.Event_EVENT_CONTENT_WITHDRAWAL, giveReason), func(s *axispb.Statement) { s.Reason.Args = make([]string, 9) }},
		"too long words":           {withEvent(axispb.Event_EVENT_CONTENT_WITHDRAWAL, giveReason), func(s *axispb.Statement) { s.Reason.Args[0] = strings.Repeat("x", 2049) }},
		"rejection by an endpoint": {consignment(), func(s *axispb.Statement) { proto.Reset(s); proto.Merge(s, rejection()); s.Issuer, s.Counter = "h41", 1 }},
		"rejection and record":     {rejection(), func(s *axispb.Statement) { s.Document = &axispb.RecordRef{Epoch: 1} }},
		"rejection and commitment": {rejection(), func(s *axispb.Statement) { s.Commitment = digest("header") }},
		"rejection and code":       {rejection(), func(s *axispb.Statement) { s.Code = "H41" }},
		"rejection of nothing":     {rejection(), func(s *axispb.Statement) { s.EnvelopeDigest = nil }},
		"rejection, odd manifest":  {rejection(), func(s *axispb.Statement) { s.ManifestDigest = []byte{1} }},
		"rejection, no reason":     {rejection(), func(s *axispb.Statement) { s.Reason = nil }},
		"rejection, counted":       {rejection(), func(s *axispb.Statement) { s.Counter = 1 }},
		"the axis as witness":      {rejection(), func(s *axispb.Statement) { s.Checkpoint = consignment().Checkpoint }},
		"the axis for a recipient": {consignment(), byAxis},
		"the axis for a DMS":       {withEvent(axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE, giveReason), byAxis},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			signer := w.h41
			c.edit(c.base)
			if c.base.Issuer == AxisIssuer {
				signer = w.axis
			}
			if _, err := signer.Sign(c.base); err == nil {
				t.Error("it was signed")
			}
			_, _, err := w.trust.Statement(signStatement(t, signer, marshal(t, c.base)))
			if !reason.Is(err, axispb.ReasonCode_REASON_MALFORMED) {
				t.Errorf("error %v, want a malformed one", err)
			}
			if reason.IsTemporary(err) {
				t.Error("the refusal is temporary")
			}
		})
	}
}

func TestStatementWithMoreThanItsMembersIsRefused(t *testing.T) {
	w := newWorld(t)
	unknown := []byte{0xf8, 0x07, 0x01} // member 127, varint 1
	nested := consignment()
	nested.Reason = nil
	nested.Document.ProtoReflect().SetUnknown(unknown)
	for name, statement := range map[string][]byte{
		"outer":  append(marshal(t, consignment()), unknown...),
		"nested": marshal(t, nested),
		"broken": append(marshal(t, consignment()), 0x0a),
	} {
		_, _, err := w.trust.Statement(signStatement(t, w.h41, statement))
		if !reason.Is(err, axispb.ReasonCode_REASON_MALFORMED) {
			t.Errorf("%s: error %v, want a malformed one", name, err)
		}
	}
}

func TestStatementOverTheLimitIsRefusedUnread(t *testing.T) {
	w := newWorld(t)
	_, _, err := w.trust.Statement(make([]byte, MaxEvidence+1))
	if !reason.Is(err, axispb.ReasonCode_REASON_MALFORMED) || !strings.Contains(err.Error(), "over the limit") {
		t.Errorf("error %v, want one about the limit", err)
	}
}

// The longest statement that the rules allow must fit the limit of an evidence.
func TestLongestStatementFits(t *testing.T) {
	w := newWorld(t)
	s := withEvent(axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE, giveReason)
	s.Sender, s.Code, s.EnvelopeId = strings.Repeat("s", 128), strings.Repeat("c", 128), strings.Repeat("i", 128)
	s.Reason.Args = nil
	for range MaxReasonArgs {
		s.Reason.Args = append(s.Reason.Args, strings.Repeat("ế", MaxReasonArg/3))
	}
	ev, err := w.h41.Sign(s)
	must(t, err)
	if _, _, err := w.trust.Statement(ev); err != nil {
		t.Errorf("evidence of %d bytes: %v", len(ev), err)
	}
}

func TestEveryAlteredByteOfEvidenceIsNoticed(t *testing.T) {
	w := newWorld(t)
	ev, err := w.h41.Sign(consignment())
	must(t, err)
	for i := range ev {
		for _, flip := range []byte{0x01, 0x20, 0x80, 0xff} {
			altered := bytes.Clone(ev)
			altered[i] ^= flip
			if _, _, err := w.trust.Statement(altered); err == nil {
				t.Errorf("byte %d of %d xor %#x was accepted", i, len(ev), flip)
			}
		}
	}
	for n := range ev {
		if _, _, err := w.trust.Statement(ev[:n]); err == nil {
			t.Errorf("the first %d bytes of %d were accepted", n, len(ev))
		}
	}
}

func TestCertificateMustBearTheStatementOut(t *testing.T) {
	w := newWorld(t)
	key := testKey(t, h41Seed)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	issue := func(edit func(*x509.Certificate)) []byte {
		tmpl := leafTemplate("h41")
		edit(tmpl)
		return w.ca.issue(tmpl, key.Public())
	}
	cases := map[string][]byte{
		"of another endpoint":  issue(func(c *x509.Certificate) { c.Subject.CommonName = "h42" }),
		"of a server":          issue(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }),
		"of no use":            issue(func(c *x509.Certificate) { c.ExtKeyUsage = nil }),
		"of a CA":              issue(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }),
		"over two days ago":    issue(func(c *x509.Certificate) { c.NotAfter = testTime.Add(-25 * time.Hour) }),
		"not yet for two days": issue(func(c *x509.Certificate) { c.NotBefore = testTime.Add(25 * time.Hour) }),
		"of another CA":        newAuthority(t, otherCASeed).issue(leafTemplate("h41"), key.Public()),
		"with a P-384 key":     w.ca.issue(leafTemplate("h41"), p384.Public()),
		"with another key":     w.ca.issue(leafTemplate("h41"), testKey(t, axisSeed).Public()),
		"missing":              nil,
		"with unknown demands": issue(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
		}),
		"followed by more": append(issue(func(*x509.Certificate) {}), 0),
	}
	for name, der := range cases {
		t.Run(name, func(t *testing.T) {
			s := &Signer{key: key, cert: &x509.Certificate{Raw: der}}
			_, _, err := w.trust.Statement(signStatement(t, s, marshal(t, consignment())))
			if !reason.Is(err, axispb.ReasonCode_REASON_EVIDENCE_SIGNATURE) {
				t.Errorf("error %v, want one of the signature", err)
			}
		})
	}
}

// A host may be called axis; its server certificate does not speak for the axis.
func TestServerCalledAxisIsNotTheAxis(t *testing.T) {
	w := newWorld(t)
	tmpl := leafTemplate("axis")
	tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	key := testKey(t, axisSeed)
	s, err := NewSigner(key, w.ca.issue(tmpl, key.Public()))
	must(t, err)
	_, _, err = w.trust.Statement(signStatement(t, s, marshal(t, rejection())))
	if !reason.Is(err, axispb.ReasonCode_REASON_EVIDENCE_SIGNATURE) {
		t.Errorf("error %v, want one of the signature", err)
	}
}

func TestClocksMayBeADayOff(t *testing.T) {
	w := newWorld(t)
	key := testKey(t, h41Seed)
	for name, edit := range map[string]func(*x509.Certificate){
		"ended 23 hours ago":  func(c *x509.Certificate) { c.NotAfter = testTime.Add(-23 * time.Hour) },
		"begins in 23 hours":  func(c *x509.Certificate) { c.NotBefore = testTime.Add(23 * time.Hour) },
		"ended long after it": func(c *x509.Certificate) { c.NotAfter = testTime.AddDate(30, 0, 0) },
	} {
		tmpl := leafTemplate("h41")
		edit(tmpl)
		s, err := NewSigner(key, w.ca.issue(tmpl, key.Public()))
		must(t, err)
		ev, err := s.Sign(consignment())
		must(t, err)
		if _, _, err := w.trust.Statement(ev); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The prefix keeps a signature made for an epoch from passing as evidence.
func TestSignatureWithoutTheDomainIsRefused(t *testing.T) {
	w := newWorld(t)
	statement := marshal(t, consignment())
	for _, prefix := range []string{"", EpochPrefix} {
		d := prefixed(prefix, statement)
		sig, err := w.h41.key.Sign(rand.Reader, d[:], nil)
		must(t, err)
		ev := marshal(t, &axispb.Evidence{Statement: statement, Signature: sig, Certificate: w.h41.cert.Raw})
		if _, _, err := w.trust.Statement(ev); !reason.Is(err, axispb.ReasonCode_REASON_EVIDENCE_SIGNATURE) {
			t.Errorf("prefix %q: error %v, want one of the signature", prefix, err)
		}
	}
}

func TestTrustInNoCAAcceptsNothing(t *testing.T) {
	w := newWorld(t)
	ev, err := w.h41.Sign(consignment())
	must(t, err)
	if _, _, err := NewTrust(nil).Statement(ev); err == nil {
		t.Error("a statement was accepted without any CA")
	}
	if _, err := NewTrust(nil).AddEpoch(w.ca.sign(w.log.epoch(1, 0, nil))); err == nil {
		t.Error("an epoch was accepted without any CA")
	}
}

func TestSignerNeedsItsCertificate(t *testing.T) {
	w := newWorld(t)
	if _, err := NewSigner(testKey(t, axisSeed), w.h41.cert.Raw); err == nil {
		t.Error("a signer with another's certificate was made")
	}
	if _, err := NewSigner(testKey(t, h41Seed), nil); err == nil {
		t.Error("a signer without a certificate was made")
	}
	s := consignment()
	s.Issuer = "h42"
	if _, err := w.h41.Sign(s); err == nil {
		t.Error("h41 signed as h42")
	}
	s = consignment()
	s.TimeMs = testTime.AddDate(5, 0, 0).UnixMilli()
	if _, err := w.h41.Sign(s); err == nil {
		t.Error("an expired certificate signed")
	}
}

// brokenKey is a key whose token was pulled out.
type brokenKey struct{ crypto.Signer }

var errToken = errors.New("no token")

func (brokenKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errToken }

func TestSignReportsWhatFailed(t *testing.T) {
	w := newWorld(t)
	broken, err := NewSigner(brokenKey{testKey(t, h41Seed)}, w.h41.cert.Raw)
	must(t, err)
	if _, err := broken.Sign(consignment()); !errors.Is(err, errToken) {
		t.Errorf("error %v, want the key's", err)
	}
	s := withEvent(axispb.Event_EVENT_CONTENT_WITHDRAWAL, giveReason)
	s.Reason.Args[0] = "\xff"
	if _, err := w.h41.Sign(s); err == nil {
		t.Error("text that is no UTF-8 was signed")
	}
}

// What the other side wrote is repeated in errors, but not at any length.
func TestErrorsStayShort(t *testing.T) {
	w := newWorld(t)
	s := consignment()
	s.Issuer = strings.Repeat("h", 20000)
	_, _, err := w.trust.Statement(signStatement(t, w.h41, marshal(t, s)))
	if err == nil || len(err.Error()) > 500 {
		t.Errorf("error of %d bytes", len(err.Error()))
	}
}

func TestEventNames(t *testing.T) {
	for number := range axispb.Event_name {
		ev := axispb.Event(number)
		name, uri := EventName(ev), EventURI(ev)
		ours := ev == axispb.Event_EVENT_CONTENT_WITHDRAWAL || ev == axispb.Event_EVENT_BUSINESS_STATE
		switch {
		case ev == axispb.Event_EVENT_UNSPECIFIED:
			if name != "" || uri != "" {
				t.Errorf("no event has name %q and URI %q", name, uri)
			}
		case name == "":
			t.Errorf("%s has no name", ev)
		case ours && uri != "":
			t.Errorf("%s has URI %q, but is not ETSI's", ev, uri)
		case !ours && uri != "http://uri.etsi.org/19522/Event/"+name:
			t.Errorf("%s has URI %q", ev, uri)
		}
	}
}
