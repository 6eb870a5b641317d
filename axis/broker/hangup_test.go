package broker

import (
	"crypto/tls"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// hungUp is a client that closed its connection while it logged in: the server
// then has neither its address nor its TLS state any more.
type hungUp struct{ server.ClientAuthentication }

func (hungUp) Kind() int                                   { return server.CLIENT }
func (hungUp) GetOpts() *server.ClientOpts                 { return &server.ClientOpts{} }
func (hungUp) GetTLSConnectionState() *tls.ConnectionState { return nil }
func (hungUp) RemoteAddress() net.Addr                     { return nil }
func (hungUp) GetID() uint64                               { return 1 }

func TestWhoHangsUpDuringTheLogInIsRefused(t *testing.T) {
	a := newAuthenticator(Config{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if a.Check(hungUp{}) {
		t.Error("let in")
	}
}
