package endpoint

import (
	"context"
	"math"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/agency"
	"docaxis/endpoint/directory"
	"docaxis/endpoint/systems"
	"docaxis/endpoint/vxp"
	"docaxis/internal/reason"
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
// one of them.
func (x exchange) Register(context.Context, string, vxp.Registration) (held bool, err error) {
	return false, reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "not connected")
}

// Close asks the axis to close an agency of the system.
func (x exchange) Close(context.Context, string, string) (held bool, err error) {
	return false, reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "not connected")
}
