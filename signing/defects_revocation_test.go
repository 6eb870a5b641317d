package signing_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"docaxis/internal/sealtest"
	"docaxis/signing"
	"docaxis/signing/signingtest"
)

// world has authorities that say which certificates are revoked.
type world struct {
	root, middle, seal, stranger signingtest.Identity
	content                      []byte
}

func newWorld(t testing.TB, content []byte) *world {
	w := &world{content: content}
	w.root = must(signingtest.NewRoot("Root of revocation", sealtest.NotBefore, sealtest.NotAfter))
	w.middle = must(w.root.Issue("Middle of revocation", nil, signingtest.Authority))
	w.seal = must(w.middle.Issue("Seal", nil, nil))
	w.stranger = must(signingtest.NewRoot("Middle of revocation", sealtest.NotBefore, sealtest.NotAfter))
	return w
}

// signature is one by the seal, with the intermediate beside it.
func (w *world) signature(testing.TB) *forgery {
	f := forge(sealtest.Seal(w.seal), w.content)
	f.certs = append(f.certs, w.middle.Certificate())
	return f
}

const hour = time.Hour

var before, after = sealtest.At.Add(-hour), sealtest.At.Add(hour)

// list is a CRL; revoked certificates are since an hour before At.
func list(by signingtest.Identity, this, next time.Time, reason int, certs ...signingtest.Identity) *signing.CRL {
	return listOf(by, this, next, reason, nil, certs...)
}

func listOf(by signingtest.Identity, this, next time.Time, reason int, change func(*x509.RevocationList), certs ...signingtest.Identity) *signing.CRL {
	var revoked []signingtest.Revoked
	for _, c := range certs {
		revoked = append(revoked, signingtest.Revoked{Certificate: c.Certificate(), At: before, Reason: reason})
	}
	return must(signing.ParseCRL(must(by.CRL(this, next, revoked, change))))
}

// answer is an OCSP answer about a certificate of by.
func answer(by, responder, about signingtest.Identity, change func(*ocsp.Response)) *signing.OCSP {
	return must(signing.ParseOCSP(must(by.OCSP(responder, about.Certificate(), before, after, change))))
}

func revokedAnswer(r *ocsp.Response) {
	r.Status, r.RevokedAt, r.RevocationReason = ocsp.Revoked, before, ocsp.KeyCompromise
}

// knowing judges by the world's root, and by what is known about revocation.
func (w *world) knowing(r signing.Revocation) func(testing.TB, *signing.Options) {
	return func(_ testing.TB, o *signing.Options) {
		o.Anchors = []*x509.Certificate{w.root.Certificate()}
		o.Revocation = &r
	}
}

func (w *world) lists(lists ...*signing.CRL) func(testing.TB, *signing.Options) {
	return w.knowing(signing.Revocation{CRLs: append(lists, list(w.root, before, after, 0))})
}

func (w *world) answers(answers ...*signing.OCSP) func(testing.TB, *signing.Options) {
	return w.knowing(signing.Revocation{OCSPs: append(answers, answer(w.root, w.root, w.middle, nil))})
}

// responder is one that the issuer appointed, made special by its template.
func (w *world) responder(change func(*x509.Certificate)) signingtest.Identity {
	return must(w.middle.Issue("Responder", nil, func(c *x509.Certificate) {
		extended(x509.ExtKeyUsageOCSPSigning)(c)
		if change != nil {
			change(c)
		}
	}))
}

func distribution(body ...byte) func(*x509.RevocationList) {
	return func(l *x509.RevocationList) {
		l.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: tlv(0x30, body)}}
	}
}

// revocationDefects: somebody was revoked, or nobody can tell.
func revocationDefects(t *testing.T, b *bench) []defect {
	w := newWorld(t, b.content)
	good := list(w.middle, before, after, 0)
	revoked := list(w.middle, before, after, 1, w.seal)
	notBefore := func(judge func(testing.TB, *signing.Options), at time.Time) func(testing.TB, *signing.Options) {
		return func(t testing.TB, o *signing.Options) { judge(t, o); o.NotBefore = at }
	}
	row := func(name string, judge func(testing.TB, *signing.Options), want signing.SubIndication) defect {
		return defect{name, w.signature, judge, want}
	}
	return []defect{
		row("revoked, by CRL", w.lists(revoked), signing.RevokedNoPOE),
		row("revoked, by OCSP", w.answers(answer(w.middle, w.middle, w.seal, revokedAnswer)), signing.RevokedNoPOE),
		row("revoked, by an appointed responder", w.answers(answer(w.middle, w.responder(nil), w.seal, revokedAnswer)), signing.RevokedNoPOE),
		row("revoked before it was signed", notBefore(w.lists(revoked), sealtest.At), signing.Revoked),
		row("revoked, perhaps after it was signed", notBefore(w.lists(revoked), before.Add(-hour)), signing.RevokedNoPOE),
		row("revoked at the very time", w.lists(listOf(w.middle, before, after, 4, func(l *x509.RevocationList) {
			l.RevokedCertificateEntries[0].RevocationTime = sealtest.At
		}, w.seal)), signing.RevokedNoPOE),
		row("suspended", w.lists(list(w.middle, before, after, 6, w.seal)), signing.TryLater),
		row("revoked, by a list that is out of date", w.lists(list(w.middle, before, before, 1, w.seal)), signing.RevokedNoPOE),
		row("good by one, revoked by another", w.knowing(signing.Revocation{
			CRLs:  []*signing.CRL{list(w.root, before, after, 0), revoked},
			OCSPs: []*signing.OCSP{answer(w.middle, w.middle, w.seal, nil)},
		}), signing.RevokedNoPOE),
		row("issuer revoked", w.knowing(signing.Revocation{CRLs: []*signing.CRL{good, list(w.root, before, after, 2, w.middle)}}), signing.RevokedCANoPOE),
		row("nothing known", w.knowing(signing.Revocation{}), signing.TryLater),
		row("nothing known of the issuer", w.knowing(signing.Revocation{CRLs: []*signing.CRL{good}}), signing.TryLater),
		row("list out of date", w.lists(list(w.middle, before.Add(-hour), before, 0)), signing.TryLater),
		row("list of another issuer", w.lists(list(w.root, before, after, 0)), signing.TryLater),
		row("list by another key under the issuer's name", w.lists(list(w.stranger, before, after, 0)), signing.TryLater),
		row("list for authorities alone", w.lists(listOf(w.middle, before, after, 0, distribution(0x82, 1, 0xff))), signing.TryLater),
		row("list for users alone, of the issuer's issuer", w.knowing(signing.Revocation{CRLs: []*signing.CRL{
			good, listOf(w.root, before, after, 0, distribution(0x81, 1, 0xff)),
		}}), signing.TryLater),
		row("list made after the certificate ended", w.lists(list(w.middle, sealtest.NotAfter.Add(hour), sealtest.NotAfter.Add(2*hour), 0)), signing.TryLater),
		row("answer: unknown", w.answers(answer(w.middle, w.middle, w.seal, func(r *ocsp.Response) { r.Status = ocsp.Unknown })), signing.TryLater),
		row("answer out of date", w.answers(answer(w.middle, w.middle, w.seal, func(r *ocsp.Response) { r.NextUpdate = before })), signing.TryLater),
		row("old answer that names no next", w.answers(answer(w.middle, w.middle, w.seal, func(r *ocsp.Response) {
			r.ThisUpdate, r.NextUpdate = before.Add(-time.Minute), time.Time{}
		})), signing.TryLater),
		row("answer made after the certificate ended", w.answers(answer(w.middle, w.middle, w.seal, func(r *ocsp.Response) {
			r.ThisUpdate, r.NextUpdate = sealtest.NotAfter.Add(hour), sealtest.NotAfter.Add(2*hour)
		})), signing.TryLater),
		row("answer by a stranger", w.answers(answer(w.middle, w.stranger, w.seal, nil)), signing.TryLater),
		row("answer by the seal itself", w.answers(answer(w.middle, w.seal, w.seal, nil)), signing.TryLater),
		row("answer by a responder of another issuer", w.answers(answer(w.middle, must(w.root.Issue("Responder", nil, extended(x509.ExtKeyUsageOCSPSigning))), w.seal, nil)), signing.TryLater),
		row("answer by a responder that has ended", w.answers(answer(w.middle, w.responder(func(c *x509.Certificate) {
			c.NotAfter = sealtest.NotBefore.Add(hour)
		}), w.seal, nil)), signing.TryLater),
		row("answer about another", w.answers(answer(w.middle, w.middle, w.stranger, nil)), signing.TryLater),
		row("answer about the same number of another issuer", w.answers(answer(w.root, w.middle, w.seal, nil)), signing.TryLater),
	}
}

// TestNotRevoked: each source that speaks for the whole chain suffices, and a
// revocation after the time relied on changes nothing.
func TestNotRevoked(t *testing.T) {
	w := newWorld(t, []byte("content"))
	later := listOf(w.middle, after, after.Add(hour), 1, func(l *x509.RevocationList) {
		l.RevokedCertificateEntries[0].RevocationTime = after
	}, w.seal)
	for name, judgeBy := range map[string]func(testing.TB, *signing.Options){
		"lists":               w.lists(list(w.middle, before, after, 0)),
		"for users":           w.lists(listOf(w.middle, before, after, 0, distribution(0x81, 1, 0xff))),
		"answers":             w.answers(answer(w.middle, w.middle, w.seal, nil)),
		"appointed responder": w.answers(answer(w.middle, w.responder(nil), w.seal, nil)),
		"revoked later":       w.lists(later),
		"useless ones beside": w.lists(list(w.stranger, before, after, 0), list(w.middle, before, after, 0, w.middle)),
	} {
		t.Run(name, func(t *testing.T) {
			var o signing.Options
			judgeBy(t, &o)
			v := judge(t, w.signature(t).der(t), w.content, o)
			if !v.Passed() || len(v.Revocation) != 2 || v.Revocation[0].Certificate != v.Signer {
				t.Errorf("%s (%s), %d statuses", v.SubIndication, v.Detail, len(v.Revocation))
			}
		})
	}
}

// TestParseRevocationRefuses: what would hide a revocation is no list and no
// answer.
func TestParseRevocationRefuses(t *testing.T) {
	w := newWorld(t, nil)
	for name, change := range map[string]func(*x509.RevocationList){
		"indirect":           distribution(0x84, 1, 0xff),
		"some reasons":       distribution(0x83, 2, 4, 0x60),
		"for attributes":     distribution(0x85, 1, 0xff),
		"delta":              critical(asn1.ObjectIdentifier{2, 5, 29, 27}),
		"unknown":            critical(asn1.ObjectIdentifier{1, 2, 3, 4}),
		"unreadable":         distribution(0x81),
		"unreadable lengths": distribution(0x81, 0x85),
	} {
		if _, err := signing.ParseCRL(must(w.middle.CRL(before, after, nil, change))); err == nil {
			t.Errorf("%s: read", name)
		}
	}
	crl := must(w.middle.CRL(before, after, nil, nil))
	good := must(w.middle.OCSP(w.middle, w.seal.Certificate(), before, after, nil))
	for i := range crl {
		if _, err := signing.ParseCRL(crl[:i]); err == nil {
			t.Fatalf("read %d of %d bytes of a list", i, len(crl))
		}
	}
	for i := range good {
		if _, err := signing.ParseOCSP(good[:i]); err == nil {
			t.Fatalf("read %d of %d bytes of an answer", i, len(good))
		}
	}
	for name, der := range map[string][]byte{
		"error":    {0x30, 3, 0x0a, 1, 3},
		"appended": append(good, 0),
		"empty":    nil,
		"large":    make([]byte, signing.MaxOCSP+1),
	} {
		if _, err := signing.ParseOCSP(der); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

func critical(oid asn1.ObjectIdentifier) func(*x509.RevocationList) {
	return func(l *x509.RevocationList) {
		l.ExtraExtensions = []pkix.Extension{{Id: oid, Critical: true, Value: []byte{2, 1, 1}}}
	}
}
