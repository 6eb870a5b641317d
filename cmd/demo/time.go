package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"docaxis/auditor"
	"docaxis/axis"
	"docaxis/endpoint/link"
	"docaxis/internal/proofset"
	"docaxis/internal/timestamp"
	"docaxis/signing"
	"docaxis/signing/signingtest"
)

// timekeeper is a time-stamping authority for the demo, on a real line of its own.
type timekeeper struct {
	certificate *x509.Certificate
	file        string // of the certificate
	address     string
	server      *http.Server
}

func newTimekeeper(dir string, now func() time.Time) (*timekeeper, error) {
	root, err := signingtest.NewRoot("Gốc của đơn vị cấp dấu thời gian (thử)", now().AddDate(0, 0, -1), now().AddDate(1, 0, 0))
	if err != nil {
		return nil, err
	}
	tsa, err := root.NewTimestampAuthority("Đơn vị cấp dấu thời gian (thử)", now)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "tsa.crt")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: tsa.Certificate().Raw})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen as an authority of time: %w", err)
	}
	k := &timekeeper{tsa.Certificate(), file, "http://" + l.Addr().String(), &http.Server{
		Handler: timestamp.Handler(tsa.Respond), ReadHeaderTimeout: 10 * time.Second,
	}}
	go k.server.Serve(l) //nolint:errcheck // it ends when it is closed
	return k, nil
}

// asked has the axis ask this authority.
func (k *timekeeper) asked(c *axis.Config) {
	c.Timestamps = axis.TimestampSettings{Authorities: []string{k.address}, Anchors: []string{k.file}}
}

// timed has the log time-stamped, writes the proofs of every document as axis document
// --evidence does, and has the auditor judge them. It gives how many do not hold.
func (s *stage) timed(ctx context.Context) (problems int, err error) {
	if _, err := s.world.Hub().SealNow(ctx); err != nil {
		return 0, err
	}
	folder := filepath.Join(s.dir, "proofs")
	records, err := s.writeProofs(ctx, folder)
	if err != nil {
		return 0, err
	}
	anchors, err := s.anchors()
	if err != nil {
		return 0, err
	}
	o := auditor.Options{Anchors: anchors, At: time.Now(), Source: signing.TimeNow, Lang: s.o.Lang}
	report := auditor.Verify([]string{folder}, o)
	stamped := 0
	for _, f := range report.Files[0].Within {
		for _, sig := range f.Signatures {
			if sig.For == auditor.ForTime && sig.Indication == signing.TotalPassed {
				stamped++
			}
			if sig.For == auditor.ForSeal && sig.TimeSource != signing.TimeTimestamp {
				problems++
			}
		}
	}
	s.say("\nThời gian: một đơn vị cấp dấu thời gian bên ngoài (thử) xác nhận %d trên %d bản ghi đã có trong sổ. Chương trình kiểm tra (auditor) kết luận: %s.",
		"\nTime: an authority outside (a test's) vouches that %d of %d records were in the log. The auditor concludes: %s.", stamped, records, report.Result.Words(s.o.Lang))
	if report.Result != auditor.Passed {
		problems++
	}
	return problems + records - stamped, nil
}

// writeProofs puts the proofs of all documents into one folder.
func (s *stage) writeProofs(ctx context.Context, folder string) (records int, err error) {
	if err := os.RemoveAll(folder); err != nil {
		return 0, err
	}
	var all proofset.Set
	for _, p := range s.plays {
		set, err := s.world.Hub().Proofs(ctx, p.id)
		if err != nil {
			return 0, err
		}
		all.CA, all.Epochs = set.CA, set.Epochs
		for _, r := range set.Records {
			all.Records = append(all.Records, proofset.Record{LeafIndex: r.LeafIndex, Event: r.Event, Body: r.Body, Receipt: r.Receipt, Time: r.Time})
		}
	}
	_, err = all.Write(folder)
	return len(all.Records), err
}

// anchors are whom an auditor would know from elsewhere: the axis's CA, the agencies'
// seals, and the authority of time.
func (s *stage) anchors() ([]*x509.Certificate, error) {
	all := []*x509.Certificate{s.clock.certificate}
	for _, code := range codes() {
		dir := s.world.Member(code).Dir
		id, err := link.LoadIdentity(dir)
		if err != nil {
			return nil, err
		}
		seals, err := signing.LoadCertificates(filepath.Join(dir, "seal-"+code+".pem"))
		if err != nil {
			return nil, err
		}
		all = append(append(all, id.CA), seals...)
	}
	return all, nil
}
