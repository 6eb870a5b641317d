package inbox

import (
	"bytes"
	"slices"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// again reports whether a row brings back a document whose content could not be had
// here: its code moved away meanwhile, and has returned.
func again(was, now *axispb.InboxEntry) bool {
	return was.State == axispb.State_STATE_CONSIGNMENT_FAILED && now.State == axispb.State_STATE_FETCHING && now.Position > was.Position
}

// GiveUp forgets the documents for which a code serves and whose content has still
// to come, and counts them: nobody was shown them, and nothing was stated about them.
func (b Inbox) GiveUp(serving string) (int, error) {
	all, err := b.coming(serving)
	if err != nil {
		return 0, err
	}
	for _, e := range all {
		for _, p := range b.places(e) {
			if err := p.bucket.Delete(p.key); err != nil {
				return 0, err
			}
		}
		if err := b.entries.Delete(KeyOf(e).bytes()); err != nil {
			return 0, err
		}
	}
	return len(all), nil
}

// others lists the journaled statements about an entry that are not those which it
// has as its own already.
func (b Inbox) others(e *axispb.InboxEntry) (all [][]byte, err error) {
	var own [][]byte
	for _, counter := range e.Evidence {
		mine, err := b.Evidence(counter)
		if err != nil {
			return nil, err
		}
		own = append(own, mine.GetEvidence())
	}
	for _, raw := range e.Journaled {
		if !slices.ContainsFunc(own, func(o []byte) bool { return bytes.Equal(o, raw) }) {
			all = append(all, raw)
		}
	}
	return all, nil
}

// MarkSecond records that another endpoint's copy counts.
func (b Inbox) MarkSecond(key Key) error {
	_, err := b.change(key, func(e *axispb.InboxEntry) error {
		e.SecondCopy = true
		return nil
	})
	return err
}

func (b Inbox) coming(serving string) ([]*axispb.InboxEntry, error) {
	var all []*axispb.InboxEntry
	for _, index := range []*boltpb.Lazy{b.due, b.waiting} {
		for _, k := range boltpb.Keys(index, nil) {
			e, err := boltpb.Get[axispb.InboxEntry](b.entries, b.entryKey(index, k))
			if err != nil {
				return nil, err
			}
			if e.GetServingCode() == serving {
				all = append(all, e)
			}
		}
	}
	return all, nil
}
