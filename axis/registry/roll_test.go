package registry_test

import (
	"crypto/x509"
	"testing"
	"time"

	"docaxis/axis/registry"
)

// However often the CA was replaced: whichever of them somebody pinned, the server's
// chain leads to it, and every certificate that any of them issued is taken.
func TestACATakesOverFromAnother(t *testing.T) {
	ca, c, dir := newCA(t)
	var pinned, certs []*x509.Certificate
	rolls := 0
	for ; ca.CheckRoll() == nil; rolls++ {
		pinned = append(pinned, ca.Certificate())
		certs = append(certs, issued(t, ca, p256(t), "vinh"))
		c.now = c.now.Add(time.Hour)
		next, err := ca.Roll()
		if err != nil {
			t.Fatal(err)
		}
		if next.Certificate().Equal(ca.Certificate()) || !next.First().Equal(pinned[0]) {
			t.Fatal("the CA is the same, or does not know the first")
		}
		ca = next
	}
	if rolls != 12 {
		t.Errorf("taken over from %d times", rolls)
	}
	if _, err := ca.Roll(); err == nil {
		t.Error("taken over from once more")
	}
	ca, err := registry.OpenCA(dir, registry.CAConfig{Now: c.read})
	if err != nil {
		t.Fatal(err)
	}
	server, err := ca.IssueServer([]string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	between := x509.NewCertPool()
	for _, der := range server.Certificate[1:] {
		between.AddCert(parsed(t, der))
	}
	for i, root := range append(pinned, ca.Certificate()) {
		roots := x509.NewCertPool()
		roots.AddCert(root)
		opts := x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: c.now, DNSName: "localhost"}
		if _, err := server.Leaf.Verify(opts); err != nil {
			t.Errorf("CA %d pinned: %v", i+1, err)
		}
		if found, ok := ca.Pinned(registry.PinOf(root)); !ok || !found.Equal(root) {
			t.Errorf("CA %d is not known by its pin", i+1)
		}
	}
	for i, cert := range certs {
		if err := ca.Verify(cert, c.now); err != nil {
			t.Errorf("a certificate of CA %d: %v", i+1, err)
		}
	}
	total := 0
	for _, der := range ca.Authorities() {
		total += len(der)
	}
	if len(ca.Authorities()) != 2*rolls || total > 14<<10 {
		t.Errorf("%d certificates of %d bytes do not fit into an epoch", len(ca.Authorities()), total)
	}
}

// Two at once cannot get more than one after the other: the appender counts.
func TestCertificatesADay(t *testing.T) {
	ca, c, _ := newCA(t)
	w := nghean(t)
	c.now = noon.Add(time.Hour)
	for range registry.MaxCertificatesADay {
		w.do(c.now, enrol("vinh", issued(t, ca, p256(t), "vinh").Raw))
	}
	more := change(enrol("vinh", issued(t, ca, p256(t), "vinh").Raw))
	if err := w.Check(more, c.now); err == nil {
		t.Error("one more is taken")
	}
	if err := w.Check(change(enrol("ndan", issued(t, ca, p256(t), "ndan").Raw)), c.now); err != nil {
		t.Errorf("another endpoint's: %v", err)
	}
	c.now = c.now.Add(24*time.Hour + time.Second)
	w.do(c.now, enrol("vinh", issued(t, ca, p256(t), "vinh").Raw))
}
