package link

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/BurntSushi/toml"
	"google.golang.org/protobuf/proto"

	"docaxis/internal/bus"
	"docaxis/internal/durable"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Enroller uses an invitation for a certificate request, as bus.Invite.EnrolAs.
type Enroller func(ctx context.Context, csr []byte, endpoint string) (*axispb.EnrolAnswer, error)

// Join enrols this endpoint with an invitation, the line of text that the operator
// handed over, and leaves its identity in dir. Where there is one already, an
// invitation to re-issue that very endpoint puts a new one in its place; with any
// other the error is ErrJoined and nothing is changed, not even the invitation. After
// any other error it may be called again with the same invitation: the key is kept,
// so that an answer that was lost on the way is not. The endpoint must not be running.
func Join(ctx context.Context, dir, invite string) (Identity, error) {
	i, err := bus.ParseInvite(invite)
	if err != nil {
		return Identity{}, err
	}
	return JoinWith(ctx, dir, i, i.EnrolAs)
}

// JoinWith is Join over another way to the axis than the invitation's address.
func JoinWith(ctx context.Context, dir string, invite bus.Invite, enrol Enroller) (Identity, error) {
	had, pinned, err := joined(dir)
	if err != nil {
		return Identity{}, err
	}
	folder := filepath.Join(dir, joiningDir)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return Identity{}, fmt.Errorf("make folder to join: %w", err)
	}
	pair, err := keep(filepath.Join(folder, keyFile))
	if err != nil {
		return Identity{}, err
	}
	csr, err := request(pair)
	if err != nil {
		return Identity{}, err
	}
	answer, err := enrol(ctx, csr, had)
	if err != nil {
		return Identity{}, notAgain(had, folder, err)
	}
	if err := again(had, pinned, answer); err != nil {
		return Identity{}, err
	}
	if err := writeIdentity(folder, invite, answer, pair); err != nil {
		return Identity{}, err
	}
	if err := replaceIdentity(dir, folder); err != nil {
		return Identity{}, fmt.Errorf("finish joining: %w", err)
	}
	return LoadIdentity(dir)
}

// joined names the endpoint that a folder is, and the CA that it pinned; empty for
// none.
func joined(dir string) (string, *x509.Certificate, error) {
	if _, err := os.Stat(filepath.Join(dir, identityDir)); errors.Is(err, fs.ErrNotExist) {
		return "", nil, nil
	}
	at := filepath.Join(dir, identityDir)
	names, err := loadNames(filepath.Join(at, nameFile))
	if err != nil {
		return "", nil, errors.Join(ErrJoined, err)
	}
	ca, err := loadCA(filepath.Join(at, caFile))
	if err != nil {
		return "", nil, errors.Join(ErrJoined, err)
	}
	return names.Endpoint, ca, nil
}

// again holds an answer to be of the axis that the folder joined, under whatever CA it
// has by now, and for the very endpoint.
func again(had string, pinned *x509.Certificate, answer *axispb.EnrolAnswer) error {
	if had == "" {
		return nil
	}
	if _, err := checkEpochs(pinned, answer.Epochs); err != nil || answer.Endpoint != had {
		return errors.Join(ErrJoined, err)
	}
	return nil
}

// notAgain tells whoever has an identity already that the invitation is not one to
// replace it. The key was certified by nobody, and goes.
func notAgain(had, folder string, err error) error {
	if had == "" || !reason.Is(err, axispb.ReasonCode_REASON_FORBIDDEN) && !reason.Is(err, axispb.ReasonCode_REASON_INVITATION_INVALID) {
		return err
	}
	return errors.Join(ErrJoined, err, os.RemoveAll(folder))
}

// replaceIdentity puts the new identity in the place of the old, which is kept aside:
// its certificate is what earlier evidence was signed with. After a crash in between
// there is none, and joining again with the same invitation finishes what was begun.
func replaceIdentity(dir, folder string) error {
	at := filepath.Join(dir, identityDir)
	aside, err := freeName(at + ".old")
	if err != nil {
		return err
	}
	if err := os.Rename(at, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(folder, at); err != nil {
		return err
	}
	return durable.SyncDir(dir)
}

// freeName is the first of path, path-2, path-3 … that nothing has.
func freeName(path string) (string, error) {
	name := path
	for n := 2; ; n++ {
		_, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return name, nil
		}
		if err != nil {
			return "", err
		}
		name = fmt.Sprintf("%s-%d", path, n)
	}
}

// keep gives the key in a file, or makes one there: it is on the disk before
// anybody is asked to sign a certificate for it.
func keep(path string) (tls.Certificate, error) {
	pair, err := loadPair(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return pair, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make key: %w", err)
	}
	pair = tls.Certificate{PrivateKey: key}
	return pair, storePair(path, pair)
}

func request(pair tls.Certificate) ([]byte, error) {
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, pair.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("make certificate request: %w", err)
	}
	return csr, nil
}

func writeIdentity(folder string, invite bus.Invite, answer *axispb.EnrolAnswer, pair tls.Certificate) error {
	ca, err := x509.ParseCertificate(answer.Ca)
	if err != nil {
		return fmt.Errorf("the axis's certificate: %w", err)
	}
	if sha256.Sum256(ca.RawSubjectPublicKeyInfo) != invite.Pin {
		return bus.ErrPin
	}
	trust, err := checkEpochs(ca, answer.Epochs)
	if err != nil {
		return err
	}
	if pair, err = certified(pair, answer.Certificate, trust, answer.Endpoint); err != nil {
		return err
	}
	var text bytes.Buffer
	n := names{Version: 1, Endpoint: answer.Endpoint, Address: invite.Address, Codes: answer.Codes}
	if err := toml.NewEncoder(&text).Encode(n); err != nil {
		return fmt.Errorf("write %s: %w", nameFile, err)
	}
	epochs, err := proto.Marshal(&axispb.EnrolAnswer{Epochs: answer.Epochs, Counter: answer.Counter})
	if err != nil {
		return fmt.Errorf("write epochs: %w", err)
	}
	return errors.Join(
		durable.WriteFile(filepath.Join(folder, nameFile), text.Bytes(), 0o600),
		durable.WriteFile(filepath.Join(folder, caFile), pemOf(answer.Ca), 0o600),
		durable.WriteFile(filepath.Join(folder, epochsFile), epochs, 0o600),
		storePair(filepath.Join(folder, keyFile), pair),
	)
}

// certified joins a key with the certificate that the axis issued for it.
func certified(pair tls.Certificate, der []byte, trust *evidence.Trust, endpoint string) (tls.Certificate, error) {
	cert, err := x509.ParseCertificate(der)
	switch {
	case err != nil:
		return tls.Certificate{}, fmt.Errorf("certificate from the axis: %w", err)
	case trust.CheckIssued(cert) != nil:
		return tls.Certificate{}, errors.New("the certificate was not issued by the axis's CA")
	case !belongs(cert, pair.PrivateKey):
		return tls.Certificate{}, errors.New("the certificate is for another key")
	case !bus.ValidEndpoint(endpoint) || cert.Subject.CommonName != endpoint:
		return tls.Certificate{}, fmt.Errorf("the certificate is for %q, not %q", cert.Subject.CommonName, endpoint)
	}
	pair.Certificate, pair.Leaf = [][]byte{der}, cert
	return pair, nil
}

// checkEpochs refuses an axis whose CA did not sign its epochs, now and not at the
// first pull.
func checkEpochs(ca *x509.Certificate, epochs [][]byte) (*evidence.Trust, error) {
	trust := evidence.NewTrust(ca)
	if err := trust.AddEpochs(epochs); err != nil {
		return nil, fmt.Errorf("epochs of the axis: %w", err)
	}
	if _, ok := trust.Newest(); !ok {
		return nil, errors.New("the axis named no epoch")
	}
	return trust, nil
}

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: der})
}
