package signer

import (
	"errors"
	"strings"

	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Problem is why a key in a token does not sign. Its text says what to do.
type Problem struct {
	Fault  axispb.SignerFault
	Detail string
}

// maxDetail bounds what a module or a signer says of itself, in bytes.
const maxDetail = 300

// Problemf makes a Problem; the detail is cut short.
func Problemf(fault axispb.SignerFault, detail string) *Problem {
	if len(detail) > maxDetail {
		detail = detail[:maxDetail]
	}
	return &Problem{fault, strings.ToValidUTF8(detail, "")}
}

// ProblemOf finds the Problem of an error; nil where it has none.
func ProblemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return nil
}

// Temporary reports whether it may pass by itself: the token comes back, the signer is
// started again. Anything else needs a person.
func (p *Problem) Temporary() bool {
	switch p.Fault {
	case axispb.SignerFault_SIGNER_FAULT_NO_TOKEN, axispb.SignerFault_SIGNER_FAULT_TOKEN,
		axispb.SignerFault_SIGNER_FAULT_DIED, axispb.SignerFault_SIGNER_FAULT_HUNG,
		axispb.SignerFault_SIGNER_FAULT_BAD_ANSWER:
		return true
	}
	return false
}

// Error is the English text, which reason.Phrase knows in Vietnamese.
func (p *Problem) Error() string {
	text, known := english()[p.Fault]
	if !known {
		text = "the signer found a problem that this program does not know ({1}); install program and signer of one release"
	}
	detail := p.Detail
	if detail == "" {
		detail = "-"
	}
	return strings.ReplaceAll(text, "{1}", detail)
}

// Said is the problem in both languages.
func (p *Problem) Said() *lang.Error {
	return (&lang.Error{Vietnamese: reason.Phrase(p.Error(), reason.Vietnamese), English: p.Error()}).Because(p)
}

// english has the texts; internal/reason has them in Vietnamese.
func english() map[axispb.SignerFault]string {
	return map[axispb.SignerFault]string{
		axispb.SignerFault_SIGNER_FAULT_MALFORMED:      "the signer does not know the request ({1}); install program and signer of one release",
		axispb.SignerFault_SIGNER_FAULT_NO_PKCS11:      "this signer was built without PKCS#11, so it reaches no token; build it with CGO_ENABLED=1 (make signer)",
		axispb.SignerFault_SIGNER_FAULT_MODULE:         "the PKCS#11 module cannot be loaded ({1}); install the software of the token, and mend module-path",
		axispb.SignerFault_SIGNER_FAULT_NO_TOKEN:       "no slot has the token {1}; plug it in, or see that the HSM can be reached",
		axispb.SignerFault_SIGNER_FAULT_SEVERAL_TOKENS: "several tokens are called {1}; name the serial number, too",
		axispb.SignerFault_SIGNER_FAULT_NO_KEY:         "the token has no private key {1}; see what it has with signer list",
		axispb.SignerFault_SIGNER_FAULT_SEVERAL_KEYS:   "the token has several private keys {1}; name the id, too",
		axispb.SignerFault_SIGNER_FAULT_PIN_FILE:       "the PIN cannot be read ({1}); write it into the file of pin-source, in its first line",
		axispb.SignerFault_SIGNER_FAULT_PIN_WRONG:      "the token refused the PIN in {1}, which is not tried again lest the token be locked; write the right PIN into that file",
		axispb.SignerFault_SIGNER_FAULT_PIN_LOCKED:     "the token's PIN is locked; have it unlocked by whoever issued the token, then write the new PIN into the file of pin-source",
		axispb.SignerFault_SIGNER_FAULT_PIN_LAST_TRY:   "one more wrong PIN would lock the token, so none is tried; log in once with the token's own software",
		axispb.SignerFault_SIGNER_FAULT_PIN_UNSETTLED:  "the signer was stopped twice while it gave the PIN in {1}; see that the token is well, then write the PIN into that file again",
		axispb.SignerFault_SIGNER_FAULT_UNSUPPORTED:    "the key in the token cannot be used ({1}); take an RSA key of 2048 to 4096 bits, or one on P-256 or P-384",
		axispb.SignerFault_SIGNER_FAULT_TOKEN:          "the token failed ({1}); take it out and put it in again, or see to the HSM",
		axispb.SignerFault_SIGNER_FAULT_PROGRAM:        "the signer cannot be run ({1}); put the program signer of this release beside this one, or name it as signer",
		axispb.SignerFault_SIGNER_FAULT_DIED:           "the signer ended unexpectedly ({1}); it is started again by itself",
		axispb.SignerFault_SIGNER_FAULT_HUNG:           "the token did not answer within {1}; take it out and put it in again, or see to the HSM",
		axispb.SignerFault_SIGNER_FAULT_OTHER_KEY:      "the token has another key than the certificate {1}; name the key of that certificate, or start again with the new one",
		axispb.SignerFault_SIGNER_FAULT_BAD_ANSWER:     "what the token gave is no signature of its key ({1}); see to the token",
	}
}
