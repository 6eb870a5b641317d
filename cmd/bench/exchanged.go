package main

import (
	"context"
	"crypto"
	"errors"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"docaxis/internal/chunk"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
	"docaxis/signing"
)

const (
	// recordsEach is a document with the two statements that end its way: consigned and
	// handed over.
	recordsEach = 3
	// together is how many documents go into one block.
	together = 90
	// parties is how many endpoints the stock's documents are between.
	parties = 8
	// pastProvince is the agency below which they are.
	pastProvince = "H91"
	// tinyFile is the size of a stock's files: what a chunk costs beside its bytes.
	tinyFile = 32
)

// past fills a journal with documents that were exchanged, and the content store with
// their files.
type past struct {
	*stock
	axisDir string
	scratch string // folder of the parties' seals
	parties []*party
	content *contents
	files   int // of each document
	chunks  int // in all
}

// party is an endpoint of the stock: it has an agency, a seal and a certificate.
type party struct {
	identity
	seal    envelope.Key
	signer  *evidence.Signer
	counter uint64
}

// sealed is a document that waits to be journaled.
type sealed struct {
	raw      []byte
	envelope *envelope.Envelope
	from, to *party
}

// enter registers the parties, their seals in a folder of their own. They go on from one
// call of write to the next, also when the axis ran meanwhile.
func (p *past) enter(ctx context.Context) error {
	if len(p.parties) > 0 {
		return nil
	}
	ids, err := p.register(ctx, pastProvince, parties, parties)
	if err != nil {
		return err
	}
	for _, id := range ids[:parties] {
		if err := p.add(ctx, id, filepath.Join(p.scratch, id.name+".pem")); err != nil {
			return err
		}
	}
	return nil
}

func (p *past) add(ctx context.Context, id identity, path string) error {
	certificate, err := hubtest.NewSeal(path, id.code)
	if err != nil {
		return err
	}
	key, chain, err := signing.LoadKey(path, "")
	if err != nil {
		return err
	}
	admit := &axispb.Change{Change: &axispb.Change_AdmitSeal{AdmitSeal: &axispb.Seal{Code: id.code, Certificate: certificate}}}
	if err := p.change(ctx, admit); err != nil {
		return err
	}
	signer, err := evidence.NewSigner(id.certificate.PrivateKey.(crypto.Signer), id.certificate.Certificate[0])
	p.parties = append(p.parties, &party{identity: id, seal: envelope.Key{Signer: key, Chain: chain}, signer: signer})
	return err
}

// write goes on until the journal has so many records. The axis must have been stopped,
// and have everything that was written before.
func (p *past) write(ctx context.Context, records int) (err error) {
	if p.stock, err = openStock(ctx, p.axisDir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stock.close(ctx)) }()
	if p.content, err = openContents(p.axisDir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.content.close()) }()
	if err := p.enter(ctx); err != nil {
		return err
	}
	missing := records - int(p.tree.Size())
	return p.batches(ctx, max(0, (missing+recordsEach*together-1)/(recordsEach*together)))
}

// batches makes documents on every core, and journals them in one order.
func (p *past) batches(ctx context.Context, n int) error {
	g, ctx := errgroup.WithContext(ctx)
	made := make(chan []sealed, cores())
	makers, making := errgroup.WithContext(ctx)
	for m := range cores() {
		makers.Go(func() error {
			for i := m; i < n; i += cores() {
				batch, err := p.batch(i)
				if err != nil {
					return err
				}
				select {
				case made <- batch:
				case <-making.Done():
					return making.Err()
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		defer close(made)
		return makers.Wait()
	})
	g.Go(func() error {
		for batch := range made {
			if err := p.exchange(ctx, batch); err != nil {
				return err
			}
		}
		return nil
	})
	return g.Wait()
}

// batch seals the documents of one block, whose files are in the content store then.
func (p *past) batch(n int) ([]sealed, error) {
	content, all := newContent(), make([]sealed, together)
	for i := range all {
		from, to := p.parties[(n+i)%parties], p.parties[(n+i+1+n%(parties-1))%parties]
		files := make([]chunk.File, p.files)
		for f := range files {
			var err error
			if files[f], err = p.content.put(from.name, content.bytes(tinyFile)); err != nil {
				return nil, err
			}
		}
		raw, err := compose(envelope.Document{Sender: from.code, To: []string{to.code}}, from.seal, files...)
		if err != nil {
			return nil, err
		}
		e, err := envelope.Parse(raw)
		if err != nil {
			return nil, err
		}
		all[i] = sealed{raw, e, from, to}
	}
	return all, nil
}

// exchange journals documents as one block, and what their recipients state as the next.
func (p *past) exchange(ctx context.Context, batch []sealed) error {
	records := make([]*axispb.Record, len(batch))
	for i, d := range batch {
		var err error
		records[i], err = p.record(axispb.Kind_KIND_DOCUMENT, d.raw, &axispb.Decision{
			Endpoint: d.from.name, Document: &axispb.DocumentDecision{Lane: axispb.Lane_LANE_NORMAL, Rows: 1},
		})
		if err != nil {
			return err
		}
	}
	first, err := p.append(ctx, records)
	if err != nil {
		return err
	}
	p.chunks += len(batch) * p.files
	said, err := p.statements(batch, records, first)
	if err != nil {
		return err
	}
	_, err = p.append(ctx, said)
	return err
}

// statements are the consignments of documents, then their handovers.
func (p *past) statements(batch []sealed, records []*axispb.Record, first uint64) ([]*axispb.Record, error) {
	root := p.tree.Root()
	seen := &axispb.CheckpointRef{Epoch: p.epoch, Size: p.tree.Size(), Root: root[:]}
	var said []*axispb.Record
	for _, event := range []axispb.Event{axispb.Event_EVENT_CONTENT_CONSIGNMENT, axispb.Event_EVENT_CONTENT_HANDOVER} {
		for i, d := range batch {
			commitment := evidence.Commitment(records[i].GetHeader())
			d.to.counter++
			raw, err := d.to.signer.Sign(&axispb.Statement{
				Version: 1, Event: event, Issuer: d.to.name, Counter: d.to.counter, TimeMs: time.Now().UnixMilli(),
				Document: &axispb.RecordRef{Epoch: p.epoch, LeafIndex: first + uint64(i)}, Commitment: commitment[:],
				Sender: d.from.code, EnvelopeId: d.envelope.Document.ID, ManifestDigest: d.envelope.ManifestDigest[:],
				Code: d.to.code, Checkpoint: seen,
			})
			if err != nil {
				return nil, err
			}
			r, err := p.record(axispb.Kind_KIND_EVIDENCE, raw, &axispb.Decision{
				Endpoint: d.to.name, Evidence: &axispb.EvidenceDecision{Standing: axispb.Standing_STANDING_FIRST},
			})
			if err != nil {
				return nil, err
			}
			said = append(said, r)
		}
	}
	return said, nil
}
