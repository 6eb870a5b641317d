package signer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"docaxis/internal/lang"
	"docaxis/internal/signer"
)

func TestAddresses(t *testing.T) {
	for text, want := range map[string]signer.URI{
		"pkcs11:token=so-noi-vu;object=seal?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/pin": {
			Token: "so-noi-vu", Object: "seal", Module: "/usr/lib/softhsm/libsofthsm2.so", PinFile: "/etc/pin",
		},
		"pkcs11:token=S%E1%BB%9F%20N%E1%BB%99i%20v%E1%BB%A5;id=%00%ff;type=private?pin-source=pin.txt&module-path=C:/token.dll": {
			Token: "Sở Nội vụ", ID: []byte{0, 0xff}, Module: "C:/token.dll", PinFile: "pin.txt",
		},
		"pkcs11:serial=1&2;manufacturer=a;model=b;object=o?module-path=/m&pin-source=file:///pin": {
			Serial: "1&2", Manufacturer: "a", Model: "b", Object: "o", Module: "/m", PinFile: "/pin",
		},
	} {
		got, err := signer.ParseURI(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
		if again, err := signer.ParseURI(got.String()); err != nil || !cmp.Equal(again, got) {
			t.Errorf("written as %s: %+v, %v", got, again, err)
		}
	}
}

// What is wrong is named in both languages; a PIN that stands there is not repeated.
func TestAddressesThatAreRefused(t *testing.T) {
	const good = "pkcs11:token=t;object=o?module-path=/m"
	for text, want := range map[string]string{
		"seal.pem":                                   "must begin with pkcs11:",
		"PKCS11:token=t;object=o":                    "must begin with pkcs11:",
		"pkcs11:":                                    "must name the token",
		"pkcs11:token=t?module-path=/m":              "must name the key",
		"pkcs11:token=t;object=o":                    "module-path",
		"pkcs11:token=;object=o":                     "token in the key's address: it is empty",
		good + "&pin-value=482913":                   "a PIN must not stand here",
		good + "&pin-source=|cat%20/pin":             "no command is run",
		good + "&module-name=softhsm2":               "as module-path",
		good + "&pin-source=a&pin-source=b":          "pin-source is named twice",
		good + "&x-vendor=1":                         `no attribute "x-vendor"`,
		good + "?":                                   "",
		good + "&":                                   `no attribute ""`,
		"pkcs11:token=t;token=u;object=o":            "token is named twice",
		"pkcs11:token=t;object=o;type=cert":          "write private",
		"pkcs11:token=t;object=o;slot-id=1":          `no attribute "slot-id"`,
		"pkcs11:token=Sở;object=o":                   "must be written %",
		"pkcs11:token=a b;object=o":                  "must be written %20",
		"pkcs11:token=a%2;object=o":                  "two hexadecimal digits",
		"pkcs11:token=a%zz;object=o":                 "two hexadecimal digits",
		"pkcs11:token=a%ff;object=o":                 "no line of UTF-8",
		"pkcs11:token=a%0ab;object=o":                "no line of UTF-8",
		"pkcs11:token=a%00;object=o":                 "no line of UTF-8",
		"pkcs11:token=a/b;object=o":                  "must be written %2F",
		"pkcs11:object=" + strings.Repeat("a", 5000): "at most 4096 bytes",
	} {
		_, err := signer.ParseURI(text)
		var said *lang.Error
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		if !errors.As(err, &said) || !strings.Contains(said.English, want) || said.Vietnamese == "" || said.Vietnamese == said.English {
			t.Errorf("%s: %v", text, err)
		}
		if err != nil && strings.Contains(err.Error(), "482913") {
			t.Errorf("the PIN stands in %v", err)
		}
	}
}

// Accepted means written again in a form that means the same.
func FuzzAddress(f *testing.F) {
	f.Add("pkcs11:token=so-noi-vu;object=seal?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/pin")
	f.Add("pkcs11:serial=1&2;id=%00%ff;type=private?module-path=C:/token.dll")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := signer.ParseURI(text)
		if err != nil {
			return
		}
		again, err := signer.ParseURI(u.String())
		if err != nil && len(u.String()) <= 4096 || err == nil && !cmp.Equal(again, u) {
			t.Errorf("%q is %+v, and again %+v: %v", text, u, again, err)
		}
	})
}
