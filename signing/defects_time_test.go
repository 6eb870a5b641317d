package signing_test

import (
	"crypto/x509"
	"testing"
	"time"

	"docaxis/internal/sealtest"
	"docaxis/signing"
	"docaxis/signing/signingtest"
)

// timed is a seal that has ended, whose signature has a time-stamp of when it was
// in force.
type timed struct {
	root, tsa signingtest.Identity
	seal      sealtest.Seal
	content   []byte
}

func newTimed(t testing.TB, b *bench) *timed {
	w := &timed{content: b.content}
	w.root = must(signingtest.NewRoot("Root of time", sealtest.NotBefore, sealtest.NotAfter))
	w.tsa = newTSA(t, w.root, nil)
	w.seal = sealtest.Issue(t, b.root, "Ended seal", sealtest.P256(t), func(c *x509.Certificate) {
		c.NotAfter = sealtest.At.Add(-hour)
	})
	return w
}

// signature has a token over its value for each change of one.
func (w *timed) signature(t testing.TB, tokens ...func(value []byte) []byte) *forgery {
	f := forge(w.seal, w.content)
	f.value = f.sign(t)
	var attributes [][]byte
	for _, token := range tokens {
		attributes = append(attributes, attribute(oidSignTime, token(f.value)))
	}
	f.unsigned = tlv(0xa1, attributes...)
	return f
}

func (w *timed) token(t testing.TB, by signingtest.Identity, change func(*stamps), changeForgery func(*forgery)) func([]byte) []byte {
	return func(value []byte) []byte { return forgeToken(by, value, change, changeForgery).der(t) }
}

func (w *timed) judge(_ testing.TB, o *signing.Options) {
	o.Timestamping = signing.NewTrust([]*x509.Certificate{w.root.Certificate()}, nil)
}

func at(when time.Time) func(*stamps) { return func(s *stamps) { s.time = generalized(when) } }

// timeDefects: the seal has ended, and nothing proves that it signed before.
func timeDefects(t *testing.T, b *bench) []defect {
	w := newTimed(t, b)
	row := func(name string, want signing.SubIndication, tokens ...func([]byte) []byte) defect {
		return defect{name, func(t testing.TB) *forgery { return w.signature(t, tokens...) }, w.judge, want}
	}
	stranger := newTSA(t, must(signingtest.NewRoot("Root of time", sealtest.NotBefore, sealtest.NotAfter)), nil)
	young := defect{"older than its certificate", func(t testing.TB) *forgery {
		w := *w
		w.seal = sealtest.Issue(t, b.root, "Young seal", sealtest.P256(t), func(c *x509.Certificate) { c.NotBefore = before })
		return w.signature(t, w.token(t, w.tsa, at(before.Add(-hour)), nil))
	}, w.judge, signing.NotYetValid}
	made := row("made after the certificate had ended", signing.Expired)
	made.judge = func(_ testing.TB, o *signing.Options) { o.NotBefore = sealtest.At }
	ignored := row("time-stamp that nobody asked to look at", signing.OutOfBoundsNoPOE, w.token(t, w.tsa, nil, nil))
	ignored.judge = nil
	return []defect{
		young, made, ignored,
		row("ended, without a time-stamp", signing.OutOfBoundsNoPOE),
		row("time-stamp later than the certificate", signing.OutOfBoundsNoPOE, w.token(t, w.tsa, at(sealtest.At.Add(-time.Minute)), nil)),
		row("accuracy reaches past the certificate", signing.OutOfBoundsNoPOE, w.token(t, w.tsa, func(s *stamps) {
			s.time, s.optional[0] = generalized(sealtest.At.Add(-2*hour)), sequence(marshal(7200))
		}, nil)),
		row("time-stamp of another signature", signing.OutOfBoundsNoPOE, func([]byte) []byte { return forgeToken(w.tsa, []byte("another"), nil, nil).der(t) }),
		row("time-stamp by a stranger", signing.OutOfBoundsNoPOE, w.token(t, stranger, nil, nil)),
		row("time-stamp by a seal", signing.OutOfBoundsNoPOE, w.token(t, must(w.root.Issue("Seal", nil, nil)), nil, nil)),
		row("time-stamp that cannot be read", signing.OutOfBoundsNoPOE, func([]byte) []byte { return octets(nil) }),
		row("time-stamp with a spoiled value", signing.OutOfBoundsNoPOE, w.token(t, w.tsa, nil, func(f *forgery) { f.value = []byte("noise") })),
	}
}

// TestBestProvenTime: the earliest time that anybody proves is relied on, and the
// verdict says whose it is.
func TestBestProvenTime(t *testing.T) {
	b := newBench(t)
	w := newTimed(t, b)
	good := w.token(t, w.tsa, nil, nil)
	earlier := w.token(t, w.tsa, at(stampedAt.Add(-hour)), nil)
	bad := w.token(t, w.tsa, at(stampedAt.Add(-2*hour)), func(f *forgery) { f.value = []byte("noise") })
	late := w.token(t, w.tsa, at(sealtest.At.Add(-time.Minute)), nil)
	for _, tt := range []struct {
		name   string
		tokens []func([]byte) []byte
		at     time.Time
		want   time.Time
		source signing.TimeSource
	}{
		{"one", []func([]byte) []byte{good}, sealtest.At, stampedAt.Add(time.Second), signing.TimeTimestamp},
		{"the earlier of two", []func([]byte) []byte{good, earlier}, sealtest.At, stampedAt.Add(time.Second - hour), signing.TimeTimestamp},
		{"a bad one beside", []func([]byte) []byte{bad, late, good}, sealtest.At, stampedAt.Add(time.Second), signing.TimeTimestamp},
		{"a checkpoint before it", []func([]byte) []byte{good}, stampedAt.Add(-hour), stampedAt.Add(-hour), signing.TimeCheckpoint},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := anchoredAt(b.root)
			w.judge(t, &o)
			o.At, o.Source = tt.at, signing.TimeCheckpoint
			v := judge(t, w.signature(t, tt.tokens...).der(t), b.content, o)
			if !v.Passed() || v.TimeSource != tt.source || len(v.Timestamps) != len(tt.tokens) {
				t.Errorf("%s (%s) by %s, %d time-stamps", v.SubIndication, v.Detail, v.TimeSource, len(v.Timestamps))
			}
			mustEqualTime(t, v.Time, tt.want)
		})
	}
}

// TestRevokedAfterTheTimestamp: a seal that was revoked later has signed.
func TestRevokedAfterTheTimestamp(t *testing.T) {
	w := newWorld(t, []byte("content"))
	tsa := newTSA(t, w.root, nil)
	f := w.signature(t)
	f.value = f.sign(t)
	plain := f.der(t)
	f.unsigned = tlv(0xa1, attribute(oidSignTime, forgeToken(tsa, f.value, nil, nil).der(t)))
	var o signing.Options
	w.lists(list(w.middle, before, after, 1, w.seal))(t, &o)
	if v := judge(t, plain, w.content, o); v.SubIndication != signing.RevokedNoPOE {
		t.Errorf("without a time-stamp: %s (%s)", v.SubIndication, v.Detail)
	}
	o.Timestamping = signing.NewTrust(o.Anchors, nil)
	if v := judge(t, f.der(t), w.content, o); !v.Passed() {
		t.Errorf("stamped before: %s (%s), %v", v.SubIndication, v.Detail, v.Timestamps[0].Detail)
	}
	o.Revocation.CRLs = append(o.Revocation.CRLs, list(w.root, before, after, 1, tsa))
	if v := judge(t, f.der(t), w.content, o); v.SubIndication != signing.RevokedNoPOE {
		t.Errorf("by an authority that was revoked: %s (%s)", v.SubIndication, v.Detail)
	}
}
