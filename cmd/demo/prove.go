package main

import (
	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/link"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
)

// trustOf trusts what an endpoint was given when it joined: the axis's certificate
// and the epochs that it signed.
func trustOf(dir string) (*evidence.Trust, error) {
	id, err := link.LoadIdentity(dir)
	if err != nil {
		return nil, err
	}
	trust := evidence.NewTrust(id.CA)
	return trust, trust.AddEpochs(id.Epochs)
}

// problem says what does not hold about a step: what its endpoint found, or what is
// found here, where the bytes of the proof are checked once more. A step without an
// event claims nothing.
func (s *stage) problem(step clerk.Step) string {
	switch {
	case step.Event == "":
		return ""
	case step.Problem != "":
		return reason.Phrase(step.Problem, s.o.Lang)
	case !step.Verified:
		return s.o.Say("chưa được kiểm", "it was not checked")
	}
	if err := s.prove(step); err != nil {
		return s.o.Explain(err)
	}
	return ""
}

// prove checks signature, certificate, inclusion and checkpoint. The record of a
// statement has its very bytes.
func (s *stage) prove(step clerk.Step) error {
	if len(step.Evidence) > 0 {
		if _, _, err := s.trust.Statement(step.Evidence); err != nil {
			return err
		}
	}
	if len(step.Receipt) == 0 {
		return nil
	}
	_, err := s.trust.Receipt(step.Receipt, step.Evidence)
	return err
}
