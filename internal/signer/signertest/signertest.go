// Package signertest owns a signer without PKCS#11 for tests: the test binary itself,
// run again, signs with a key in a file, and fails as it is told to.
package signertest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"docaxis/internal/signer"
	"docaxis/proto/axispb"
)

// childEnv tells the test binary that it is a signer.
const childEnv = "DOCAXIS_TEST_SIGNER"

// The ways in which a signer behaves; each holds until the next is set.
const (
	Good         = "good"
	Away         = "away"          // no slot has the token
	DiesAtStart  = "dies-at-start" // as if killed
	HangsAtStart = "hangs-at-start"
	Usage        = "usage"    // ends with code 2, as a program that knows no serve
	Chatty       = "chatty"   // prints into the conversation
	Huge         = "huge"     // says that its hello has 4 GiB
	Cut          = "cut"      // ends in the middle of its hello
	Stranger     = "stranger" // speaks version 2
	Fails        = "fails"    // the token fails at each signature
	Dies         = "dies"     // dies at each signature
	Hangs        = "hangs"    // hangs at each signature
	Forges       = "forges"   // answers with another key's signature
	Nonsense     = "nonsense" // answers with no message
	Replays      = "replays"  // answers under another number
	Deaf         = "deaf"     // closes its output and lives on
)

// PIN is the right one; Locks is after how many wrong ones the token locks.
const (
	PIN   = "482913"
	Locks = 3
)

// Token is a folder that a signer of this package takes for a token.
type Token struct {
	t   testing.TB
	Dir string
}

// Run is to be called first by TestMain: in a process that Open started, it signs and
// does not return.
func Run() {
	if os.Getenv(childEnv) == "" {
		return
	}
	os.Exit(child(os.Args[1:]))
}

// New makes a token with a key and certificates, which may be none, and its PIN file.
// Signers may be started while the test runs; it cannot run in parallel.
func New(t testing.TB, key crypto.Signer, certs ...*x509.Certificate) *Token {
	t.Helper()
	if tt, ok := t.(*testing.T); ok {
		tt.Setenv(childEnv, "1")
	}
	token := &Token{t, t.TempDir()}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	token.write("key", der)
	for i, c := range certs {
		token.write(fmt.Sprintf("%d.crt", i), c.Raw)
	}
	token.SetPIN(PIN)
	token.Behave(Good)
	return token
}

// Behave says how signers of this token behave from now on.
func (k *Token) Behave(how string) { k.t.Helper(); k.write("behaviour", []byte(how)) }

// SetPIN writes the file with the PIN.
func (k *Token) SetPIN(pin string) { k.t.Helper(); k.write("pin", []byte(pin+"\n")) }

// URI is the key's address.
func (k *Token) URI() string {
	return signer.URI{Module: k.Dir + "/module", Token: k.Dir, Object: "seal", PinFile: filepath.Join(k.Dir, "pin")}.String()
}

// Program is what is started as signer.
func (k *Token) Program() string {
	k.t.Helper()
	path, err := os.Executable()
	if err != nil {
		k.t.Fatal(err)
	}
	return path
}

// Starts counts the signers that were started, Logins the PINs that the token was given,
// Wrong those of them that were wrong.
func (k *Token) Starts() int { return count(k.Dir, "starts") }

// Logins counts the PINs that the token was given.
func (k *Token) Logins() int { return count(k.Dir, "logins") }

// Wrong counts the wrong ones of them since the last right one.
func (k *Token) Wrong() int { return count(k.Dir, "wrong") }

// Pids are the processes that were started, the last one last.
func (k *Token) Pids() []int {
	k.t.Helper()
	raw, err := os.ReadFile(filepath.Join(k.Dir, "starts"))
	if err != nil {
		k.t.Fatal(err)
	}
	var all []int
	for line := range strings.FieldsSeq(string(raw)) {
		pid, err := strconv.Atoi(line)
		if err != nil {
			k.t.Fatal(err)
		}
		all = append(all, pid)
	}
	return all
}

func (k *Token) write(name string, data []byte) {
	k.t.Helper()
	// Renamed, so that a signer never reads half of it.
	path := filepath.Join(k.Dir, name)
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		k.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		k.t.Fatal(err)
	}
}

// count counts lines.
func count(dir, name string) int {
	raw, _ := os.ReadFile(filepath.Join(dir, name))
	return strings.Count(string(raw), "\n")
}

// note adds a line.
func note(dir, name, line string) error {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintln(f, line)
	return err
}

// child is the process; its arguments are those of signer serve.
func child(args []string) int {
	flags := map[string]string{}
	for _, a := range args {
		name, value, _ := strings.Cut(strings.TrimPrefix(a, "--"), "=")
		flags[name] = value
	}
	dir := flags["token"]
	if err := note(dir, "starts", strconv.Itoa(os.Getpid())); err != nil {
		return 1
	}
	how := behaviour(dir)
	switch how {
	case DiesAtStart:
		return die()
	case Usage:
		return 2
	case Chatty:
		fmt.Println("PKCS#11 library loaded, version 2.40")
	case Huge:
		_, _ = os.Stdout.Write([]byte{0xff, 0xff, 0xff, 0xff, 1})
	case Cut:
		_, _ = os.Stdout.Write([]byte{0, 0, 1, 0, 8, 1})
		return 0
	case Stranger:
		_, _ = os.Stdout.Write([]byte{0, 0, 0, 2, 8, 2})
	case HangsAtStart:
		hang()
	}
	err := signer.Serve(os.Stdin, os.Stdout, func() (signer.Token, error) { return open(dir, flags) })
	if err != nil {
		return 1
	}
	return 0
}

func behaviour(dir string) string {
	raw, _ := os.ReadFile(filepath.Join(dir, "behaviour"))
	return string(raw)
}

// hang waits for ever, by a timer: a program in which nothing can happen any more would
// be ended by the runtime.
func hang() {
	for range time.Tick(time.Hour) {
		continue
	}
}

func die() int {
	p, err := os.FindProcess(os.Getpid())
	if err == nil {
		_ = p.Signal(syscall.SIGKILL)
		hang()
	}
	return 1
}

func open(dir string, flags map[string]string) (signer.Token, error) {
	if behaviour(dir) == Away {
		return nil, signer.Problemf(axispb.SignerFault_SIGNER_FAULT_NO_TOKEN, "test")
	}
	wrong := count(dir, "wrong")
	pin := signer.Pin{File: flags["pin-file"], Memory: flags["memory"]}
	err := pin.Login(signer.TokenState{Token: dir, Locked: wrong >= Locks}, func(pin string) error { return login(dir, pin) })
	if err != nil {
		return nil, err
	}
	der, err := os.ReadFile(filepath.Join(dir, "key"))
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	return &token{dir, key.(crypto.Signer)}, nil
}

// login is a token that counts wrong PINs.
func login(dir, pin string) error {
	if err := note(dir, "logins", "1"); err != nil {
		return err
	}
	if pin == PIN {
		return os.RemoveAll(filepath.Join(dir, "wrong"))
	}
	if err := note(dir, "wrong", "1"); err != nil {
		return err
	}
	if count(dir, "wrong") >= Locks {
		return signer.ErrPinLocked
	}
	return signer.ErrPinWrong
}

// token signs as behaviour says.
type token struct {
	dir string
	key crypto.Signer
}

func (k *token) Public() crypto.PublicKey { return k.key.Public() }

func (k *token) Certificates() (all [][]byte) {
	for i := 0; ; i++ {
		der, err := os.ReadFile(filepath.Join(k.dir, fmt.Sprintf("%d.crt", i)))
		if err != nil {
			return all
		}
		all = append(all, der)
	}
}

func (k *token) Sign(scheme axispb.SignerScheme, hash crypto.Hash, digest []byte) ([]byte, error) {
	switch behaviour(k.dir) {
	case Fails, Away:
		return nil, signer.Problemf(axispb.SignerFault_SIGNER_FAULT_TOKEN, "CKR_DEVICE_REMOVED")
	case Dies:
		die()
	case Hangs:
		hang()
	case Forges:
		digest = make([]byte, len(digest))
	case Nonsense:
		_, _ = os.Stdout.Write([]byte{0, 0, 0, 2, 0xff, 0xff})
	case Replays:
		_, _ = os.Stdout.Write([]byte{0, 0, 0, 2, 8, 99})
	case Deaf:
		_ = os.Stdout.Close()
		hang()
	}
	var opts crypto.SignerOpts = hash
	switch key := k.key.(type) {
	case *rsa.PrivateKey:
		if scheme == axispb.SignerScheme_SIGNER_SCHEME_RSA_PSS {
			opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
		}
		return key.Sign(rand.Reader, digest, opts)
	case *ecdsa.PrivateKey:
		return key.Sign(rand.Reader, digest, opts)
	}
	return nil, signer.Problemf(axispb.SignerFault_SIGNER_FAULT_UNSUPPORTED, "key")
}
