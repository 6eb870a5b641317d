package endpoint

import (
	"context"
	"errors"
	"slices"

	"go.etcd.io/bbolt"

	"docaxis/agency"
	"docaxis/endpoint/directory"
	"docaxis/endpoint/systems"
	"docaxis/endpoint/vxp"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Exchange gives an agent in the form in which the national axis's protocol asks for
// it.
func Exchange(a *Agent) vxp.Exchange { return exchange{a} }

type exchange struct{ a *Agent }

// Secrets are those that a system's requests may be signed with now, newest first. For
// a name that no system has there are none.
func (x exchange) Secrets(system string) (secrets [][]byte, err error) {
	e, err := x.a.system(system)
	if errors.Is(err, systems.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, sealed := range systems.Good(e, x.a.cfg.Now()) {
		secret, err := x.a.keys.Open(system, sealed)
		if err != nil {
			return nil, err
		}
		secrets = append(secrets, secret)
	}
	return secrets, nil
}

func (a *Agent) system(name string) (e *axispb.SystemEntry, err error) {
	err = a.db.View(func(tx *bbolt.Tx) (err error) {
		e, err = systems.In(tx).Get(name)
		return err
	})
	return e, err
}

// canonical is the one spelling of a code that the directory knows an agency by, or
// that the grammar gives where it knows none. The error says that it is no code.
func canonical(tx *bbolt.Tx, text string) (string, error) {
	code, err := agency.Parse(text)
	if err != nil {
		return "", reason.Permanent(axispb.ReasonCode_REASON_BAD_CODE, clip(text)).Because(err)
	}
	e, err := directory.In(tx).Lookup(string(code))
	if err != nil {
		return "", err
	}
	if known := e.GetAgency().GetCode(); known != "" {
		return known, nil
	}
	return string(code), nil
}

// codesOf are the agencies of a system, in the spelling of canonical, to which an
// agency's old code may have been added since.
func codesOf(tx *bbolt.Tx, system string) ([]string, error) {
	e, err := systems.In(tx).Get(system)
	if err != nil {
		return nil, notSystem(system, err)
	}
	codes := make([]string, len(e.Codes))
	for i, code := range e.Codes {
		if codes[i], err = canonical(tx, code); err != nil {
			return nil, err
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes), nil
}

// notSystem is what a request of a system that was removed meanwhile is told.
func notSystem(system string, err error) error {
	if !errors.Is(err, systems.ErrNotFound) {
		return err
	}
	return reason.Permanent(axispb.ReasonCode_REASON_NOT_FOUND, clip(system)).Because(err)
}

// actsFor gives the code that a text means, where it is one of a system's.
func actsFor(tx *bbolt.Tx, system, text string) (string, error) {
	codes, err := codesOf(tx, system)
	if err != nil {
		return "", err
	}
	code, err := canonical(tx, text)
	if err != nil {
		return "", err
	}
	if !slices.Contains(codes, code) {
		return "", notOfSystem(system, code)
	}
	return code, nil
}

// notOfSystem refuses a system that acts for an agency that it was not given.
func notOfSystem(system, code string) error {
	return reason.Permanent(axispb.ReasonCode_REASON_OTHER_SYSTEM, clip(code), clip(system))
}

// view reads on behalf of a system.
func (x exchange) view(ctx context.Context, read func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return x.a.db.View(read)
}
