package systems

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"docaxis/internal/durable"
	"docaxis/internal/lang"
)

// KeyFile is the name of the file in the endpoint's folder with the key that secrets
// are sealed under: whoever gets hold of the store alone reads none of them.
const KeyFile = "systems.key"

// KeyBytes is the size of the key file.
const KeyBytes = 32

const secretBytes = 32

// ErrKey says that the key file is not there, or not the one that the secrets were
// sealed under: put it back from a backup, or give each system a new secret.
var ErrKey = errors.New("the key of the systems' secrets")

// Keys seals and opens secrets. It may be used concurrently.
type Keys struct {
	path string
	rand io.Reader

	mu  sync.Mutex
	aes cipher.AEAD // nil until the key was read
}

// NewKeys gives the keys of an endpoint's folder. The file is made with the first
// secret.
func NewKeys(dir string, rand io.Reader) *Keys {
	return &Keys{path: filepath.Join(dir, KeyFile), rand: rand}
}

// New makes a secret for a system: the text that its people are given, and how it is
// stored.
func (k *Keys) New(system string) (secret string, sealed []byte, err error) {
	aead, err := k.load(true)
	if err != nil {
		return "", nil, err
	}
	raw, nonce := make([]byte, secretBytes), make([]byte, aead.NonceSize())
	for _, b := range [][]byte{raw, nonce} {
		if _, err := io.ReadFull(k.rand, b); err != nil {
			return "", nil, fmt.Errorf("make a secret: %w", err)
		}
	}
	secret = base64.RawURLEncoding.EncodeToString(raw)
	return secret, aead.Seal(nonce, nonce, []byte(secret), []byte(system)), nil
}

// Open gives a secret's text; ErrKey where the key is not the one.
func (k *Keys) Open(system string, sealed []byte) ([]byte, error) {
	aead, err := k.load(false)
	if err != nil {
		return nil, err
	}
	n := aead.NonceSize()
	if len(sealed) < n {
		return nil, k.wrong(errors.New("a stored secret is too short"))
	}
	secret, err := aead.Open(nil, sealed[:n], sealed[n:], []byte(system))
	if err != nil {
		return nil, k.wrong(err)
	}
	return secret, nil
}

func (k *Keys) wrong(cause error) error {
	return lang.Errorf("Khóa %s không mở được mật khẩu của hệ thống QLVB. Hãy lấy lại tệp này từ bản sao lưu, hoặc cấp mật khẩu mới: endpoint vxp rotate TÊN --now.",
		"The key %s does not open the systems' secrets. Put that file back from a backup, or give each system a new secret: endpoint vxp rotate NAME --now.",
		k.path).Because(fmt.Errorf("%w: %w", ErrKey, cause))
}

// load reads the key once; where there is none, it is made or missed.
func (k *Keys) load(create bool) (cipher.AEAD, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.aes != nil {
		return k.aes, nil
	}
	key, err := os.ReadFile(k.path)
	if errors.Is(err, fs.ErrNotExist) && create {
		key, err = k.create()
	}
	if err == nil && len(key) != KeyBytes {
		err = fmt.Errorf("it has %d bytes, not %d", len(key), KeyBytes)
	}
	if err != nil {
		return nil, k.wrong(err)
	}
	block, err := aes.NewCipher(key)
	if err == nil {
		k.aes, err = cipher.NewGCM(block)
	}
	return k.aes, err
}

// create makes the key durable before anything is sealed under it.
func (k *Keys) create() ([]byte, error) {
	key := make([]byte, KeyBytes)
	if _, err := io.ReadFull(k.rand, key); err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return key, durable.WriteFile(k.path, key, 0o600)
}
