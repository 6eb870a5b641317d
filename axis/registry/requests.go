package registry

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

// Request is what an endpoint asked of the registry and an operator has to decide, or
// has decided.
type Request struct {
	// ID is 16 bytes in hex.
	ID, Endpoint string
	// Code is the agency that it is about; Put is nil where it is to be closed.
	Code string
	Put  *axispb.Agency
	// AskedAt is the journal time of the request.
	AskedAt time.Time
	// Replaced: the endpoint asked for something else about the agency since.
	Replaced bool
	// SettledAt is zero while nobody decided. By and Why are the operator's.
	SettledAt time.Time
	Approved  bool
	By, Why   string
	// Position of the record that changed it last.
	Position uint64
}

// Open reports whether an operator has still to decide.
func (r *Request) Open() bool { return !r.Replaced && r.SettledAt.IsZero() }

// asks reports whether it asks for the very same.
func (r *Request) asks(ask *axispb.AgencyRequest) bool {
	if ask.GetPut() == nil {
		return r.Put == nil
	}
	return r.Put != nil && proto.Equal(r.Put, ask.GetPut())
}

// about names what an endpoint asks about: its last word on an agency counts.
type about struct{ endpoint, code string }

func codeOf(r *axispb.AgencyRequest) string {
	return cmp.Or(r.GetPut().GetCode(), r.GetClose())
}

func (d *draft) checkRequest(r *axispb.AgencyRequest) error {
	if id, err := hex.DecodeString(r.GetId()); err != nil || len(id) != 16 || r.GetId() != hex.EncodeToString(id) {
		return errors.New("the request has no id of 16 bytes in hex; make it anew")
	}
	if d.requests.get(r.GetId()) != nil {
		return errors.New("a request with that id is there already; make it anew")
	}
	if e := d.endpoints.get(r.GetEndpoint()); e == nil || e.Revoked {
		return fmt.Errorf("there is no endpoint %s; look its name up among the endpoints", quote(r.GetEndpoint()))
	}
	if (r.GetPut() == nil) == (r.GetClose() == "") {
		return errors.New("the request must put one agency or close one; make it anew")
	}
	if r.GetPut() != nil {
		return d.checkAgency(r.GetPut())
	}
	_, err := d.known(r.GetClose())
	return err
}

func (d *draft) request(r *axispb.AgencyRequest) {
	if d.checkRequest(r) != nil {
		return
	}
	key := about{r.GetEndpoint(), codeOf(r)}
	if last := d.requests.get(d.asked.get(key)); last != nil && last.Open() {
		replaced := *last
		replaced.Replaced, replaced.Position = true, d.position
		d.requests.put(replaced.ID, &replaced)
	}
	d.requests.put(r.GetId(), &Request{
		ID: r.GetId(), Endpoint: r.GetEndpoint(), Code: key.code, Put: r.GetPut(), AskedAt: d.at, Position: d.position,
	})
	d.asked.put(key, r.GetId())
}

func (d *draft) checkSettle(s *axispb.SettleRequest) error {
	switch r := d.requests.get(s.GetId()); {
	case r == nil:
		return fmt.Errorf("no request is known as %s; look it up with axis agency requests", quote(s.GetId()))
	case r.Replaced:
		return fmt.Errorf("request %s was replaced by a later one about %s; decide on that", r.ID, r.Code)
	case !r.SettledAt.IsZero():
		return fmt.Errorf("request %s was decided already, at %s; nothing is left to do", r.ID, day(r.SettledAt))
	}
	return nil
}

func (d *draft) settle(s *axispb.SettleRequest) {
	if d.checkSettle(s) != nil {
		return
	}
	r := *d.requests.get(s.GetId())
	r.SettledAt, r.Approved, r.By, r.Why, r.Position = d.at, s.GetApproved(), d.actor, d.reason, d.position
	d.requests.put(r.ID, &r)
}

// Request finds a request by its id.
func (s *State) Request(id string) (Request, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r := s.tables.requests[id]; r != nil {
		return *r, true
	}
	return Request{}, false
}

// Requests lists what endpoints asked of operators, longest waiting first; with open,
// only what nobody has decided.
func (s *State) Requests(open bool) []Request {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []Request
	for _, r := range s.tables.requests {
		if !open || r.Open() {
			all = append(all, *r)
		}
	}
	slices.SortFunc(all, func(a, b Request) int {
		return cmp.Or(a.AskedAt.Compare(b.AskedAt), cmp.Compare(a.ID, b.ID))
	})
	return all
}

func (t *tables) checkRequests() error {
	var errs []error
	open := map[string]int{}
	for id, r := range t.requests {
		if r.ID != id || r.Code == "" || r.Put != nil && r.Put.GetCode() != r.Code || t.endpoints[r.Endpoint] == nil {
			errs = append(errs, fmt.Errorf("request %s: wrong key, no code, or unknown endpoint", id))
		}
		if r.Open() {
			open[r.Endpoint]++
			if t.asked[about{r.Endpoint, r.Code}] != id {
				errs = append(errs, fmt.Errorf("request %s: open, and not the last about its agency", id))
			}
		}
	}
	for endpoint, n := range t.openRequests {
		if open[endpoint] != n {
			errs = append(errs, fmt.Errorf("%d requests of %s are counted, %d are open", n, endpoint, open[endpoint]))
		}
		delete(open, endpoint)
	}
	if len(open) > 0 {
		errs = append(errs, errors.New("open requests are not counted"))
	}
	return errors.Join(errs...)
}

// countRequests keeps how many requests of each endpoint are open.
func (t *tables) countRequests(d *draft) {
	for id, r := range d.requests.over {
		if was := t.requests[id]; was != nil && was.Open() {
			t.openRequests[was.Endpoint]--
		}
		if r.Open() {
			t.openRequests[r.Endpoint]++
		}
	}
}
