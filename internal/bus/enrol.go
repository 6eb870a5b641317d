package bus

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// ErrPin is the cause of an enrolment's failure when whoever answers at the
// address does not hold the key that the invitation names: somebody stands in
// between, or the invitation is another axis's.
var ErrPin = errors.New("the server does not hold the key that the invitation names")

// Enrol uses the invitation: csr, PKCS#10 in DER, is signed by the axis. What
// comes back was checked: the CA is the one that the invitation pins, and it, or one
// that took over from it, issued the certificate for the request's key under the
// endpoint's name. The
// error is a *reason.Error: REASON_INVITATION_INVALID is final, a temporary one
// may be tried again with the same csr.
func (i Invite) Enrol(ctx context.Context, csr []byte) (*axispb.EnrolAnswer, error) {
	return i.EnrolAs(ctx, csr, "")
}

// EnrolAs is Enrol for a folder that is an endpoint's already: the axis refuses, with
// REASON_FORBIDDEN, an invitation for another endpoint, and does not use it up.
func (i Invite) EnrolAs(ctx context.Context, csr []byte, endpoint string) (*axispb.EnrolAnswer, error) {
	return i.EnrolBy(ctx, csr, endpoint, time.Now)
}

// EnrolBy is EnrolAs by another clock than the machine's.
func (i Invite) EnrolBy(ctx context.Context, csr []byte, endpoint string, now func() time.Time) (*axispb.EnrolAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, defaultTimeout)
	defer cancel()
	request, err := proto.Marshal(&axispb.EnrolRequest{Csr: csr, Pin: i.Pin[:], Endpoint: endpoint})
	if err != nil {
		return nil, unavailable("the request cannot be written", err)
	}
	nc, err := i.connect(ctx, now)
	if err != nil {
		return nil, enrolError(ctx, i.Address, err)
	}
	defer nc.Close()
	answer := new(axispb.EnrolAnswer)
	if err := ask(ctx, nc, Enrol, InviteUser(i.SecretHash()), request, answer); err != nil {
		return nil, err
	}
	if err := i.check(answer, csr); err != nil {
		return nil, unavailable("the axis's answer does not hold", err)
	}
	return answer, nil
}

func (i Invite) connect(ctx context.Context, now func() time.Time) (*nats.Conn, error) {
	host, _, err := net.SplitHostPort(i.Address)
	if err != nil {
		return nil, err
	}
	return nats.Connect("tls://"+i.Address, append(commonOptions(),
		nats.Secure(i.tlsConfig(host, now)),
		nats.SetCustomDialer(dialWith{ctx}),
		nats.UserInfo(InviteUser(i.SecretHash()), i.password()),
		nats.CustomInboxPrefix(InboxPrefix(InviteUser(i.SecretHash()))),
		nats.NoReconnect(),
	)...)
}

// tlsConfig takes no authority's word for the server: its chain must lead to a
// certificate of the pinned key. The check in VerifyConnection stands in for the
// one that is switched off.
func (i Invite) tlsConfig(host string, now func() time.Time) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true,
		VerifyConnection: func(cs tls.ConnectionState) error {
			return i.verify(cs.PeerCertificates, host, now())
		},
	}
}

func (i Invite) verify(chain []*x509.Certificate, host string, now time.Time) error {
	opts := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), DNSName: host, CurrentTime: now}
	for _, cert := range chain {
		opts.Intermediates.AddCert(cert)
		if i.pins(cert) {
			opts.Roots.AddCert(cert)
		}
	}
	if _, err := chain[0].Verify(opts); err != nil {
		return fmt.Errorf("%w: %w", ErrPin, err)
	}
	return nil
}

func (i Invite) pins(cert *x509.Certificate) bool {
	return sha256.Sum256(cert.RawSubjectPublicKeyInfo) == i.Pin
}

func (i Invite) check(answer *axispb.EnrolAnswer, csr []byte) error {
	request, err := x509.ParseCertificateRequest(csr)
	if err != nil {
		return fmt.Errorf("own request: %w", err)
	}
	ca, err := x509.ParseCertificate(answer.Ca)
	if err != nil || !i.pins(ca) {
		return errors.Join(ErrPin, err)
	}
	cert, err := x509.ParseCertificate(answer.Certificate)
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	trust := evidence.NewTrust(ca)
	if err := errors.Join(trust.AddEpochs(answer.Epochs), trust.CheckIssued(cert)); err != nil {
		return err
	}
	key, ok := request.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	switch {
	case !ok || !key.Equal(cert.PublicKey):
		return errors.New("the certificate is for another key")
	case !ValidEndpoint(answer.Endpoint) || cert.Subject.CommonName != answer.Endpoint:
		return errors.New("the certificate is for another name")
	}
	return nil
}

func enrolError(ctx context.Context, address string, err error) error {
	switch {
	case errors.Is(err, nats.ErrAuthorization):
		return reason.Permanent(axispb.ReasonCode_REASON_INVITATION_INVALID).Because(err)
	case errors.Is(err, ErrPin):
		return unavailable("no axis with the invitation's key at "+address, err)
	case ctx.Err() != nil:
		return unavailable("no answer in time", ctx.Err())
	default:
		return unavailable("not connected to "+address, err)
	}
}

// dialWith connects for as long as ctx lets it.
type dialWith struct{ ctx context.Context }

// Dial implements nats.CustomDialer.
func (d dialWith) Dial(network, address string) (net.Conn, error) {
	return dialNow(d.ctx, network, address)
}
