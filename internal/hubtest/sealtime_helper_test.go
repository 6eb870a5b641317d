package hubtest_test

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
	"google.golang.org/protobuf/proto"

	"docaxis/axis"
	operator "docaxis/axis/admin"
	"docaxis/endpoint/link"
	"docaxis/internal/evidence"
	"docaxis/internal/hubtest"
	"docaxis/internal/timestamp"
	"docaxis/proto/axispb"
	"docaxis/signing/signingtest"
)

// clockmaker is a time-stamping authority on a real line, which a test may have fail
// or lie.
type clockmaker struct {
	t      *testing.T
	root   signingtest.Identity
	tsa    *signingtest.TimestampAuthority
	url    string
	file   string // of its root
	answer atomic.Pointer[http.Handler]
	asked  atomic.Int32
}

func newClockmaker(t *testing.T, now func() time.Time) *clockmaker {
	t.Helper()
	root, err := signingtest.NewRoot("Gốc giờ thử", time.Now().AddDate(-1, 0, 0), time.Now().AddDate(9, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	c := &clockmaker{t: t, root: root, file: filepath.Join(t.TempDir(), "tsa.crt")}
	if c.tsa, err = root.NewTimestampAuthority("Giờ thử", now); err != nil {
		t.Fatal(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate().Raw})
	if err := os.WriteFile(c.file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	c.honest()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.asked.Add(1)
		(*c.answer.Load()).ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	c.url = s.URL
	return c
}

func (c *clockmaker) serve(h http.Handler)              { c.answer.Store(&h) }
func (c *clockmaker) respond(f func(req []byte) []byte) { c.serve(timestamp.Handler(f)) }
func (c *clockmaker) honest()                           { c.respond(c.tsa.Respond) }
func (c *clockmaker) down() {
	c.serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusServiceUnavailable) }))
}

// lie answers with a token that is changed before it is signed.
func (c *clockmaker) lie(by *signingtest.TimestampAuthority, change func(*signingtest.Info)) {
	c.respond(func(raw []byte) []byte {
		var req signingtest.Request
		if _, err := asn1.Unmarshal(raw, &req); err != nil {
			return nil
		}
		info := signingtest.Info{
			Version: 1, Policy: signingtest.Policy, Imprint: req.Imprint, Serial: big.NewInt(7),
			Time: by.Now().UTC().Truncate(time.Second), Nonce: req.Nonce,
		}
		change(&info)
		token, err := by.Token(info)
		if err != nil {
			return nil
		}
		granted, err := asn1.Marshal(struct {
			Status struct{ Status int }
			Token  asn1.RawValue
		}{Token: asn1.RawValue{FullBytes: token}})
		if err != nil {
			return nil
		}
		return granted
	})
}

// asks has an axis ask this authority, looking all the time whether it is time.
func (c *clockmaker) asks(cfg hubtest.Config) hubtest.Config {
	cfg.Anchors = []*x509.Certificate{c.root.Certificate()}
	cfg.AdjustAxis = func(a *axis.Config) {
		a.SealEvery = 5 * time.Millisecond
		a.Timestamps = axis.TimestampSettings{Authorities: []string{c.url}, Anchors: []string{c.file}}
	}
	return cfg
}

// configure has axis.toml name this authority, for an axis in a process of its own.
func (c *clockmaker) configure(dir string) {
	c.t.Helper()
	file, err := axis.LoadFile(dir)
	if err != nil {
		c.t.Fatal(err)
	}
	file.Timestamps = axis.TimestampSettings{Authorities: []string{c.url}, Anchors: []string{c.file}}
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).Encode(file); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, axis.FileName), b.Bytes(), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// sealedOf lists the sealed checkpoints of the journal.
func sealedOf(t *testing.T, w *hubtest.World) (all []evidence.Sealed) {
	t.Helper()
	err := w.Hub().Blocks(t.Context(), func(raw []byte) error {
		for _, r := range blockOf(raw).Records {
			if headerOf(r).Kind != axispb.Kind_KIND_SEALED_CHECKPOINT {
				continue
			}
			s, err := evidence.OpenSealed(r.Body)
			if err != nil {
				return err
			}
			all = append(all, s)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func timestampsOf(t *testing.T, w *hubtest.World) operator.Timestamps {
	t.Helper()
	s, err := w.Hub().Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.Timestamps
}

// cover has the axis seal, whether or not it is time, until everything is covered.
func cover(t *testing.T, w *hubtest.World) {
	t.Helper()
	eventually(t, "everything is sealed", func() error {
		if _, err := w.Hub().SealNow(t.Context()); err != nil {
			return err
		}
		if s := timestampsOf(t, w); s.Uncovered {
			return fmt.Errorf("it is not: %+v", s)
		}
		return nil
	})
}

// covered waits until a sealed checkpoint covers everything.
func covered(t *testing.T, w *hubtest.World) {
	t.Helper()
	eventually(t, "everything is covered", func() error {
		if s := timestampsOf(t, w); s.Uncovered {
			return fmt.Errorf("it is not: %+v", s)
		}
		return nil
	})
}

// failing waits until the axis says that it gets no time-stamp.
func failing(t *testing.T, w *hubtest.World) operator.Timestamps {
	t.Helper()
	var s operator.Timestamps
	eventually(t, "it is said that no authority answers", func() error {
		if s = timestampsOf(t, w); s.FailingMS == 0 || s.Problem == "" || s.ProblemVI == "" {
			return errors.New("it is not")
		}
		return nil
	})
	return s
}

// trustIn trusts the CA alone, and the epochs that it announced.
func trustIn(t *testing.T, w *hubtest.World) *evidence.Trust {
	t.Helper()
	id, err := link.LoadIdentity(w.Members()[0].Dir)
	if err != nil {
		t.Fatal(err)
	}
	trust := evidence.NewTrust(id.CA)
	for _, raw := range announced(t, w) {
		var signed axispb.SignedEpoch
		if err := proto.Unmarshal(raw, &signed); err != nil {
			t.Fatal(err)
		}
		trust.Learn(signed.Authorities)
	}
	if err := trust.AddEpochs(announced(t, w)); err != nil {
		t.Fatal(err)
	}
	return trust
}

// timed holds every record that proves a document to have its time proof.
func timed(t *testing.T, w *hubtest.World, id string) {
	t.Helper()
	trust := trustIn(t, w)
	set, err := w.Hub().Proofs(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range set.Records {
		p, err := trust.TimeProof(r.Time, r.Body)
		if err != nil || p.LeafIndex != r.LeafIndex || p.Checkpoint.Size <= r.LeafIndex {
			t.Errorf("the time proof of record %d: %+v, %v", r.LeafIndex, p, err)
		}
	}
}
