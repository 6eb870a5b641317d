package signer_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"docaxis/internal/sealtest"
	"docaxis/internal/signer"
	"docaxis/internal/signer/signertest"
	"docaxis/proto/axispb"
	"docaxis/signing"
)

func TestMain(m *testing.M) {
	signertest.Run()
	goleak.VerifyTestMain(m)
}

// world is a token, and a clock that only the test moves.
type world struct {
	t      *testing.T
	token  *signertest.Token
	seal   sealtest.Seal
	memory string
	mu     sync.Mutex
	at     time.Time
}

func newWorld(t *testing.T, key crypto.Signer) *world {
	t.Helper()
	root := sealtest.Root(t, "Root")
	seal := sealtest.Issue(t, root, "Sở Nội vụ", key, nil)
	return &world{t: t, token: signertest.New(t, key, root.Certificate(), seal.Certificate()), seal: seal, memory: filepath.Join(t.TempDir(), "signer"), at: sealtest.At}
}

func (w *world) now() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.at }

// rested lets the time pass for which a token that failed is left alone.
func (w *world) rested() { w.mu.Lock(); defer w.mu.Unlock(); w.at = w.at.Add(time.Hour) }

func (w *world) open() (*signer.Key, error) {
	w.t.Helper()
	return w.openWith(time.Minute)
}

func (w *world) openWith(patience time.Duration) (*signer.Key, error) {
	w.t.Helper()
	k, err := signer.Open(w.token.URI(), signer.Config{Program: w.token.Program(), Memory: w.memory, Patience: patience, Now: w.now})
	if err == nil {
		w.t.Cleanup(func() { _ = k.Close() })
	}
	return k, err
}

func (w *world) opened(patience time.Duration) *signer.Key {
	w.t.Helper()
	k, err := w.openWith(patience)
	if err != nil {
		w.t.Fatal(err)
	}
	return k
}

// signs makes a signature and has it judged.
func signs(k *signer.Key) error {
	digest := sha256.Sum256([]byte("công văn"))
	_, err := k.Sign(rand.Reader, digest[:], crypto.SHA256)
	return err
}

func wantFault(t *testing.T, what string, err error, want axispb.SignerFault) {
	t.Helper()
	if p := signer.ProblemOf(err); p == nil || p.Fault != want {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}

const (
	noToken = axispb.SignerFault_SIGNER_FAULT_NO_TOKEN
	failed  = axispb.SignerFault_SIGNER_FAULT_TOKEN
	program = axispb.SignerFault_SIGNER_FAULT_PROGRAM
	died    = axispb.SignerFault_SIGNER_FAULT_DIED
	hung    = axispb.SignerFault_SIGNER_FAULT_HUNG
	bad     = axispb.SignerFault_SIGNER_FAULT_BAD_ANSWER
)

func p384(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsa2048(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Every kind of key signs every digest, and what package signing makes with it passes.
func TestEveryKindOfKeySigns(t *testing.T) {
	d256, d384, d512 := sha256.Sum256(nil), sha512.Sum384(nil), sha512.Sum512(nil)
	for name, key := range map[string]crypto.Signer{"p256": sealtest.P256(t), "p384": p384(t), "rsa2048": rsa2048(t)} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, key)
			k := w.opened(time.Minute)
			for hash, digest := range map[crypto.Hash][]byte{crypto.SHA256: d256[:], crypto.SHA384: d384[:], crypto.SHA512: d512[:]} {
				if _, err := k.Sign(rand.Reader, digest, hash); err != nil {
					t.Errorf("%v: %v", hash, err)
				}
			}
			if _, isRSA := key.Public().(*rsa.PublicKey); isRSA {
				pss := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto, Hash: crypto.SHA256}
				if _, err := k.Sign(rand.Reader, d256[:], pss); err != nil {
					t.Errorf("PSS: %v", err)
				}
				pss.SaltLength = 7
				if _, err := k.Sign(rand.Reader, d256[:], pss); err == nil {
					t.Error("PSS with a salt of 7 bytes was signed")
				}
			}
			if _, err := k.Sign(rand.Reader, d256[:20], crypto.SHA1); err == nil {
				t.Error("SHA-1 was signed")
			}
			content := []byte("văn bản")
			der, err := signing.Sign(content, k, k.Chain())
			if err != nil {
				t.Fatal(err)
			}
			trust, err := signing.LoadTrust([]string{filepath.Join(w.token.Dir, "0.crt")}, nil)
			if err != nil {
				t.Fatal(err)
			}
			verdicts, err := signing.Verify(der, content, signing.Options{At: sealtest.At, Trust: trust})
			if err != nil || len(verdicts) != 1 || !verdicts[0].Passed() {
				t.Errorf("judged %+v", verdicts)
			}
			if n := w.token.Starts(); n != 1 {
				t.Errorf("%d signers were started", n)
			}
		})
	}
}

// Whatever the signer does at a signature, the next one is right once it behaves.
func TestASignerThatFailsIsStartedAgain(t *testing.T) {
	w := newWorld(t, sealtest.P256(t))
	for _, tt := range []struct {
		how    string
		want   axispb.SignerFault
		starts int // of the failing signature: the one that was there, and another
	}{
		{signertest.Fails, failed, 1},
		{signertest.Dies, died, 1},
		{signertest.Hangs, hung, 0},
		{signertest.Forges, bad, 1},
		{signertest.Nonsense, bad, 1},
		{signertest.Replays, bad, 1},
		{signertest.Deaf, died, 1},
	} {
		t.Run(tt.how, func(t *testing.T) {
			w.token.Behave(signertest.Good)
			w.t = t
			k := w.opened(3 * time.Second)
			before := w.token.Starts()
			w.token.Behave(tt.how)
			err := signs(k)
			wantFault(t, "while it "+tt.how, err, tt.want)
			if p := signer.ProblemOf(err); p != nil && !p.Temporary() {
				t.Error("it counts as permanent")
			}
			if n := w.token.Starts() - before; n != tt.starts {
				t.Errorf("%d more signers were started, want %d", n, tt.starts)
			}
			w.token.Behave(signertest.Good)
			w.rested()
			if err := signs(k); err != nil {
				t.Errorf("after it %s: %v", tt.how, err)
			}
		})
	}
}

// One that was killed between two signatures is not noticed by whoever signs.
func TestASignerKilledBetweenSignatures(t *testing.T) {
	w := newWorld(t, sealtest.P256(t))
	k := w.opened(time.Minute)
	for range 3 {
		pids := w.token.Pids()
		p, err := os.FindProcess(pids[len(pids)-1])
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if err := signs(k); err != nil {
			t.Error(err)
		}
	}
	if n := w.token.Starts(); n != 4 {
		t.Errorf("%d signers were started, want 4", n)
	}
}

// A token that is put back signs again, without a person.
func TestATokenIsTakenOutAndPutBack(t *testing.T) {
	w := newWorld(t, sealtest.P256(t))
	k := w.opened(time.Minute)
	w.token.Behave(signertest.Away)
	wantFault(t, "taken out", signs(k), noToken)
	started := w.token.Starts()
	for range 20 {
		wantFault(t, "still out", signs(k), noToken)
	}
	if n := w.token.Starts(); n != started {
		t.Errorf("%d signers were started for those who came at once", n-started)
	}
	wantFault(t, "asked", k.Away(), noToken)
	w.token.Behave(signertest.Good)
	w.rested()
	if err := errors.Join(signs(k), k.Away()); err != nil {
		t.Errorf("put back: %v", err)
	}
}

// What cannot be opened says why, and leaves no process.
func TestSignersThatCannotBeOpened(t *testing.T) {
	for how, want := range map[string]axispb.SignerFault{
		signertest.Away: noToken, signertest.DiesAtStart: died, signertest.HangsAtStart: hung, signertest.Usage: program,
		signertest.Chatty: program, signertest.Huge: program, signertest.Cut: program, signertest.Stranger: program,
	} {
		t.Run(how, func(t *testing.T) {
			w := newWorld(t, sealtest.P256(t))
			w.token.Behave(how)
			patience := 30 * time.Second
			if how == signertest.HangsAtStart {
				patience = 100 * time.Millisecond
			}
			_, err := w.openWith(patience)
			wantFault(t, how, err, want)
		})
	}
	w := newWorld(t, sealtest.P256(t))
	_, err := signer.Open(w.token.URI(), signer.Config{Program: filepath.Join(t.TempDir(), "signer"), Memory: w.memory})
	wantFault(t, "no program", err, program)
}

// After it was seen once, a start without the token gives the key with its certificates.
func TestAStartWithoutTheToken(t *testing.T) {
	w := newWorld(t, sealtest.P256(t))
	if err := w.opened(time.Minute).Close(); err != nil {
		t.Fatal(err)
	}
	w.token.Behave(signertest.Away)
	k := w.opened(time.Minute)
	wantFault(t, "away", k.Away(), noToken)
	if len(k.Chain()) != 2 || !k.Chain()[0].Equal(w.seal.Certificate()) {
		t.Errorf("its chain is %v", k.Chain())
	}
	w.token.Behave(signertest.Good)
	w.rested()
	if err := signs(k); err != nil {
		t.Error(err)
	}
}

// Another key under the same name signs nothing under the old certificate.
func TestAnotherKeyInTheToken(t *testing.T) {
	w := newWorld(t, sealtest.P256(t))
	k := w.opened(time.Minute)
	other := newWorld(t, sealtest.P256(t))
	raw, err := os.ReadFile(filepath.Join(other.token.Dir, "key"))
	if err == nil {
		err = os.WriteFile(filepath.Join(w.token.Dir, "key"), raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.token.Behave(signertest.Fails)
	wantFault(t, "begun anew", signs(k), axispb.SignerFault_SIGNER_FAULT_OTHER_KEY)
}

// Many who sign at once all get their own signature, of one process.
func TestManySignAtOnce(t *testing.T) {
	w := newWorld(t, sealtest.P256(t))
	k := w.opened(time.Minute)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := signs(k); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := w.token.Starts(); n != 1 {
		t.Errorf("%d signers were started", n)
	}
}

// A closed key has no process and starts none.
func TestCloseEndsTheSigner(t *testing.T) {
	w := newWorld(t, sealtest.P256(t))
	k := w.opened(time.Minute)
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	p, err := os.FindProcess(w.token.Pids()[0])
	if err == nil {
		err = p.Signal(syscall.Signal(0))
	}
	if err == nil {
		t.Error("the signer lives on")
	}
	if err := signs(k); err == nil || w.token.Starts() != 1 {
		t.Errorf("it signs (%v), %d signers", err, w.token.Starts())
	}
}

// A PIN that the token refused is never given twice, over any number of starts; a file
// that was written anew is.
func TestAWrongPINIsGivenOnce(t *testing.T) {
	w := newWorld(t, sealtest.P256(t))
	w.token.SetPIN("000000")
	for range 10 {
		_, err := w.open()
		wantFault(t, "wrong PIN", err, axispb.SignerFault_SIGNER_FAULT_PIN_WRONG)
		if p := signer.ProblemOf(err); p != nil && p.Temporary() {
			t.Error("a wrong PIN counts as temporary")
		}
		if err != nil && (strings.Contains(err.Error(), "000000") || strings.Contains(err.Error(), signertest.PIN)) {
			t.Errorf("the PIN stands in %v", err)
		}
	}
	if n := w.token.Logins(); n != 1 {
		t.Errorf("the token was given %d PINs", n)
	}
	w.token.SetPIN(signertest.PIN)
	k := w.opened(time.Minute)
	if err := signs(k); err != nil {
		t.Error(err)
	}
	// Changed while it runs: what the running signer knows is not asked again, the
	// next one is refused once.
	w.token.SetPIN("111111")
	w.token.Behave(signertest.Dies)
	for range 5 {
		w.rested()
		if err := signs(k); err == nil {
			t.Error("it signs under a wrong PIN")
		}
	}
	if n := w.token.Wrong(); n != 1 {
		t.Errorf("%d wrong PINs", n)
	}
}

func TestALockedTokenIsLeftAlone(t *testing.T) {
	w := newWorld(t, sealtest.P256(t))
	for i := range signertest.Locks {
		w.token.SetPIN(strings.Repeat("7", 4+i))
		if _, err := w.open(); err == nil {
			t.Fatal("a wrong PIN opened it")
		}
	}
	w.token.SetPIN(signertest.PIN)
	_, err := w.open()
	wantFault(t, "locked", err, axispb.SignerFault_SIGNER_FAULT_PIN_LOCKED)
	if n := w.token.Logins(); n != signertest.Locks {
		t.Errorf("it was given %d PINs", n)
	}
}
