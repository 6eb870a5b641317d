package directory

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// Apply takes over a registry record of the given journal time. The axis decided
// that it holds; here it is only followed, so that applying it twice, or a record
// about something that this endpoint never heard of, does no harm.
func (d Directory) Apply(at time.Time, r *axispb.RegistryChange) error {
	for _, c := range r.Changes {
		if err := d.apply(at.UnixMilli(), c); err != nil {
			return err
		}
	}
	return nil
}

func (d Directory) apply(ms int64, c *axispb.Change) error {
	switch c := c.Change.(type) {
	case *axispb.Change_PutAgency:
		return d.putAgency(ms, c.PutAgency)
	case *axispb.Change_CloseAgency:
		return d.edit(ms, c.CloseAgency.GetCode(), func(e *axispb.AgencyEntry) {
			e.ClosedMs, e.Successors = ms, c.CloseAgency.GetSuccessors()
		})
	case *axispb.Change_ServeCode:
		return d.serve(ms, c.ServeCode.GetCode(), c.ServeCode.GetEndpoint())
	case *axispb.Change_AdmitSeal:
		return d.admit(ms, c.AdmitSeal)
	case *axispb.Change_RetireSeal:
		return d.retire(ms, c.RetireSeal)
	case *axispb.Change_PutEndpoint:
		return d.putEndpoint(ms, c.PutEndpoint)
	case *axispb.Change_RevokeEndpoint:
		return d.revoke(ms, c.RevokeEndpoint.GetName())
	case *axispb.Change_PutPolicy:
		return d.putPolicy(ms, c.PutPolicy)
	}
	// Invitations are the operators'; a kind that this version does not know
	// changes nothing that it uses.
	return nil
}

// edit changes an agency; one that is not known yet is made from its code. What leaves
// it as it was is no change.
func (d Directory) edit(ms int64, code string, f func(*axispb.AgencyEntry)) error {
	if code == "" {
		return nil
	}
	e, err := boltpb.Get[axispb.AgencyEntry](d.agencies, []byte(code))
	if err != nil {
		return err
	}
	if e == nil {
		e = &axispb.AgencyEntry{Version: 1, Agency: &axispb.Agency{Code: code}}
	}
	was := proto.CloneOf(e)
	if f(e); !proto.Equal(was, e) || e.Changes == 0 {
		e.Changes, e.ChangedMs = e.Changes+1, max(e.ChangedMs, ms)
	}
	return boltpb.Put(d.agencies, []byte(code), e)
}

func (d Directory) putAgency(ms int64, a *axispb.Agency) error {
	old, err := boltpb.Get[axispb.AgencyEntry](d.agencies, []byte(a.GetCode()))
	if err != nil {
		return err
	}
	for _, alias := range old.GetAgency().GetAliases() {
		if err := d.dropAlias(alias, a.GetCode()); err != nil {
			return err
		}
	}
	if err := d.edit(ms, a.GetCode(), func(e *axispb.AgencyEntry) { e.Agency = a }); err != nil {
		return err
	}
	for _, alias := range a.GetAliases() {
		if alias == "" || a.GetCode() == "" {
			continue
		}
		if err := d.aliases.Put([]byte(alias), []byte(a.GetCode())); err != nil {
			return err
		}
	}
	return nil
}

// dropAlias removes an alias, unless it means another agency by now.
func (d Directory) dropAlias(alias, code string) error {
	if string(d.aliases.Get([]byte(alias))) != code {
		return nil
	}
	return d.aliases.Delete([]byte(alias))
}

func (d Directory) serve(ms int64, code, endpoint string) error {
	return d.edit(ms, code, func(e *axispb.AgencyEntry) {
		e.Endpoint = endpoint
		if endpoint == "" {
			return
		}
		e.ServedBy = append(slices.DeleteFunc(e.ServedBy, func(s string) bool { return s == endpoint }), endpoint)
	})
}

func (d Directory) admit(ms int64, s *axispb.Seal) error {
	digest := sha256.Sum256(s.GetCertificate())
	key := sealKey(s.GetCode(), digest[:])
	e, err := boltpb.Get[axispb.SealEntry](d.seals, key)
	if err != nil {
		return err
	}
	if e == nil {
		e = &axispb.SealEntry{Version: 1, AdmittedMs: ms}
	}
	// One that is admitted again counts as never retired: what it sealed before
	// may still have to be judged, and the axis refused what it sealed between.
	e.Seal, e.RetiredMs = s, 0
	return boltpb.Put(d.seals, key, e)
}

func (d Directory) retire(ms int64, r *axispb.RetireSeal) error {
	key := sealKey(r.GetCode(), r.GetDigest())
	e, err := boltpb.Get[axispb.SealEntry](d.seals, key)
	if err != nil || e == nil || e.RetiredMs != 0 {
		return err
	}
	e.RetiredMs = ms
	return boltpb.Put(d.seals, key, e)
}

// putEndpoint keeps certificates that a re-issue ended: evidence that they signed
// stays good.
func (d Directory) putEndpoint(ms int64, p *axispb.Endpoint) error {
	err := d.editEndpoint(p.GetName(), func(e *axispb.EndpointEntry) {
		known := slices.ContainsFunc(e.Certificates, func(c []byte) bool { return bytes.Equal(c, p.Certificate) })
		if known {
			return
		}
		if p.Reissued {
			e.ReissuedMs, e.Ended = ms, uint32(len(e.Certificates))
		}
		e.Certificates = append(e.Certificates, p.Certificate)
	})
	for _, code := range p.GetCodes() {
		if err == nil {
			err = d.serve(ms, code, p.GetName())
		}
	}
	return err
}

func (d Directory) revoke(ms int64, name string) error {
	return d.editEndpoint(name, func(e *axispb.EndpointEntry) {
		if e.RevokedMs == 0 {
			e.RevokedMs = ms
		}
	})
}

func (d Directory) editEndpoint(name string, f func(*axispb.EndpointEntry)) error {
	if name == "" {
		return nil
	}
	e, err := d.Endpoint(name)
	if err != nil {
		return err
	}
	if e == nil {
		e = &axispb.EndpointEntry{Version: 1, Name: name}
	}
	f(e)
	return boltpb.Put(d.endpoints, []byte(name), e)
}
