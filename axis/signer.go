package axis

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"docaxis/axis/registry"
	"docaxis/internal/evidence"
)

// askAgain is how long the axis goes on with a certificate before it asks its CA
// whether there should be a new one.
const askAgain = 24 * time.Hour

// axisSigner signs as the axis. An axis may run for longer than its certificate
// lasts, so the CA is asked again now and then: the key stays, the certificate is
// renewed in time.
type axisSigner struct {
	ca  func() *registry.CA
	now func() time.Time

	mu     sync.Mutex
	signer *evidence.Signer
	asked  time.Time
	dir    string // of the keys, for messages
}

// renew makes the next statement ask the CA again: key or CA were replaced.
func (s *axisSigner) renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signer = nil
}

func (s *axisSigner) get() (*evidence.Signer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now(); s.signer == nil || now.Sub(s.asked).Abs() >= askAgain {
		key, cert, err := s.ca().IssueAxis()
		var disk *fs.PathError
		if err != nil && !errors.As(err, &disk) {
			return nil, lostAxisKey(s.dir, err)
		}
		if err != nil {
			return nil, fmt.Errorf("certificate of the axis's evidence key: %w", err)
		}
		signer, err := evidence.NewSigner(key, cert)
		if err != nil {
			return nil, fmt.Errorf("the axis's evidence key: %w", err)
		}
		s.signer, s.asked = signer, now
	}
	return s.signer, nil
}
