package signer_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"docaxis/internal/signer"
	"docaxis/proto/axispb"
)

// purse is a PIN file with its memory.
type purse struct {
	t     *testing.T
	pin   signer.Pin
	given []string
}

func newPurse(t *testing.T, pin string) *purse {
	dir := t.TempDir()
	p := &purse{t: t, pin: signer.Pin{File: filepath.Join(dir, "pin"), Memory: dir}}
	p.write(pin, time.Unix(1, 0))
	return p
}

func (p *purse) write(pin string, at time.Time) {
	p.t.Helper()
	if err := errors.Join(os.WriteFile(p.pin.File, []byte(pin), 0o600), os.Chtimes(p.pin.File, at, at)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *purse) login(state signer.TokenState, answer error) error {
	return p.pin.Login(state, func(pin string) error {
		p.given = append(p.given, pin)
		return answer
	})
}

// stopped is a signer that is killed while it gives the PIN.
func (p *purse) stopped(token string) {
	defer func() { _ = recover() }()
	_ = p.pin.Login(signer.TokenState{Token: token}, func(string) error { panic("killed") })
}

func (p *purse) wants(what string, err error, fault axispb.SignerFault, given int) {
	p.t.Helper()
	if fault == 0 && err != nil {
		p.t.Errorf("%s: %v", what, err)
	} else if fault != 0 {
		wantFault(p.t, what, err, fault)
	}
	if len(p.given) != given {
		p.t.Errorf("%s: %d PINs were given, want %d", what, len(p.given), given)
	}
}

func TestPINsAreCounted(t *testing.T) {
	const (
		wrong     = axispb.SignerFault_SIGNER_FAULT_PIN_WRONG
		locked    = axispb.SignerFault_SIGNER_FAULT_PIN_LOCKED
		last      = axispb.SignerFault_SIGNER_FAULT_PIN_LAST_TRY
		unsettled = axispb.SignerFault_SIGNER_FAULT_PIN_UNSETTLED
	)
	a, b := signer.TokenState{Token: "a"}, signer.TokenState{Token: "b"}
	t.Run("refused", func(t *testing.T) {
		p := newPurse(t, "1234\r\nnot this\n")
		p.wants("first", p.login(a, signer.ErrPinWrong), wrong, 1)
		p.wants("again", p.login(a, nil), wrong, 1)
		p.wants("at another token", p.login(b, nil), 0, 2)
		p.write("1234", time.Unix(2, 0))
		p.wants("written anew", p.login(a, nil), 0, 3)
		p.wants("right", p.login(a, nil), 0, 4)
		if p.given[0] != "1234" {
			t.Errorf("the PIN was read as %q", p.given[0])
		}
	})
	t.Run("locked", func(t *testing.T) {
		p := newPurse(t, "1")
		p.wants("found out", p.login(a, signer.ErrPinLocked), locked, 1)
		p.wants("again", p.login(a, nil), wrong, 1)
		p.wants("it says so", p.login(signer.TokenState{Token: "b", Locked: true}, nil), locked, 1)
	})
	t.Run("last try", func(t *testing.T) {
		p := newPurse(t, "1")
		p.wants("last try", p.login(signer.TokenState{Token: "a", LastTry: true}, nil), last, 0)
		p.wants("somebody logged in", p.login(a, nil), 0, 1)
	})
	t.Run("killed", func(t *testing.T) {
		p := newPurse(t, "1")
		p.stopped("a")
		p.wants("after once", p.login(a, nil), 0, 1)
		p.stopped("a")
		p.stopped("a")
		p.wants("after twice", p.login(a, nil), unsettled, 1)
		p.write("1", time.Unix(2, 0))
		p.wants("written anew", p.login(a, nil), 0, 2)
	})
	t.Run("another failure", func(t *testing.T) {
		p := newPurse(t, "1")
		gone := errors.New("CKR_DEVICE_REMOVED")
		for i := range 5 {
			if err := p.login(a, gone); !errors.Is(err, gone) {
				t.Errorf("time %d: %v", i, err)
			}
		}
		p.wants("put back", p.login(a, nil), 0, 6)
	})
	t.Run("memory", func(t *testing.T) {
		p := newPurse(t, "1")
		p.wants("first", p.login(a, signer.ErrPinWrong), wrong, 1)
		files, err := filepath.Glob(filepath.Join(p.pin.Memory, "pin-*.json"))
		if err != nil || len(files) != 1 || os.WriteFile(files[0], []byte("{"), 0o600) != nil {
			t.Fatalf("%v: %v", files, err)
		}
		p.wants("damaged", p.login(a, nil), unsettled, 1)
		p.pin.Memory = filepath.Join(p.pin.Memory, "gone")
		if err := p.login(a, nil); err == nil || len(p.given) != 1 {
			t.Errorf("a PIN that cannot be counted was given: %v", err)
		}
	})
	t.Run("file", func(t *testing.T) {
		p := newPurse(t, "\n1234\n")
		p.wants("empty line", p.login(a, nil), axispb.SignerFault_SIGNER_FAULT_PIN_FILE, 0)
		p.pin.File = t.TempDir()
		p.wants("folder", p.login(a, nil), axispb.SignerFault_SIGNER_FAULT_PIN_FILE, 0)
	})
}
