package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"docaxis/endpoint/link"
	"docaxis/internal/bus"
	"docaxis/internal/chunk"
	"docaxis/internal/envelope"
	"docaxis/proto/axispb"
	"docaxis/signing"
)

// connectWithin is how long one connection may take.
const connectWithin = 30 * time.Second

// identity is an endpoint as far as a connection needs it.
type identity struct {
	name, code  string
	certificate tls.Certificate
}

// caller is an endpoint without a store: a connection of its own with an endpoint's
// certificate and seal, so that nothing but the axis works.
type caller struct {
	identity
	conn *bus.Conn
	seal envelope.Key
}

// call enrols an endpoint for a code and connects in its place.
func (w *world) call(ctx context.Context, code string) (*caller, error) {
	m, err := w.enrol(ctx, code)
	if err != nil {
		return nil, err
	}
	return m.call(ctx)
}

// call connects in a member's place.
func (m *member) call(ctx context.Context) (*caller, error) {
	id, err := link.LoadIdentity(m.dir)
	if err != nil {
		return nil, err
	}
	c := &caller{identity: identity{id.Endpoint, m.code, id.Certificate}}
	key, chain, err := signing.LoadKey(filepath.Join(m.dir, sealFile), "")
	if err != nil {
		return nil, err
	}
	c.seal = envelope.Key{Signer: key, Chain: chain}
	c.conn, err = connect(ctx, id.Address, c.identity, id.CA)
	return c, err
}

// connect makes a connection and waits until it is there.
func connect(ctx context.Context, address string, id identity, ca *x509.Certificate) (*bus.Conn, error) {
	conn, err := bus.Dial(ctx, bus.DialConfig{
		Address: address, Endpoint: id.name, Certificate: id.certificate, CA: ca,
		Wait: 20 * time.Millisecond, MaxWait: time.Second, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	there := make(chan struct{}, 1)
	conn.OnConnect(func() {
		select {
		case there <- struct{}{}:
		default:
		}
	})
	select {
	case <-there:
		return conn, nil
	case <-ctx.Done():
	case <-time.After(connectWithin):
	}
	conn.Close()
	return nil, fmt.Errorf("%s is not connected: %w", id.name, errors.Join(conn.Trouble(), ctx.Err()))
}

// put uploads a file of one range.
func (c *caller) put(ctx context.Context, content []byte) (chunk.File, error) {
	f, err := chunk.Read(bytes.NewReader(content))
	if err != nil {
		return chunk.File{}, err
	}
	digest, answer := sha256.Sum256(content), new(axispb.PutAnswer)
	err = c.conn.Call(ctx, bus.Put, &axispb.PutRequest{Digest: digest[:], Size: uint32(len(content)), Data: content}, answer)
	if err == nil && !answer.GetHeld().GetComplete() {
		err = errors.New("the axis does not hold all of it")
	}
	return f, err
}

// compose seals a document of one file.
func (c *caller) compose(to envelope.Document, files ...chunk.File) ([]byte, error) {
	to.Sender = c.code
	return compose(to, c.seal, files...)
}

// compose fills in what every document has, and seals it.
func compose(doc envelope.Document, seal envelope.Key, files ...chunk.File) ([]byte, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	doc.Version, doc.Kind, doc.ID = 1, envelope.KindDocument, id.String()
	doc.Subject, doc.Created = "Công văn đo hiệu năng", time.Now().UTC().Truncate(time.Second)
	sealed := make([]envelope.File, len(files))
	for i, f := range files {
		sealed[i] = envelope.File{Title: fmt.Sprintf("cong-van-%d.bin", i+1), Type: "application/octet-stream", Content: f}
	}
	return envelope.Seal(&doc, sealed, seal)
}

// submit offers an envelope; the axis has accepted it when submit returns nil.
func (c *caller) submit(ctx context.Context, raw []byte) error {
	answer := new(axispb.SubmitAnswer)
	if err := c.conn.Call(ctx, bus.Submit, &axispb.SubmitRequest{Envelope: raw}, answer); err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	if answer.GetReceipt() == nil {
		return fmt.Errorf("refused: %s", refusal(answer.GetRejection()))
	}
	return nil
}

// refusal reads the reason in a rejection.
func refusal(raw []byte) string {
	e, st := new(axispb.Evidence), new(axispb.Statement)
	if err := errors.Join(proto.Unmarshal(raw, e), proto.Unmarshal(e.GetStatement(), st)); err != nil {
		return err.Error()
	}
	return st.GetReason().String()
}

// pull reads documents and evidence, past the registry, from a cursor on.
func (c *caller) pull(ctx context.Context, after *axispb.Cursor) (*axispb.Page, error) {
	page := new(axispb.Page)
	err := c.conn.Call(ctx, bus.Pull, &axispb.PullRequest{MaxBytes: 1 << 20, Cursors: []*axispb.Cursor{after}}, page)
	return page, err
}

func (c *caller) close() {
	if c != nil && c.conn != nil {
		c.conn.Close()
	}
}
