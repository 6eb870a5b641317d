package inspect

import (
	"errors"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"docaxis/internal/lang"
	"docaxis/internal/revocation"
	"docaxis/signing"
)

// DefaultAnchors is the folder of anchors where the settings name none; it may be
// absent.
const DefaultAnchors = "trust"

// Settings is the table [signatures] of axis.toml and endpoint.toml: by what the
// signatures within documents' files are judged.
type Settings struct {
	// Anchors are files and folders of certificates (PEM or DER) that are trusted,
	// relative to the program's folder. Where nothing is set: the folder trust, if it
	// is there.
	Anchors []string `toml:"anchors"`
	// Revocation says whether authorities are asked for revoked certificates; true
	// where it is not set. Where nobody is asked, revoked signers are not noticed.
	Revocation *bool `toml:"revocation"`
	// Allow are address blocks, addresses and names of hosts that may be asked though
	// they are within our walls. Public addresses need not be named.
	Allow []string `toml:"allow"`
	// Proxy is the address of an HTTP proxy that asks for us; empty for none.
	Proxy string `toml:"proxy"`
}

// Validate says what is wrong with the settings, before anything is done with them.
func (s Settings) Validate() error {
	_, err := s.Network()
	return err
}

// Asks reports whether authorities are asked.
func (s Settings) Asks() bool { return s.Revocation == nil || *s.Revocation }

// Network says whom the settings let ask, and how. The error says which entry to mend.
func (s Settings) Network() (n revocation.Network, err error) {
	var found []error
	for _, a := range s.Allow {
		if err := allow(&n, a); err != nil {
			found = append(found, err)
		}
	}
	if s.Proxy != "" {
		if n.Proxy, err = url.Parse(s.Proxy); err != nil || n.Proxy.Host == "" || n.Proxy.Scheme != "http" && n.Proxy.Scheme != "https" {
			found = append(found, lang.Errorf("signatures.proxy %q: hãy ghi như http://proxy:3128", "signatures.proxy %q: write it like http://proxy:3128", s.Proxy))
		}
	}
	return n, errors.Join(found...)
}

// allow takes one entry of Settings.Allow.
func allow(n *revocation.Network, entry string) error {
	if p, err := netip.ParsePrefix(entry); err == nil {
		n.Allow = append(n.Allow, p)
		return nil
	}
	if a, err := netip.ParseAddr(entry); err == nil {
		n.Allow = append(n.Allow, netip.PrefixFrom(a, a.BitLen()))
		return nil
	}
	if entry == "" || strings.ContainsAny(entry, "/:*@ \t\r\n") {
		return lang.Errorf("signatures.allow %q: hãy ghi như 10.1.0.0/16 hoặc tên máy crl.coquan.local, không kèm http và cổng",
			"signatures.allow %q: write it like 10.1.0.0/16, or a host name such as crl.coquan.local, without http and port", entry)
	}
	n.Hosts = append(n.Hosts, strings.TrimSuffix(entry, "."))
	return nil
}

// trust reads the anchors.
func (s Settings) trust(folder string) (*signing.Trust, []string, error) {
	paths := s.Anchors
	if paths == nil {
		paths = []string{DefaultAnchors}
		if _, err := os.Stat(filepath.Join(folder, DefaultAnchors)); errors.Is(err, fs.ErrNotExist) {
			paths = nil
		}
	}
	full := make([]string, len(paths))
	for i, p := range paths {
		if full[i] = p; !filepath.IsAbs(p) {
			full[i] = filepath.Join(folder, p)
		}
	}
	anchors, err := signing.LoadCertificates(full...)
	if err != nil {
		return nil, nil, lang.Errorf("không đọc được chứng thư số tin cậy (signatures.anchors): %v. Hãy bỏ hoặc thay tệp này.",
			"the trusted certificates (signatures.anchors) cannot be read: %v. Take the file away or replace it.", err).Because(err)
	}
	var digests []string
	for _, a := range anchors {
		digests = append(digests, digest(a))
	}
	return signing.NewTrust(anchors, nil), digests, nil
}
