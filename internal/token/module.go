//go:build cgo

package token

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/miekg/pkcs11"

	"docaxis/internal/signer"
	"docaxis/proto/axispb"
)

// module is a loaded PKCS#11 library. The process ends with it, so that nothing is
// finalised: a module that hangs there would keep the process.
type module struct{ ctx *pkcs11.Ctx }

func load(path string) (module, error) {
	if !filepath.IsAbs(path) {
		return module{}, signer.Problemf(axispb.SignerFault_SIGNER_FAULT_MODULE, path+": not a whole path")
	}
	if _, err := os.Stat(path); err != nil {
		return module{}, signer.Problemf(axispb.SignerFault_SIGNER_FAULT_MODULE, err.Error())
	}
	ctx := pkcs11.New(path)
	if ctx == nil {
		return module{}, signer.Problemf(axispb.SignerFault_SIGNER_FAULT_MODULE, path)
	}
	if err := ctx.Initialize(); err != nil {
		return module{}, failed("C_Initialize", err)
	}
	return module{ctx}, nil
}

// failed is a function of the module that failed: taken for the token's failure, which
// may pass.
func failed(function string, err error) error {
	return signer.Problemf(axispb.SignerFault_SIGNER_FAULT_TOKEN, fmt.Sprintf("%s: %v", function, err))
}

// slot is a token in its slot.
type slot struct {
	id   uint
	info pkcs11.TokenInfo
}

func (s slot) has(flag uint) bool { return s.info.Flags&flag != 0 }

func (s slot) matches(u signer.URI) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	return is(u.Token, s.info.Label) && is(u.Serial, s.info.SerialNumber) &&
		is(u.Manufacturer, s.info.ManufacturerID) && is(u.Model, s.info.Model)
}

// slots lists the tokens that are there.
func (m module) slots() ([]slot, error) {
	ids, err := m.ctx.GetSlotList(true)
	if err != nil {
		return nil, failed("C_GetSlotList", err)
	}
	var all []slot
	for _, id := range ids {
		// One that cannot be read was just taken out, or is not ours.
		if info, err := m.ctx.GetTokenInfo(id); err == nil {
			all = append(all, slot{id, info})
		}
	}
	return all, nil
}

// find is the one token that an address names.
func (m module) find(u signer.URI) (slot, error) {
	all, err := m.slots()
	if err != nil {
		return slot{}, err
	}
	var found []slot
	for _, s := range all {
		if s.has(pkcs11.CKF_TOKEN_INITIALIZED) && s.matches(u) {
			found = append(found, s)
		}
	}
	switch len(found) {
	case 0:
		return slot{}, signer.Problemf(axispb.SignerFault_SIGNER_FAULT_NO_TOKEN, u.Where())
	case 1:
		return found[0], nil
	}
	return slot{}, signer.Problemf(axispb.SignerFault_SIGNER_FAULT_SEVERAL_TOKENS, u.Where())
}

// open opens a conversation with a token, to read or to write, and logs in where the
// token asks it.
func (m module) open(s slot, w Where, write bool) (session, error) {
	flags := uint(pkcs11.CKF_SERIAL_SESSION)
	if write {
		flags |= pkcs11.CKF_RW_SESSION
	}
	handle, err := m.ctx.OpenSession(s.id, flags)
	if err != nil {
		return session{}, failed("C_OpenSession", err)
	}
	in := session{m.ctx, handle}
	if !s.has(pkcs11.CKF_LOGIN_REQUIRED) {
		return in, nil
	}
	if w.PinFile == "" {
		return in, signer.Problemf(axispb.SignerFault_SIGNER_FAULT_PIN_FILE, "pin-source")
	}
	pin := signer.Pin{File: w.PinFile, Memory: w.Memory}
	return in, pin.Login(signer.TokenState{
		Token:   s.info.ManufacturerID + "\x00" + s.info.SerialNumber + "\x00" + s.info.Label,
		Locked:  s.has(pkcs11.CKF_USER_PIN_LOCKED),
		LastTry: s.has(pkcs11.CKF_USER_PIN_FINAL_TRY),
	}, in.login)
}

// session is a conversation with a token.
type session struct {
	ctx    *pkcs11.Ctx
	handle pkcs11.SessionHandle
}

func (s session) login(pin string) error {
	err := s.ctx.Login(s.handle, pkcs11.CKU_USER, pin)
	var code pkcs11.Error
	if !errors.As(err, &code) {
		return err
	}
	switch code {
	case pkcs11.CKR_USER_ALREADY_LOGGED_IN:
		return nil
	case pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE, pkcs11.CKR_PIN_EXPIRED:
		return signer.ErrPinWrong
	case pkcs11.CKR_PIN_LOCKED:
		return signer.ErrPinLocked
	}
	return failed("C_Login", err)
}

// maxObjects bounds what is looked at of one kind.
const maxObjects = 200

func (s session) objects(template ...*pkcs11.Attribute) ([]pkcs11.ObjectHandle, error) {
	if err := s.ctx.FindObjectsInit(s.handle, template); err != nil {
		return nil, failed("C_FindObjectsInit", err)
	}
	found, _, err := s.ctx.FindObjects(s.handle, maxObjects)
	if err := errors.Join(err, s.ctx.FindObjectsFinal(s.handle)); err != nil {
		return nil, failed("C_FindObjects", err)
	}
	return found, nil
}

// attribute reads one attribute; nil where the object has none, or does not tell it.
func (s session) attribute(o pkcs11.ObjectHandle, kind uint) []byte {
	got, err := s.ctx.GetAttributeValue(s.handle, o, []*pkcs11.Attribute{pkcs11.NewAttribute(kind, nil)})
	if err != nil || len(got) != 1 {
		return nil
	}
	return got[0].Value
}
