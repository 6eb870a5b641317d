package axis

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	operator "docaxis/axis/admin"
	"docaxis/axis/registry"
	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// maxWhy is the longest reason for a key's replacement, in bytes: it stands in the
// epoch, which every endpoint is given.
const maxWhy = 500

// RollKey replaces one of the axis's keys while it runs. Nothing that was signed
// before loses its proof, and no endpoint has to do anything.
//
//   - log: a new epoch goes on from the journal as it is.
//   - ca: a new CA, which the old one vouches for, and a new epoch that says so.
//   - evidence: the key that signs refusals and passed deadlines.
//
// A failure on the way ends the axis: what is on the disk leads its next start to
// the old state or to the new one, and it may be asked again.
func (h *Hub) RollKey(ctx context.Context, req operator.Roll) (operator.Rolled, error) {
	if req.Reason == "" || len(req.Reason)+len(req.Actor) > maxWhy || !utf8.ValidString(req.Reason+req.Actor) {
		return operator.Rolled{}, reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT, "give a reason of at most 400 letters")
	}
	var err error
	switch req.Key {
	case operator.KeyLog:
		err = h.intake.Between(ctx, func(ctx context.Context, at time.Time) error {
			return errors.Join(h.openEpoch(ctx, rolled("log key", req), at, false), h.nothingLost())
		})
	case operator.KeyCA:
		if err := h.ca.Load().CheckRoll(); err != nil {
			return operator.Rolled{}, reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT, err.Error())
		}
		err = h.intake.Between(ctx, func(ctx context.Context, at time.Time) error { return h.rollCA(ctx, req, at) })
	case operator.KeyEvidence:
		err = h.rollEvidence(ctx, req)
	default:
		err = reason.Permanent(axispb.ReasonCode_REASON_NOT_FOUND, req.Key)
	}
	if err != nil {
		return operator.Rolled{}, err
	}
	h.log.Info("a key was replaced", "key", req.Key, "actor", req.Actor, "reason", req.Reason)
	return h.rolledTo(ctx)
}

func rolled(what string, req operator.Roll) string {
	return fmt.Sprintf("%s replaced by %s: %s", what, req.Actor, req.Reason)
}

// rolledTo names what counts from now on.
func (h *Hub) rolledTo(ctx context.Context) (operator.Rolled, error) {
	at, err := h.ledger.Position(ctx)
	if err != nil {
		return operator.Rolled{}, err
	}
	pin := registry.PinOf(h.ca.Load().Certificate())
	out := operator.Rolled{Epoch: at.Epoch, CA: fmt.Sprintf("%x", pin)}
	if e, ok := h.trust.Epoch(at.Epoch); ok {
		out.Origin = e.GetOrigin()
	}
	return out, nil
}

// rollCA runs between two blocks. Once the new CA is on the disk it counts, whether
// or not its epoch was written: a start that finds it not announced opens one.
func (h *Hub) rollCA(ctx context.Context, req operator.Roll, at time.Time) error {
	next, err := h.ca.Load().Roll()
	if err != nil {
		return fmt.Errorf("make the new CA: %w", err)
	}
	h.ca.Store(next)
	h.signer.renew()
	return errors.Join(h.openEpoch(ctx, rolled("CA", req), at, false), h.nothingLost())
}

func (h *Hub) rollEvidence(ctx context.Context, req operator.Roll) error {
	cert, err := h.ca.Load().RollAxis()
	if err != nil {
		return fmt.Errorf("replace the axis's evidence key: %w", err)
	}
	h.signer.renew()
	digest := sha256.Sum256(cert)
	return h.intake.Act(ctx, &axispb.Act{
		Version: 1, Actor: req.Actor, Reason: req.Reason,
		Act: &axispb.Act_EvidenceKeyRolled{EvidenceKeyRolled: &axispb.EvidenceKeyRolled{CertificateDigest: digest[:]}},
	})
}

// announced reports whether the journal's epochs lead to the present CA.
func (h *Hub) announced() bool {
	pin := registry.PinOf(h.ca.Load().Certificate())
	for _, known := range h.trust.CAs() {
		if registry.PinOf(known) == pin {
			return true
		}
	}
	return false
}

// checkCA refuses a CA that the journal has already replaced: going on under it
// would lock out whoever pinned its successor.
func (h *Hub) checkCA() error {
	for _, known := range h.trust.CAs() {
		if _, ok := h.ca.Load().Pinned(registry.PinOf(known)); !ok {
			return lang.Errorf("CA trong %s cũ hơn sổ ghi: sổ đã thay nó. Không có gì thay đổi. Hãy khôi phục ca.key, ca.crt và ca-older.pem từ bản sao lưu mới nhất.",
				"The CA in %s is older than the journal, which has replaced it. Nothing was changed. Put back ca.key, ca.crt and ca-older.pem from the newest backup.", h.keys())
		}
	}
	return nil
}

// pinned is the certificate of the CA that an invitation pins; the present one's
// where none is named.
func (h *Hub) pinned(pin []byte) *x509.Certificate {
	ca := h.ca.Load()
	if len(pin) == sha256.Size {
		if cert, ok := ca.Pinned([sha256.Size]byte(pin)); ok {
			return cert
		}
	}
	return ca.Certificate()
}

func (h *Hub) renewed(cert []byte) *axispb.RenewAnswer {
	return &axispb.RenewAnswer{Certificate: cert, Authorities: h.ca.Load().Authorities()}
}

// serverCertificate shows endpoints a certificate of the present CA.
func (h *Hub) serverCertificate() func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	var (
		mu   sync.Mutex
		by   *registry.CA
		show func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	)
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		mu.Lock()
		if ca := h.ca.Load(); ca != by {
			by, show = ca, ca.ServerCertificate(h.cfg.Hosts)
		}
		f := show
		mu.Unlock()
		return f(hello)
	}
}
