package main

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
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

// verifiesPerSignature is how often each of a document's two signatures, its seal and the
// statement of its consignment, is verified: the seal by the axis and the recipient, the
// statement by the axis and the sender.
const verifiesPerSignature = 2

func cores() int { return runtime.GOMAXPROCS(0) }

// cryptography does what one document takes of nothing but cryptography, again and
// again; each core has one of its own.
type cryptography func() (document func() error, err error)

// cryptoLimit is how many documents a second every core together could sign and
// verify if it did nothing else.
func cryptoLimit(d time.Duration, bare cryptography) (float64, error) {
	var documents atomic.Int64
	all := make([]func() error, cores())
	for i := range all {
		var err error
		if all[i], err = bare(); err != nil {
			return 0, err
		}
	}
	var g errgroup.Group
	begun := time.Now()
	for _, document := range all {
		g.Go(func() error {
			for time.Since(begun) < d {
				if err := document(); err != nil {
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

// signAndVerifyP256 is seal and statement both of ECDSA P-256.
func signAndVerifyP256() (func() error, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return func() error { return errors.Join(signAndVerify(key), signAndVerify(key)) }, err
}

// signAndVerifyRSA is a seal of RSA-2048; statements are always of P-256.
func signAndVerifyRSA() (func() error, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	seal, err := rsa.GenerateKey(rand.Reader, 2048)
	return func() error { return errors.Join(signAndVerify(seal), signAndVerify(key)) }, err
}

// signAndVerify makes one signature and verifies it twice.
func signAndVerify(key crypto.Signer) error {
	digest := sha256.Sum256(nil)
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return err
	}
	for range verifiesPerSignature {
		if err := verify(key.Public(), digest[:], signature); err != nil {
			return err
		}
	}
	return nil
}

func verify(key crypto.PublicKey, digest, signature []byte) error {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest, signature)
	case *ecdsa.PublicKey:
		if ecdsa.VerifyASN1(key, digest, signature) {
			return nil
		}
	}
	return errors.New("a good signature does not verify")
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
