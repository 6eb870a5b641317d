package evidence

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// ErrUnknownEpoch means that something names an epoch that was not announced
// here. The caller gets the epochs that it lacks, adds them and tries again.
var ErrUnknownEpoch = errors.New("the epoch is not known")

// Trust is what a party believes: the axis's CA, pinned at enrolment, those that it
// was replaced with, and the epochs that they announced. It is safe for concurrent
// use.
type Trust struct {
	mu sync.RWMutex
	// authorities begins with the pinned CA; empty where that has no key that we
	// accept.
	authorities []trustedCA
	epochs      map[uint64]epoch

	issued      *recent[issued]
	checkpoints *recent[Checkpoint]
}

// issued is a certificate that the CA issued, with the key in it.
type issued struct {
	cert *x509.Certificate
	key  *ecdsa.PublicKey
}

// How many of either are remembered; a parsed certificate takes a few KB.
const (
	recentCertificates = 512
	recentCheckpoints  = 64
)

// epoch is an announced epoch; nothing in it changes.
type epoch struct {
	raw      []byte // marshalled Epoch, as signed
	signed   []byte // marshalled SignedEpoch, as it came
	pb       *axispb.Epoch
	verifier note.Verifier
}

// NewTrust trusts one CA and, as yet, no epoch. With a certificate that is not
// ECDSA P-256, nothing will ever be accepted.
func NewTrust(ca *x509.Certificate) *Trust {
	t := &Trust{
		epochs: make(map[uint64]epoch),
		issued: newRecent[issued](recentCertificates), checkpoints: newRecent[Checkpoint](recentCheckpoints),
	}
	if ca != nil {
		if key, err := p256(ca.PublicKey); err == nil {
			t.authorities = append(t.authorities, trustedCA{ca, key})
		}
	}
	return t
}

// Epoch gives an announced epoch by its number. The message must not be changed.
func (t *Trust) Epoch(number uint64) (*axispb.Epoch, bool) {
	e, ok := t.epoch(number)
	return e.pb, ok
}

// Newest gives the epoch with the highest number. The message must not be
// changed.
func (t *Trust) Newest() (*axispb.Epoch, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if len(t.epochs) == 0 {
		return nil, false
	}
	return t.epochs[t.newest()].pb, true
}

// Epochs gives every announced epoch, oldest first. The messages must not be
// changed.
func (t *Trust) Epochs() []*axispb.Epoch {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var all []*axispb.Epoch
	for _, n := range slices.Sorted(maps.Keys(t.epochs)) {
		all = append(all, t.epochs[n].pb)
	}
	return all
}

func (t *Trust) epoch(number uint64) (epoch, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e, ok := t.epochs[number]
	return e, ok
}

// newest needs the lock; 0 where there is none.
func (t *Trust) newest() uint64 {
	var n uint64
	for k := range t.epochs {
		n = max(n, k)
	}
	return n
}

// Statement checks an Evidence and gives its statement: the signature, that the
// CA issued the certificate to the issuer, that the certificate was valid at the
// claimed time (within a day), and the rules of the event. So evidence that was
// queued under a certificate since replaced stays valid.
//
// It cannot know whether the issuer was revoked, whether the claimed time is
// true, whether the issuer is a recipient of the document, nor whether the
// document exists: see Matches and the registry. Two evidences say the same when
// their statements have the same bytes; signatures differ each time.
//
// The certificate must not be changed.
//
// Its errors are *reason.Error, permanent: REASON_MALFORMED for what is not in
// form, REASON_EVIDENCE_SIGNATURE for what its certificate does not bear out.
func (t *Trust) Statement(evidence []byte) (*axispb.Statement, *x509.Certificate, error) {
	ev := new(axispb.Evidence)
	if err := decode("evidence", evidence, MaxEvidence, ev); err != nil {
		return nil, nil, malformed(err)
	}
	by, err := t.issuer(ev.Certificate)
	if err != nil {
		return nil, nil, unproven(err)
	}
	if !verify(by.key, StatementPrefix, ev.Statement, ev.Signature) {
		return nil, nil, unproven(errors.New("the signature is not the certificate's over these bytes"))
	}
	st := new(axispb.Statement)
	if err := decode("statement", ev.Statement, MaxEvidence, st); err != nil {
		return nil, nil, malformed(err)
	}
	if err := checkStatement(st); err != nil {
		return nil, nil, malformed(err)
	}
	if err := checkHolder(by.cert, st); err != nil {
		return nil, nil, unproven(err)
	}
	return st, by.cert, nil
}

// issuer reads a certificate and holds it to be the CA's. That it is, stays true;
// whether it may be used at some time is asked for each statement.
func (t *Trust) issuer(der []byte) (issued, error) {
	digest := sha256.Sum256(der)
	if by, ok := t.issued.get(digest); ok {
		return by, nil
	}
	cert, key, err := parseCertificate(der)
	if err != nil {
		return issued{}, err
	}
	if err := t.CheckIssued(cert); err != nil {
		return issued{}, err
	}
	by := issued{cert, key}
	t.issued.put(digest, by)
	return by, nil
}

func checkHolder(cert *x509.Certificate, st *axispb.Statement) error {
	if name := cert.Subject.CommonName; name != st.Issuer {
		return fmt.Errorf("the certificate is %q's, not %s's", clip(name), st.Issuer)
	}
	return checkUse(cert, time.UnixMilli(st.TimeMs))
}

func malformed(err error) error {
	return reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, err.Error())
}

func unproven(err error) error {
	return reason.Permanent(axispb.ReasonCode_REASON_EVIDENCE_SIGNATURE, err.Error())
}
