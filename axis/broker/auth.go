package broker

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"docaxis/internal/bus"
)

const (
	servicesUser = "services"
	journalUser  = "journal"

	// A connection made with an invitation is for one request.
	inviteTime = 2 * time.Minute
	// Clocks differ by so much at most (the authority's tolerance too). A
	// connection ends when its certificate has been expired for that long, and
	// comes back to renew it.
	tolerance = 24 * time.Hour
)

var (
	errNoCertificate = errors.New("neither a certificate nor an invitation")
	errInvitation    = errors.New("the invitation's name and secret do not belong together")
	errTwice         = errors.New("a second log-in on one connection")
	errLocal         = errors.New("no user of this process")
)

// authenticator says who a new connection is and what it may do. The server
// calls Check in the connection's own goroutine, holding none of its locks, so
// asking the server about connections there cannot lock up.
type authenticator struct {
	authority Authority
	now       func() time.Time
	log       *slog.Logger
	quiet     *quiet
	locals    map[string]local
	conns     *connections

	// Set by attach, before the server starts.
	srv       *server.Server
	endpoints *server.Account
	journal   *server.Account
}

// local is a user of this process.
type local struct {
	secret string
	grant  func(*authenticator) *server.User
}

func newAuthenticator(cfg Config) *authenticator {
	return &authenticator{
		authority: cfg.Authority,
		now:       cfg.Now,
		log:       cfg.Log,
		quiet:     newQuiet(cfg.Now),
		conns:     newConnections(cfg.Now),
		locals: map[string]local{
			servicesUser: {rand.Text(), (*authenticator).services},
			journalUser:  {rand.Text(), (*authenticator).keeper},
		},
	}
}

func (a *authenticator) attach(srv *server.Server) (err error) {
	a.srv = srv
	a.conns.alive = func(id uint64) bool { return srv.GetClient(id) != nil }
	if a.endpoints, err = srv.LookupAccount(endpointsAccount); err != nil {
		return fmt.Errorf("account of the endpoints: %w", err)
	}
	if a.journal, err = srv.LookupAccount(journalAccount); err != nil {
		return fmt.Errorf("account of the journal: %w", err)
	}
	return nil
}

// Check implements server.Authentication.
func (a *authenticator) Check(c server.ClientAuthentication) bool {
	user, cut, err := a.admit(c)
	if err != nil {
		a.refused(c, err)
		return false
	}
	c.RegisterUser(user)
	for _, id := range cut {
		if a.srv.DisconnectClientByID(id) == nil {
			a.warn("a third connection: the oldest was cut", slog.String("endpoint", user.Username))
		}
	}
	return true
}

// admit names the user and the connections that must go for it.
func (a *authenticator) admit(c server.ClientAuthentication) (*server.User, []uint64, error) {
	if c.Kind() != server.CLIENT {
		return nil, nil, errors.New("not a client")
	}
	state := c.GetTLSConnectionState()
	if state == nil {
		user, err := a.admitLocal(c.GetOpts())
		return user, nil, err
	}
	decide := func() (*server.User, error) { return a.admitInvitation(c.GetOpts()) }
	if len(state.PeerCertificates) > 0 {
		decide = func() (*server.User, error) { return a.admitEndpoint(state.PeerCertificates[0]) }
	}
	return a.enter(c.GetID(), decide)
}

// enter makes the connection known to Cut before it gets any right. Where
// somebody was cut after the decision began, it is made again: what was decided
// before a revocation does not hold after it.
func (a *authenticator) enter(id uint64, decide func() (*server.User, error)) (*server.User, []uint64, error) {
	for {
		cuts := a.conns.cuts()
		user, err := decide()
		if err != nil {
			return nil, nil, err
		}
		old, err := a.conns.add(user.Username, id, cuts)
		if !errors.Is(err, errCutMeanwhile) {
			return user, old, err
		}
	}
}

// admitLocal needs no TLS because it can only come from this process: the
// listener lets nobody in without TLS.
func (a *authenticator) admitLocal(opts *server.ClientOpts) (*server.User, error) {
	l, ok := a.locals[opts.Username]
	if !ok || subtle.ConstantTimeCompare([]byte(l.secret), []byte(opts.Password)) != 1 {
		return nil, errLocal
	}
	return l.grant(a), nil
}

func (a *authenticator) admitInvitation(opts *server.ClientOpts) (*server.User, error) {
	hash, ok := bus.SecretOf(opts.Password)
	if !ok {
		return nil, errNoCertificate
	}
	name := bus.InviteUser(hash)
	if opts.Username != name {
		return nil, errInvitation
	}
	if err := a.authority.AdmitInvitation(hash, a.now()); err != nil {
		return nil, fmt.Errorf("invitation: %w", err)
	}
	return &server.User{
		Username: name, Account: a.endpoints,
		Permissions: grants([]bus.Service{bus.Enrol}, name, bus.Inboxes(name)),
		// The server's timers run by the machine's clock.
		ConnectionDeadline: time.Now().Add(inviteTime),
	}, nil
}

func (a *authenticator) admitEndpoint(cert *x509.Certificate) (*server.User, error) {
	now := a.now()
	grant, err := a.authority.Admit(cert, now)
	if err != nil {
		return nil, err
	}
	if !bus.ValidEndpoint(grant.Endpoint) {
		return nil, fmt.Errorf("%q is no name of an endpoint", grant.Endpoint)
	}
	user := &server.User{
		Username: grant.Endpoint, Account: a.endpoints,
		Permissions: grants(endpointServices(grant.RenewOnly), grant.Endpoint,
			bus.BellSubject(grant.Endpoint), bus.Inboxes(grant.Endpoint)),
	}
	if left := cert.NotAfter.Add(tolerance).Sub(now); !grant.RenewOnly && left > 0 {
		user.ConnectionDeadline = time.Now().Add(left)
	}
	return user, nil
}

func endpointServices(renewOnly bool) []bus.Service {
	if renewOnly {
		return []bus.Service{bus.Renew}
	}
	all := bus.Services()
	services := make([]bus.Service, 0, len(all))
	for _, s := range all {
		if s != bus.Enrol {
			services = append(services, s)
		}
	}
	return services
}

// grants lets name ask services and hear subjects, and nothing else.
func grants(services []bus.Service, name string, subjects ...string) *server.Permissions {
	ask := make([]string, 0, len(services))
	for _, s := range services {
		ask = append(ask, bus.ServiceSubject(s, name))
	}
	return allow(ask, subjects)
}

func allow(publish, subscribe []string) *server.Permissions {
	return &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: publish},
		Subscribe: &server.SubjectPermission{Allow: subscribe},
	}
}

func (a *authenticator) services() *server.User {
	all := bus.Services()
	hear := make([]string, 0, len(all))
	for _, s := range all {
		hear = append(hear, bus.AnySubject(s))
	}
	return &server.User{
		Username: servicesUser, Account: a.endpoints,
		Permissions: allow([]string{bus.AllInboxes, bus.AllBells}, hear),
	}
}

// keeper may do everything in the account where it is alone.
func (a *authenticator) keeper() *server.User {
	return &server.User{Username: journalUser, Account: a.journal}
}

func (a *authenticator) refused(c server.ClientAuthentication, err error) {
	// Whoever hangs up during the log-in has no address any more.
	from := "closed"
	if addr := c.RemoteAddress(); addr != nil {
		from = addr.String()
	}
	a.warn("a connection was refused", slog.String("from", from), slog.Any("error", err))
}

func (a *authenticator) warn(what string, attrs ...slog.Attr) {
	if missed, ok := a.quiet.may(); ok {
		a.log.LogAttrs(context.Background(), slog.LevelWarn, what, append(attrs, slog.Int("unlogged", missed))...)
	}
}
