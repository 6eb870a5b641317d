package auditor

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"slices"

	"docaxis/signing"
)

// Known is what was found out about revoked certificates.
type Known struct {
	// Revocation may be nil.
	Revocation *signing.Revocation
	// Missing is what could not be had.
	Missing []NotFetched
}

// NotFetched is a list or an answer that could not be had.
type NotFetched struct {
	// Kind is CRL or OCSP.
	Kind string `json:"kind"`
	// Issuer is the authority's name, Serial that of the certificate asked about, in
	// hex; empty for lists.
	Issuer string `json:"issuer"`
	Serial string `json:"serial,omitempty"`
	// URLs are where it was asked for.
	URLs []string `json:"urls,omitempty"`
	// Sentence says why, in the language that was asked for.
	Sentence string `json:"sentence"`
}

// asked is what is known before the files are judged. Files are looked at first as if
// nobody asked about revocation: only chains that hold otherwise are worth asking
// about, since anybody can make others, with addresses of their choice.
func (o Options) asked(paths []string) Known {
	all := Known{Revocation: new(signing.Revocation)}
	if o.Revocation != nil {
		all.Revocation = o.Revocation
	}
	if o.Ask == nil {
		return all
	}
	first := newAudit(o)
	for _, path := range paths {
		first.path(path)
	}
	if len(first.found.all) == 0 {
		return all
	}
	known := o.Ask(first.found.all)
	if r := known.Revocation; r != nil {
		all.Revocation = &signing.Revocation{
			CRLs: slices.Concat(all.Revocation.CRLs, r.CRLs), OCSPs: slices.Concat(all.Revocation.OCSPs, r.OCSPs),
		}
	}
	all.Missing = known.Missing
	return all
}

// maxChains bounds what is asked about for all files.
const maxChains = 1000

// chains are those that lead from a certified signer to an anchor, each once.
type chains struct {
	all  [][]*x509.Certificate
	seen map[[sha256.Size]byte]bool
}

func (c *chains) add(chain []*x509.Certificate) {
	if len(chain) < 2 || len(c.all) == maxChains {
		return // nobody's to revoke
	}
	var whole bytes.Buffer
	for _, cert := range chain {
		whole.Write(cert.Raw)
	}
	sum := sha256.Sum256(whole.Bytes())
	if c.seen[sum] {
		return
	}
	if c.seen == nil {
		c.seen = map[[sha256.Size]byte]bool{}
	}
	c.seen[sum] = true
	c.all = append(c.all, chain)
}
