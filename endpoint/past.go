package endpoint

import (
	"cmp"
	"log/slog"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"docaxis/endpoint/directory"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
	"docaxis/endpoint/store"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// What this endpoint keeps of the journal, so that an axis which lost a part of it
// can be given that back.

// keepFor is how long registry records are kept, by journal time.
const keepFor = 90 * 24 * time.Hour

// forgetAtOnce bounds what one page makes the store forget.
const forgetAtOnce = 100

// unpack gives what a row is about. A record that an earlier epoch had comes inside
// another one, with its own proof: it is judged, kept and named as it was then.
func (p *part) unpack(item *axispb.Item, outer evidence.Proven, receipt []byte) (*axispb.Item, evidence.Proven, []byte, error) {
	if outer.Header.Kind != axispb.Kind_KIND_RECOVERED {
		return item, outer, receipt, nil
	}
	past, proven, err := p.agent.trust.Recovered(item.Record.GetBody())
	if err != nil {
		return nil, outer, nil, reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "recovered record").Because(err)
	}
	inner := proto.Clone(item).(*axispb.Item)
	inner.Record = past.Record
	return inner, proven, past.Receipt, nil
}

// registryRecord follows a public record and keeps it.
func (p *part) registryRecord(item *axispb.Item, proven evidence.Proven, receipt []byte) (outcome, error) {
	var change axispb.RegistryChange
	if proven.Header.Kind == axispb.Kind_KIND_REGISTRY {
		if err := proto.Unmarshal(item.Record.Body, &change); err != nil {
			return outcome{}, reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "registry change").Because(err)
		}
	}
	a := p.agent
	epoch, err := a.epochIn(item, proven)
	if err != nil {
		return outcome{}, err
	}
	kept := &axispb.RegistryEntry{Record: item.Record, Receipt: receipt, ReceivedMs: a.cfg.Now().UnixMilli()}
	newest := time.UnixMilli(max(proven.Header.TimeMs, p.agent.pulling.journalMs.Load()))
	a.pulling.journalMs.Store(newest.UnixMilli())
	return outcome{apply: func(tx *bbolt.Tx) error {
		if err := directory.In(tx).Apply(journalTime(proven.Header), &change); err != nil {
			return err
		}
		if err := a.giveUpMoved(tx, &change); err != nil {
			return err
		}
		if epoch != nil {
			if err := store.AddEpoch(tx, epoch.Number, item.Record.Body); err != nil {
				return err
			}
		}
		if err := store.KeepRegistry(tx, proven.Ref(), kept); err != nil {
			return err
		}
		return store.ForgetRegistry(tx, newest.Add(-keepFor).UnixMilli(), forgetAtOnce)
	}}, nil
}

// learnAnnounced trusts the epochs that come in records, before anything that is
// proven under their keys is judged: one that the axis had forgotten does not come
// with a page. They are signed by the CA; their records are judged with the others.
func (a *Agent) learnAnnounced(items []*axispb.Item) {
	for _, item := range items {
		if kindOf(item.GetRecord()) != axispb.Kind_KIND_EPOCH {
			continue
		}
		if _, err := a.trust.AddEpoch(item.GetRecord().GetBody()); err != nil {
			a.log.Error("the axis announces an epoch that cannot be", slog.Any("error", err))
		}
	}
}

// epochIn is the epoch that a record announces; nil where it announces none.
func (a *Agent) epochIn(item *axispb.Item, proven evidence.Proven) (*axispb.Epoch, error) {
	if proven.Header.Kind != axispb.Kind_KIND_EPOCH {
		return nil, nil
	}
	e, err := a.trust.AddEpoch(item.Record.Body)
	if err != nil {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "epoch").Because(err)
	}
	return e, nil
}

// keepsake is a record that this endpoint can give back: where it was, and how to
// make the Recovered when its turn comes.
type keepsake struct {
	at   *axispb.RecordRef
	make func(tx *bbolt.Tx) (raw []byte, files *envelope.Envelope, err error)
}

func (k keepsake) key() []byte { return store.PastKey(k.at.Epoch, k.at.LeafIndex) }

// keepsakes gathers what an epoch lacks, in the order in which it is offered.
type keepsakes struct {
	agent *Agent
	epoch uint64
	found map[string]keepsake
}

func (a *Agent) lostRegistry(tx *bbolt.Tx, epoch uint64) ([]keepsake, error) {
	k := &keepsakes{agent: a, epoch: epoch, found: map[string]keepsake{}}
	err := store.EachRegistry(tx, func(at *axispb.RecordRef, e *axispb.RegistryEntry) error {
		// Epochs are announced with the request.
		if k.lost(at) && kindOf(e.GetRecord()) == axispb.Kind_KIND_REGISTRY {
			k.add(at, e.GetRecord().GetBody(), e.Receipt)
		}
		return nil
	})
	return k.sorted(), err
}

func (a *Agent) lostRecords(tx *bbolt.Tx, epoch uint64) ([]keepsake, error) {
	k := &keepsakes{agent: a, epoch: epoch, found: map[string]keepsake{}}
	if err := outbox.In(tx).Each(func(e *axispb.OutboxEntry) error { return k.sent(tx, e) }); err != nil {
		return nil, err
	}
	if err := inbox.In(tx).Each(func(e *axispb.InboxEntry) error { k.received(e); return nil }); err != nil {
		return nil, err
	}
	err := inbox.In(tx).EachEvidence(func(e *axispb.EvidenceEntry) error { k.evidence(e.Evidence, e.Receipt); return nil })
	return k.sorted(), err
}

// lost reports whether an epoch's journal lacks a record: its tree goes on from
// before it. What is there all the same is answered so.
func (k *keepsakes) lost(at *axispb.RecordRef) bool {
	return at != nil && at.Epoch < k.epoch && at.LeafIndex >= k.agent.trust.Common(at.Epoch, k.epoch)
}

func kindOf(r *axispb.Record) axispb.Kind {
	var h axispb.RecordHeader
	if proto.Unmarshal(r.GetHeader(), &h) != nil {
		return axispb.Kind_KIND_UNSPECIFIED
	}
	return h.Kind
}

// refOf reads where a receipt's record is.
func refOf(raw []byte) *axispb.RecordRef {
	var r axispb.Receipt
	var h axispb.RecordHeader
	if len(raw) == 0 || proto.Unmarshal(raw, &r) != nil || proto.Unmarshal(r.Header, &h) != nil {
		return nil
	}
	return &axispb.RecordRef{Epoch: h.Epoch, LeafIndex: r.LeafIndex}
}

// add keeps a record by its place: what both sides of this endpoint have is offered
// once.
func (k *keepsakes) add(at *axispb.RecordRef, body, receipt []byte) {
	s := keepsake{at: at, make: func(*bbolt.Tx) ([]byte, *envelope.Envelope, error) {
		raw, err := evidence.NewRecovered(body, receipt)
		return raw, nil, err
	}}
	k.found[string(s.key())] = s
}

// evidence adds a statement with its receipt. A receipt may be of an earlier
// evidence that said the same; then whoever has that gives it back.
func (k *keepsakes) evidence(raw, receipt []byte) {
	at := refOf(receipt)
	if !k.lost(at) {
		return
	}
	if _, err := k.agent.trust.Receipt(receipt, append([]byte{}, raw...)); err == nil {
		k.add(at, raw, receipt)
	}
}

// sent adds a submission, its refusal, and the evidence about it.
func (k *keepsakes) sent(tx *bbolt.Tx, e *axispb.OutboxEntry) error {
	k.evidence(e.Rejection, e.RejectionReceipt)
	recipients, err := outbox.In(tx).Recipients(e.Id)
	if err != nil {
		return err
	}
	for _, r := range recipients {
		for _, p := range r.Proofs {
			k.evidence(p.Evidence, p.Receipt)
		}
	}
	at := refOf(e.Receipt)
	if !k.lost(at) {
		return nil
	}
	s := keepsake{at: at, make: func(tx *bbolt.Tx) ([]byte, *envelope.Envelope, error) {
		recipients, err := outbox.In(tx).Recipients(e.Id)
		if err != nil {
			return nil, nil, err
		}
		var hints []evidence.Hint
		for _, r := range recipients {
			for _, p := range r.Proofs {
				hints = append(hints, evidence.Hint{Evidence: p.Evidence, Receipt: p.Receipt})
			}
		}
		return k.agent.pastDocument(e.EnvelopeDigest, e.Receipt, hints, e.ReleasedMs == 0)
	}}
	k.found[string(s.key())] = s
	return nil
}

// received adds a document that came here. What this endpoint sent as well is added
// by its sending side, which has the content.
func (k *keepsakes) received(e *axispb.InboxEntry) {
	at := refOf(e.Receipt)
	if !k.lost(at) {
		return
	}
	s := keepsake{at: at, make: func(tx *bbolt.Tx) ([]byte, *envelope.Envelope, error) {
		var hints []evidence.Hint
		for _, counter := range e.Evidence {
			own, err := inbox.In(tx).Evidence(counter)
			if err != nil {
				return nil, nil, err
			}
			hints = append(hints, evidence.Hint{Evidence: own.GetEvidence(), Receipt: own.GetReceipt()})
		}
		return k.agent.pastDocument(e.EnvelopeDigest, e.Receipt, hints, false)
	}}
	if _, have := k.found[string(s.key())]; !have {
		k.found[string(s.key())] = s
	}
}

// mostHints bounds the evidence that goes with a document: it says who has it, and
// comes as records of its own besides.
const mostHints = 16 << 10

// pastDocument makes the Recovered of a document, and gives its envelope where its
// files are here to be uploaded again.
func (a *Agent) pastDocument(digest, receipt []byte, hints []evidence.Hint, files bool) ([]byte, *envelope.Envelope, error) {
	env, err := a.envelope(digest)
	if err != nil {
		return nil, nil, err
	}
	room := min(mostHints, evidence.MaxRecovered-len(env.Raw)-len(receipt)-1024)
	alone, err := evidence.NewRecovered(env.Raw, receipt)
	if err != nil {
		return nil, nil, err
	}
	past, err := evidence.OpenRecovered(alone)
	if err != nil {
		return nil, nil, err
	}
	var kept []evidence.Hint
	for _, h := range hints {
		size := len(h.Evidence) + len(h.Receipt) + 16
		if _, err := a.trust.Hint(past, h); err != nil || size > room {
			continue // not journaled yet, or under another receipt
		}
		room -= size
		kept = append(kept, h)
	}
	raw, err := evidence.NewRecovered(env.Raw, receipt, kept...)
	if !files {
		env = nil
	}
	return raw, env, err
}

func (k *keepsakes) sorted() []keepsake {
	all := make([]keepsake, 0, len(k.found))
	for _, s := range k.found {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b keepsake) int {
		return cmp.Or(cmp.Compare(a.at.Epoch, b.at.Epoch), cmp.Compare(a.at.LeafIndex, b.at.LeafIndex))
	})
	return all
}
