package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"docaxis/internal/durable"
)

// What a document costs in ECDSA P-256 alone: its seal and the statement of its
// consignment are made once; the axis and the recipient verify the seal, the axis
// and the sender the statement.
const (
	signsPerDocument    = 2
	verifiesPerDocument = 4
)

func cores() int { return runtime.GOMAXPROCS(0) }

// cryptoLimit is how many documents a second every core together could sign and
// verify if it did nothing else.
func cryptoLimit(d time.Duration) (float64, error) {
	var documents atomic.Int64
	var g errgroup.Group
	begun := time.Now()
	for range cores() {
		g.Go(func() error {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				return err
			}
			for time.Since(begun) < d {
				if err := signAndVerify(key); err != nil {
					return err
				}
				documents.Add(1)
			}
			return nil
		})
	}
	err := g.Wait()
	return float64(documents.Load()) / time.Since(begun).Seconds(), err
}

func signAndVerify(key *ecdsa.PrivateKey) error {
	digest := sha256.Sum256(nil)
	var signature []byte
	for range signsPerDocument {
		var err error
		if signature, err = ecdsa.SignASN1(rand.Reader, key, digest[:]); err != nil {
			return err
		}
	}
	for range verifiesPerDocument {
		if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature) {
			return errors.New("a good signature does not verify")
		}
	}
	return nil
}

// probe times something again and again.
func probe(times int, do func() error) ([]time.Duration, error) {
	all := make([]time.Duration, times)
	for i := range all {
		begun := time.Now()
		if err := do(); err != nil {
			return nil, err
		}
		all[i] = time.Since(begun)
	}
	return all, nil
}

// syncProbe writes a new file and syncs it.
func syncProbe(path string, size int) func() error {
	content, n := newContent().bytes(size), 0
	return func() error {
		n++
		return writeSynced(fmt.Sprintf("%s-%d", path, n), content)
	}
}

func writeSynced(path string, content []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}

// tlsProbe sends bytes to an echo over loopback TLS and reads them back.
func tlsProbe(size int) (trip func() error, stop func(), err error) {
	cert, err := serverCertificate()
	if err != nil {
		return nil, nil, err
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}})
	if err != nil {
		return nil, nil, err
	}
	go echo(l)
	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots})
	if err != nil {
		return nil, nil, errors.Join(err, l.Close())
	}
	sent := newContent().bytes(size)
	got := make([]byte, size)
	trip = func() error {
		if _, err := c.Write(sent); err != nil {
			return err
		}
		_, err := io.ReadFull(c, got)
		return err
	}
	return trip, func() { c.Close(); l.Close() }, nil //nolint:errcheck // nothing is left to be lost
}

func echo(l net.Listener) {
	c, err := l.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	io.Copy(c, c) //nolint:errcheck // the probe sees what goes wrong
}

func serverCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}

// hashRate is how many MB of a file a second one core hashes with SHA-256.
func hashRate(path string) (float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	sum, begun := sha256.New(), time.Now()
	n, err := io.Copy(sum, bufio.NewReaderSize(f, 1<<20))
	return float64(n) / 1e6 / time.Since(begun).Seconds(), err
}

// syncedRate is how many MB a second can be written in files of 1 MiB, each synced
// and its folder with it.
func syncedRate(dir string, total int64) (float64, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return 0, err
	}
	content, begun := newContent().bytes(1<<20), time.Now()
	files := total >> 20
	for i := range files {
		if err := writeSynced(filepath.Join(dir, fmt.Sprint(i)), content); err != nil {
			return 0, err
		}
		if err := durable.SyncDir(dir); err != nil {
			return 0, err
		}
	}
	return float64(files<<20) / 1e6 / time.Since(begun).Seconds(), nil
}
