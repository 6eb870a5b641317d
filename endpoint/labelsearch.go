package endpoint

import (
	"context"
	"errors"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/inbox"
	"docaxis/endpoint/labels"
	"docaxis/endpoint/outbox"
	"docaxis/proto/axispb"
)

// searchPage is how many documents one step of a search reads.
const searchPage = 200

// searchUnlabelled goes one page further through what is here and was never looked at,
// or by another trust.
func (a *Agent) searchUnlabelled(ctx context.Context) error {
	return a.db.Update(context.WithoutCancel(ctx), func(tx *bbolt.Tx) error {
		l := labels.In(tx)
		if _, err := l.Begin(a.judge.Basis()); err != nil {
			return err
		}
		more, err := a.searchReceived(tx)
		if err != nil || more {
			return err
		}
		if more, err = a.searchSent(tx); err != nil || more {
			return err
		}
		return l.Finish()
	})
}

// searchReceived goes through what was received, newest first.
func (a *Agent) searchReceived(tx *bbolt.Tx) (more bool, err error) {
	l, in := labels.In(tx), inbox.In(tx)
	var before *axispb.InboxEntry
	if place := l.Place(labels.Received); place != "" {
		key, err := inbox.ParseKey(place)
		if err != nil {
			return false, err
		}
		if before, err = in.Get(key); errors.Is(err, inbox.ErrNotFound) {
			return true, l.Note(labels.Received, "") // it was given up; begin anew
		} else if err != nil {
			return false, err
		}
	}
	all, err := in.Newest(before, false, searchPage)
	for _, e := range all {
		if inbox.Pending(e) || e.ReleasedMs != 0 || e.Files == 0 {
			continue
		}
		class := labels.Again
		if inbox.Looking(e) {
			class = labels.Held
		}
		if err := l.Enqueue(labels.KeyOf(e.Sender, e.Id, e.ManifestDigest), class, a.cfg.Now()); err != nil {
			return false, err
		}
	}
	if err != nil || len(all) == 0 {
		return false, err
	}
	return true, l.Note(labels.Received, inbox.KeyOf(all[len(all)-1]).String())
}

// searchSent goes through what was sent, newest first.
func (a *Agent) searchSent(tx *bbolt.Tx) (more bool, err error) {
	l := labels.In(tx)
	all, err := outbox.In(tx).List(outbox.Filter{Before: l.Place(labels.Sent), Limit: searchPage})
	for _, e := range all {
		if outbox.Unsealed(e) || e.ReleasedMs != 0 || e.Files == 0 {
			continue
		}
		if err := l.Enqueue(labels.KeyOf(e.Sender, e.Id, e.ManifestDigest), labels.Again, a.cfg.Now()); err != nil {
			return false, err
		}
	}
	if err != nil || len(all) == 0 {
		return false, err
	}
	return true, l.Note(labels.Sent, all[len(all)-1].Id)
}
