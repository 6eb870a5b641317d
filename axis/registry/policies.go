package registry

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"docaxis/internal/envelope"
	"docaxis/proto/axispb"
)

const (
	// DefaultRetentionDays is how long content is kept where no policy says it.
	DefaultRetentionDays = 400
	// maxRetentionDays keeps a mistyped number from meaning for ever, maxHours does so
	// for deadlines.
	maxRetentionDays = 100 * 366
	maxHours         = 366 * 24
)

// Policy is what holds for an agency, every matter decided: by its own policy,
// else by the one for everybody, else by the program.
type Policy struct {
	// DelegatedSeals says whether a delegated seal may sign its documents.
	DelegatedSeals bool
	// RetentionDays is for how many days the content of its documents is kept after
	// nobody needs it any more.
	RetentionDays int
	// Security is the highest level that may enter the axis, as document.json
	// writes it.
	Security string
	// Registrations says whether endpoints may register, change and close agencies right
	// below it, and Held whether an operator approves each first.
	Registrations, Held bool
	// ConsignHours and HandoverHours are by when its documents that name no deadline
	// must be consigned and handed over, in hours after their acceptance; 0 for never.
	ConsignHours, HandoverHours int
	// SentFiles is what is asked of the files of its documents before they are accepted,
	// ReceivedFiles before what it receives is handed over.
	SentFiles, ReceivedFiles axispb.FilePolicy
}

// PolicyWord is what operators said about an agency or, with an empty code, about
// everybody. What is zero is left to the policy for everybody.
type PolicyWord struct {
	Code           string
	DelegatedSeals axispb.Permission
	RetentionDays  int
	Security       string
	// Registrations of agencies by endpoints, and whether each is held for an operator.
	Registrations, RegistrationsHeld axispb.Permission
	ConsignHours, HandoverHours      int
	SentFiles, ReceivedFiles         axispb.FilePolicy
	// Position of the record that said it.
	Position uint64
}

// Policy is what holds for the agency of a code or alias now. Of a code that
// nobody has, it is what holds for everybody.
func (s *State) Policy(code string) Policy {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var own *PolicyWord
	if a := s.tables.find(code); a != nil {
		own = s.tables.policies[a.Code]
	}
	return resolve(own, s.tables.policies[""])
}

// RetentionDays is for how many days the content of an agency's documents is kept
// after nobody needs it any more.
func (s *State) RetentionDays(code string) int { return s.Policy(code).RetentionDays }

func resolve(own, everybody *PolicyWord) Policy {
	own, everybody = cmp.Or(own, &PolicyWord{}), cmp.Or(everybody, &PolicyWord{})
	return Policy{
		DelegatedSeals: cmp.Or(own.DelegatedSeals, everybody.DelegatedSeals) != axispb.Permission_PERMISSION_FORBIDDEN,
		RetentionDays:  cmp.Or(own.RetentionDays, everybody.RetentionDays, DefaultRetentionDays),
		Security:       cmp.Or(everybody.Security, envelope.SecurityOrdinary),
		Registrations:  cmp.Or(own.Registrations, everybody.Registrations) != axispb.Permission_PERMISSION_FORBIDDEN,
		Held:           cmp.Or(own.RegistrationsHeld, everybody.RegistrationsHeld) == axispb.Permission_PERMISSION_ALLOWED,
		ConsignHours:   cmp.Or(own.ConsignHours, everybody.ConsignHours),
		HandoverHours:  cmp.Or(own.HandoverHours, everybody.HandoverHours),
		SentFiles:      cmp.Or(own.SentFiles, everybody.SentFiles, axispb.FilePolicy_FILE_POLICY_LABEL),
		ReceivedFiles:  cmp.Or(own.ReceivedFiles, everybody.ReceivedFiles, axispb.FilePolicy_FILE_POLICY_LABEL),
	}
}

// Policies lists what operators said, by code; first what they said for everybody.
func (s *State) Policies() []PolicyWord {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]PolicyWord, 0, len(s.tables.policies))
	for _, code := range slices.Sorted(maps.Keys(s.tables.policies)) {
		all = append(all, *s.tables.policies[code])
	}
	return all
}

func (d *draft) checkPolicy(p *axispb.Policy) error {
	if p.GetCode() != "" {
		if _, err := d.known(p.GetCode()); err != nil {
			return fmt.Errorf("policy: %w", err)
		}
		if p.GetSecurity() != "" {
			return errors.New("the security level is one for the whole axis; set it in the policy for everybody, without a code")
		}
	}
	if _, ok := axispb.Permission_name[int32(p.GetDelegatedSeals())]; !ok {
		return errors.New("the word on delegated seals is not known here; say allow, forbid or inherit, or update this program")
	}
	for _, said := range []axispb.Permission{p.GetRegistrations(), p.GetRegistrationsHeld()} {
		if _, ok := axispb.Permission_name[int32(said)]; !ok {
			return errors.New("the word on registrations is not known here; say allowed, held, forbidden or inherit, or update this program")
		}
	}
	for _, said := range []axispb.FilePolicy{p.GetSentFiles(), p.GetReceivedFiles()} {
		if _, ok := axispb.FilePolicy_name[int32(said)]; !ok {
			return errors.New("the word on files is not known here; say label, sound, signed or inherit, or update this program")
		}
	}
	if most := max(p.GetConsignHours(), p.GetHandoverHours()); most > maxHours {
		return fmt.Errorf("a deadline would be %d hours after acceptance; write at most %d", most, maxHours)
	}
	if p.GetRetentionDays() > maxRetentionDays {
		return fmt.Errorf("content would be kept for %d days; write at most %d", p.GetRetentionDays(), maxRetentionDays)
	}
	levels := []string{"", envelope.SecurityOrdinary, envelope.SecurityConfidential, envelope.SecuritySecret, envelope.SecurityTopSecret}
	if !slices.Contains(levels, p.GetSecurity()) {
		return fmt.Errorf("%s is no security level; write ordinary, confidential, secret or top-secret", quote(p.GetSecurity()))
	}
	return nil
}

// putPolicy replaces the policy that was there.
func (d *draft) putPolicy(p *axispb.Policy) {
	code := d.names.get(p.GetCode())
	if d.checkPolicy(p) != nil {
		return
	}
	d.policies.put(code, &PolicyWord{
		Code: code, DelegatedSeals: p.GetDelegatedSeals(), RetentionDays: int(p.GetRetentionDays()),
		Security: p.GetSecurity(), Registrations: p.GetRegistrations(), RegistrationsHeld: p.GetRegistrationsHeld(),
		ConsignHours: int(p.GetConsignHours()), HandoverHours: int(p.GetHandoverHours()),
		SentFiles: p.GetSentFiles(), ReceivedFiles: p.GetReceivedFiles(), Position: d.position,
	})
}

func (t *tables) checkPolicies() error {
	var errs []error
	for code, p := range t.policies {
		if p.Code != code || code != "" && t.agencies[code] == nil {
			errs = append(errs, fmt.Errorf("policy of %q: wrong key or unknown agency", code))
		}
	}
	return errors.Join(errs...)
}
