package hubtest_test

import (
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"docaxis/internal/bus"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// victims of a siege.
func (s *siege) victims() []*hubtest.Member {
	return []*hubtest.Member{s.sender, s.receiver, s.away}
}

// foreignSubjects are those on which the attacker has nothing to say.
func (s *siege) foreignSubjects() []string {
	subjects := []string{
		bus.ServiceSubject(bus.Enrol, s.attacker.Name), "ax.submit", "ax.submit.*", "ax.*." + s.attacker.Name, "ax.>", ">", "*",
		bus.ServiceSubject(bus.Submit, s.attacker.Name) + ".x", bus.BellSubject(s.attacker.Name), bus.InboxPrefix(s.attacker.Name) + ".x",
	}
	for _, v := range s.victims() {
		subjects = append(subjects, bus.BellSubject(v.Name), bus.InboxPrefix(v.Name)+".x")
		for _, service := range bus.Services() {
			subjects = append(subjects, bus.ServiceSubject(service, v.Name))
		}
	}
	return append(subjects, ownAPI()...)
}

// ownAPI are subjects by which a NATS server, or the journal, could be reached.
func ownAPI() []string {
	return []string{
		"$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.DELETE.JOURNAL-000000", "$JS.API.STREAM.PURGE.JOURNAL-000000",
		"$JS.API.STREAM.MSG.GET.JOURNAL-000000", "$JS.API.DIRECT.GET.JOURNAL-000000", "$JS.API.STREAM.SNAPSHOT.JOURNAL-000000",
		"$JS.API.CONSUMER.CREATE.JOURNAL-000000", "$JS.API.META.LEADER.STEPDOWN", "$JS.ACK.JOURNAL-000000.c.1.1.1.1.0", "$JS.FC.JOURNAL-000000.c.x",
		"$SYS.REQ.SERVER.PING", "$SYS.REQ.SERVER.PING.CONNZ", "$SYS.REQ.USER.INFO", "$SYS.REQ.ACCOUNT.JOURNAL.CONNZ", "$SYS.REQ.SERVER.x.RELOAD",
		"$SYS.ACCOUNT.ENDPOINTS.CONNECT", "$SYS._INBOX.x", "$NRG.V.x", "$NRG.AE.x", "$GNR.x", "_GR_.x", "_R_.x", "$LDS.x",
		"$KV.x.y", "$O.x.C.y", "$MQTT.sess.x", "$MQTT.JSA.x", "$SRV.PING", "_INBOX.x", "_INBOX.>", "journal.000000", "journal.000001", "journal", "anything",
	}
}

func testPublishing(t *testing.T, s *siege) {
	valid := wire(t, &axispb.SubmitRequest{Envelope: s.compose(t, s.attacker, docTo("H25"))})
	s.attack(t, nil, func() {
		for _, subject := range s.foreignSubjects() {
			if err := s.raw.PublishRequest(subject, s.raw.NewRespInbox(), valid); err != nil {
				t.Errorf("%s: %v", subject, err)
			}
		}
		for _, subject := range s.foreignSubjects() {
			until(t, "publishing to "+subject+" is forbidden", func() bool { return s.raw.refusals(quoted(subject)) > 0 })
		}
	})
}

// quoted is how the server names a subject that it forbids.
func quoted(subject string) string { return `"` + subject + `"` }

// The victims go on while the attacker listens everywhere.
func testListening(t *testing.T, s *siege) {
	subjects := []string{">", "*", "*.*", "ax.>", "ax.*.*", "ax.in.>", "ax.in.*.>", "ax.in.*.*.*", "ax.bell.*", "ax.bell.>", "$JS.>", "$JS.EVENT.>", "$SYS.>", "$NRG.>", "$MQTT.>", "_INBOX.>", "_R_.>", "journal.>", "journal.*"}
	for _, v := range s.victims() {
		subjects = append(subjects, bus.BellSubject(v.Name), bus.Inboxes(v.Name), bus.InboxPrefix(v.Name)+".*.*", bus.InboxPrefix(v.Name), "*.in."+v.Name+".>", "ax.*."+v.Name)
		for _, service := range bus.Services() {
			subjects = append(subjects, bus.ServiceSubject(service, v.Name))
		}
	}
	for _, service := range bus.Services() {
		subjects = append(subjects, bus.AnySubject(service), bus.ServiceSubject(service, s.attacker.Name))
	}
	heard := make(chan *nats.Msg, 1000)
	for i, subject := range subjects {
		// A queue group on a service would take requests from the axis itself.
		if _, err := s.raw.ChanQueueSubscribe(subject, []string{"", "axis"}[i%2], heard); err != nil {
			t.Fatalf("%s: %v", subject, err)
		}
		until(t, "listening on "+subject+" is forbidden", func() bool { return s.raw.refusals(quoted(subject)) > 0 })
	}
	id := s.send(t, "bốn", "H41")
	wait(t, s.sender, id, axispb.State_STATE_CONSIGNED)
	s.settle(t)
	if err := s.raw.Flush(); err != nil {
		t.Fatal(err)
	}
	if n := len(heard); n > 0 {
		t.Errorf("%d messages were heard, the first on %s", n, (<-heard).Subject)
	}
}

// foreignReplies are the four attacks of DESIGN.md D6, and others.
func (s *siege) foreignReplies() []string {
	own := bus.InboxPrefix(s.attacker.Name)
	replies := []string{
		"", own, own + ".", own + ".*", own + ".>", own + ".a.*", own + ".a.>", own + "..a", own + ".a.", own + "x.a", own + ".a\u00a0b.>",
		strings.ToUpper(own) + ".a", own + "." + strings.Repeat("a", 300), "ax.in.*.a", "ax.in.>", "ax.in", ">", "*",
		bus.BellSubject(s.attacker.Name), bus.ServiceSubject(bus.Submit, s.attacker.Name),
	}
	for _, v := range s.victims() {
		replies = append(replies, bus.InboxPrefix(v.Name)+".stolen", bus.BellSubject(v.Name))
		for _, service := range bus.Services() {
			replies = append(replies, bus.ServiceSubject(service, v.Name))
		}
	}
	return append(replies, ownAPI()...)
}

// A request whose reply is not the asker's own is not carried out at all, though
// everything else about it is right.
func testReplies(t *testing.T, s *siege) {
	heard := make(chan *nats.Msg, 1000)
	for _, v := range s.victims() {
		ears := s.connect(t, v)
		for _, subject := range []string{bus.InboxPrefix(v.Name) + ".stolen", bus.BellSubject(v.Name)} {
			if _, err := ears.ChanSubscribe(subject, heard); err != nil {
				t.Fatal(err)
			}
		}
		if err := ears.Flush(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := ears.Flush(); err != nil {
				t.Error(err)
			}
			if n := len(heard); n > 0 {
				t.Errorf("%d messages came to a victim, the first on %s", n, (<-heard).Subject)
			}
		}()
	}
	s.attack(t, nil, func() {
		for service, req := range s.effective(t) {
			for _, reply := range s.foreignReplies() {
				s.publishRaw(t, bus.ServiceSubject(service, s.attacker.Name), reply, req)
			}
			// The axis sorts requests in their order: once this one is answered, those
			// before it are over.
			s.raw.askRaw(t, service, []byte{0xff})
		}
	})
}

// effective are requests that would each leave a trace if they were carried out.
func (s *siege) effective(t *testing.T) map[bus.Service][]byte {
	t.Helper()
	content := []byte("ten bytes.")
	digest := sum(content)
	return map[bus.Service][]byte{
		bus.Submit:   wire(t, &axispb.SubmitRequest{Envelope: s.compose(t, s.attacker, docTo("H25"), content), Chunks: [][]byte{content}}),
		bus.Evidence: wire(t, &axispb.EvidenceRequest{Evidence: [][]byte{s.sign(t, s.about(t, s.shared, "H25"))}}),
		bus.Put:      wire(t, &axispb.PutRequest{Digest: digest, Size: 10, Data: content}),
		bus.Renew:    wire(t, &axispb.RenewRequest{Csr: newRequest(t, s.attacker.Name)}),
		bus.Pull:     wire(t, fromTheStart()),
		bus.Register: wire(t, &axispb.RegisterRequest{Put: &axispb.Agency{Code: "H25.01", Name: "Văn phòng", Parent: "H25"}}),
	}
}

// publishRaw publishes where nats.go itself would refuse the reply, too.
func (s *siege) publishRaw(t *testing.T, subject, reply string, data []byte) {
	t.Helper()
	if err := s.raw.PublishMsg(&nats.Msg{Subject: subject, Reply: reply, Data: data}); err != nil {
		t.Errorf("%s with reply %q: %v", subject, reply, err)
	}
}
