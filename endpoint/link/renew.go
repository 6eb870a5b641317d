package link

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"docaxis/internal/bus"
	"docaxis/internal/durable"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// renewWithin is the rest of validity at which a certificate is renewed: half a
// year to notice that it does not work.
const renewWithin = 180 * 24 * time.Hour

// RenewalDue reports whether the certificate is to be renewed.
func RenewalDue(id Identity, now time.Time) bool {
	return id.Certificate.Leaf.NotAfter.Sub(now) < renewWithin
}

// Renew gets a new key and certificate. They are kept beside the old ones, which
// stay in use until Promote: call it when the axis took the new one. After a crash
// it goes on with the key, and the certificate, that it had.
func Renew(ctx context.Context, dir string, id Identity, axis Caller) (tls.Certificate, error) {
	path := filepath.Join(dir, identityDir, nextFile)
	pair, err := keep(path)
	if err != nil {
		return tls.Certificate{}, err
	}
	if pair.Leaf != nil && pair.Leaf.NotAfter.After(id.Certificate.Leaf.NotAfter) {
		return pair, nil
	}
	csr, err := request(pair)
	if err != nil {
		return tls.Certificate{}, err
	}
	var answer axispb.RenewAnswer
	if err := axis.Call(ctx, bus.Renew, &axispb.RenewRequest{Csr: csr}, &answer); err != nil {
		return tls.Certificate{}, err
	}
	trust := evidence.NewTrust(id.CA)
	trust.Learn(answer.Authorities)
	if pair, err = certified(pair, answer.Certificate, trust, id.Endpoint); err != nil {
		return tls.Certificate{}, err
	}
	return pair, storePair(path, pair)
}

// Promote puts the renewed key and certificate in the place of the old.
func Promote(dir string) error {
	dir = filepath.Join(dir, identityDir)
	err := os.Rename(filepath.Join(dir, nextFile), filepath.Join(dir, keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, durable.SyncDir(dir))
}
