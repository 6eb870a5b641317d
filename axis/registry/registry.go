// Package registry owns who may do what: agencies and their codes, seals,
// endpoints, invitations, succession and policies, and the axis's certificate
// authority.
//
// The registry is what the changes in the journal add up to. Check says whether
// a change holds together with all before it, and changes nothing; Apply takes a
// change that the journal has. The same changes in the same order always give
// the same registry (Dump compares two).
package registry

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// MaxChange is the most bytes that a marshalled RegistryChange may have.
const MaxChange = 384 << 10

const (
	maxWords   = 500
	maxAliases = 32
)

// State is the registry in memory. One goroutine, the appender, applies changes;
// any may ask. What it returns shares memory with it and must not be written to.
type State struct {
	mu     sync.RWMutex
	tables tables // guarded by mu
}

// NewState makes the empty registry.
func NewState() *State {
	return &State{tables: newTables()}
}

// Effects is what a change did that others must act on.
type Effects struct {
	// Moved lists the codes that another endpoint serves now, by code. From or To
	// is empty where nobody served the code before, or nobody does now. Codes of a
	// revoked endpoint stay with it, unserved, until they are given to another. What
	// waits for a closed agency goes to its one heir, and moves with that.
	Moved []Move
	// Revoked names the endpoints that the change ended; they must be cut off.
	Revoked []string
	// Reissued names the endpoints whose earlier certificates the change ended; the
	// connections made with those must be cut.
	Reissued []string
}

// Move is a code whose documents another endpoint takes, as the agency Serving: the
// code's own, or its heir.
type Move struct{ Code, Serving, From, To string }

// Check says whether the change holds together and with the registry at the time
// of its record. The error is a permanent *reason.Error with
// REASON_REGISTRY_CONFLICT: nothing of the change may be journaled. Each step
// sees the effects of those before it.
func (s *State) Check(c *axispb.RegistryChange, at time.Time) error {
	if err := checkForm(c); err != nil {
		return conflict(err)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	d := s.tables.draft(0, at)
	for i, step := range c.GetChanges() {
		if err := d.check(step); err != nil {
			if len(c.GetChanges()) > 1 {
				err = fmt.Errorf("step %d of %d: %w", i+1, len(c.GetChanges()), err)
			}
			return conflict(err)
		}
		d.apply(step)
	}
	return nil
}

// Apply takes a change whose record has the given position (leaf index) and
// journal time. It never fails on a change that passed Check; in any other it
// leaves out the steps that make no sense, so that a journal written under other
// rules can still be read.
func (s *State) Apply(position uint64, at time.Time, c *axispb.RegistryChange) Effects {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.tables.draft(position, at)
	d.actor, d.reason = c.GetActor(), c.GetReason()
	for _, step := range c.GetChanges() {
		d.apply(step)
	}
	effects := d.effects()
	s.tables.commit(d)
	return effects
}

// Audience says who is given the change: the operators alone where any step is
// theirs, unspecified where there is no step.
func Audience(c *axispb.RegistryChange) axispb.Audience {
	audience := axispb.Audience_AUDIENCE_UNSPECIFIED
	for _, step := range c.GetChanges() {
		audience = max(audience, stepAudience(step))
	}
	return audience
}

func stepAudience(c *axispb.Change) axispb.Audience {
	switch c.GetChange().(type) {
	case nil:
		return axispb.Audience_AUDIENCE_UNSPECIFIED
	case *axispb.Change_Invite, *axispb.Change_UseInvitation, *axispb.Change_RequestAgency, *axispb.Change_SettleRequest:
		return axispb.Audience_AUDIENCE_OPERATORS
	default:
		return axispb.Audience_AUDIENCE_PUBLIC
	}
}

func conflict(err error) error {
	return reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT, err.Error())
}

// checkForm looks at what needs no registry.
func checkForm(c *axispb.RegistryChange) error {
	switch size := proto.Size(c); {
	case size > MaxChange:
		return fmt.Errorf("it has %d bytes and may have %d; split it into several changes", size, MaxChange)
	case c.GetVersion() != 1:
		return fmt.Errorf("format %d is not known here, only 1; update this program", c.GetVersion())
	case len(c.GetChanges()) == 0:
		return errors.New("it has no step; name at least one")
	}
	if err := checkWords("the reason", c.GetReason()); err != nil {
		return err
	}
	if err := checkWords("the actor", c.GetActor()); err != nil {
		return err
	}
	first := stepAudience(c.GetChanges()[0])
	for i, step := range c.GetChanges() {
		switch stepAudience(step) {
		case axispb.Audience_AUDIENCE_UNSPECIFIED:
			return fmt.Errorf("step %d says nothing; leave it out, or update this program", i+1)
		case first:
		default:
			return errors.New("it mixes invitations or requests, which are the operators' alone, with public steps; make two changes of it")
		}
	}
	return nil
}

func (d *draft) check(c *axispb.Change) error {
	switch c := c.GetChange().(type) {
	case *axispb.Change_PutAgency:
		return d.checkAgency(c.PutAgency)
	case *axispb.Change_CloseAgency:
		return d.checkClose(c.CloseAgency)
	case *axispb.Change_ServeCode:
		return d.checkServe(c.ServeCode)
	case *axispb.Change_AdmitSeal:
		return d.checkSeal(c.AdmitSeal)
	case *axispb.Change_RetireSeal:
		return d.checkRetire(c.RetireSeal)
	case *axispb.Change_Invite:
		return d.checkInvite(c.Invite)
	case *axispb.Change_UseInvitation:
		return d.checkUse(c.UseInvitation)
	case *axispb.Change_PutEndpoint:
		return d.checkEndpoint(c.PutEndpoint)
	case *axispb.Change_RevokeEndpoint:
		return d.checkRevoke(c.RevokeEndpoint)
	case *axispb.Change_PutPolicy:
		return d.checkPolicy(c.PutPolicy)
	case *axispb.Change_RequestAgency:
		return d.checkRequest(c.RequestAgency)
	case *axispb.Change_SettleRequest:
		return d.checkSettle(c.SettleRequest)
	default:
		return errors.New("a step of a kind that is not known here; update this program")
	}
}

func (d *draft) apply(c *axispb.Change) {
	switch c := c.GetChange().(type) {
	case *axispb.Change_PutAgency:
		d.putAgency(c.PutAgency)
	case *axispb.Change_CloseAgency:
		d.closeAgency(c.CloseAgency)
	case *axispb.Change_ServeCode:
		d.serve(c.ServeCode.GetCode(), c.ServeCode.GetEndpoint())
	case *axispb.Change_AdmitSeal:
		d.admitSeal(c.AdmitSeal)
	case *axispb.Change_RetireSeal:
		d.retireSeal(c.RetireSeal)
	case *axispb.Change_Invite:
		d.invite(c.Invite)
	case *axispb.Change_UseInvitation:
		d.useInvitation(c.UseInvitation)
	case *axispb.Change_PutEndpoint:
		d.putEndpoint(c.PutEndpoint)
	case *axispb.Change_RevokeEndpoint:
		d.revokeEndpoint(c.RevokeEndpoint)
	case *axispb.Change_PutPolicy:
		d.putPolicy(c.PutPolicy)
	case *axispb.Change_RequestAgency:
		d.request(c.RequestAgency)
	case *axispb.Change_SettleRequest:
		d.settle(c.SettleRequest)
	}
}

// effects compares the draft with what it was made from, so that a code moved
// twice in one change counts once.
func (d *draft) effects() Effects {
	var e Effects
	for _, code := range slices.Sorted(maps.Keys(d.agencies.over)) {
		var from string
		if old := d.agencies.base[code]; old != nil {
			from = old.Endpoint
		}
		if to := d.agencies.over[code].Endpoint; from != to {
			e.Moved = append(e.Moved, Move{Code: code, Serving: code, From: from, To: to})
		}
	}
	e.Moved = append(e.Moved, d.inherited(e.Moved)...)
	for _, name := range slices.Sorted(maps.Keys(d.endpoints.over)) {
		old := d.endpoints.base[name]
		if d.endpoints.over[name].Revoked && (old == nil || !old.Revoked) {
			e.Revoked = append(e.Revoked, name)
		}
		if old != nil && d.endpoints.over[name].Reissued().After(old.Reissued()) {
			e.Reissued = append(e.Reissued, name)
		}
	}
	return e
}
