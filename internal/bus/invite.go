package bus

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"unicode"

	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// ErrMistyped is the cause of an invitation's refusal when its text was damaged
// on the way: copy it again. The invitation itself may be good.
var ErrMistyped = errors.New("the text of the invitation is damaged")

// Invite is what an office is given to enrol its endpoint with: one line of text.
type Invite struct {
	// Address of the axis, host:port.
	Address string
	// Pin is the SHA-256 of the SubjectPublicKeyInfo of the certificate of the
	// axis's CA. It stands in the invitation so that the first connection needs
	// no trust in anybody else.
	Pin [sha256.Size]byte
	// Secret is the one-time right to enrol.
	Secret [32]byte
}

const (
	inviteMark    = "docaxis1"
	inviteSumSize = 4
	maxInvite     = 1024
	maxAddress    = 255
)

// The alphabet has no upper case, no 0, 1, 8 or 9, so that a line that had to be
// read out over a telephone still arrives.
func inviteCoding() *base32.Encoding {
	return base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
}

// SecretHash is what the registry knows of the invitation: the SHA-256 of the
// secret.
func (i Invite) SecretHash() []byte {
	sum := sha256.Sum256(i.Secret[:])
	return sum[:]
}

// String is the line to hand over.
func (i Invite) String() string {
	raw := append([]byte{byte(len(i.Address))}, i.Address...)
	raw = append(raw, i.Pin[:]...)
	raw = append(raw, i.Secret[:]...)
	return inviteMark + inviteCoding().EncodeToString(append(raw, inviteSum(raw)...))
}

// Validate says what is wrong with an invitation that is about to be handed out.
func (i Invite) Validate() error {
	host, port, err := net.SplitHostPort(i.Address)
	if err != nil {
		return fmt.Errorf("address of the axis: %w", err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || host == "" || len(i.Address) > maxAddress {
		return fmt.Errorf("address of the axis %q is no host:port", i.Address)
	}
	if strings.ContainsFunc(i.Address, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("/@?#,\\\"%", r) }) {
		return fmt.Errorf("address of the axis %q holds a character that an address cannot hold", i.Address)
	}
	return nil
}

// ParseInvite reads an invitation. Spaces, line breaks and upper case, which mail
// programs and people put in, do not matter. The error is a *reason.Error with
// REASON_INVITATION_INVALID; errors.Is(err, ErrMistyped) tells a damaged text
// from something that is no invitation.
func ParseInvite(text string) (Invite, error) {
	if len(text) > maxInvite {
		return Invite{}, notAnInvite(errors.New("the text is too long"))
	}
	body, ok := strings.CutPrefix(normal(text), inviteMark)
	if !ok {
		return Invite{}, notAnInvite(fmt.Errorf("the text does not begin with %s", inviteMark))
	}
	raw, err := inviteCoding().DecodeString(body)
	if err != nil || len(raw) < inviteSumSize || inviteCoding().EncodeToString(raw) != body {
		return Invite{}, notAnInvite(ErrMistyped)
	}
	content, sum := raw[:len(raw)-inviteSumSize], raw[len(raw)-inviteSumSize:]
	if !bytes.Equal(sum, inviteSum(content)) {
		return Invite{}, notAnInvite(ErrMistyped)
	}
	return decodeInvite(content)
}

func decodeInvite(raw []byte) (Invite, error) {
	var i Invite
	if len(raw) == 0 || len(raw) != 1+int(raw[0])+len(i.Pin)+len(i.Secret) {
		return Invite{}, notAnInvite(errors.New("the invitation has the wrong length"))
	}
	end := 1 + int(raw[0])
	i.Address = string(raw[1:end])
	copy(i.Pin[:], raw[end:])
	copy(i.Secret[:], raw[end+len(i.Pin):])
	if err := i.Validate(); err != nil {
		return Invite{}, notAnInvite(err)
	}
	return i, nil
}

func normal(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
}

func inviteSum(raw []byte) []byte {
	sum := sha256.Sum256(append([]byte("docaxis/invite/v1\n"), raw...))
	return sum[:inviteSumSize]
}

func notAnInvite(cause error) error {
	return reason.Permanent(axispb.ReasonCode_REASON_INVITATION_INVALID).Because(cause)
}

// password is how the secret is shown to the broker, inside TLS.
func (i Invite) password() string { return hex.EncodeToString(i.Secret[:]) }

// SecretOf reads the secret out of a password, as the broker gets it, and gives
// its hash.
func SecretOf(password string) (hash []byte, ok bool) {
	secret, err := hex.DecodeString(password)
	if err != nil || len(secret) != 32 {
		return nil, false
	}
	sum := sha256.Sum256(secret)
	return sum[:], true
}
