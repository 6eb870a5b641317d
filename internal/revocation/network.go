package revocation

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"docaxis/internal/lang"
)

const (
	maxURL       = 2048
	maxRedirects = 3
)

// Network says which addresses may be asked. The zero value permits public ones
// alone: whoever makes a certificate chooses what is requested, and must not reach
// machines that trust their network.
type Network struct {
	// Allow are further addresses that may be asked, such as those of an authority
	// within the agencies' own network.
	Allow []netip.Prefix
	// Hosts are names that may be asked wherever they lead, without port: whoever
	// allows one trusts who answers for it.
	Hosts []string
	// Proxy, if not nil, makes all requests; then it is the proxy that decides which
	// names lead where. The environment is not looked at.
	Proxy *url.URL
	// Resolver looks up names; the machine's own where nil.
	Resolver *net.Resolver
}

// NewTransport makes a transport that checks each address after its name was
// resolved, when it is dialled: a name that leads somewhere else the second time
// gains nothing. Answers are not decompressed and connections not kept.
func NewTransport(n Network) *http.Transport {
	dialer := &net.Dialer{Timeout: 15 * time.Second, Resolver: n.Resolver}
	t := &http.Transport{
		DialContext:            n.dial(dialer),
		TLSHandshakeTimeout:    15 * time.Second,
		ResponseHeaderTimeout:  30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
		DisableKeepAlives:      true,
	}
	if n.Proxy != nil {
		t.Proxy = http.ProxyURL(n.Proxy)
		return t
	}
	dialer.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("dial %s: %w", address, err)
		}
		return n.permits(to.Addr())
	}
	return t
}

// dial asks a name that is allowed without looking where it leads. Every connection
// is dialled by its own name, so a redirect is held to the rules again.
func (n Network) dial(checked *net.Dialer) func(ctx context.Context, network, address string) (net.Conn, error) {
	free := &net.Dialer{Timeout: checked.Timeout, Resolver: checked.Resolver}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err == nil && slices.ContainsFunc(n.Hosts, func(h string) bool { return strings.EqualFold(h, strings.TrimSuffix(host, ".")) }) {
			return free.DialContext(ctx, network, address)
		}
		return checked.DialContext(ctx, network, address)
	}
}

// permits refuses what is not public and not allowed.
func (n Network) permits(a netip.Addr) error {
	a = a.Unmap().WithZone("")
	for _, p := range n.Allow {
		if p.Contains(a) {
			return nil
		}
	}
	if public(a) {
		return nil
	}
	return lang.Errorf(
		"địa chỉ %s không phải địa chỉ công cộng nên không được hỏi; nếu đó là máy chủ của cơ quan chứng thực trong mạng nội bộ, hãy cho phép địa chỉ này (allow ở mục [signatures] của cấu hình; auditor: --allow)",
		"the address %s is not a public one and is not asked; if it is an authority's server in an internal network, allow the address (allow of [signatures] in the settings; auditor: --allow)", a)
}

// notPublic are the blocks of RFC 6890 and its successors that lead to no public
// host, with those at which clouds serve credentials to their machines.
var notPublic = prefixes(`
	0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12
	192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15
	198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
	2001::/23 2001:db8::/32 2002::/16 3fff::/20`)

var (
	// globalUnicast is all of IPv6 that is given out.
	globalUnicast = netip.MustParsePrefix("2000::/3")
	// nat64 leads to the IPv4 address in its last four bytes (RFC 6052).
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

func prefixes(list string) (all []netip.Prefix) {
	for _, s := range strings.Fields(list) {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

func public(a netip.Addr) bool {
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !a.IsValid() || a.Is6() && !globalUnicast.Contains(a) {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// readURL refuses addresses that are never asked, whatever they lead to.
func readURL(raw string) (*url.URL, error) {
	if len(raw) > maxURL {
		return nil, lang.Errorf("địa chỉ dài %d byte, quá %d", "an address of %d bytes; at most %d are read", len(raw), maxURL)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, lang.Errorf("địa chỉ không đọc được", "the address cannot be read").Because(err)
	}
	return u, checkURL(u)
}

func checkURL(u *url.URL) error {
	port, err := strconv.Atoi(u.Port())
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return lang.Errorf("địa chỉ kiểu %q không được hỗ trợ, chỉ http và https", "addresses of kind %q are not supported, only http and https", clip(u.Scheme))
	case u.Hostname() == "" || u.User != nil || u.Opaque != "":
		return lang.Errorf("địa chỉ %q không có tên máy hoặc có mật khẩu", "the address %q names no host, or a password", clip(u.Redacted()))
	case u.Port() != "" && (err != nil || port < 1024 && port != 80 && port != 443):
		return lang.Errorf("cổng %s không phải cổng web", "port %s is none of the web", clip(u.Port()))
	}
	return nil
}

// clip bounds what a stranger wrote, for texts.
func clip(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "…"
	}
	return s
}

// checkRedirect holds redirects to the same rules as the address of a certificate.
func checkRedirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return lang.Errorf("chuyển hướng quá %d lần", "more than %d redirects", maxRedirects)
	}
	return checkURL(r.URL)
}
