package registry

import (
	"maps"
	"slices"
	"time"
)

// tables are the registry's content. What a pointer leads to is never written to
// after it was put in: a change puts a new value in its place, so that a draft
// and a reader may hold the old one.
type tables struct {
	agencies    map[string]*Agency
	names       map[string]string // code or alias → code of its agency
	endpoints   map[string]*Endpoint
	holders     map[[32]byte]string // digest of a certificate → endpoint
	seals       map[sealKey]*Seal
	invitations map[[32]byte]*Invitation
	invited     map[string][32]byte // name of an endpoint → the last invitation with it
	policies    map[string]*PolicyWord
	requests    map[string]*Request
	asked       map[about]string // the last request about an agency

	// The rest follows from the above and is kept by commit.
	children map[string]set[string] // code → codes right below it
	codes    map[string]set[string] // endpoint → codes that are its own
	history  history
	sealsOf  map[string]set[sealKey] // code → its seals
	heirOf   map[string]set[string]  // code → closed agencies whose one heir it is

	openRequests map[string]int // endpoint → requests that nobody has decided
}

type set[K comparable] map[K]struct{}

type sealKey struct {
	code   string
	digest [32]byte
}

func newTables() tables {
	return tables{
		agencies: map[string]*Agency{}, names: map[string]string{},
		endpoints: map[string]*Endpoint{}, holders: map[[32]byte]string{},
		seals: map[sealKey]*Seal{}, invitations: map[[32]byte]*Invitation{}, invited: map[string][32]byte{},
		policies: map[string]*PolicyWord{}, requests: map[string]*Request{}, asked: map[about]string{}, openRequests: map[string]int{},
		children: map[string]set[string]{}, codes: map[string]set[string]{}, history: history{}, sealsOf: map[string]set[sealKey]{},
		heirOf: map[string]set[string]{},
	}
}

// layer is a table with what a change would write over it. The zero value means
// that nothing is there.
type layer[K, V comparable] struct{ base, over map[K]V }

func over[K, V comparable](base map[K]V) layer[K, V] {
	return layer[K, V]{base: base, over: map[K]V{}}
}

func (l layer[K, V]) get(k K) V {
	if v, ok := l.over[k]; ok {
		return v
	}
	return l.base[k]
}

func (l layer[K, V]) put(k K, v V) { l.over[k] = v }

func (l layer[K, V]) commit() {
	var none V
	for k, v := range l.over {
		if v == none {
			delete(l.base, k)
		} else {
			l.base[k] = v
		}
	}
}

// draft is the registry as a change under way makes it. Check throws it away,
// Apply commits it: both go by the same steps.
type draft struct {
	position uint64
	at       time.Time
	// Of the change: an operator's, where they decide on a request.
	actor, reason string

	agencies    layer[string, *Agency]
	names       layer[string, string]
	endpoints   layer[string, *Endpoint]
	holders     layer[[32]byte, string]
	seals       layer[sealKey, *Seal]
	invitations layer[[32]byte, *Invitation]
	invited     layer[string, [32]byte]
	policies    layer[string, *PolicyWord]
	requests    layer[string, *Request]
	asked       layer[about, string]
	heirOf      map[string]set[string] // as it was before the change
}

// draft takes the time in milliseconds, as a record's header has it: what is
// rebuilt from the journal must be equal.
func (t *tables) draft(position uint64, at time.Time) *draft {
	return &draft{
		position: position, at: time.UnixMilli(at.UnixMilli()).UTC(),
		agencies: over(t.agencies), names: over(t.names), endpoints: over(t.endpoints), holders: over(t.holders),
		seals: over(t.seals), invitations: over(t.invitations), invited: over(t.invited),
		policies: over(t.policies), requests: over(t.requests), asked: over(t.asked),
		heirOf: t.heirOf,
	}
}

func (t *tables) commit(d *draft) {
	t.history.remember(d)
	for code, a := range d.agencies.over {
		t.index(code, t.agencies[code], a)
	}
	t.countRequests(d)
	for key := range d.seals.over {
		add(t.sealsOf, key.code, key)
	}
	d.agencies.commit()
	d.names.commit()
	d.endpoints.commit()
	d.holders.commit()
	d.seals.commit()
	d.invitations.commit()
	d.invited.commit()
	d.policies.commit()
	d.requests.commit()
	d.asked.commit()
}

// index moves an agency to its place under its parent and its endpoint.
func (t *tables) index(code string, old, a *Agency) {
	if old != nil {
		remove(t.children, old.Parent, code)
		remove(t.codes, old.Endpoint, code)
		remove(t.heirOf, soleHeir(old), code)
	}
	add(t.children, a.Parent, code)
	if a.Endpoint != "" {
		add(t.codes, a.Endpoint, code)
	}
	if heir := soleHeir(a); heir != "" {
		add(t.heirOf, heir, code)
	}
}

func add[K, V comparable](m map[K]set[V], k K, v V) {
	if m[k] == nil {
		m[k] = set[V]{}
	}
	m[k][v] = struct{}{}
}

func remove[K, V comparable](m map[K]set[V], k K, v V) {
	delete(m[k], v)
	if len(m[k]) == 0 {
		delete(m, k)
	}
}

// served gives the endpoint that takes what is sent to an agency; empty where
// there is none, or it is revoked.
func (t *tables) served(a *Agency) string {
	if e := t.endpoints[a.Endpoint]; e == nil || e.Revoked {
		return ""
	}
	return a.Endpoint
}

func (t *tables) endpoint(e *Endpoint) Endpoint {
	filled := *e
	filled.Codes = slices.Sorted(maps.Keys(t.codes[e.Name]))
	return filled
}
