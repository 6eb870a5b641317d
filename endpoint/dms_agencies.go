package endpoint

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/text/unicode/norm"

	"docaxis/agency"
	"docaxis/endpoint/directory"
	"docaxis/endpoint/systems"
	"docaxis/endpoint/vxp"
	"docaxis/proto/axispb"
)

// Agencies lists the directory. It works without the axis.
func (x exchange) Agencies(ctx context.Context, system string) ([]vxp.Agency, error) {
	all := []vxp.Agency{}
	err := x.view(ctx, func(tx *bbolt.Tx) error {
		if _, err := codesOf(tx, system); err != nil {
			return err
		}
		served, err := servedHere(tx)
		if err != nil {
			return err
		}
		entries, err := directory.In(tx).List(directory.Filter{Limit: math.MaxInt})
		for _, e := range entries {
			all = append(all, agencyOf(e, served))
		}
		return err
	})
	return all, err
}

// servedHere says which system acts for a code: the first by name, where several do.
func servedHere(tx *bbolt.Tx) (map[string]string, error) {
	all, err := systems.In(tx).List()
	served := make(map[string]string)
	for _, s := range slices.Backward(all) {
		for _, code := range s.Codes {
			if code, err := canonical(tx, code); err == nil {
				served[code] = s.System
			}
		}
	}
	return served, err
}

func agencyOf(e *axispb.AgencyEntry, served map[string]string) vxp.Agency {
	a := e.GetAgency()
	out := vxp.Agency{
		Code: a.GetCode(), Code102: code102(a), Parent: a.GetParent(), Name: a.GetName(),
		Mail: a.GetMail(), Phone: a.GetPhone(), Fax: a.GetFax(), System: served[a.GetCode()],
		Closed: e.GetClosedMs() != 0, Version: max(1, int(e.GetChanges())),
	}
	if ms := e.GetChangedMs(); ms != 0 {
		out.Changed = time.UnixMilli(ms)
	}
	return out
}

// code102 is an agency's code of QCVN 102:2016; empty where it has none.
func code102(a *axispb.Agency) string {
	for _, text := range append([]string{a.GetCode()}, a.GetAliases()...) {
		if code, err := agency.Parse(text); err == nil && code.Grammar() == agency.QCVN102 {
			return string(code)
		}
	}
	return ""
}

// Register asks the axis for an agency below one of the system's, or for a change of
// one of them. Once it is there, the system acts for it.
func (x exchange) Register(ctx context.Context, system string, r vxp.Registration) (held bool, err error) {
	var put *axispb.Agency
	err = x.view(ctx, func(tx *bbolt.Tx) (err error) {
		put, err = registering(tx, system, r)
		return err
	})
	if err != nil {
		return false, err
	}
	id, err := x.a.Register(ctx, &axispb.RegisterRequest{Put: put})
	if err != nil || id != "" {
		return id != "", err
	}
	// A crash before this leaves the agency without its system; asked again, it is.
	return false, x.a.db.Update(context.WithoutCancel(ctx), func(tx *bbolt.Tx) error {
		return systems.In(tx).Allow(system, []string{put.Code})
	})
}

// registering is what the axis is asked for. What another system here acts for is not
// this one's to change.
func registering(tx *bbolt.Tx, system string, r vxp.Registration) (*axispb.Agency, error) {
	codes, err := codesOf(tx, system)
	if err != nil {
		return nil, err
	}
	code, err := canonical(tx, r.Code)
	if err != nil {
		return nil, err
	}
	put := &axispb.Agency{Code: code, Name: norm.NFC.String(strings.TrimSpace(r.Name)), Mail: r.Mail, Phone: r.Phone, Fax: r.Fax}
	above, named := agency.Code(r.Parent), r.Parent != ""
	if !named {
		above, _ = agency.Code(code).Parent()
	}
	if slices.Contains(codes, code) {
		if named {
			put.Parent, err = canonical(tx, r.Parent)
		}
		return put, err
	}
	served, err := servedHere(tx)
	if err != nil {
		return nil, err
	}
	if other := served[code]; other != "" {
		return nil, notOfSystem(system, code)
	}
	if put.Parent, err = canonical(tx, string(above)); err != nil {
		return nil, err
	}
	if !slices.Contains(codes, put.Parent) {
		return nil, notOfSystem(system, put.Parent)
	}
	return put, nil
}

// Close asks the axis to close an agency of the system.
func (x exchange) Close(ctx context.Context, system, code string) (held bool, err error) {
	err = x.view(ctx, func(tx *bbolt.Tx) (err error) {
		code, err = actsFor(tx, system, code)
		return err
	})
	if err != nil {
		return false, err
	}
	id, err := x.a.Register(ctx, &axispb.RegisterRequest{Close: code})
	return id != "", err
}
