package endpoint

import (
	"cmp"
	"context"
	"encoding/hex"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/outbox"
	"docaxis/internal/business"
	"docaxis/internal/envelope"
	"docaxis/proto/axispb"
)

// Show tells a document's story, sent or received, checking every proof anew.
func (d desk) Show(_ context.Context, id string) ([]clerk.Story, error) {
	t, err := d.a.Show(id)
	if err != nil {
		return nil, known(err, id)
	}
	var out []clerk.Story
	if t.Sent != nil {
		s, err := d.sentStory(t)
		if err != nil {
			return nil, err
		}
		s.ReleasedMS, s.DuplicateOf = t.Sent.ReleasedMs, t.Sent.DuplicateOf
		if err := d.a.labelStory(&s, t.Sent.ManifestDigest); err != nil {
			return nil, err
		}
		s.Sent, s.Trouble, s.Steps = true, told(t.Sent.Trouble), steps("", t.Steps)
		for _, l := range t.Recipients {
			// The first step of a line is the acceptance, told already, unless this
			// recipient was refused in it.
			if l.State != axispb.State_STATE_REJECTED {
				l.Steps = l.Steps[1:]
			}
			s.Steps = append(s.Steps, steps(l.Code, l.Steps)...)
		}
		out = append(out, inOrder(s))
	}
	for _, l := range t.Received {
		doc, err := d.a.Document(l.Key)
		if err != nil {
			return nil, err
		}
		s, err := d.story(t, doc.Entry.EnvelopeDigest, l.State)
		if err != nil {
			return nil, err
		}
		s.ReleasedMS, s.Business, s.GivenBack = doc.Entry.ReleasedMs, l.BusinessState, l.GivenBack
		s.Hold = hold(doc.Entry)
		if err := d.a.labelStory(&s, doc.Entry.ManifestDigest); err != nil {
			return nil, err
		}
		if s.DuplicateOf, err = d.twin(doc.Entry); err != nil {
			return nil, err
		}
		s.Trouble, s.Steps = told(l.Trouble), steps(l.Code, l.Steps)
		out = append(out, inOrder(s))
	}
	return out, nil
}

// sentStory is a sent document, or its draft while it waits for a seal.
func (d desk) sentStory(t Timeline) (clerk.Story, error) {
	if !outbox.Unsealed(t.Sent) {
		return d.story(t, t.Sent.EnvelopeDigest, t.Sent.State)
	}
	doc, _, err := d.a.draft(t.Sent.DraftDigest)
	if err != nil {
		return clerk.Story{}, err
	}
	return storyOf(t, doc, t.Sent.State), nil
}

func inOrder(s clerk.Story) clerk.Story {
	slices.SortStableFunc(s.Steps, func(x, y clerk.Step) int { return cmp.Compare(x.TimeMS, y.TimeMS) })
	return s
}

func (d desk) story(t Timeline, digest []byte, state axispb.State) (clerk.Story, error) {
	e, err := d.a.envelope(digest)
	if err != nil {
		return clerk.Story{}, err
	}
	s := storyOf(t, e.Document, state)
	s.Manifest = hex.EncodeToString(e.ManifestDigest[:])
	return s, nil
}

func storyOf(t Timeline, doc *envelope.Document, state axispb.State) clerk.Story {
	s := clerk.Story{
		ID: t.ID, From: doc.Sender, Subject: doc.Subject, Kind: string(doc.Kind), Number: doc.Number, Notation: doc.Notation,
		Priority: doc.Priority, State: stateName(state),
	}
	for _, f := range doc.Files {
		s.Files = append(s.Files, clerk.FileInfo{Title: f.Title, Type: f.Type, Bytes: f.Size})
	}
	return s
}

func steps(code string, all []Step) []clerk.Step {
	out := make([]clerk.Step, len(all))
	for i, s := range all {
		out[i] = clerk.Step{
			TimeMS: s.Time.UnixMilli(), Code: code, State: stateName(s.State), Event: s.Event, Issuer: s.Issuer,
			Verified: s.Verified, Problem: s.Problem, Flagged: flags(s), Evidence: s.Evidence, Receipt: s.Receipt,
			Business: s.Business,
		}
		out[i].ReasonVI, out[i].ReasonEN = sentences(s.Reason)
		out[i].Epoch, out[i].LeafIndex = place(s.Receipt)
	}
	return out
}

func flags(s Step) string {
	var all []string
	switch s.Standing {
	case axispb.Standing_STANDING_CONTRARY:
		all = append(all, "contrary")
	case axispb.Standing_STANDING_SUPERSEDES:
		all = append(all, "supersedes")
	case axispb.Standing_STANDING_SECOND_COPY:
		all = append(all, "second")
	}
	if s.ClockOff {
		all = append(all, "clock")
	}
	if s.Unusual != business.Usual {
		all = append(all, s.Unusual.String())
	}
	return strings.Join(all, " ")
}

// place says where a receipt's record is in the journal.
func place(receipt []byte) (epoch, leaf uint64) {
	var (
		r axispb.Receipt
		h axispb.RecordHeader
	)
	if proto.Unmarshal(receipt, &r) != nil || proto.Unmarshal(r.GetHeader(), &h) != nil {
		return 0, 0
	}
	return h.GetEpoch(), r.GetLeafIndex()
}
