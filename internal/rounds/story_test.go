package rounds_test

import (
	"crypto/sha256"
	"fmt"
	"sync"

	clerk "docaxis/endpoint/admin"
	"docaxis/internal/hubtest"
)

// story is what the processes answered to those who put load on them: what was said
// once holds for ever.
type story struct {
	mu sync.Mutex
	// letters by subject, and the ids under which each was taken.
	letters map[string]letter
	taken   map[string][]string
	// tried counts how often each was offered.
	tried map[string]int
	// confirmed is the state that a confirmation was answered with.
	confirmed map[at]string
	// held are the receipts that were shown, by their digests.
	held map[[sha256.Size]byte]hubtest.Held
	// named is the last name of an agency whose import was answered.
	named int
	found []error
}

// at is a document at a code.
type at struct{ id, code string }

func newStory() *story {
	return &story{
		letters: map[string]letter{}, taken: map[string][]string{}, tried: map[string]int{},
		confirmed: map[at]string{}, held: map[[sha256.Size]byte]hubtest.Held{},
	}
}

func (s *story) complain(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found = append(s.found, fmt.Errorf(format, args...))
}

func (s *story) offered(l letter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.letters[l.subject] = l
	s.tried[l.subject]++
}

func (s *story) answered(l letter, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken[l.subject] = append(s.taken[l.subject], id)
}

func (s *story) letter(subject string) (letter, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.letters[subject]
	return l, ok
}

func (s *story) decided(where at) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.confirmed[where]
	return ok
}

func (s *story) decide(where at, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.confirmed[where] = state
}

// shown keeps the receipts of a document's steps.
func (s *story) shown(who string, of clerk.Story) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, step := range of.Steps {
		if step.Problem != "" {
			s.found = append(s.found, fmt.Errorf("%s shows %s of %s with a problem: %s", who, step.State, of.ID, step.Problem))
		}
		if len(step.Receipt) == 0 {
			continue
		}
		h := hubtest.Held{Who: fmt.Sprintf("%s was shown %s of %s", who, step.State, of.ID), Receipt: step.Receipt, Body: step.Evidence}
		s.held[sha256.Sum256(step.Receipt)] = h
	}
}

func (s *story) receipts() []hubtest.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []hubtest.Held
	for _, h := range s.held {
		all = append(all, h)
	}
	return all
}

func (s *story) name(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.named = max(s.named, n)
}
