package archive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"

	"docaxis/internal/durable"
	"docaxis/internal/lang"
)

// maxWorkFactor bounds what a passphrase's file may ask for: 2^20 is 1 GiB of
// memory and a few seconds.
const maxWorkFactor = 20

// Protection says who can read a container: those who hold a key, those who know a
// passphrase, or, only where that is asked for, everybody.
type Protection struct {
	// Recipients are public keys, age1...
	Recipients []string
	// PassphraseFile has a passphrase in its first line.
	PassphraseFile string
	Plain          bool
	// WorkFactor makes a passphrase cheaper, in tests; 0 is age's default.
	WorkFactor int
}

// Validate says what is wrong with a choice before anything is done.
func (p Protection) Validate() error {
	_, err := p.recipients()
	return err
}

// recipients are what age encrypts to; none where the container is plain.
func (p Protection) recipients() ([]age.Recipient, error) {
	ways := 0
	for _, chosen := range []bool{len(p.Recipients) > 0, p.PassphraseFile != "", p.Plain} {
		if chosen {
			ways++
		}
	}
	if ways != 1 {
		return nil, lang.Errorf("Bản sao lưu chứa khóa bí mật nên phải được mã hóa. Hãy nêu đúng một cách: --to age1... (tạo khóa bằng --keygen TỆP), --passphrase-file TỆP, hoặc --plain nếu nơi cất giữ đã được bảo vệ.",
			"A backup holds secret keys, so it must be encrypted. Name exactly one way: --to age1... (make a key with --keygen FILE), --passphrase-file FILE, or --plain where the place is protected already.")
	}
	if p.PassphraseFile != "" {
		return p.passphrase()
	}
	var all []age.Recipient
	for _, key := range p.Recipients {
		one, err := age.ParseRecipients(strings.NewReader(key))
		if err != nil {
			return nil, lang.Errorf("%q không phải khóa công khai age1... Hãy chép lại trọn dòng mà --keygen đã in.",
				"%q is no public key age1... Copy the whole line that --keygen printed.", key).Because(err)
		}
		all = append(all, one...)
	}
	return all, nil
}

func (p Protection) passphrase() ([]age.Recipient, error) {
	text, err := readPassphrase(p.PassphraseFile)
	if err != nil {
		return nil, err
	}
	r, err := age.NewScryptRecipient(text)
	if err != nil {
		return nil, fmt.Errorf("passphrase: %w", err)
	}
	if p.WorkFactor > 0 {
		r.SetWorkFactor(p.WorkFactor)
	}
	return []age.Recipient{r}, nil
}

func readPassphrase(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	if line = strings.TrimRight(line, "\r"); line == "" {
		return "", lang.Errorf("%s trống. Hãy ghi cụm mật khẩu vào dòng đầu.", "%s is empty. Write the passphrase into its first line.", path)
	}
	return line, nil
}

// heard is a recipient that remembers the file's key, so that whoever wrote the
// file can read it once more, without the recipients' secrets.
type heard struct {
	age.Recipient
	key *[]byte
}

// WrapWithLabels implements age.RecipientWithLabels, on behalf of the recipient.
func (h heard) WrapWithLabels(fileKey []byte) ([]*age.Stanza, []string, error) {
	*h.key = bytes.Clone(fileKey)
	if labelled, ok := h.Recipient.(age.RecipientWithLabels); ok {
		return labelled.WrapWithLabels(fileKey)
	}
	s, err := h.Wrap(fileKey)
	return s, nil, err
}

// encrypt encrypts what is written to the result. Once that is closed, reopen
// decrypts it.
func encrypt(w io.Writer, to []age.Recipient) (out io.WriteCloser, reopen func(io.Reader) (io.Reader, error), err error) {
	if len(to) == 0 {
		return plain{w}, func(r io.Reader) (io.Reader, error) { return r, nil }, nil
	}
	var key []byte
	first := append([]age.Recipient{heard{to[0], &key}}, to[1:]...)
	if out, err = age.Encrypt(w, first...); err != nil {
		return nil, nil, fmt.Errorf("encrypt: %w", err)
	}
	return out, func(r io.Reader) (io.Reader, error) {
		return age.Decrypt(r, age.NewInjectedFileKeyIdentity(key))
	}, nil
}

type plain struct{ io.Writer }

func (plain) Close() error { return nil }

// Keys open a container.
type Keys struct {
	// IdentityFile has secret keys, one a line, as NewIdentity writes them.
	IdentityFile   string
	PassphraseFile string
}

func (k Keys) identities() ([]age.Identity, error) {
	var all []age.Identity
	if k.IdentityFile != "" {
		raw, err := os.ReadFile(k.IdentityFile)
		if err != nil {
			return nil, err
		}
		ids, err := age.ParseIdentities(bytes.NewReader(raw))
		if err != nil {
			return nil, lang.Errorf("%s không phải tệp khóa do --keygen tạo. Hãy nêu đúng tệp.", "%s is no key file that --keygen made. Name the right one.", k.IdentityFile).Because(err)
		}
		all = append(all, ids...)
	}
	if k.PassphraseFile != "" {
		text, err := readPassphrase(k.PassphraseFile)
		if err != nil {
			return nil, err
		}
		id, err := age.NewScryptIdentity(text)
		if err != nil {
			return nil, fmt.Errorf("passphrase: %w", err)
		}
		id.SetMaxWorkFactor(maxWorkFactor)
		all = append(all, id)
	}
	return all, nil
}

const ageMagic = "age-encryption.org/"

// decrypt gives the container in a file, encrypted or not.
func decrypt(r io.Reader, k Keys) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	if start, err := b.Peek(len(ageMagic)); err != nil || string(start) != ageMagic {
		return b, nil // too short a file is found by whoever reads it
	}
	ids, err := k.identities()
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, lang.Errorf("Bản sao lưu này được mã hóa. Hãy nêu khóa bằng --identity TỆP hoặc --passphrase-file TỆP.",
			"This backup is encrypted. Name its key with --identity FILE or --passphrase-file FILE.").Because(ErrKey)
	}
	out, err := age.Decrypt(b, ids...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, lang.Errorf("Khóa hoặc cụm mật khẩu này không mở được bản sao lưu; không có gì thay đổi. Hãy dùng đúng khóa của nó.",
			"This key or passphrase does not open the backup; nothing was changed. Use the one that it was made for.").Because(errors.Join(ErrKey, err))
	}
	if err != nil {
		return nil, damaged(err)
	}
	return authentic{out}, nil
}

// authentic says of what does not decrypt that it is damaged: the key was right.
type authentic struct{ r io.Reader }

// Read implements io.Reader.
func (a authentic) Read(p []byte) (int, error) {
	n, err := a.r.Read(p)
	if err != nil && err != io.EOF {
		err = damaged(err)
	}
	return n, err
}

// NewIdentity makes a key pair: the secret key goes into a new file that only its
// owner may read, the public key is returned.
func NewIdentity(path string) (recipient string, err error) {
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return "", exists(path, err)
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	text := fmt.Sprintf("# public key: %s\n%s\n", id.Recipient(), id)
	if err := durable.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", err
	}
	return id.Recipient().String(), nil
}

func exists(path string, err error) error {
	if err != nil {
		return err
	}
	return lang.Errorf("Đã có %s; không có gì thay đổi. Hãy nêu tên khác.", "There is a %s already; nothing was changed. Name another.", path).Because(ErrExists)
}
