package axis

import (
	"context"
	"crypto/x509"
	"slices"
	"sync"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/axis/ledger"
	"docaxis/axis/mailbox"
	"docaxis/axis/registry"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// heard is when the axis was last asked something by each endpoint. It lives as long
// as the process: what is older, the endpoint's evidence shows.
type heard struct {
	mu   sync.Mutex
	at   map[string]time.Time // guarded by mu
	full map[string]bool      // endpoints that said they have no room; guarded by mu
}

func (h *heard) note(endpoint string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.at == nil {
		h.at = map[string]time.Time{}
	}
	h.at[endpoint] = now
}

// noteDisk keeps whether an endpoint says that its disk is full.
func (h *heard) noteDisk(endpoint string, full bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case !full:
		delete(h.full, endpoint)
	case h.full == nil:
		h.full = map[string]bool{endpoint: true}
	default:
		h.full[endpoint] = true
	}
}

func (h *heard) hasNoRoom(endpoint string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.full[endpoint]
}

// ms is when, Unix milliseconds; 0 for never.
func (h *heard) ms(endpoint string) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return msOf(h.at[endpoint])
}

// msOf is 0 for the zero time.
func msOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// unconsigned are the states of what has not reached its endpoint.
func unconsigned() []axispb.State { return []axispb.State{axispb.State_STATE_ACCEPTED} }

// ListEndpoints lists all endpoints with what waits for them.
func (h *Hub) ListEndpoints(ctx context.Context) ([]operator.EndpointLine, error) {
	all := h.registry.Endpoints()
	backlogs, err := h.ledger.Backlogs(ctx, ledger.Filter{States: unconsigned()})
	if err != nil {
		return nil, err
	}
	byName := map[string][]ledger.Backlog{}
	for _, b := range backlogs {
		byName[b.Endpoint] = append(byName[b.Endpoint], b)
	}
	lines := make([]operator.EndpointLine, len(all))
	for i, e := range all {
		lines[i] = h.endpointLine(e, byName[e.Name])
	}
	return lines, nil
}

func (h *Hub) endpointLine(e registry.Endpoint, waiting []ledger.Backlog) operator.EndpointLine {
	line := operator.EndpointLine{
		Name: e.Name, Codes: e.Codes, Connected: h.broker.IsConnected(e.Name), Revoked: e.Revoked, HeardMS: h.heard.ms(e.Name),
	}
	if cert, err := x509.ParseCertificate(e.Certificates[len(e.Certificates)-1]); err == nil {
		line.UntilMS = cert.NotAfter.UnixMilli()
	}
	for _, b := range waiting {
		line.Waiting += b.Count
		if line.OldestMS == 0 || b.OldestMS < line.OldestMS {
			line.OldestMS = b.OldestMS
		}
	}
	return line
}

// ShowEndpoint tells all that is known of an endpoint.
func (h *Hub) ShowEndpoint(ctx context.Context, name string) (operator.EndpointDetail, error) {
	e, ok := h.registry.Endpoint(name)
	if !ok {
		return operator.EndpointDetail{}, reason.Permanent(axispb.ReasonCode_REASON_NOT_FOUND, name)
	}
	waiting, err := h.ledger.Backlogs(ctx, ledger.Filter{States: unconsigned(), Endpoint: name})
	if err != nil {
		return operator.EndpointDetail{}, err
	}
	out := operator.EndpointDetail{
		EndpointLine: h.endpointLine(e, waiting), EnrolledMS: msOf(e.EnrolledAt), RevokedMS: msOf(e.RevokedAt),
		ReissuedMS: msOf(e.Reissued()), Certificates: certificatesOf(e), Invitations: h.openInvites(name),
	}
	for _, b := range waiting {
		if b.Lane == axispb.Lane_LANE_URGENT {
			out.WaitingUrgent += b.Count
		} else {
			out.WaitingNormal += b.Count
		}
	}
	if out.Said, err = h.said(ctx, name); err != nil {
		return operator.EndpointDetail{}, err
	}
	out.History, err = h.history(ctx, h.registry.EndpointHistory(name), func(s operator.Step) bool {
		return s.Endpoint == name
	})
	return out, err
}

func certificatesOf(e registry.Endpoint) []operator.Certificate {
	all := make([]operator.Certificate, len(e.Certificates))
	for i, der := range e.Certificates {
		term := e.Terms[i]
		all[i] = operator.Certificate{Digest: digestOf(der), LeafIndex: term.Position, IssuedMS: msOf(term.From), EndedMS: msOf(term.Ended)}
		if term.Ended.IsZero() && e.Revoked {
			all[i].EndedMS = msOf(e.RevokedAt)
		}
		if cert, err := x509.ParseCertificate(der); err == nil {
			all[i].FromMS, all[i].UntilMS = msOf(cert.NotBefore), msOf(cert.NotAfter)
		}
	}
	return all
}

func (h *Hub) openInvites(name string) []operator.OpenInvite {
	var open []operator.OpenInvite
	for _, i := range h.registry.Invitations() {
		if i.Endpoint == name && !i.Used && !i.Replaced && h.now().Before(i.Expires) {
			open = append(open, operator.OpenInvite{Reissue: i.Reissue, ExpiresMS: msOf(i.Expires)})
		}
	}
	return open
}

// said reads the newest evidence of an endpoint.
func (h *Hub) said(ctx context.Context, name string) (*operator.EndpointSaid, error) {
	at, found, err := h.ledger.Newest(ctx, name)
	if err != nil || !found {
		return nil, err
	}
	record, err := h.records().Record(ctx, mailbox.Location(at))
	if err != nil {
		return nil, err
	}
	st, err := statementOf(record.GetBody())
	if err != nil {
		return nil, err
	}
	when, err := journalTimeOf(record)
	return &operator.EndpointSaid{
		LeafIndex: at.Position, TimeMS: when, ClaimedMS: st.GetTimeMs(), Counter: st.GetCounter(),
		SeenEpoch: st.GetCheckpoint().GetEpoch(), SeenSize: st.GetCheckpoint().GetSize(),
	}, err
}

// Revoke ends an endpoint and all its certificates. Its open connections are cut
// once that is journaled; its codes stay unserved until another is given them.
func (h *Hub) Revoke(ctx context.Context, req operator.Revoke) (operator.Revoked, error) {
	if err := because(req.Why); err != nil {
		return operator.Revoked{}, err
	}
	_, err := h.intake.Change(ctx, "", change(req.Actor, req.Reason, &axispb.Change{Change: &axispb.Change_RevokeEndpoint{
		RevokeEndpoint: &axispb.RevokeEndpoint{Name: req.Endpoint},
	}}))
	if err != nil {
		return operator.Revoked{}, err
	}
	e, _ := h.registry.Endpoint(req.Endpoint)
	out := operator.Revoked{Endpoint: e.Name, Codes: slices.Clone(e.Codes)}
	waiting, err := h.ledger.Backlogs(ctx, ledger.Filter{States: unconsigned(), Endpoint: e.Name})
	for _, b := range waiting {
		out.Waiting += b.Count
	}
	return out, err
}

// Reissue makes an invitation for an endpoint that lost its key or its store.
func (h *Hub) Reissue(ctx context.Context, req operator.Reissue) (operator.Invited, error) {
	if err := because(req.Why); err != nil {
		return operator.Invited{}, err
	}
	out, err := h.invite(ctx, req.Why, &axispb.Invitation{Endpoint: req.Endpoint, Reissue: true}, req.Hours)
	if err != nil {
		return operator.Invited{}, err
	}
	e, _ := h.registry.Endpoint(req.Endpoint)
	out.Codes = e.Codes
	return out, nil
}
