package hubtest_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"docaxis/axis"
	operator "docaxis/axis/admin"
	"docaxis/edxml"
	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/hubtest"
	"docaxis/internal/inspect"
	"docaxis/internal/sealtest"
	"docaxis/internal/vectors"
	"docaxis/signing"
	"docaxis/signing/pades/padestest"
)

// ca is a certification service whose signers sign PDF files.
type ca struct {
	t    *testing.T
	root sealtest.Seal
	by   sealtest.Seal
	web  *httptest.Server

	mu sync.Mutex // guards what follows
	// list is a list of revoked certificates; nil while the service does not answer.
	list  []byte
	asked int
}

func newCA(t *testing.T) *ca {
	c := &ca{t: t}
	c.web = httptest.NewServer(c)
	t.Cleanup(c.web.Close)
	c.root = sealtest.Issue(t, sealtest.Seal{}, "Gốc", sealtest.P256(t), func(x *x509.Certificate) {
		x.IsCA, x.BasicConstraintsValid = true, true
		x.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	})
	c.by = sealtest.Issue(t, c.root, "Ủy ban nhân dân xã Thử", sealtest.P256(t), func(x *x509.Certificate) {
		x.CRLDistributionPoints = []string{c.web.URL + "/crl"}
	})
	return c
}

func (c *ca) ServeHTTP(out http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	if c.list == nil {
		out.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	_, _ = out.Write(c.list)
}

// answers makes the service answer, with an empty list of a time.
func (c *ca) answers(at time.Time) {
	c.t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: at, NextUpdate: at.Add(30 * 24 * time.Hour)}
	der, err := x509.CreateRevocationList(rand.Reader, list, c.root.Certificate(), c.root.Key)
	if err != nil {
		c.t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = der
}

func (c *ca) wasAsked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

// trusted has an axis trust the service, and ask it.
func (c *ca) trusted(asks bool) func(*axis.Config) {
	return func(cfg *axis.Config) {
		path := filepath.Join(c.t.TempDir(), "root.pem")
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.root.Certificate().Raw}), 0o600); err != nil {
			c.t.Error(err)
		}
		cfg.LabelEvery = 10 * time.Millisecond
		cfg.Signatures = inspect.Settings{Anchors: []string{path}, Revocation: &asks, Allow: []string{"127.0.0.0/8"}}
	}
}

// signed is a PDF file that its signer signed.
func (c *ca) signed() []byte {
	return padestest.NewDoc().End().Sign(padestest.Sig{Field: "A", Value: func(content []byte) []byte {
		der, err := signing.Sign(content, c.by.Key, c.by.Chain[:1])
		if err != nil {
			c.t.Fatal(err)
		}
		return der
	}}).B
}

func alteredPDF(b []byte) []byte {
	return bytes.Replace(bytes.Clone(b), []byte("(Noi dung)"), []byte("(Noi dong)"), 1)
}

func unsignedPDF() []byte { return padestest.NewDoc().End().B }

// packed is a package of edXML with one file.
func packed(t *testing.T, content []byte) []byte {
	t.Helper()
	from := vectors.EdXML("variants/wrapped-base64.edxml")
	p, err := edxml.Open(bytes.NewReader(from), int64(len(from)), edxml.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	file := edxml.File{Name: "trong.pdf", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }}
	if err := edxml.WriteDocument(&out, p.Document, file); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// named is a file with its name.
type named struct {
	name    string
	content []byte
}

func sendNamed(t *testing.T, m *hubtest.Member, to string, files ...named) string {
	t.Helper()
	var all []clerk.File
	for _, f := range files {
		all = append(all, clerk.File{FileInfo: clerk.FileInfo{Title: f.name, Bytes: uint64(len(f.content))}, Content: bytes.NewReader(f.content)})
	}
	sent, err := endpoint.Clerk(m.Agent()).Send(t.Context(), clerk.Draft{To: []string{to}, Subject: "Công văn"}, all)
	if err != nil {
		t.Fatal(err)
	}
	return sent.ID
}

// labelled waits until the labels of a document at the axis are as good says.
func labelled(t *testing.T, w *hubtest.World, id string, good func(*operator.Labels) error) *operator.Labels {
	t.Helper()
	var labels *operator.Labels
	eventually(t, "the files are labelled", func() error {
		known, err := w.Hub().Documents(t.Context(), id)
		if err != nil {
			return err
		}
		if labels = known[0].Labels; labels == nil {
			return errors.New("they were not looked at")
		}
		return good(labels)
	})
	return labels
}

func whatever(*operator.Labels) error { return nil }
