package bus_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"docaxis/internal/bus"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

func example() bus.Invite {
	i := bus.Invite{Address: "truc.example.vn:4222"}
	for n := range i.Pin {
		i.Pin[n], i.Secret[n] = byte(n), byte(255-n)
	}
	return i
}

func TestInviteComesBack(t *testing.T) {
	i := example()
	line := i.String()
	wrapped := "  " + strings.ToUpper(line[:40]) + "\r\n\t" + line[40:70] + " " + line[70:] + "\n"
	for _, text := range []string{line, wrapped} {
		got, err := bus.ParseInvite(text)
		if err != nil || got != i {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	if strings.ContainsFunc(line, func(r rune) bool { return r <= ' ' || r > '~' }) {
		t.Errorf("%q is not one plain line", line)
	}
}

func TestMistypedInviteIsNamedAsSuch(t *testing.T) {
	line := example().String()
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(len("docaxis1"), len(line)-1).Draw(t, "at")
		to := rapid.SampledFrom([]byte("abcdefghijklmnopqrstuvwxyz234567018-")).
			Filter(func(c byte) bool { return c != line[at] }).Draw(t, "to")
		wrong := line[:at] + string(to) + line[at+1:]
		_, err := bus.ParseInvite(wrong)
		if !errors.Is(err, bus.ErrMistyped) || !reason.Is(err, axispb.ReasonCode_REASON_INVITATION_INVALID) || reason.IsTemporary(err) {
			t.Fatalf("%q: %v", wrong, err)
		}
	})
	// Bits that the last letter has too many may not differ either.
	last := len(line) - 1
	for _, c := range "abcdefghijklmnopqrstuvwxyz234567" {
		if _, err := bus.ParseInvite(line[:last] + string(c)); (err == nil) != (byte(c) == line[last]) {
			t.Errorf("with %c at the end: %v", c, err)
		}
	}
	if _, err := bus.ParseInvite(line[:len(line)-3]); !errors.Is(err, bus.ErrMistyped) {
		t.Errorf("cut short: %v", err)
	}
}

func TestWhatIsNoInvite(t *testing.T) {
	for _, text := range []string{"", "hello", "docaxis2abc", strings.Repeat("a", 2000), bus.Invite{Address: "no port"}.String(), bus.Invite{Address: "h:0"}.String(), bus.Invite{Address: "x@y:1"}.String(), bus.Invite{}.String()} {
		_, err := bus.ParseInvite(text)
		if !reason.Is(err, axispb.ReasonCode_REASON_INVITATION_INVALID) || errors.Is(err, bus.ErrMistyped) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

func TestInviteAddress(t *testing.T) {
	for address, ok := range map[string]bool{
		"truc.vn:4222": true, "10.0.0.1:443": true, "[::1]:4222": true,
		"": false, "truc.vn": false, ":4222": false, "truc.vn:": false, "truc.vn:x": false, "truc.vn:0": false, "truc.vn:65536": false,
		"user@truc.vn:1": false, "truc.vn/x:1": false, "truc.vn,x:1": false, "trục.vn:1": false, strings.Repeat("a", 300) + ":1": false,
	} {
		if err := (bus.Invite{Address: address}).Validate(); (err == nil) != ok {
			t.Errorf("%.20q: %v", address, err)
		}
	}
}

func FuzzParseInvite(f *testing.F) {
	f.Add(example().String())
	f.Add("docaxis1")
	f.Fuzz(func(t *testing.T, text string) {
		i, err := bus.ParseInvite(text)
		if err != nil {
			return
		}
		again, err := bus.ParseInvite(i.String())
		if err != nil || again != i {
			t.Errorf("%q: %+v, %v", text, again, err)
		}
	})
}
