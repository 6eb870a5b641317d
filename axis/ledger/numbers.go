package ledger

import (
	"fmt"
	"maps"
)

const (
	selectEndpoint = `SELECT id FROM endpoint WHERE name = ?`
	insertEndpoint = `INSERT INTO endpoint (name) VALUES (?) RETURNING id`
	selectCode     = `SELECT id FROM code WHERE name = ?`
	insertCode     = `INSERT INTO code (name) VALUES (?) RETURNING id`

	// numberOf is a code's number where the code is a parameter; NULL for a code that no
	// document named.
	numberOf = `(SELECT id FROM code WHERE name = ?)`
)

// known is what blocks named, as far as it was seen since the start: Apply's alone.
type known struct {
	endpoints, codes map[string]int64
	served           map[pair]struct{}
}

// pair is an endpoint that has rows of a code.
type pair struct{ serving, endpoint int64 }

func newKnown() known {
	return known{endpoints: map[string]int64{}, codes: map[string]int64{}, served: map[pair]struct{}{}}
}

// add takes over what a block that is committed named.
func (k *known) add(found *known) {
	maps.Copy(k.endpoints, found.endpoints)
	maps.Copy(k.codes, found.codes)
	maps.Copy(k.served, found.served)
}

// endpoint numbers an endpoint, in the order in which the journal names them.
func (a *applier) endpoint(name string) (int64, error) {
	return a.number(name, a.known.endpoints, a.found.endpoints, selectEndpoint, insertEndpoint)
}

// code numbers a code, in the order in which the journal names them.
func (a *applier) code(name string) (int64, error) {
	return a.number(name, a.known.codes, a.found.codes, selectCode, insertCode)
}

// serving is the number of the code that serves a recipient; nil where it is the same.
func (a *applier) serving(code, serving string) (*int64, error) {
	if serving == code {
		return nil, nil
	}
	n, err := a.code(serving)
	return &n, err
}

func (a *applier) knows(p pair) bool {
	_, before := a.known.served[p]
	_, here := a.found.served[p]
	return before || here
}

func (a *applier) number(name string, known, found map[string]int64, look, insert string) (int64, error) {
	if id, ok := known[name]; ok {
		return id, nil
	}
	if id, ok := found[name]; ok {
		return id, nil
	}
	var id int64
	there, err := one(a.tx.QueryRowContext(a.ctx, look, name).Scan(&id), "look up a number")
	if err == nil && !there {
		err = a.tx.QueryRowContext(a.ctx, insert, name).Scan(&id)
	}
	if err != nil {
		return 0, fmt.Errorf("number %s: %w", name, err)
	}
	found[name] = id
	return id, nil
}
