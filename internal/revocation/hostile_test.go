package revocation_test

import (
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"docaxis/internal/revocation"
	"docaxis/internal/sealtest"
)

// expectRefused gives an answer about a seal to whoever asks, and looks that it was
// not kept, is explained, and takes nothing away from what was there.
func expectRefused(t *testing.T, root sealtest.Seal, kind revocation.Kind, reply func(about sealtest.Seal) http.HandlerFunc, words string) {
	t.Helper()
	web, clock, dir := newServer(t), newClock(), t.TempDir()
	address := []string{web.URL + "/x"}
	one := seal(t, root, address, nil)
	old := crl(t, root, func(l *x509.RevocationList) { l.ThisUpdate = l.ThisUpdate.Add(-time.Hour) })
	if kind == revocation.OCSP {
		one = seal(t, root, nil, address)
		old = answer(t, one, root, func(r *ocsp.Response) { r.ThisUpdate = r.ThisUpdate.Add(-time.Hour) })
	}
	s := open(t, dir, clock, func(c *revocation.Config) { c.MaxCRL = 1 << 20 })
	have := func() *revocation.Item {
		k := known(t, s, one)
		if kind == revocation.OCSP {
			return k.OCSP
		}
		return k.CRL
	}
	web.on("/x", reply(one))
	refresh(t, s, one)
	expectItem(t, "at first", have(), nil)
	if tr := expectTrouble(t, s, words); !tr.Missing || tr.Kind != kind {
		t.Errorf("%+v", tr)
	}
	web.give("/x", old)
	clock.Add(2 * time.Minute)
	refresh(t, s)
	expectItem(t, "in between", have(), old)
	web.on("/x", reply(one))
	clock.Add(12 * time.Hour)
	refresh(t, s)
	expectItem(t, "in the end", have(), old)
	expectTrouble(t, s, words)
	expectNoLeftovers(t, dir)
}

func gives(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }
}

func TestHostileLists(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	twin := authority(t, sealtest.Seal{}, "Root")
	other := authority(t, sealtest.Seal{}, "Other")
	list := func(change func(*x509.RevocationList)) http.HandlerFunc { return gives(crl(t, root, change)) }
	extended := func(e ...pkix.Extension) http.HandlerFunc {
		return list(func(l *x509.RevocationList) { l.ExtraExtensions = e })
	}
	point := []int{2, 5, 29, 28}
	good := crl(t, root, nil)
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	for name, tt := range map[string]struct {
		reply http.HandlerFunc
		words string
	}{
		"empty":               {gives(nil), "cannot be read"},
		"garbage":             {gives([]byte("<html>not found</html>")), "cannot be read"},
		"truncated":           {gives(good[:len(good)-1]), "cannot be read"},
		"with more behind":    {gives(append(bytes.Clone(good), 0)), "cannot be read"},
		"flipped":             {gives(flipped), "not signed by Root"},
		"of another":          {gives(crl(t, other, nil)), "delegated CRL issuer"},
		"of a namesake":       {gives(crl(t, twin, nil)), "not signed by Root"},
		"expired":             {list(func(l *x509.RevocationList) { l.NextUpdate = l.ThisUpdate.Add(time.Second) }), "has ended"},
		"of the future":       {list(func(l *x509.RevocationList) { l.ThisUpdate = sealtest.At.Add(20 * time.Hour) }), "of the future"},
		"delta":               {extended(critical([]int{2, 5, 29, 27}, 2, 1, 1)), "delta CRLs"},
		"indirect":            {extended(critical(point, 0x30, 3, 0x84, 1, 0xff)), "indirect CRLs"},
		"for some reasons":    {extended(critical(point, 0x30, 4, 0x83, 2, 7, 0x80)), "for some reasons"},
		"for attributes":      {extended(critical(point, 0x30, 3, 0x85, 1, 0xff)), "attribute certificates"},
		"unknown extension":   {extended(critical([]int{1, 2, 3, 4}, 5, 0)), "not understood: 1.2.3.4"},
		"of another address":  {extended(critical(point, pointNaming("http://elsewhere.test/b.crl")...)), "belongs to another address"},
		"relative address":    {extended(critical(point, 0x30, 4, 0xa0, 2, 0xa1, 0)), "for some reasons"},
		"issuer in an entry":  {list(indirectEntry), "indirect CRLs"},
		"missing":             {http.NotFound, "HTTP 404"},
		"out of order":        {status(http.StatusBadGateway), "HTTP 502"},
		"gzip":                {compressed(t, good, "gzip"), "compressed"},
		"gzip bomb, unnamed":  {compressed(t, make([]byte, 64<<20), ""), "cannot be read"},
		"huge":                {flood, "larger than"},
		"huge, said at once":  {announced("1099511627776"), "larger than"},
		"shorter than said":   {announced("1000"), "broke off"},
		"many extensions":     {extended(pkix.Extension{Id: []int{1, 2, 3, 4}, Value: make([]byte, 70<<10)}), "cannot be read"},
		"entries of nonsense": {gives(nonsense(t, root)), "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			expectRefused(t, root, revocation.CRL, func(sealtest.Seal) http.HandlerFunc { return tt.reply }, tt.words)
		})
	}
}

func TestHostileAnswers(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	other := authority(t, sealtest.Seal{}, "Other")
	twin := authority(t, sealtest.Seal{}, "Root")
	appointed := responder(t, root, func(*x509.Certificate) {})
	for name, tt := range map[string]struct {
		reply func(about sealtest.Seal) []byte
		words string
	}{
		"an error":   {func(sealtest.Seal) []byte { return ocsp.TryLaterErrorResponse }, "answered with an error: try later"},
		"garbage":    {func(sealtest.Seal) []byte { return []byte{0x30, 0x80, 0, 0} }, "cannot be read"},
		"huge":       {func(sealtest.Seal) []byte { return make([]byte, 70<<10) }, "larger than 65536"},
		"truncated":  {func(s sealtest.Seal) []byte { return answer(t, s, root, nil)[:100] }, "cannot be read"},
		"of another": {func(s sealtest.Seal) []byte { return answer(t, s, other, nil) }, "not signed by Root"},
		"of a namesake": {func(s sealtest.Seal) []byte {
			return answer(t, s, twin, func(r *ocsp.Response) { r.Certificate = twin.Certificate() })
		}, "not signed by Root"},
		"another serial number": {func(sealtest.Seal) []byte { return answer(t, seal(t, root, nil, nil), root, nil) }, "cannot be read"},
		"another issuer's serial number": {func(s sealtest.Seal) []byte {
			namesake := sealtest.Issue(t, other, "Seal", sealtest.P256(t), func(c *x509.Certificate) { c.SerialNumber = s.Certificate().SerialNumber })
			return answer(t, namesake, root, nil)
		}, "about another certificate"},
		"by a seal": {func(s sealtest.Seal) []byte {
			by := seal(t, root, nil, nil)
			return answer(t, s, by, func(r *ocsp.Response) { r.Certificate = by.Certificate() })
		}, "not for OCSP"},
		"by another's responder": {func(s sealtest.Seal) []byte {
			by := responder(t, other, func(*x509.Certificate) {})
			return answer(t, s, by, func(r *ocsp.Response) { r.Certificate = by.Certificate() })
		}, "of another issuer"},
		"by a namesake's responder": {func(s sealtest.Seal) []byte {
			by := responder(t, twin, func(*x509.Certificate) {})
			return answer(t, s, by, func(r *ocsp.Response) { r.Certificate = by.Certificate() })
		}, "of another issuer"},
		"by a former responder": {func(s sealtest.Seal) []byte {
			by := responder(t, root, func(c *x509.Certificate) { c.NotAfter = sealtest.NotBefore.Add(time.Hour) })
			return answer(t, s, by, func(r *ocsp.Response) { r.Certificate = by.Certificate() })
		}, "not valid then"},
		"with a certificate that did not sign": {func(s sealtest.Seal) []byte {
			return answer(t, s, other, func(r *ocsp.Response) { r.Certificate = appointed.Certificate() })
		}, "cannot be read"},
		"unknown": {func(s sealtest.Seal) []byte {
			return answer(t, s, root, func(r *ocsp.Response) { r.Status = ocsp.Unknown })
		}, "does not know"},
		"expired": {func(s sealtest.Seal) []byte {
			return answer(t, s, root, func(r *ocsp.Response) { r.NextUpdate = r.ThisUpdate.Add(time.Minute) })
		}, "has ended"},
		"of the future": {func(s sealtest.Seal) []byte {
			return answer(t, s, root, func(r *ocsp.Response) { r.ThisUpdate = sealtest.At.Add(20 * time.Hour) })
		}, "of the future"},
	} {
		t.Run(name, func(t *testing.T) {
			expectRefused(t, root, revocation.OCSP, func(about sealtest.Seal) http.HandlerFunc { return gives(tt.reply(about)) }, tt.words)
		})
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// pointNaming is an IssuingDistributionPoint with an address.
func pointNaming(address string) []byte {
	name := append([]byte{0x86, byte(len(address))}, address...)
	for _, tag := range []byte{0xa0, 0xa0, 0x30} {
		name = append([]byte{tag, byte(len(name))}, name...)
	}
	return name
}

func indirectEntry(l *x509.RevocationList) {
	l.RevokedCertificateEntries = []x509.RevocationListEntry{{
		SerialNumber: big.NewInt(5), RevocationTime: sealtest.At.Add(-time.Hour),
		ExtraExtensions: []pkix.Extension{critical([]int{2, 5, 29, 29}, 0x30, 0)},
	}}
}

func compressed(t *testing.T, body []byte, named string) http.HandlerFunc {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		if named != "" {
			w.Header().Set("Content-Encoding", named)
		}
		_, _ = w.Write(b.Bytes())
	}
}

// flood answers without an end.
func flood(w http.ResponseWriter, _ *http.Request) {
	part := make([]byte, 64<<10)
	for {
		if _, err := w.Write(part); err != nil {
			return
		}
	}
}

// announced answers with fewer bytes than it says.
func announced(length string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", length)
		_, _ = w.Write([]byte{0x30, 0x82, 1, 0})
	}
}

// nonsense is a list whose entry has no serial number.
func nonsense(t *testing.T, root sealtest.Seal) []byte {
	t.Helper()
	list := crl(t, root, func(l *x509.RevocationList) {
		l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: big.NewInt(0x1122334455), RevocationTime: sealtest.At}}
	})
	entry := []byte{2, 5, 0x11, 0x22, 0x33, 0x44, 0x55}
	i := bytes.Index(list, entry)
	if i < 0 {
		t.Fatal("the entry is not in the list")
	}
	list[i] = 4
	return list
}
