package broker

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// A refused log-in is said once, with its reason, by the authenticator: the server's
// own line about it would be an error that an operator can do nothing about.
func TestARefusedLogInIsNoErrorOfTheServer(t *testing.T) {
	var out bytes.Buffer
	l := newServerLog(slog.New(slog.NewTextHandler(&out, nil)), time.Now)
	l.Errorf("127.0.0.1:4711 - cid:7 - %s", server.ErrAuthentication.Error())
	if out.Len() > 0 {
		t.Errorf("logged %q", out.String())
	}
	l.Errorf("the disk is full")
	if !strings.Contains(out.String(), "the disk is full") {
		t.Errorf("logged %q", out.String())
	}
}
