// Package directory owns the registry as this endpoint pulled it: agencies, their
// other codes, their seals, and who serves them. It works without the axis.
//
// Buckets: agency (AgencyEntry by code), alias (code by alias), seal (SealEntry by
// code 0x00 SHA-256 of the certificate), endpoint (EndpointEntry by name) and policy
// (PolicyEntry by code).
// What was once true is kept beside what is: seals and serving endpoints are judged
// as of a document's own time.
package directory

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

const (
	agencyBucket   = "agency"
	aliasBucket    = "alias"
	sealBucket     = "seal"
	endpointBucket = "endpoint"
	policyBucket   = "policy"
)

// Init makes the buckets.
func Init(tx *bbolt.Tx) error {
	return boltpb.Create(tx, agencyBucket, aliasBucket, sealBucket, endpointBucket, policyBucket)
}

// Directory is the directory as one transaction sees it.
type Directory struct{ agencies, aliases, seals, endpoints, policies *boltpb.Lazy }

// In gives the directory in a transaction.
func In(tx *bbolt.Tx) Directory {
	b := boltpb.Open(tx, agencyBucket, aliasBucket, sealBucket, endpointBucket, policyBucket)
	return Directory{agencies: &b[0], aliases: &b[1], seals: &b[2], endpoints: &b[3], policies: &b[4]}
}

// Empty reports whether nothing was pulled yet, so that an unknown code means
// nothing.
func (d Directory) Empty() bool {
	k, _ := d.agencies.Cursor().First()
	return k == nil
}

// Lookup finds an agency by its code or another of its codes; nil where none is
// known.
func (d Directory) Lookup(code string) (*axispb.AgencyEntry, error) {
	e, err := boltpb.Get[axispb.AgencyEntry](d.agencies, []byte(code))
	if e != nil || err != nil {
		return e, err
	}
	if meant := d.aliases.Get([]byte(code)); meant != nil {
		return boltpb.Get[axispb.AgencyEntry](d.agencies, meant)
	}
	return nil, nil
}

// Filter narrows a list. Zero values do not narrow.
type Filter struct {
	// Parent is the code of the agency above.
	Parent string
	Level  axispb.Level
	// After is the code at which the last page ended.
	After string
	// Limit is the length of the page; 0 means 100.
	Limit int
}

// List gives agencies by code.
func (d Directory) List(f Filter) ([]*axispb.AgencyEntry, error) {
	if f.Limit == 0 {
		f.Limit = 100
	}
	var all []*axispb.AgencyEntry
	c := d.agencies.Cursor()
	for k, v := c.Seek([]byte(f.After)); k != nil && len(all) < f.Limit; k, v = c.Next() {
		if string(k) == f.After {
			continue
		}
		e, err := boltpb.Decode[axispb.AgencyEntry](v)
		if err != nil {
			return nil, err
		}
		if f.matches(e.Agency) {
			all = append(all, e)
		}
	}
	return all, nil
}

func (f Filter) matches(a *axispb.Agency) bool {
	return (f.Parent == "" || a.GetParent() == f.Parent) &&
		(f.Level == axispb.Level_LEVEL_UNSPECIFIED || a.GetLevel() == f.Level)
}

// maxSuccession bounds how many successions are followed.
const maxSuccession = 64

// Served reports whether an endpoint serves or ever served one of the codes, or the
// agency that took over from it. known is false where the directory has no word on
// any of them.
func (d Directory) Served(endpoint string, codes ...string) (served, known bool, err error) {
	for _, code := range codes {
		for range maxSuccession {
			e, err := d.Lookup(code)
			if err != nil {
				return false, false, err
			}
			known = known || len(e.GetServedBy()) > 0
			if slices.Contains(e.GetServedBy(), endpoint) {
				return true, true, nil
			}
			if e.GetClosedMs() == 0 || len(e.GetSuccessors()) != 1 {
				break
			}
			code = e.GetSuccessors()[0]
		}
	}
	return false, known, nil
}

// Codes lists what an endpoint serves now.
func (d Directory) Codes(endpoint string) ([]string, error) {
	var codes []string
	err := boltpb.Each[axispb.AgencyEntry](d.agencies, nil, func(k []byte, e *axispb.AgencyEntry) (bool, error) {
		if e.Endpoint == endpoint {
			codes = append(codes, string(k))
		}
		return true, nil
	})
	return codes, err
}

// Endpoint gives what is known of an endpoint; nil where nothing is.
func (d Directory) Endpoint(name string) (*axispb.EndpointEntry, error) {
	return boltpb.Get[axispb.EndpointEntry](d.endpoints, []byte(name))
}

// Seals lists every seal that an agency ever had.
func (d Directory) Seals(code string) ([]*axispb.SealEntry, error) {
	var all []*axispb.SealEntry
	err := boltpb.Each[axispb.SealEntry](d.seals, sealKey(code, nil), func(_ []byte, s *axispb.SealEntry) (bool, error) {
		all = append(all, s)
		return true, nil
	})
	return all, err
}

// SealsAt gives the certificates that could seal for an agency at a time of the
// journal. One millisecond is the journal's grain: a seal retired in the very
// millisecond of a document may have sealed it.
func (d Directory) SealsAt(code string, at time.Time) ([]*x509.Certificate, error) {
	entry, err := d.Lookup(code)
	if err != nil {
		return nil, err
	}
	if entry != nil {
		code = entry.Agency.GetCode()
	}
	seals, err := d.Seals(code)
	if err != nil {
		return nil, err
	}
	var good []*x509.Certificate
	for _, s := range seals {
		if !admitted(s, at.UnixMilli()) {
			continue
		}
		cert, err := x509.ParseCertificate(s.Seal.Certificate)
		if err != nil {
			// The registry admits only what can be read.
			continue
		}
		good = append(good, cert)
	}
	return good, nil
}

func admitted(s *axispb.SealEntry, ms int64) bool {
	return s.AdmittedMs <= ms &&
		(s.RetiredMs == 0 || ms <= s.RetiredMs) &&
		(s.Seal.ValidFromMs == 0 || s.Seal.ValidFromMs <= ms) &&
		(s.Seal.ValidUntilMs == 0 || ms <= s.Seal.ValidUntilMs)
}

func sealKey(code string, digest []byte) []byte {
	return slices.Concat([]byte(code), []byte{0}, digest)
}

// Check lists every invariant that does not hold: agencies and seals stand under
// their own keys, aliases lead to agencies.
func Check(tx *bbolt.Tx) error {
	d := In(tx)
	var found []error
	err := boltpb.Each[axispb.AgencyEntry](d.agencies, nil, func(k []byte, e *axispb.AgencyEntry) (bool, error) {
		if e.Agency.GetCode() != string(k) {
			found = append(found, fmt.Errorf("agency %q stands under %q", e.Agency.GetCode(), k))
		}
		if n := len(e.ServedBy); e.Endpoint != "" && (n == 0 || e.ServedBy[n-1] != e.Endpoint) {
			found = append(found, fmt.Errorf("agency %q: %q does not serve it last", k, e.Endpoint))
		}
		return true, nil
	})
	found = append(found, err)
	c := d.aliases.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if d.agencies.Get(v) == nil {
			found = append(found, fmt.Errorf("alias %q leads to %q, which is not here", k, v))
		}
	}
	err = boltpb.Each[axispb.SealEntry](d.seals, nil, func(k []byte, s *axispb.SealEntry) (bool, error) {
		digest := sha256.Sum256(s.Seal.GetCertificate())
		if string(k) != string(sealKey(s.Seal.GetCode(), digest[:])) {
			found = append(found, fmt.Errorf("a seal of %q stands under another key", s.Seal.GetCode()))
		}
		return true, nil
	})
	return errors.Join(append(found, err)...)
}
