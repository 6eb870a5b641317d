package endpoint

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/text/unicode/norm"

	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/directory"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Clerk gives an agent in the form in which the clerk's commands ask for it.
func Clerk(a *Agent) clerk.Clerk { return desk{a} }

type desk struct{ a *Agent }

// mostListed is how many documents one page of a list has at most, and as many as it
// has where nothing is said.
const mostListed = 500

func stateName(s axispb.State) string { return strings.TrimPrefix(s.String(), "STATE_") }

// known turns the stores' not-found errors into the reason that a person is given.
func known(err error, id string) error {
	if errors.Is(err, outbox.ErrNotFound) || errors.Is(err, inbox.ErrNotFound) {
		return reason.Permanent(axispb.ReasonCode_REASON_NOT_FOUND, id)
	}
	return err
}

// Status is the endpoint at a glance.
func (d desk) Status(context.Context) (clerk.Status, error) {
	s, err := d.a.Status()
	if err != nil {
		return clerk.Status{}, err
	}
	codes, err := d.a.Codes()
	if err != nil {
		return clerk.Status{}, err
	}
	out := clerk.Status{
		Name: s.Endpoint, Codes: codes, Connected: s.Connected, Outbox: map[string]int{}, Inbox: map[string]int{},
		Epoch: s.Progress.GetSeen().GetEpoch(), SeenSize: s.Progress.GetSeen().GetSize(), Evidence: s.Progress.GetCounter(),
	}
	out.Parked, out.Disk = told(s.Parked), d.disk()
	return out, errors.Join(d.count(&out), d.health(&out))
}

func (d desk) count(out *clerk.Status) error {
	return d.a.db.View(func(tx *bbolt.Tx) error {
		sent, err := outbox.In(tx).Counts()
		for state, n := range sent {
			out.Outbox[stateName(state)] = n
		}
		for state, n := range inbox.In(tx).Counts() {
			out.Inbox[stateName(state)] = n
		}
		bad, err2 := inbox.In(tx).QuarantineTotal()
		out.Unsent, out.Quarantine, out.QuarantineDropped = inbox.In(tx).UnsentCount(), int(bad.Rows), bad.Dropped
		return errors.Join(err, err2)
	})
}

// Send seals a document.
func (d desk) Send(ctx context.Context, draft clerk.Draft, files []clerk.File) (clerk.Sent, error) {
	doc, err := d.document(draft)
	if err != nil {
		return clerk.Sent{}, err
	}
	all := make([]DraftFile, len(files))
	for i, f := range files {
		if limit := d.a.cfg.Settings.Limits.FileBytes; f.Bytes > limit {
			return clerk.Sent{}, tooLarge(f.Title, strconv.FormatUint(f.Bytes, 10), limit)
		}
		all[i] = DraftFile{Title: norm.NFC.String(f.Title), Type: f.Type, Content: f.Content, Bytes: f.Bytes}
	}
	id, err := d.a.Send(ctx, Draft{Document: doc, Files: all})
	return clerk.Sent{ID: id}, err
}

func (d desk) document(draft clerk.Draft) (envelope.Document, error) {
	doc := envelope.Document{
		Sender: draft.From, To: draft.To, Kind: envelope.KindDocument, Priority: draft.Priority, Security: draft.Security,
		Subject: norm.NFC.String(draft.Subject), Number: draft.Number, Notation: norm.NFC.String(draft.Notation),
	}
	for _, g := range draft.Groups {
		doc.Groups = append(doc.Groups, groupOf(g))
	}
	if draft.Deadline > 0 {
		doc.Deadline = time.UnixMilli(draft.Deadline).UTC()
	}
	if draft.Change != "" {
		return doc, d.changeOf(&doc, draft)
	}
	if doc.Sender == "" {
		sender, err := d.onlySender()
		if err != nil {
			return doc, err
		}
		doc.Sender = sender
	}
	if draft.ReplyTo == "" {
		return doc, nil
	}
	target, err := d.sender(draft.ReplyTo)
	doc.Kind = envelope.KindReply
	doc.References = []envelope.Reference{{Sender: target, ID: draft.ReplyTo, Relation: envelope.RelationTarget}}
	return doc, err
}

// onlySender is the agency that sends from here, where it is one.
func (d desk) onlySender() (string, error) {
	senders := slices.Sorted(maps.Keys(d.a.seals))
	switch len(senders) {
	case 1:
		return senders[0], nil
	case 0:
		codes, err := d.a.Codes()
		if err != nil {
			return "", err
		}
		return "", reason.Permanent(axispb.ReasonCode_REASON_NO_SEAL, strings.Join(codes, ", "))
	}
	return "", reason.Permanent(axispb.ReasonCode_REASON_SENDER_UNNAMED, strings.Join(senders, ", "))
}

// groupOf reads all, H41, H41/commune or /province.
func groupOf(text string) envelope.Group {
	under, level, _ := strings.Cut(text, "/")
	if under == "all" {
		under = ""
	}
	return envelope.Group{Under: under, Level: level}
}

// sender finds who sent a document that this endpoint sent or received.
func (d desk) sender(id string) (string, error) {
	sent, err := d.a.Sent(id)
	if err == nil {
		return sent.Sender, nil
	}
	t, err := d.a.Show(id)
	return t.Sender, known(err, id)
}

func (d desk) limit(asked int) int {
	if asked <= 0 {
		return mostListed
	}
	return min(asked, mostListed)
}

// Outbox lists what was sent, newest first.
func (d desk) Outbox(_ context.Context, p clerk.Page) ([]clerk.Outgoing, error) {
	all, err := d.a.Outbox(outbox.Filter{Before: p.After, Limit: d.limit(p.Limit)})
	if err != nil {
		return nil, err
	}
	out := make([]clerk.Outgoing, len(all))
	for i, e := range all {
		out[i] = clerk.Outgoing{
			ID: e.Id, From: e.Sender, Subject: e.Subject, State: stateName(e.State), Urgent: e.Lane == axispb.Lane_LANE_URGENT,
			CreatedMS: e.CreatedMs, Recipients: e.Recipients, Attempts: e.Attempts, Trouble: told(e.Trouble),
			Files: int(e.Files), Bytes: e.Bytes, ReleasedMS: e.ReleasedMs, DuplicateOf: e.DuplicateOf,
		}
		if e.State == axispb.State_STATE_QUEUED || e.State == axispb.State_STATE_SUBMITTED {
			out[i].NextAttemptMS = e.NextAttemptMs
		}
		if refused := d.refusal(e); refused != nil {
			out[i].Trouble = refused
		}
		if out[i].Label, err = d.a.worst(e.Sender, e.Id, e.ManifestDigest); err != nil {
			return nil, err
		}
		if out[i].States, err = d.recipientStates(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// refusal is why the axis did not take a document, as its statement says.
func (d desk) refusal(e *axispb.OutboxEntry) *clerk.Trouble {
	if len(e.Rejection) == 0 {
		return nil
	}
	st, _, err := d.a.trust.Statement(e.Rejection)
	if err != nil {
		return &clerk.Trouble{TimeMS: e.CreatedMs, Detail: err.Error()}
	}
	return told(&axispb.Trouble{TimeMs: st.TimeMs, Reason: st.Reason})
}

func (d desk) recipientStates(e *axispb.OutboxEntry) (map[string]int, error) {
	if e.State != axispb.State_STATE_ACCEPTED {
		return nil, nil
	}
	states := map[string]int{}
	err := d.a.db.View(func(tx *bbolt.Tx) error {
		all, err := outbox.In(tx).Recipients(e.Id)
		for _, r := range all {
			states[stateName(r.State)]++
		}
		return err
	})
	return states, err
}

func told(t *axispb.Trouble) *clerk.Trouble {
	if t == nil {
		return nil
	}
	out := &clerk.Trouble{TimeMS: t.TimeMs, Detail: t.Detail}
	if t.Reason != nil {
		out.Vietnamese, out.English = sentences(t.Reason)
	}
	return out
}

func sentences(r *axispb.Reason) (vietnamese, english string) {
	if r == nil {
		return "", ""
	}
	return reason.Sentence(r, reason.Vietnamese), reason.Sentence(r, reason.English)
}

// Inbox lists what was received, newest first.
func (d desk) Inbox(_ context.Context, p clerk.Page) ([]clerk.Incoming, error) {
	all, err := d.newest(p)
	if err != nil {
		return nil, err
	}
	out := make([]clerk.Incoming, len(all))
	for i, e := range all {
		out[i] = clerk.Incoming{
			Key: inbox.KeyOf(e).String(),
			ID:  e.Id, From: e.Sender, Code: e.Code, Subject: e.Subject, State: stateName(e.State),
			Urgent: e.Lane == axispb.Lane_LANE_URGENT, Fetched: e.Fetched, ReceivedMS: e.ReceivedMs, SinceMS: e.SinceMs,
			Trouble: told(e.Trouble), Files: int(e.Files), Bytes: e.Bytes, ReleasedMS: e.ReleasedMs,
		}
		out[i].Hold = hold(e)
		if out[i].DuplicateOf, err = d.twin(e); err != nil {
			return nil, err
		}
		if out[i].Label, err = d.a.worst(e.Sender, e.Id, e.ManifestDigest); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// twin is the id of the document that a received one seems to repeat.
func (d desk) twin(e *axispb.InboxEntry) (id string, err error) {
	if e.DuplicateOf == "" {
		return "", nil
	}
	err = d.a.db.View(func(tx *bbolt.Tx) error {
		other, err := inbox.In(tx).Delivery(e.DuplicateOf)
		id = other.GetId()
		return err
	})
	return id, known(err, e.DuplicateOf)
}

func (d desk) newest(p clerk.Page) (all []*axispb.InboxEntry, err error) {
	err = d.a.db.View(func(tx *bbolt.Tx) error {
		in := inbox.In(tx)
		var before *axispb.InboxEntry
		if p.After != "" {
			key, err := inbox.ParseKey(p.After)
			if err == nil {
				before, err = in.Get(key)
			}
			if err != nil {
				return known(err, p.After)
			}
		}
		all, err = in.Newest(before, p.New, d.limit(p.Limit))
		return err
	})
	return all, err
}

// key finds a received document by its id, and its code where it came for several.
func (d desk) key(id, code string) (inbox.Key, error) {
	t, err := d.a.Show(id)
	if err != nil {
		return inbox.Key{}, known(err, id)
	}
	fits := slices.DeleteFunc(t.Received, func(l Line) bool { return code != "" && l.Code != code })
	switch {
	case len(fits) == 0:
		return inbox.Key{}, reason.Permanent(axispb.ReasonCode_REASON_NOT_FOUND, id+" "+code)
	case len(fits) > 1:
		codes := make([]string, len(fits))
		for i, l := range fits {
			codes[i] = l.Code
		}
		return inbox.Key{}, reason.Permanent(axispb.ReasonCode_REASON_SEVERAL_CODES, id, strings.Join(codes, ", "))
	}
	return fits[0].Key, nil
}

// Wait waits for a document to reach a state.
func (d desk) Wait(ctx context.Context, id, state string) error {
	want, ok := axispb.State_value["STATE_"+state]
	if !ok || want == 0 {
		return reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "state: "+clip(state))
	}
	return d.a.Wait(ctx, id, axispb.State(want))
}

// Content opens a file of a received document.
func (d desk) Content(ctx context.Context, id, code string, n int) (io.ReadCloser, error) {
	key, err := d.key(id, code)
	if err != nil {
		return nil, err
	}
	doc, err := d.a.Document(key)
	if err != nil {
		return nil, known(err, id)
	}
	f, err := doc.File(n)
	if err != nil {
		return nil, err
	}
	return f, d.a.MarkFetched(ctx, key)
}

// Confirm states that the agency took, or refuses, a document.
func (d desk) Confirm(ctx context.Context, req clerk.Confirm) (clerk.Confirmed, error) {
	key, err := d.key(req.ID, req.Code)
	if err != nil {
		return clerk.Confirmed{}, err
	}
	before, err := d.a.Document(key)
	if err != nil {
		return clerk.Confirmed{}, known(err, req.ID)
	}
	if err := d.a.Confirm(ctx, key, req.Refuse == "", req.Refuse); err != nil {
		if errors.Is(err, inbox.ErrState) {
			return clerk.Confirmed{}, reason.Permanent(axispb.ReasonCode_REASON_STATE, req.ID, stateName(before.Entry.State)).Because(err)
		}
		return clerk.Confirmed{}, err
	}
	after, err := d.a.Document(key)
	if err != nil {
		return clerk.Confirmed{}, err
	}
	return clerk.Confirmed{State: stateName(after.Entry.State), Unread: !before.Entry.Fetched && req.Refuse == ""}, nil
}

// Retry lets a parked or refused document go on.
func (d desk) Retry(ctx context.Context, id string) error {
	err := d.a.Retry(ctx, id)
	if !errors.Is(err, outbox.ErrState) {
		return known(err, id)
	}
	e, err2 := d.a.Sent(id)
	if err2 != nil {
		return known(err2, id)
	}
	return reason.Permanent(axispb.ReasonCode_REASON_STATE, id, stateName(e.State)).Because(err)
}

// Agencies searches the directory by code and name.
func (d desk) Agencies(_ context.Context, search string) ([]clerk.Agency, error) {
	all, err := d.a.Agencies(directory.Filter{Limit: math.MaxInt})
	if err != nil {
		return nil, err
	}
	search = strings.ToLower(norm.NFC.String(search))
	out := []clerk.Agency{}
	for _, e := range all {
		a := e.GetAgency()
		if !strings.Contains(strings.ToLower(a.GetCode()+" "+a.GetName()+" "+strings.Join(a.GetAliases(), " ")), search) {
			continue
		}
		out = append(out, clerk.Agency{
			Code: a.GetCode(), Name: a.GetName(), Aliases: a.GetAliases(), Parent: a.GetParent(),
			Level:  strings.ToLower(strings.TrimPrefix(a.GetLevel().String(), "LEVEL_")),
			Served: e.GetEndpoint() != "", Closed: e.GetClosedMs() > 0,
		})
	}
	slices.SortFunc(out, func(x, y clerk.Agency) int { return cmp.Compare(x.Code, y.Code) })
	return out, nil
}
