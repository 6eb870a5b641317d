package hubtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"docaxis/endpoint"
	"docaxis/internal/business"
	"docaxis/internal/envelope"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// patience is how long anything may take before it counts as stuck.
const patience = 60 * time.Second

// eventually asks again and again, until the answer is nil.
func eventually(t *testing.T, what string, ask func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	pause := time.Millisecond
	for {
		err := ask()
		if err == nil {
			return
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			t.Fatalf("%s: %v", what, err)
		}
		pause = min(2*pause, 20*time.Millisecond)
	}
}

// exchange is a small exchange of documents among the three endpoints of a table:
// everything that the commit path has to carry, each with the state that it must
// come to.
type exchange struct {
	t    *testing.T
	w    *hubtest.World
	rand *rand.Rand
	sent []*letter
}

// letter is a document of an exchange.
type letter struct {
	name, from, id string
	doc            envelope.Document
	files          [][]byte
	// want is the state at each code at the end; empty where the whole is refused.
	want map[string]axispb.State
}

// The endpoints of a table: a ministry, a province with a city, a district with a
// commune. G01 is an agency that nobody serves.
func joinAll(t *testing.T, w *hubtest.World) {
	t.Helper()
	for _, codes := range [][]string{{"G22"}, {"H41", "H41.01"}, {"H41.11", "H41.11.05"}} {
		if _, err := w.Join(t.Context(), codes...); err != nil {
			t.Fatal(err)
		}
	}
}

// endpointOf is the first code of the endpoint that serves a code.
func endpointOf(code string) string {
	switch {
	case strings.HasPrefix(code, "H41.11"):
		return "H41.11"
	case strings.HasPrefix(code, "H41"):
		return "H41"
	}
	return code
}

func newExchange(t *testing.T, w *hubtest.World, seed uint64) *exchange {
	return &exchange{t: t, w: w, rand: rand.New(rand.NewPCG(seed, 1))}
}

const (
	accepted   = axispb.State_STATE_ACCEPTED
	refused    = axispb.State_STATE_REJECTED
	consigned  = axispb.State_STATE_CONSIGNED
	handedOver = axispb.State_STATE_HANDED_OVER
	sentBack   = axispb.State_STATE_HANDOVER_FAILED
	withdrawn  = axispb.State_STATE_WITHDRAWN
)

type want = map[string]axispb.State

// play sends everything, takes and refuses as the agencies' systems do, and
// returns when all has come to its end.
func (x *exchange) play() {
	x.t.Helper()
	small := x.send("small", "G22", envelope.Document{To: []string{"H41", "H41.01"}}, want{"H41": handedOver, "H41.01": handedOver}, 20_000, 0)
	urgent := x.send("urgent", "G22", envelope.Document{To: []string{"H41.11"}, Priority: 2}, want{"H41.11": sentBack}, 500)
	x.send("large", "G22", envelope.Document{To: []string{"H41.11", "G01"}}, want{"H41.11": consigned, "G01": refused}, 1_300_000)
	x.send("group", "G22", envelope.Document{Groups: []envelope.Group{{Under: "H41", Level: "commune"}}}, want{"H41.11.05": consigned}, 10)
	x.send("refused", "G22", envelope.Document{To: []string{"G01"}}, nil, 10)
	recalled := x.send("recalled", "G22", envelope.Document{To: []string{"H41.11.05"}}, want{"H41.11.05": withdrawn}, 300)
	x.send("recall", "G22", envelope.Document{
		To: []string{"H41.11.05"}, Kind: envelope.KindRecall,
		References: []envelope.Reference{{Sender: "G22", ID: recalled.id, Relation: envelope.RelationTarget}},
	}, want{"H41.11.05": withdrawn}, 20)
	x.arrived(small, "H41")
	reply := x.send("reply", "H41", envelope.Document{
		To: []string{"G22"}, Kind: envelope.KindReply,
		References: []envelope.Reference{{Sender: "G22", ID: small.id, Relation: envelope.RelationTarget}},
	}, want{"G22": handedOver}, 100)
	x.confirm(small, "H41", "")
	x.confirm(small, "H41.01", "")
	x.recall(small)
	x.confirm(urgent, "H41.11", "sai thẩm quyền")
	x.confirm(reply, "G22", "")
	x.settle()
	x.givenBack(small, "H41")
}

// givenBack holds a document to be one that its recipient agreed to give back.
func (x *exchange) givenBack(l *letter, code string) {
	x.t.Helper()
	line, err := received(x.w, l.id, code)
	if err != nil || !line.GivenBack || line.BusinessState != business.Agreed {
		x.t.Errorf("%s was given back, and is shown as answered %q (%v)", l.name, line.BusinessState, err)
	}
}

// recall asks for a document back that the province has taken, which agrees.
func (x *exchange) recall(l *letter) {
	x.t.Helper()
	back := x.send("take back", "G22", envelope.Document{
		To: []string{"H41"}, Kind: envelope.KindStatus, Status: business.TakeBack,
		References: []envelope.Reference{{Sender: "G22", ID: l.id, Relation: envelope.RelationTarget}},
	}, want{"H41": consigned})
	x.arrived(back, "H41")
	x.send("agreed", "H41", envelope.Document{
		To: []string{"G22"}, Kind: envelope.KindStatus, Status: business.Agreed,
		References: []envelope.Reference{{Sender: "G22", ID: l.id, Relation: envelope.RelationTarget}},
	}, want{"G22": consigned})
}

// send asks until the document is taken, always under the same id.
func (x *exchange) send(name, from string, doc envelope.Document, states want, sizes ...int) *letter {
	x.t.Helper()
	l := x.write(name, from, doc, states, sizes...)
	eventually(x.t, "send "+name, func() error { return l.submit(x.t.Context(), x.w) })
	return l
}

// write makes a document with files of these sizes.
func (x *exchange) write(name, from string, doc envelope.Document, states want, sizes ...int) *letter {
	x.t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		x.t.Fatal(err)
	}
	doc.ID, doc.Sender, doc.Subject, doc.Created = id.String(), from, "Công văn "+name, time.Now()
	if doc.Kind == "" {
		doc.Kind = envelope.KindDocument
	}
	l := &letter{name: name, from: from, id: doc.ID, doc: doc, want: states}
	for _, n := range sizes {
		content := make([]byte, n)
		for i := range content {
			content[i] = byte(x.rand.Uint32())
		}
		l.files = append(l.files, content)
	}
	x.sent = append(x.sent, l)
	return l
}

func (l *letter) submit(ctx context.Context, w *hubtest.World) error {
	_, err := w.Member(l.from).Agent().Send(ctx, draft(l.doc, l.files))
	return err
}

func draft(doc envelope.Document, files [][]byte) endpoint.Draft {
	d := endpoint.Draft{Document: doc}
	for i, content := range files {
		d.Files = append(d.Files, endpoint.DraftFile{Title: fmt.Sprintf("tệp %d.bin", i+1), Content: bytes.NewReader(content)})
	}
	return d
}

// arrived waits until a document is at a code's endpoint with all its content.
func (x *exchange) arrived(l *letter, code string) {
	x.t.Helper()
	eventually(x.t, l.name+" arrives at "+code, func() error {
		line, err := received(x.w, l.id, code)
		if err == nil && line.State != consigned {
			err = fmt.Errorf("it is %s (%v)", line.State, line.Trouble)
		}
		return err
	})
}

// confirm takes a document, or refuses it where why says so, as a code's system.
func (x *exchange) confirm(l *letter, code, why string) {
	x.t.Helper()
	x.arrived(l, code)
	eventually(x.t, "confirm "+l.name, func() error {
		line, err := received(x.w, l.id, code)
		if err != nil {
			return err
		}
		return x.w.Member(endpointOf(code)).Agent().Confirm(x.t.Context(), line.Key, why == "", why)
	})
}

func received(w *hubtest.World, id, code string) (endpoint.Line, error) {
	t, err := w.Member(endpointOf(code)).Agent().Show(id)
	if err != nil {
		return endpoint.Line{}, err
	}
	for _, l := range t.Received {
		if l.Code == code {
			return l, nil
		}
	}
	return endpoint.Line{}, errors.New("it is not there")
}

// settle waits until every document is where it must come to, as sender and
// receiver see it, and nothing is left to be said.
func (x *exchange) settle() {
	x.t.Helper()
	for _, l := range x.sent {
		eventually(x.t, l.name+" of "+l.from, func() error { return l.settled(x.w) })
	}
	allSaid(x.t, x.w)
}

func (l *letter) settled(w *hubtest.World) error {
	t, err := w.Member(l.from).Agent().Show(l.id)
	if err != nil {
		return err
	}
	if l.want == nil {
		if t.Sent.State != refused {
			return fmt.Errorf("it is %s (%v)", t.Sent.State, t.Sent.Trouble)
		}
		return nil
	}
	shown := want{}
	for _, line := range t.Recipients {
		shown[line.Code] = line.State
	}
	for code, state := range l.want {
		if shown[code] != state {
			return fmt.Errorf("the sender sees %s (%v), recipients %v, %s by %v", t.Sent.State, t.Sent.Trouble, shown, code, l.reasons(t))
		}
		if state == refused {
			continue
		}
		line, err := received(w, l.id, code)
		if err != nil || line.State != state {
			return fmt.Errorf("%s shows %s (%w)", code, line.State, err)
		}
	}
	return nil
}

// reasons lists why recipients have not, or not taken, the document.
func (l *letter) reasons(t endpoint.Timeline) (all []string) {
	for _, line := range t.Recipients {
		for _, s := range line.Steps {
			if s.Reason != nil {
				all = append(all, fmt.Sprintf("%s: %s %v", line.Code, s.Event, s.Reason))
			}
		}
	}
	return all
}
