package revocation

import (
	"slices"
	"strings"
	"time"

	"docaxis/signing"
)

// maxListed bounds the lists of a Status.
const maxListed = 100

// Authority is a machine that is asked.
type Authority struct {
	// Host is its name, with the port where it is not the usual one.
	Host string
	// Since is since when it cannot be reached.
	Since time.Time
	// Failures were counted in a row; Next is when it is asked again.
	Failures int
	Next     time.Time
	// Err says why, in both languages (lang.Say).
	Err error
}

// Trouble is a list or an answer that could not be refreshed.
type Trouble struct {
	Kind Kind
	// Issuer is the authority's name in its certificate; Serial that of the
	// certificate asked about, empty for lists.
	Issuer, Serial string
	URLs           []string
	// Missing: there is none at all. Stale: what is there has ended, at Ended.
	Missing, Stale bool
	Ended          time.Time
	// Since, Next and Err: since when it fails, when it is tried again, and why, in
	// both languages. Next is zero where trying again cannot help.
	Since, Next time.Time
	Err         error
}

// Status is how things stand, for pages and doctors.
type Status struct {
	// Entries are looked after; Kept of them are there, with so many Bytes.
	Entries, Kept int
	Bytes         int64
	// Dropped notes of Want found no room.
	Dropped uint64
	// Unreachable authorities, at most 100, those that are longest gone first.
	Unreachable []Authority
	// Troubles, at most 100, what is missing or stale first; InTrouble are all.
	Troubles  []Trouble
	InTrouble int
}

// Status looks at what the keeper last told. It asks nobody.
func (s *Store) Status() Status {
	now := s.cfg.Now()
	st := Status{Dropped: s.dropped.Load()}
	s.shown.Range(func(_, v any) bool {
		t := v.(*shown)
		st.Entries++
		st.Bytes += t.size
		if t.kept != nil {
			st.Kept++
		}
		if trouble, ok := t.trouble(now); ok {
			st.Troubles = append(st.Troubles, trouble)
		}
		return true
	})
	s.authorities.Range(func(_, v any) bool {
		st.Unreachable = append(st.Unreachable, v.(Authority))
		return true
	})
	st.InTrouble = len(st.Troubles)
	st.sort()
	return st
}

func (t *shown) trouble(now time.Time) (Trouble, bool) {
	tr := Trouble{
		Kind: t.kind, Issuer: clip(t.issuer.Subject.String()), URLs: t.urls,
		Missing: t.kept == nil, Since: t.since, Err: t.err,
	}
	if t.serial != nil {
		tr.Serial = t.serial.Text(16)
	}
	if len(t.urls) > 0 {
		tr.Next = t.next
	}
	if t.kept != nil && t.kept.Answer.end().Before(now) {
		tr.Stale, tr.Ended = true, t.kept.Answer.end()
	}
	if t.kind == CRL && t.size > signing.MaxCRL && tr.Err == nil {
		tr.Err = tooLargeToJudge(t.size)
	}
	return tr, tr.Stale || tr.Err != nil
}

func (s *Status) sort() {
	slices.SortFunc(s.Unreachable, func(a, b Authority) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return strings.Compare(a.Host, b.Host)
	})
	weight := func(t Trouble) int {
		if t.Missing || t.Stale {
			return 0
		}
		return 1
	}
	slices.SortFunc(s.Troubles, func(a, b Trouble) int {
		if c := weight(a) - weight(b); c != 0 {
			return c
		}
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return strings.Compare(a.Issuer+a.Serial+string(a.Kind), b.Issuer+b.Serial+string(b.Kind))
	})
	s.Unreachable = s.Unreachable[:min(len(s.Unreachable), maxListed)]
	s.Troubles = s.Troubles[:min(len(s.Troubles), maxListed)]
}
