package axis

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	operator "docaxis/axis/admin"
	"docaxis/axis/intake"
	"docaxis/axis/registry"
	"docaxis/deploy"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/internal/sealtest"
	"docaxis/proto/axispb"
)

// twin is a second appender over another's journal, with a ledger, a registry and a
// guard of its own: what a cluster has when its lease fails.
type twin struct {
	*Hub
	log *counting
}

// counting counts how often another writer was faster.
type counting struct {
	*chain
	won, lost int
}

func (c *counting) Commit(ctx context.Context, records []*axispb.Record) (intake.Committed, error) {
	done, err := c.chain.Commit(ctx, records)
	switch {
	case err == nil:
		c.won++
	case errors.Is(err, intake.ErrDecideAgain):
		c.lost++
	}
	return done, err
}

// decide runs an intake over the hub's chain until the test ends or stop is called.
func (tw *twin) decide(t *testing.T) (stop func()) {
	t.Helper()
	key, cert, err := tw.ca.Load().IssueAxis()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := evidence.NewSigner(key, cert)
	if err != nil {
		t.Fatal(err)
	}
	tw.log = &counting{chain: tw.chain}
	tw.intake = intake.New(intake.Parts{
		Log: tw.log, Registry: routes{tw.registry}, Ledger: accepted{tw.ledger}, Content: tw.content,
		Proofs: proofs{tw.ledger, tw.records(), tw.trust}, Trust: tw.trust, Signer: func() (*evidence.Signer, error) { return signer, nil },
	}, intake.Config{Now: tw.now, Random: rand.Reader, Log: tw.Hub.log})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- tw.intake.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("an appender ended: %v", err)
		}
	})
}

// found makes an axis with a ministry that has a seal and an endpoint.
func foundForTwins(t *testing.T, seal sealtest.Seal) *twin {
	t.Helper()
	dir := t.TempDir()
	file := DefaultFile()
	file.Listen = "127.0.0.1:0"
	cfg := Config{File: file, Log: slog.New(slog.DiscardHandler)}
	if err := Init(dir, file, cfg); err != nil {
		t.Fatal(err)
	}
	h, err := Open(t.Context(), dir, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	tw := &twin{Hub: h}
	defer tw.decide(t)()
	why := operator.Why{Actor: "test", Reason: "twins"}
	if _, err := h.ImportAgencies(t.Context(), operator.Import{Why: why, CSV: deploy.Agencies}); err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"G22", "H41"} {
		csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, sealtest.P256(t))
		if err != nil {
			t.Fatal(err)
		}
		cert, err := h.ca.Load().IssueEndpoint(csr, strings.ToLower(code))
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.intake.Change(t.Context(), "", change("test", "twins", &axispb.Change{Change: &axispb.Change_PutEndpoint{
			PutEndpoint: &axispb.Endpoint{Name: strings.ToLower(code), Certificate: cert, Codes: []string{code}},
		}}))
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.AdmitSeal(t.Context(), operator.Seal{Why: why, Code: "G22", Certificate: seal.Certificate().Raw}); err != nil {
		t.Fatal(err)
	}
	return tw
}

// twinOf makes a second appender with the first one's keys.
func twinOf(t *testing.T, first *twin) *twin {
	t.Helper()
	h := &Hub{dir: t.TempDir(), cfg: first.cfg, log: first.Hub.log, registry: registry.NewState(), broker: first.broker, damaged: make(chan error, 1)}
	if err := os.CopyFS(h.keys(), os.DirFS(first.keys())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.broker = nil // the first one's
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, step := range []func(context.Context) error{h.openKeys, h.openJournal, h.recover, h.openContent} {
		if err := step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return &twin{Hub: h}
}

func sealed(t *testing.T, seal sealtest.Seal, subject string) []byte {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := envelope.Seal(&envelope.Document{
		Version: 1, ID: id.String(), Sender: "G22", To: []string{"H41"}, Kind: envelope.KindDocument,
		Subject: subject, Created: time.Now(),
	}, nil, envelope.Key{Signer: seal.Key, Chain: seal.Chain})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Two appenders on one journal: of two blocks for one place one wins, whoever lost
// decides again on what the other wrote, and nothing is there twice.
func TestTwoAppendersOnOneJournal(t *testing.T) {
	const documents = 40
	seal := sealtest.New(t, sealtest.Seal{}, "G22")
	first := foundForTwins(t, seal)
	twins := []*twin{first, twinOf(t, first)}
	if twins[1].chain.epoch != 1 {
		t.Fatalf("the second goes on in epoch %d", twins[1].chain.epoch)
	}
	var stops []func()
	for _, tw := range twins {
		stops = append(stops, tw.decide(t))
	}

	// Some documents go to both at once, others to one of them.
	leaves := make([][2]uint64, documents)
	submit := func(n, i int, raw []byte) {
		tw := twins[i]
		answer, err := tw.intake.Submit(t.Context(), "g22", &axispb.SubmitRequest{Envelope: raw})
		if err != nil {
			t.Errorf("document %d at %d: %v", n, i, err)
			return
		}
		p, err := tw.trust.Receipt(answer.GetReceipt(), raw)
		if err != nil {
			t.Errorf("document %d at %d: %v (%v)", n, i, err, answer)
		}
		leaves[n][i] = p.LeafIndex
	}
	var wg sync.WaitGroup
	for n := range documents / 2 {
		raw := sealed(t, seal, fmt.Sprintf("Công văn %d", n))
		for i := range twins {
			wg.Go(func() { submit(n, i, raw) })
		}
	}
	for i := range twins {
		wg.Go(func() {
			for n := documents/2 + i; n < documents; n += 2 {
				submit(n, i, sealed(t, seal, fmt.Sprintf("Công văn %d", n)))
			}
		})
	}
	wg.Wait()
	for _, stop := range stops {
		stop()
	}
	for n, at := range leaves[:documents/2] {
		if at[0] != at[1] {
			t.Errorf("document %d has the places %d and %d", n, at[0], at[1])
		}
	}
	for i, tw := range twins {
		if tw.log.won == 0 {
			t.Errorf("appender %d never won", i)
		}
		if err := tw.chain.follow(t.Context()); !errors.Is(err, intake.ErrDecideAgain) {
			t.Fatal(err)
		}
	}
	if twins[0].log.lost+twins[1].log.lost == 0 {
		t.Error("nobody ever lost: nothing was tried")
	}
	once(t, twins[0], documents)
	equal(t, twins)
}

// once counts the journal's documents.
func once(t *testing.T, tw *twin, want int) {
	t.Helper()
	seen := map[string]int{}
	err := tw.Blocks(t.Context(), func(raw []byte) error {
		b := new(axispb.Block)
		if err := proto.Unmarshal(raw, b); err != nil {
			return err
		}
		for _, r := range b.Records {
			h, _, err := evidence.OpenRecord(r)
			if err != nil {
				return err
			}
			if h.Kind == axispb.Kind_KIND_DOCUMENT {
				seen[string(r.Body)]++
			}
		}
		return nil
	})
	if err != nil || len(seen) != want {
		t.Errorf("%d documents are in the journal, not %d (%v)", len(seen), want, err)
	}
	for _, n := range seen {
		if n != 1 {
			t.Errorf("a document is in the journal %d times", n)
		}
	}
}

// equal compares the two ledgers with each other and with one made anew.
func equal(t *testing.T, twins []*twin) {
	t.Helper()
	var dumps [3]strings.Builder
	for i, tw := range twins {
		if err := tw.DumpLedger(t.Context(), &dumps[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := twins[0].DumpRebuilt(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), &dumps[2]); err != nil {
		t.Fatal(err)
	}
	if dumps[0].String() != dumps[1].String() {
		t.Error("the two ledgers differ")
	}
	if dumps[0].String() != dumps[2].String() {
		t.Error("the ledger is not what the journal gives")
	}
}
