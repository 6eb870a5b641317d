package revocation

import (
	"crypto/x509"
	"sync"

	"docaxis/internal/lang"
	"docaxis/signing"
)

// Bounds of what stays read in memory. Lists take several times as much there as
// on the disk.
const (
	maxReadEntries = 4096
	maxReadBytes   = 16 << 20
)

// Chains are those of signers and of their time-stamps that were found: what to
// Want, and what to ask Revocation for. Judge once without revocation data to get
// them, since a chain is known only where it holds otherwise.
func Chains(verdicts []signing.Verdict) (all [][]*x509.Certificate) {
	add := func(v *signing.Verdict) {
		if len(v.Chain) > 1 {
			all = append(all, v.Chain)
		}
	}
	for i := range verdicts {
		add(&verdicts[i])
		for j := range verdicts[i].Timestamps {
			add(&verdicts[i].Timestamps[j].Verdict)
		}
	}
	return all
}

// Revocation is Data for signing.Options and signing.TimestampOptions. It is never
// nil: where nothing is known, a check says TRY_LATER. What was read once is kept
// in memory. Lists beyond signing.MaxCRL are left out, and named in Status.
func (s *Store) Revocation(chains ...[]*x509.Certificate) *signing.Revocation {
	r, seen := &signing.Revocation{}, map[string]bool{}
	for _, chain := range chains {
		links(chain, func(cert, issuer *x509.Certificate) {
			for _, t := range targetsOf(cert, issuer) {
				key := t.key()
				if seen[key] {
					continue
				}
				seen[key] = true
				s.addTo(r, key, t.kind)
			}
		})
	}
	return r
}

func (s *Store) addTo(r *signing.Revocation, key string, kind Kind) {
	got := s.readParsed(key, kind)
	if got.crl != nil {
		r.CRLs = append(r.CRLs, got.crl)
	}
	if got.ocsp != nil {
		r.OCSPs = append(r.OCSPs, got.ocsp)
	}
}

// readParsed reads what is kept for a target, from memory where it was read before.
func (s *Store) readParsed(key string, kind Kind) parsed {
	d := s.kept(key)
	if d == nil {
		return parsed{}
	}
	if p, ok := s.parsed.get(key, d.Digest); ok {
		return p
	}
	raw, d, err := readFile(s.path(key), s.cfg.MaxCRL)
	if err != nil {
		s.report(key, err)
		return parsed{}
	}
	p, err := parse(raw, kind)
	if err != nil {
		return parsed{}
	}
	p.digest = d.Digest
	s.parsed.put(key, p)
	return p
}

// parsed is one of the two, as package signing reads it.
type parsed struct {
	digest string
	size   int
	crl    *signing.CRL
	ocsp   *signing.OCSP
}

func parse(raw []byte, kind Kind) (p parsed, err error) {
	p.size = len(raw)
	if kind == OCSP {
		p.ocsp, err = signing.ParseOCSP(raw)
	} else {
		p.crl, err = signing.ParseCRL(raw)
	}
	return p, err
}

// usable refuses what package signing would not read: what is kept is of use.
func usable(raw []byte, kind Kind) error {
	if len(raw) > signing.MaxCRL {
		return nil // named by Status
	}
	if _, err := parse(raw, kind); err != nil {
		return unreadable(err)
	}
	return nil
}

func tooLargeToJudge(size int64) error {
	return lang.Errorf("danh sách %d byte lớn hơn mức %d byte mà việc kiểm tra chữ ký đọc được",
		"the list of %d bytes is larger than the %d that checks of signatures read", size, signing.MaxCRL)
}

// memory has what was read, by the key of its target. Beyond its bounds any other
// goes.
type memory struct {
	mu    sync.Mutex
	items map[string]parsed // guarded by mu
	bytes int               // guarded by mu
}

func (m *memory) get(key, digest string) (parsed, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.items[key]
	return p, ok && p.digest == digest
}

func (m *memory) put(key string, p parsed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.items == nil {
		m.items = map[string]parsed{}
	}
	m.bytes -= m.items[key].size
	delete(m.items, key)
	for other, old := range m.items {
		if m.bytes+p.size <= maxReadBytes && len(m.items) < maxReadEntries {
			break
		}
		m.bytes -= old.size
		delete(m.items, other)
	}
	m.items[key] = p
	m.bytes += p.size
}
