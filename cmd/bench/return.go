package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"

	clerk "docaxis/endpoint/admin"
	"docaxis/internal/envelope"
)

// returnSenders are those whose documents wait for the endpoint that is away.
func returnSenders() []string { return halves()[:4] }

const returnReceiver = "H25"

// comeBack lets documents wait for an endpoint that never ran, and starts it.
func (p plan) comeBack(ctx context.Context, w *world) (*Return, error) {
	b := p.Return
	out := &Return{Documents: b.Documents, FileBytes: b.FileBytes}
	away, err := w.enrol(ctx, returnReceiver)
	if err != nil {
		return nil, err
	}
	if err := b.send(ctx, w); err != nil {
		return nil, fmt.Errorf("let documents wait: %w", err)
	}
	begun := time.Now()
	if err := w.restart(ctx, away); err != nil {
		return nil, err
	}
	w.members = append(w.members, away)
	if err := away.holds(ctx, b.Documents); err != nil {
		return nil, err
	}
	out.PerSecond = float64(b.Documents) / time.Since(begun).Seconds()
	out.BoltPerSecond, err = b.bolt(filepath.Join(w.dir, "bare.bolt"))
	return out, err
}

// send uploads and submits documents over connections without endpoints.
func (b returnPlan) send(ctx context.Context, w *world) error {
	var sent atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for _, code := range returnSenders() {
		c, err := w.call(ctx, code)
		if err != nil {
			return errors.Join(err, g.Wait())
		}
		defer c.close()
		for range b.AtOnce {
			content := newContent()
			g.Go(func() error {
				for sent.Add(1) <= int64(b.Documents) {
					if err := c.sendTo(ctx, returnReceiver, content.bytes(b.FileBytes)); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	return g.Wait()
}

// sendTo uploads a file and submits a document that has it.
func (c *caller) sendTo(ctx context.Context, code string, content []byte) error {
	f, err := c.put(ctx, content)
	if err != nil {
		return err
	}
	raw, err := c.compose(envelope.Document{To: []string{code}}, f)
	if err != nil {
		return err
	}
	return c.submit(ctx, raw)
}

// holds waits until an endpoint has consigned so many documents.
func (m *member) holds(ctx context.Context, documents int) error {
	for {
		var status clerk.Status
		if err := m.api.Get(ctx, clerk.PathStatus, nil, &status); err != nil {
			return err
		}
		if status.Inbox[consigned] >= documents {
			return nil
		}
		// To ask costs the endpoint a walk over all of them.
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return fmt.Errorf("%v of %d documents: %w", status.Inbox, documents, err)
		}
	}
}

// bolt is how many files a second can be put into bbolt, a group of them in each synced
// commit.
func (b returnPlan) bolt(path string) (float64, error) {
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		return 0, err
	}
	content, name := newContent(), []byte("files")
	begun, spent := time.Now(), time.Duration(0)
	for n := 0; n < b.Documents; n += b.Group {
		made := time.Now()
		group := make([][]byte, min(b.Group, b.Documents-n))
		for i := range group {
			group[i] = content.bytes(b.FileBytes)
		}
		spent += time.Since(made)
		err := db.Update(func(tx *bolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists(name)
			for i := range group {
				err = errors.Join(err, bucket.Put(fmt.Appendf(nil, "%08d", n+i), group[i]))
			}
			return err
		})
		if err != nil {
			return 0, errors.Join(err, db.Close())
		}
	}
	took := time.Since(begun) - spent
	return float64(b.Documents) / took.Seconds(), db.Close()
}
