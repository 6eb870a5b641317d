package signing_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"docaxis/internal/sealtest"
	"docaxis/signing"
)

// bench has what the forgeries are made with.
type bench struct {
	content  []byte
	root     sealtest.Seal
	stranger sealtest.Seal
	seal     sealtest.Seal
	other    sealtest.Seal
	rsa      sealtest.Seal
}

func newBench(t testing.TB) *bench {
	root := sealtest.Root(t, "Root")
	return &bench{
		content:  []byte("the content"),
		root:     root,
		stranger: sealtest.New(t, sealtest.Root(t, "Nobody"), "Stranger"),
		seal:     sealtest.New(t, root, "Seal"),
		other:    sealtest.New(t, root, "Other"),
		rsa:      sealtest.Issue(t, root, "RSA", rsaKey(t, 2048), nil),
	}
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// certified is a forgery by a certificate that a template change made special.
func (b *bench) certified(t testing.TB, change func(*x509.Certificate)) *forgery {
	return forge(sealtest.Issue(t, b.root, "Special", sealtest.P256(t), change), b.content)
}

// defect is one mistake in a signature that is good otherwise, or in what it is
// judged by, and the answer of ETSI EN 319 102-1 to it.
type defect struct {
	name string
	make func(t testing.TB) *forgery
	// judge changes what it is judged by; nil leaves it.
	judge func(t testing.TB, o *signing.Options)
	want  signing.SubIndication
}

// TestDefects makes one mistake at a time.
func TestDefects(t *testing.T) {
	b := newBench(t)
	all := [][]defect{
		formDefects(b), attributeDefects(b), cryptoDefects(b), chainDefects(b), pathDefects(t, b), revocationDefects(t, b), timeDefects(t, b),
	}
	seen := map[string]bool{}
	for _, d := range slices.Concat(all...) {
		if seen[d.name] {
			t.Errorf("two rows are named %q", d.name)
		}
		seen[d.name] = true
		t.Run(d.name, func(t *testing.T) { d.test(t, b) })
	}
	if len(seen) < 80 {
		t.Errorf("%d defects", len(seen))
	}
}

func (d defect) test(t *testing.T, b *bench) {
	o := anchoredAt(b.root)
	if d.judge != nil {
		d.judge(t, &o)
	}
	v := judge(t, d.make(t).der(t), b.content, o)
	if v.SubIndication != d.want || v.Indication != d.want.Indication() || v.Passed() {
		t.Errorf("got %s/%s (%s), want %s/%s", v.Indication, v.SubIndication, v.Detail, d.want.Indication(), d.want)
	}
	if v.Detail == "" || len(v.Chain) != 0 {
		t.Errorf("detail %q, chain of %d", v.Detail, len(v.Chain))
	}
}

// Where the attributes of a forgery stand.
const (
	atContentType = iota
	atMessageDigest
	atSigningTime
	atBound
)

func (b *bench) change(c func(*forgery)) func(testing.TB) *forgery {
	return func(testing.TB) *forgery {
		f := forge(b.seal, b.content)
		c(f)
		return f
	}
}

func (b *bench) without(i int) func(testing.TB) *forgery {
	return b.change(func(f *forgery) { f.attributes = append(f.attributes[:i:i], f.attributes[i+1:]...) })
}

func (b *bench) twice(i int) func(testing.TB) *forgery {
	return b.change(func(f *forgery) { f.attributes = append(f.attributes, f.attributes[i]) })
}

func (b *bench) with(i int, attr []byte) func(testing.TB) *forgery {
	return b.change(func(f *forgery) { f.attributes[i] = attr })
}

func (b *bench) spoil(c func([]byte) []byte) func(testing.TB) *forgery {
	return b.change(func(f *forgery) { f.spoil = c })
}

func (b *bench) byRSA(c func(*forgery)) func(testing.TB) *forgery {
	return func(testing.TB) *forgery {
		f := forge(b.rsa, b.content)
		f.signature = algorithm(oidSHA256WithRSA)
		c(f)
		return f
	}
}

// special is a signature by a certificate with a changed template.
func (b *bench) special(c func(*x509.Certificate)) func(testing.TB) *forgery {
	return func(t testing.TB) *forgery { return b.certified(t, c) }
}

// TestWeakIsNamed: what is too weak is called so, by its name.
func TestWeakIsNamed(t *testing.T) {
	b := newBench(t)
	rows := map[string]string{
		"digest by MD5": "MD5 is too weak", "digest by SHA-1": "SHA-1 is too weak", "signature by SHA-1": "RSA with SHA-1 is too weak",
		"RSA of 1024 bits": "RSA key of 1024 bits", "no signed attributes": "no signed attributes", "issued by SHA-1": "SHA1-RSA, which is too weak",
		"issued with a weak key": "RSA key of 1024 bits", "signing-certificate in its older form": "SHA-1, which is too weak",
	}
	found := 0
	for _, d := range slices.Concat(attributeDefects(b), cryptoDefects(b), chainDefects(b), pathDefects(t, b)) {
		want, ok := rows[d.name]
		if !ok {
			continue
		}
		found++
		if v := judge(t, d.make(t).der(t), b.content, anchoredAt(b.root)); !strings.Contains(v.Detail, want) {
			t.Errorf("%s: %s", d.name, v.Detail)
		}
	}
	if found != len(rows) {
		t.Errorf("%d of %d were there", found, len(rows))
	}
}
