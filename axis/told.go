package axis

import (
	"slices"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/axis/ledger"
	"docaxis/internal/business"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// tells says what a change tells about its target: what its sender asks of whom, or
// what a recipient does with it.
func (p *projector) tells(doc *envelope.Document, out *ledger.Document) {
	what := string(doc.Kind)
	if doc.Kind == envelope.KindStatus {
		what = doc.Status
	}
	switch {
	case business.IsRequest(what):
		out.Asks = what
		out.Tells = &ledger.Tells{What: what, Issuer: doc.Sender, Codes: p.asked(out.Rows)}
	case doc.Kind == envelope.KindStatus:
		out.Tells = &ledger.Tells{What: what, Issuer: doc.Sender, Codes: p.registry.Names(doc.Sender)}
	}
}

// asked lists every code that means one of the agencies of some rows.
func (p *projector) asked(rows []ledger.Row) []string {
	seen := map[string]bool{}
	var all []string
	for _, row := range rows {
		for _, code := range append(p.registry.Names(row.Serving), row.Code) {
			if !seen[code] {
				seen[code] = true
				all = append(all, code)
			}
		}
	}
	return all
}

// namesOf lists every code that means the agency that a code leads to now.
func (p *projector) namesOf(code string, at time.Time) []string {
	serving := code
	if route, err := p.registry.Route(code, at); err == nil {
		serving = route.Serving
	}
	all := p.registry.Names(serving)
	if !slices.Contains(all, code) {
		all = append(all, code)
	}
	return all
}

// tellAll gives what was told about a document, with what is unusual about it, and for
// each recipient the last state.
func tellAll(s ledger.Story, d *operator.Document) {
	histories, last := map[string]*business.History{}, map[string]string{}
	history := func(code string) *business.History {
		if histories[code] == nil {
			histories[code] = new(business.History)
			if s.Asks != "" {
				histories[code].Next(s.Asks)
			}
		}
		return histories[code]
	}
	withdrawals := slices.DeleteFunc(slices.Clone(s.Evidence), func(e ledger.Statement) bool {
		return e.Event != axispb.Event_EVENT_CONTENT_WITHDRAWAL || !evidence.Counts(e.Standing)
	})
	for _, t := range s.Told {
		for len(withdrawals) > 0 && withdrawals[0].Position < t.Position {
			history(withdrawals[0].Code).Withdraw()
			withdrawals = withdrawals[1:]
		}
		d.Told = append(d.Told, operator.Told{
			LeafIndex: t.Position, Code: t.Code, What: t.What, Issuer: t.Issuer, TimeMS: t.TimeMS,
			Unusual: history(t.Code).Next(t.What).String(),
		})
		if !business.IsRequest(t.What) {
			last[t.Code] = t.What
		}
	}
	for i, r := range d.Recipients {
		d.Recipients[i].Business = last[r.Code]
	}
}
