package broker_test

import (
	"crypto/tls"
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"docaxis/internal/bus"
)

// foreign lists subjects that an endpoint called h41 must not publish to, with
// h42 as the other one.
func foreign() []string {
	subjects := []string{
		bus.BellSubject("h41"), bus.BellSubject("h42"),
		bus.InboxPrefix("h41") + ".x", bus.InboxPrefix("h42") + ".x",
		bus.ServiceSubject(bus.Enrol, "h41"),
		"ax.submit", "ax.submit.h41.x", "ax.unknown.h41", "ax.submit.*", "ax.*.h41", "ax.>", ">", "*",
		"$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.DELETE.J", "$JS.ACK.J.c.1.1.1.1.0",
		"$SYS.REQ.USER.INFO", "$SYS.REQ.SERVER.PING", "$SYS.ACCOUNT.ENDPOINTS.CONNECT",
		"$KV.x.y", "$O.x", "_INBOX.x", "_R_.x", "$NRG.x", "journal", "anything",
	}
	for _, s := range bus.Services() {
		subjects = append(subjects, bus.ServiceSubject(s, "h42"))
	}
	return subjects
}

func TestEndpointPublishesNothingForeign(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	s := serve(t, b, echo, bus.ServeConfig{})
	r := mustRaw(t, a, b, "h41")
	watch := watchAll(t, b)
	for i, subject := range foreign() {
		if err := r.PublishRequest(subject, bus.InboxPrefix("h41")+".r", []byte("hostile")); err != nil {
			t.Fatalf("%s: %v", subject, err)
		}
		if err := r.Flush(); err != nil {
			t.Fatalf("%s: %v", subject, err)
		}
		until(t, "publishing to "+subject+" is refused", func() bool { return r.refusals() > i })
	}
	if st := s.Stats(); st.Taken != 0 || st.BadReply != 0 {
		t.Errorf("something reached a service: %+v", st)
	}
	if n := watch(); n != 0 {
		t.Errorf("%d messages reached the journal's account", n)
	}
}

// watchAll counts what is published in the journal's account.
func watchAll(t *testing.T, b interface{ Journal() *nats.Conn }) func() int {
	t.Helper()
	sub, err := b.Journal().SubscribeSync(">")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Journal().Flush(); err != nil {
		t.Fatal(err)
	}
	return func() int {
		if err := b.Journal().Flush(); err != nil {
			t.Fatal(err)
		}
		n, _, err := sub.Pending()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
}

func TestEndpointHearsNothingForeign(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	s := serve(t, b, echo, bus.ServeConfig{})
	r := mustRaw(t, a, b, "h41")
	subjects := []string{
		">", "*", "ax.>", "ax.*.*", "ax.in.>", "ax.in.*.>", "ax.in.h42.>", "ax.in.h42.x", "ax.in.h41",
		"ax.bell.*", "ax.bell.>", "ax.bell.h42", "ax.bell.h41.>", "ax.submit.h41", "ax.submit.*", "ax.submit.h42",
		"_INBOX.>", "$SYS.>", "$JS.>", "$JS.API.>", "journal", "ax.in.invitation_x.>",
	}
	got := make(chan *nats.Msg, 100)
	for i, subject := range subjects {
		if _, err := r.ChanSubscribe(subject, got); err != nil {
			t.Fatalf("%s: %v", subject, err)
		}
		if err := r.Flush(); err != nil {
			t.Fatal(err)
		}
		until(t, "listening on "+subject+" is refused", func() bool { return r.refusals() > i })
	}
	other := dialed(t, a, b, "h42")
	bell := make(chan struct{}, 1)
	other.OnBell(func() { bell <- struct{}{} })
	if _, err := call(t, other, bus.Submit, "secret"); err != nil {
		t.Fatal(err)
	}
	s.Ring("h42")
	<-bell
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	if len(got) != 0 {
		t.Errorf("heard %q", (<-got).Subject)
	}
}

func TestSubscriptionsAreLimited(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	r := mustRaw(t, a, b, "h41")
	for range 17 {
		if _, err := r.SubscribeSync(bus.InboxPrefix("h41") + ".>"); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the 17th subscription is refused", func() bool { return r.refusals() == 1 })
	if r.violations[0] != nats.ErrMaxSubscriptionsExceeded.Error() {
		t.Error(r.violations[0])
	}
}

// A header may name a subject too: the server would publish a trace of the
// message there.
func TestTraceHeaderReachesNobody(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	serve(t, b, echo, bus.ServeConfig{})
	victim := mustRaw(t, a, b, "h42")
	sub, err := victim.SubscribeSync(bus.InboxPrefix("h42") + ".>")
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Flush(); err != nil {
		t.Fatal(err)
	}
	r := mustRaw(t, a, b, "h41")
	msg := nats.NewMsg(bus.ServiceSubject(bus.Submit, "h41"))
	msg.Header.Set("Nats-Trace-Dest", bus.InboxPrefix("h42")+".x")
	if err := r.PublishMsg(msg); err != nil {
		t.Fatal(err)
	}
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := victim.Flush(); err != nil {
		t.Fatal(err)
	}
	if n, _, err := sub.Pending(); n != 0 || err != nil {
		t.Errorf("%d messages, %v", n, err)
	}
}

func TestLocalUsersNeedTheirSecret(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	for _, user := range []string{"services", "journal", "", "admin"} {
		_, err := dialRaw(t, a, b, tls.Certificate{}, nats.UserInfo(user, "guess"))
		if !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("%s: %v", user, err)
		}
	}
	// A certificate with a local user's name is still only that endpoint.
	r, err := dialRaw(t, a, b, a.endpoint(t, "h41"), nats.UserInfo("journal", "guess"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Publish("$JS.API.INFO", nil); err != nil {
		t.Fatal(err)
	}
	until(t, "JetStream is refused", func() bool { return r.refusals() > 0 })
}

func TestServiceConnectionCannotTouchTheJournal(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	watch := watchAll(t, b)
	for _, subject := range []string{"$JS.API.INFO", "journal", "ax.submit.h41", "_INBOX.x"} {
		if err := b.Services().Publish(subject, nil); err != nil {
			t.Fatal(err)
		}
		if err := b.Services().Flush(); err != nil {
			t.Fatal(err)
		}
		until(t, subject+" is refused", func() bool {
			err := b.Services().LastError()
			return err != nil && strings.Contains(err.Error(), subject)
		})
	}
	if n := watch(); n != 0 {
		t.Errorf("%d messages reached the journal's account", n)
	}
}

func TestNameWithADotIsRefused(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	for _, name := range []string{"h41.x", "*", ">", "", "H41", "invitation_00", strings.Repeat("a", 41)} {
		if _, err := dialRaw(t, a, b, a.endpoint(t, name)); !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestReplySubjectsAreHostile(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	s := serve(t, b, echo, bus.ServeConfig{})
	stream := makeStream(t, b.Journal())
	victim := mustRaw(t, a, b, "h42")
	heard, err := victim.SubscribeSync(bus.InboxPrefix("h42") + ".>")
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Flush(); err != nil {
		t.Fatal(err)
	}
	r := mustRaw(t, a, b, "h41")
	watch := watchAll(t, b)
	replies := []string{
		"$JS.API.STREAM.DELETE.J", "journal", bus.ServiceSubject(bus.Submit, "h42"),
		bus.InboxPrefix("h42") + ".x", bus.InboxPrefix("h42") + ".*", "ax.in.*.x", "ax.in.>",
		bus.InboxPrefix("h41") + ".>", bus.InboxPrefix("h41"), bus.BellSubject("h42"), "",
		bus.InboxPrefix("h41") + "." + strings.Repeat("x", 300),
	}
	for i, reply := range replies {
		if err := r.PublishRequest(bus.ServiceSubject(bus.Submit, "h41"), reply, nil); err != nil {
			t.Fatalf("%q: %v", reply, err)
		}
		until(t, "the request with reply "+reply+" is dropped", func() bool { return s.Stats().BadReply == uint64(i+1) })
	}
	if err := b.Services().Flush(); err != nil {
		t.Fatal(err)
	}
	if err := victim.Flush(); err != nil {
		t.Fatal(err)
	}
	if n, _, err := heard.Pending(); n != 0 || err != nil {
		t.Errorf("the other endpoint heard %d messages, %v", n, err)
	}
	if st := s.Stats(); st.Taken != 0 || st.Busy != 0 {
		t.Errorf("a handler was called: %+v", st)
	}
	if n := watch(); n != 0 {
		t.Errorf("%d messages reached the journal's account", n)
	}
	info, err := stream.Info(t.Context())
	if err != nil || info.State.Msgs != 1 {
		t.Errorf("the stream: %+v, %v", info, err)
	}
}

// makeStream has one message in a stream J over the subject journal.
func makeStream(t *testing.T, nc *nats.Conn) jetstream.Stream {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "J", Subjects: []string{"journal"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "journal", []byte("block")); err != nil {
		t.Fatal(err)
	}
	return stream
}

func lastMessage(t *testing.T, nc *nats.Conn) string {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), "J")
	if err != nil {
		t.Fatal(err)
	}
	msg, err := stream.GetLastMsgForSubject(t.Context(), "journal")
	if err != nil {
		t.Fatal(err)
	}
	return string(msg.Data)
}

// Where the reply rule should fail one day, the connection's rights still hold:
// answers sent to these subjects go nowhere.
func TestAnswersCannotLeaveTheInboxes(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	stream := makeStream(t, b.Journal())
	for _, subject := range []string{"$JS.API.STREAM.DELETE.J", "journal", bus.ServiceSubject(bus.Submit, "h42")} {
		if err := b.Services().Publish(subject, []byte("answer")); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Services().FlushTimeout(patience); err != nil {
		t.Fatal(err)
	}
	info, err := stream.Info(t.Context())
	if err != nil || info.State.Msgs != 1 {
		t.Errorf("the stream: %+v, %v", info, err)
	}
}
