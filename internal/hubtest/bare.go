package hubtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go/jetstream"

	"docaxis/axis/broker"
)

// BareStream is JetStream without an axis: the same server with the same settings, above
// all synced, and one stream of one message each. It is what the axis is measured against.
type BareStream struct {
	broker *broker.Broker
	js     jetstream.JetStream
}

const bareSubject = "bare"

// OpenBareStream starts a server in a folder, which nobody else can connect to.
func OpenBareStream(ctx context.Context, dir string) (*BareStream, error) {
	b, err := broker.Start(broker.Config{Dir: dir, Alone: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(b.Journal())
	if err == nil {
		_, err = js.CreateStream(ctx, jetstream.StreamConfig{Name: "BARE", Subjects: []string{bareSubject}, Storage: jetstream.FileStorage})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a stream: %w", err), b.Stop(ctx))
	}
	return &BareStream{broker: b, js: js}, nil
}

// Publish stores one message; it is on the disk when Publish returns nil.
func (s *BareStream) Publish(ctx context.Context, data []byte) error {
	_, err := s.js.Publish(ctx, bareSubject, data)
	return err
}

// Close stops the server.
func (s *BareStream) Close(ctx context.Context) error { return s.broker.Stop(ctx) }
