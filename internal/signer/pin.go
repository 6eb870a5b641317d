package signer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"docaxis/internal/durable"
	"docaxis/proto/axispb"
)

// Of a login, as the token answers it.
var (
	// ErrPinWrong says that the token counted a wrong PIN.
	ErrPinWrong = errors.New("signer: wrong PIN")
	// ErrPinLocked says that the token lets nobody in any more.
	ErrPinLocked = errors.New("signer: PIN locked")
)

const (
	// maxPinFile bounds the file of a PIN, in bytes.
	maxPinFile = 1 << 10
	// maxUnsettled is how often a PIN is given without an answer being heard. Tokens
	// lock after three wrong ones at the least.
	maxUnsettled = 2
)

// Pin is a file with the PIN of a token. A token locks after a few wrong PINs, and a
// service that is started again every two seconds would reach that within a minute:
// so what a token refused is remembered on the disk, and given again only when its
// file was written anew.
type Pin struct {
	File string
	// Memory is a folder for what was tried; empty: nothing is remembered, for
	// commands that a person runs.
	Memory string
}

// TokenState is what a token says of its PIN before a login.
type TokenState struct {
	// Token tells tokens apart.
	Token string
	// Locked: it takes none any more. LastTry: one more wrong one locks it.
	Locked, LastTry bool
}

// tries is what is remembered of a PIN, without telling anything about it.
type tries struct {
	// Written is the file's modification time, nanoseconds: another one may have
	// another PIN in it.
	Written int64 `json:"written"`
	// Unsettled counts logins of which no answer was heard.
	Unsettled int  `json:"unsettled,omitempty"`
	Refused   bool `json:"refused,omitempty"`
}

// Login gives the PIN to login unless that could lock the token. Its errors are a
// *Problem, or those of login that are about neither PIN nor lock.
func (p Pin) Login(state TokenState, login func(pin string) error) error {
	pin, written, err := p.read()
	if err != nil {
		return err
	}
	was, err := p.recall(state.Token, written)
	switch {
	case err != nil:
		return err
	case state.Locked:
		return Problemf(axispb.SignerFault_SIGNER_FAULT_PIN_LOCKED, "")
	case was.Refused:
		return Problemf(axispb.SignerFault_SIGNER_FAULT_PIN_WRONG, p.File)
	case was.Unsettled >= maxUnsettled:
		return Problemf(axispb.SignerFault_SIGNER_FAULT_PIN_UNSETTLED, p.File)
	case state.LastTry:
		return Problemf(axispb.SignerFault_SIGNER_FAULT_PIN_LAST_TRY, "")
	}
	// Counted before it is given: one that was stopped in between is not forgotten.
	if err := p.remember(state.Token, tries{Written: written, Unsettled: was.Unsettled + 1}); err != nil {
		return err
	}
	return p.settle(state.Token, was, login(pin))
}

func (p Pin) settle(token string, was tries, answer error) error {
	switch {
	case answer == nil:
		return p.forget(token)
	case errors.Is(answer, ErrPinLocked):
		was.Refused = true
		return errors.Join(Problemf(axispb.SignerFault_SIGNER_FAULT_PIN_LOCKED, ""), p.remember(token, was))
	case errors.Is(answer, ErrPinWrong):
		was.Refused = true
		return errors.Join(Problemf(axispb.SignerFault_SIGNER_FAULT_PIN_WRONG, p.File), p.remember(token, was))
	}
	return errors.Join(answer, p.remember(token, was)) // the token answered, and not about the PIN
}

// read gives the PIN, and when its file was written.
func (p Pin) read() (pin string, written int64, err error) {
	f, err := os.Open(p.File)
	if err != nil {
		return "", 0, Problemf(axispb.SignerFault_SIGNER_FAULT_PIN_FILE, err.Error())
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return "", 0, Problemf(axispb.SignerFault_SIGNER_FAULT_PIN_FILE, p.File)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxPinFile))
	if err != nil {
		return "", 0, Problemf(axispb.SignerFault_SIGNER_FAULT_PIN_FILE, err.Error())
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) == 0 || bytes.IndexByte(line, 0) >= 0 {
		return "", 0, Problemf(axispb.SignerFault_SIGNER_FAULT_PIN_FILE, p.File)
	}
	return string(line), info.ModTime().UnixNano(), nil
}

// path is where the tries of this file at a token are kept.
func (p Pin) path(token string) string {
	name := sha256.Sum256([]byte(token + "\x00" + p.File))
	return filepath.Join(p.Memory, "pin-"+hex.EncodeToString(name[:8])+".json")
}

// recall gives what was tried of the file as it is now.
func (p Pin) recall(token string, written int64) (tries, error) {
	now := tries{Written: written}
	if p.Memory == "" {
		return now, nil
	}
	raw, err := os.ReadFile(p.path(token))
	if errors.Is(err, fs.ErrNotExist) {
		return now, nil
	}
	if err != nil {
		return now, fmt.Errorf("read what was tried: %w", err)
	}
	var was tries
	if err := json.Unmarshal(raw, &was); err != nil {
		// It was written whole, so somebody or the disk changed it: nothing is tried
		// until the file is written anew, or this one is deleted.
		return now, Problemf(axispb.SignerFault_SIGNER_FAULT_PIN_UNSETTLED, p.File)
	}
	if was.Written != written {
		return now, nil
	}
	return was, nil
}

func (p Pin) remember(token string, t tries) error {
	if p.Memory == "" {
		return nil
	}
	raw, err := json.Marshal(t)
	if err == nil {
		err = durable.WriteFile(p.path(token), raw, 0o600)
	}
	if err != nil {
		return fmt.Errorf("note that a PIN is tried: %w", err)
	}
	return nil
}

func (p Pin) forget(token string) error {
	if p.Memory == "" {
		return nil
	}
	if err := os.Remove(p.path(token)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("note that the PIN is right: %w", err)
	}
	return nil
}
