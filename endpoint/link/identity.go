package link

import (
	"bytes"
	"crypto"
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

	"docaxis/internal/durable"
	"docaxis/internal/lang"
	"docaxis/proto/axispb"
)

var (
	// ErrNotJoined says that this endpoint has no identity yet: join with an
	// invitation.
	ErrNotJoined error = lang.Errorf("Điểm kết nối này chưa gia nhập trục nào. Hãy xin lời mời của quản trị trục rồi chạy: endpoint join",
		"This endpoint has not joined an axis yet. Ask the operator of the axis for an invitation, then: endpoint join")
	// ErrJoined says that there is an identity, and that the invitation is not one to
	// re-issue this very endpoint: only such a one replaces it. Nothing was changed,
	// and the invitation is as good as it was.
	ErrJoined error = lang.Errorf("Thư mục này đã gia nhập một trục; không có gì thay đổi. Muốn gia nhập thêm, hãy nêu thư mục khác bằng --dir; muốn cấp lại điểm kết nối này, hãy xin quản trị trục lời mời cấp lại.",
		"This folder has joined an axis already; nothing was changed. To join once more, name another folder with --dir; to re-issue this endpoint, ask the operator of the axis for an invitation to re-issue it.")
)

// Files of the identity folder.
const (
	identityDir = "identity"
	joiningDir  = "joining"

	nameFile   = "identity.toml"
	caFile     = "ca.pem"
	epochsFile = "epochs.pb"
	// keyFile has key and certificate together, so that a renewal is one rename.
	keyFile  = "endpoint.pem"
	nextFile = "next.pem"
)

const (
	pemKey         = "PRIVATE KEY"
	pemCertificate = "CERTIFICATE"
)

// Identity is who this endpoint is, to whom.
type Identity struct {
	// Endpoint is its name.
	Endpoint string
	// Address of the axis, host:port.
	Address string
	// CA of the axis, pinned at enrolment.
	CA *x509.Certificate
	// Certificate and key of the endpoint; its Leaf is set.
	Certificate tls.Certificate
	// Epochs known at enrolment: marshalled SignedEpoch, oldest first.
	Epochs [][]byte
	// Codes that it was enrolled for; the directory knows what it serves now.
	Codes []string
	// Counter is where the statements of a re-issued endpoint go on at the earliest;
	// 0 for one that was not.
	Counter uint64
}

// names is identity.toml: what a person may want to read, and the address, which
// they may change when the axis moves.
type names struct {
	Version  int      `toml:"version"`
	Endpoint string   `toml:"endpoint"`
	Address  string   `toml:"address"`
	Codes    []string `toml:"codes"`
}

// LoadIdentity reads the identity that Join left in an endpoint's folder, or gives
// ErrNotJoined.
func LoadIdentity(dir string) (Identity, error) {
	dir = filepath.Join(dir, identityDir)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return Identity{}, ErrNotJoined
	}
	id, err := loadIdentity(dir)
	if err == nil && id.Certificate.Leaf == nil {
		err = fmt.Errorf("%s holds no certificate", keyFile)
	}
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		err = Damaged(dir, err)
	}
	return id, err
}

// Damaged says that an identity, or a part of it, is not what Join left: nothing else
// has it.
func Damaged(dir string, why error) error {
	return lang.Errorf("Thư mục %s (khóa và tên của điểm kết nối) bị hỏng: %v. Không có gì thay đổi. Hãy khôi phục cả thư mục của điểm kết nối từ bản sao lưu: endpoint restore. Nếu không có bản sao lưu, hãy xin quản trị trục lời mời mới và gia nhập bằng một thư mục khác.",
		"Folder %s (the endpoint's key and name) is damaged: %v. Nothing was changed. Put the endpoint's whole folder back from a backup: endpoint restore. Without a backup, ask the operator of the axis for a new invitation and join with another folder.",
		dir, why).Because(why)
}

func loadIdentity(dir string) (Identity, error) {
	id, err := loadNames(filepath.Join(dir, nameFile))
	if err != nil {
		return Identity{}, err
	}
	if id.CA, err = loadCA(filepath.Join(dir, caFile)); err != nil {
		return Identity{}, err
	}
	if id.Epochs, id.Counter, err = loadEpochs(filepath.Join(dir, epochsFile)); err != nil {
		return Identity{}, err
	}
	id.Certificate, err = loadPair(filepath.Join(dir, keyFile))
	return id, err
}

func loadNames(path string) (Identity, error) {
	var n names
	meta, err := toml.DecodeFile(path, &n)
	if err != nil {
		return Identity{}, fmt.Errorf("read %s: %w", nameFile, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return Identity{}, fmt.Errorf("%s: unknown key %s", nameFile, unknown[0])
	}
	if n.Version != 1 {
		return Identity{}, fmt.Errorf("%s has version %d, this program knows 1", nameFile, n.Version)
	}
	return Identity{Endpoint: n.Endpoint, Address: n.Address, Codes: n.Codes}, nil
}

func loadCA(path string) (*x509.Certificate, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the axis's certificate: %w", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil || block.Type != pemCertificate {
		return nil, fmt.Errorf("%s holds no certificate", caFile)
	}
	return x509.ParseCertificate(block.Bytes)
}

func loadEpochs(path string) (epochs [][]byte, counter uint64, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, fmt.Errorf("read the epochs: %w", err)
	}
	var answer axispb.EnrolAnswer
	if err := proto.Unmarshal(raw, &answer); err != nil {
		return nil, 0, fmt.Errorf("read the epochs: %w", err)
	}
	return answer.Epochs, answer.Counter, nil
}

// loadPair reads key and certificate from one file. Without a certificate, the
// pair has the key alone and no Leaf.
func loadPair(path string) (tls.Certificate, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return tls.Certificate{}, err
	}
	var pair tls.Certificate
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case pemKey:
			pair.PrivateKey, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case pemCertificate:
			pair.Certificate = append(pair.Certificate, block.Bytes)
			pair.Leaf, err = x509.ParseCertificate(block.Bytes)
		}
		if err != nil {
			return tls.Certificate{}, fmt.Errorf("read %s: %w", filepath.Base(path), err)
		}
	}
	if pair.PrivateKey == nil {
		return tls.Certificate{}, fmt.Errorf("%s holds no key", filepath.Base(path))
	}
	if pair.Leaf != nil && !belongs(pair.Leaf, pair.PrivateKey) {
		return tls.Certificate{}, fmt.Errorf("%s: the certificate is for another key", filepath.Base(path))
	}
	return pair, nil
}

func belongs(cert *x509.Certificate, key crypto.PrivateKey) bool {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return false
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(cert.PublicKey)
}

// storePair writes key and, where there is one, certificate.
func storePair(path string, pair tls.Certificate) error {
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	var out bytes.Buffer
	out.Write(pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: der}))
	for _, cert := range pair.Certificate {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: cert}))
	}
	return durable.WriteFile(path, out.Bytes(), 0o600)
}
