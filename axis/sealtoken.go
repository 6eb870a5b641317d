package axis

import (
	"crypto"
	"crypto/x509"
	"path/filepath"
	"sync"

	"docaxis/internal/lang"
	"docaxis/internal/signer"
	"docaxis/signing"
)

// tokenFolder keeps what a start without the seal's token must know.
const tokenFolder = "signer"

// tokenSeal is the seal in a token or HSM, from the first time on that it is needed. A
// token that is away takes the log's time alone, as an authority that does not answer.
type tokenSeal struct {
	mu  sync.Mutex
	key *signer.Key // nil until it was reached; guarded by mu
}

// open gives key and certificates; the error is of signer.Open, to be tried again.
func (t *tokenSeal) open(dir string, s SealSettings, cfg signer.Config) (crypto.Signer, []*x509.Certificate, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.key == nil {
		cfg.Base, cfg.Memory = dir, filepath.Join(dir, tokenFolder)
		if s.Signer != "" {
			cfg.Program = within(dir, s.Signer)
		}
		var err error
		if s.Certificate != "" {
			if cfg.Certificates, err = signing.LoadCertificates(within(dir, s.Certificate)); err != nil {
				return nil, nil, unsealed(err)
			}
		}
		if t.key, err = signer.Open(s.Key, cfg); err != nil {
			return nil, nil, err
		}
	}
	return t.key, t.key.Chain(), nil
}

// Close ends the signer; a later open starts another.
func (t *tokenSeal) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.key == nil {
		return nil
	}
	key := t.key
	t.key = nil
	return key.Close()
}

// validate says what is wrong with the settings, and how to mend it.
func (s SealSettings) validate() error {
	switch inToken := signer.IsURI(s.Key); {
	case s.Key == "" && s != (SealSettings{}):
		return lang.Errorf("seal.key: hãy nêu tệp khóa của con dấu số", "seal.key: name the file that has the seal's key")
	case inToken && s.PasswordFile != "":
		return lang.Errorf("seal.password_file không dùng với thiết bị; hãy nêu tệp mã PIN ở pin-source của key",
			"seal.password_file does not go with a token; name the PIN's file as pin-source in key")
	case inToken:
		_, err := signer.ParseURI(s.Key)
		return err
	case s.Signer != "":
		return lang.Errorf("seal.signer chỉ dùng với key = \"pkcs11:…\"; hãy bỏ đi", "seal.signer goes with key = \"pkcs11:…\" alone; take it out")
	}
	return nil
}
