package revocation_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"docaxis/internal/revocation"
	"docaxis/internal/sealtest"
)

// Addresses within networks are not asked, however they are written.
func TestOnlyPublicAddressesAreAsked(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	for _, address := range []string{
		"127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
		"169.254.169.254", "100.100.100.200", "192.0.0.192", "224.0.0.1", "239.1.1.1", "255.255.255.255", "198.18.0.1", "240.0.0.1",
		"[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[fec0::1]", "[2001:db8::1]",
		"[::ffff:127.0.0.1]", "[::ffff:a00:1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2001::1]", "[::127.0.0.1]",
		"localhost",
	} {
		s := open(t, t.TempDir(), newClock(), func(c *revocation.Config) {
			c.Network = revocation.Network{Resolver: nameServer(t, "127.0.0.1")}
		})
		refresh(t, s, seal(t, root, []string{"http://" + address + ":8080/x"}, nil))
		if st := s.Status(); len(st.Troubles) != 1 || st.Troubles[0].Err == nil || !strings.Contains(st.Troubles[0].Err.Error(), "is not a public one") {
			t.Errorf("%s: %+v", address, st.Troubles)
		}
	}
}

// What may be asked is decided where a name is dialled: one that leads elsewhere the
// second time gains nothing.
func TestANameThatLeadsElsewhereGainsNothing(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	inside := newServer(t)
	inside.give("/crl", crl(t, root, nil))
	u, err := url.Parse(inside.URL)
	if err != nil {
		t.Fatal(err)
	}
	address := "http://authority.test:" + u.Port() + "/crl"
	for name, network := range map[string]revocation.Network{
		"at once": {Resolver: nameServer(t, "127.0.0.1")},
		// The transport looks it up once and dials what it checked; the second answer
		// would have been for a check that comes before.
		"the second time": {Resolver: nameServer(t, "192.0.2.7", "127.0.0.1")},
	} {
		clock := newClock()
		s := open(t, t.TempDir(), clock, func(c *revocation.Config) { c.Network = network })
		one := seal(t, root, []string{address}, nil)
		for range 3 {
			refresh(t, s, one)
			clock.Add(24 * time.Hour)
		}
		expectTrouble(t, s, "not a public one")
		if n := inside.all(); n != 0 {
			t.Errorf("%s: the server within was asked %d times", name, n)
		}
	}
	allowed := loopback()
	allowed.Resolver = nameServer(t, "127.0.0.1")
	s := open(t, t.TempDir(), newClock(), func(c *revocation.Config) { c.Network = allowed })
	one := seal(t, root, []string{address}, nil)
	refresh(t, s, one)
	if known(t, s, one).CRL == nil {
		t.Error("the name server of this test does not work")
	}
}

func TestRedirectsAreHeldToTheSameRules(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	web, inside := newServer(t), newServer(t)
	insideAddress := strings.Replace(inside.URL, "127.0.0.1", "127.0.0.2", 1)
	list := crl(t, root, nil)
	inside.give("/crl", list)
	web.give("/0", list)
	for i := 1; i <= 4; i++ {
		web.on(fmt.Sprintf("/%d", i), to(fmt.Sprintf("%s/%d", web.URL, i-1)))
	}
	web.on("/inside", to(insideAddress+"/crl"))
	web.on("/file", to("file:///etc/hostname"))
	web.on("/ldap", to("ldap://authority.test/cn=x"))
	web.on("/ssh", to("http://authority.test:22/"))
	web.on("/loop", to(web.URL+"/loop"))
	for path, words := range map[string]string{
		"/3": "", "/4": "more than 3 redirects", "/loop": "more than 3 redirects", "/inside": "127.0.0.2 is not a public one",
		"/file": "\"file\" are not supported", "/ldap": "\"ldap\" are not supported", "/ssh": "port 22 is none of the web",
	} {
		s := open(t, t.TempDir(), newClock(), func(c *revocation.Config) {
			c.Network.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
		})
		one := seal(t, root, []string{web.URL + path}, nil)
		refresh(t, s, one)
		if words == "" {
			expectItem(t, path, known(t, s, one).CRL, list)
			continue
		}
		expectItem(t, path, known(t, s, one).CRL, nil)
		expectTrouble(t, s, words)
	}
	if n := inside.all(); n != 0 {
		t.Errorf("the server within was asked %d times", n)
	}
	if n := web.count("/loop"); n != 4 {
		t.Errorf("a loop was followed %d times", n)
	}
}

func to(address string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "who", Value: "you"})
		http.Redirect(w, r, address, http.StatusFound)
	}
}

// Nothing about this machine goes out: no cookies, no passwords, and no proxy but
// the one in the settings.
func TestNeitherCookiesNorProxies(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	list := crl(t, root, nil)
	web, proxied := newServer(t), 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxied++
		if r.URL.Host != "authority.test" {
			t.Errorf("the proxy was asked for %s", r.URL)
		}
		_, _ = w.Write(list)
	}))
	defer proxy.Close()
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	web.on("/a", to(web.URL+"/b"))
	web.on("/b", func(w http.ResponseWriter, r *http.Request) {
		if len(r.Cookies()) > 0 || r.Header.Get("Authorization") != "" {
			t.Errorf("headers went along: %v", r.Header)
		}
		_, _ = w.Write(list)
	})
	resolver := nameServer(t, "127.0.0.1")
	s := open(t, t.TempDir(), newClock(), func(c *revocation.Config) { c.Network.Resolver = resolver })
	one := seal(t, root, []string{strings.Replace(web.URL, "127.0.0.1", "authority.test", 1) + "/a"}, nil)
	refresh(t, s, one)
	expectItem(t, "without a proxy", known(t, s, one).CRL, list)
	if proxied != 0 {
		t.Errorf("a proxy of the environment was used %d times", proxied)
	}
	configured, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	s = open(t, t.TempDir(), newClock(), func(c *revocation.Config) { c.Network = revocation.Network{Proxy: configured} })
	one = seal(t, root, []string{"http://authority.test/a"}, nil)
	refresh(t, s, one)
	expectItem(t, "by the proxy", known(t, s, one).CRL, list)
	if proxied != 1 {
		t.Errorf("the proxy was used %d times", proxied)
	}
}

// What is no address of the web is named and never tried.
func TestUnsupportedAddressesAreNamed(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	for address, words := range map[string]string{
		"ldap://ca.test/cn=x?certificateRevocationList": "\"ldap\" are not supported",
		"file:///etc/passwd":                            "\"file\" are not supported",
		"http://user:word@ca.test/x":                    "a password",
		"http:///x":                                     "names no host",
		"http:ca.test":                                  "names no host",
		"http://ca.test:25/x":                           "port 25",
		"http://[::1":                                   "cannot be read",
		"http://ca.test/" + strings.Repeat("a", 5000):   "5015 bytes",
	} {
		clock := newClock()
		s := open(t, t.TempDir(), clock, func(c *revocation.Config) { c.Transport = nobody{t} })
		refresh(t, s, seal(t, root, []string{address}, nil))
		clock.Add(24 * time.Hour)
		refresh(t, s)
		if tr := expectTrouble(t, s, words); !tr.Next.IsZero() || !tr.Missing {
			t.Errorf("%s: %+v", address, tr)
		}
	}
}

// nobody is a transport that must not be used.
type nobody struct{ t *testing.T }

func (n nobody) RoundTrip(r *http.Request) (*http.Response, error) {
	n.t.Errorf("%s was asked", r.URL)
	return nil, http.ErrServerClosed
}

// A certificate with ten thousand addresses makes a handful of requests.
func TestTenThousandAddresses(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	web := newServer(t)
	var lists, responders []string
	for i := range 10_000 {
		lists = append(lists, fmt.Sprintf("%s/crl/%d", web.URL, i))
		responders = append(responders, fmt.Sprintf("%s/ocsp/%d", web.URL, i))
	}
	s := open(t, t.TempDir(), newClock(), nil)
	one := seal(t, root, lists, responders)
	refresh(t, s, one)
	if n := web.all(); n != 8 {
		t.Errorf("%d requests", n)
	}
	web.give("/crl/3", crl(t, root, nil))
	s = open(t, t.TempDir(), newClock(), nil)
	refresh(t, s, one)
	if known(t, s, one).CRL == nil {
		t.Error("the last of the addresses that are tried was not")
	}
	before := web.all()
	lists = append(slices.Repeat([]string{"ldap://ca.test/cn=x"}, 5000), web.URL+"/crl/3")
	refresh(t, s, seal(t, root, lists, nil))
	expectTrouble(t, s, "\"ldap\" are not supported")
	if n := web.all() - before; n != 0 {
		t.Errorf("all addresses were read, and %d asked", n)
	}
}
