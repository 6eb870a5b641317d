package registry

import (
	"errors"
	"fmt"
	"strings"

	"docaxis/proto/axispb"
)

// maxDepth bounds the way up to the top: a code of Decision 20 has at most 17
// groups.
const maxDepth = 32

// maxContact is the longest address or number, in bytes (RFC 5321: 254).
const maxContact = 254

func (d *draft) checkAgency(a *axispb.Agency) error {
	code := a.GetCode()
	if err := checkCode(code); err != nil {
		return err
	}
	if owner := d.names.get(code); owner != "" && owner != code {
		return fmt.Errorf("code %s is an alias of %s already; change that agency, or take the alias from it first", code, d.name(owner))
	}
	if err := d.checkAbout(a); err != nil {
		return fmt.Errorf("agency %s: %w", code, err)
	}
	if err := d.checkAliases(code, a.GetAliases()); err != nil {
		return fmt.Errorf("agency %s: %w", code, err)
	}
	return d.checkParent(code, a.GetParent())
}

func (d *draft) checkAbout(a *axispb.Agency) error {
	if strings.TrimSpace(a.GetName()) == "" {
		return errors.New("it has no name; give its name in Vietnamese")
	}
	if err := checkWords("its name", a.GetName()); err != nil {
		return err
	}
	if err := checkContacts(a); err != nil {
		return err
	}
	if _, ok := axispb.Level_name[int32(a.GetLevel())]; !ok || a.GetLevel() == axispb.Level_LEVEL_UNSPECIFIED {
		return errors.New("it has no level; say ministry, province, district, commune or unit")
	}
	if a.GetValidFromMs() < 0 {
		return errors.New("it is valid from before 1970; leave the date out")
	}
	return nil
}

// checkContacts bounds how to reach an agency. Whether somebody answers there is not
// looked at.
func checkContacts(a *axispb.Agency) error {
	for _, c := range []struct{ what, text string }{
		{"its mail address", a.GetMail()}, {"its telephone number", a.GetPhone()}, {"its fax number", a.GetFax()},
	} {
		if err := checkWords(c.what, c.text); err != nil {
			return err
		}
		if len(c.text) > maxContact {
			return fmt.Errorf("%s is longer than %d characters; shorten it", c.what, maxContact)
		}
	}
	return nil
}

func (d *draft) checkAliases(code string, aliases []string) error {
	if len(aliases) > maxAliases {
		return fmt.Errorf("it has %d aliases and may have %d; leave some out", len(aliases), maxAliases)
	}
	seen := set[string]{code: {}}
	for _, alias := range aliases {
		if err := checkCode(alias); err != nil {
			return fmt.Errorf("alias: %w", err)
		}
		if _, twice := seen[alias]; twice {
			return fmt.Errorf("alias %s is named twice or is its own code; leave it out", alias)
		}
		seen[alias] = struct{}{}
		if owner := d.names.get(alias); owner != "" && owner != code {
			return fmt.Errorf("alias %s means %s already; take it from that agency first", alias, d.name(owner))
		}
	}
	return nil
}

// checkParent walks up, so that no agency comes to stand below itself.
func (d *draft) checkParent(code, parent string) error {
	if parent == "" {
		return nil
	}
	above, err := d.known(parent)
	if err != nil {
		return fmt.Errorf("agency %s: parent: %w", code, err)
	}
	for depth := 0; above != ""; depth++ {
		if above == code {
			return fmt.Errorf("agency %s would stand below itself; choose a parent that is not under it", code)
		}
		if depth == maxDepth {
			return fmt.Errorf("agency %s has more than %d agencies above it; choose a parent further up", code, maxDepth)
		}
		above = d.agencies.get(above).Parent
	}
	return nil
}

// putAgency keeps the closing and the endpoint of an agency that is there.
func (d *draft) putAgency(p *axispb.Agency) {
	code := p.GetCode()
	if owner := d.names.get(code); code == "" || owner != "" && owner != code {
		return
	}
	a := Agency{Code: code}
	if old := d.agencies.get(code); old != nil {
		a = *old
		for _, alias := range old.Aliases {
			d.names.put(alias, "")
		}
	}
	a.Name, a.Level, a.ValidFrom = p.GetName(), p.GetLevel(), moment(p.GetValidFromMs())
	a.Mail, a.Phone, a.Fax = p.GetMail(), p.GetPhone(), p.GetFax()
	a.Parent = d.parent(code, p.GetParent())
	a.Position = d.position
	d.names.put(code, code)
	a.Aliases = d.takeAliases(code, p.GetAliases())
	d.agencies.put(code, &a)
}

func (d *draft) parent(code, parent string) string {
	if d.checkParent(code, parent) != nil {
		return ""
	}
	return d.names.get(parent)
}

func (d *draft) takeAliases(code string, aliases []string) []string {
	var taken []string
	for _, alias := range aliases {
		if alias != "" && d.names.get(alias) == "" {
			d.names.put(alias, code)
			taken = append(taken, alias)
		}
	}
	return taken
}

func (d *draft) checkClose(c *axispb.CloseAgency) error {
	code, err := d.known(c.GetCode())
	if err != nil {
		return err
	}
	successors, err := d.knownOnce(c.GetSuccessors())
	if err != nil {
		return fmt.Errorf("successor of %s: %w", code, err)
	}
	if d.leadsTo(code, successors) {
		return fmt.Errorf("%s would be among those that take over from it; name successors that do not lead back to it", d.name(code))
	}
	return nil
}

// leadsTo follows every succession from the given agencies and reports whether
// one comes to code.
func (d *draft) leadsTo(code string, from []string) bool {
	seen := set[string]{}
	for len(from) > 0 {
		next := from[len(from)-1]
		from = from[:len(from)-1]
		if next == code {
			return true
		}
		if _, been := seen[next]; been {
			continue
		}
		seen[next] = struct{}{}
		from = append(from, d.agencies.get(next).Successors...)
	}
	return false
}

// closeAgency keeps the first time of closing where only the successors are put
// right.
func (d *draft) closeAgency(c *axispb.CloseAgency) {
	old := d.agencies.get(d.names.get(c.GetCode()))
	successors := d.resolved(c.GetSuccessors())
	if old == nil || d.leadsTo(old.Code, successors) {
		return
	}
	a := *old
	if a.ClosedAt.IsZero() {
		a.ClosedAt = d.at
	}
	a.Successors, a.Position = successors, d.position
	d.agencies.put(a.Code, &a)
}

func (d *draft) checkServe(c *axispb.ServeCode) error {
	code, err := d.known(c.GetCode())
	if err != nil || c.GetEndpoint() == "" {
		return err
	}
	switch e := d.endpoints.get(c.GetEndpoint()); {
	case e == nil:
		return fmt.Errorf("agency %s: there is no endpoint %s; enrol it first", code, quote(c.GetEndpoint()))
	case e.Revoked:
		return fmt.Errorf("agency %s: endpoint %s is revoked; choose another", code, e.Name)
	}
	return nil
}

func (d *draft) serve(code, endpoint string) {
	old := d.agencies.get(d.names.get(code))
	if old == nil || old.Endpoint == endpoint || endpoint != "" && d.endpoints.get(endpoint) == nil {
		return
	}
	a := *old
	a.Endpoint, a.Position = endpoint, d.position
	d.agencies.put(a.Code, &a)
}
