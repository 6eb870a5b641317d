package registry

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"docaxis/agency"
)

// MaxName is the length of the longest name of an endpoint.
const MaxName = 40

// AxisName is the name under which the axis states its own evidence; no endpoint
// may have it.
const AxisName = "axis"

// CheckName says why a text is no name for an endpoint.
func CheckName(name string) error {
	switch {
	case name == "":
		return errors.New("the endpoint has no name; give it one of lower-case letters, digits and dashes")
	case len(name) > MaxName:
		return fmt.Errorf("endpoint name %s is longer than %d characters; shorten it", quote(name), MaxName)
	case strings.ContainsFunc(name, notInName):
		return fmt.Errorf("endpoint name %s is not made of lower-case letters, digits and dashes alone; choose another", quote(name))
	case name == AxisName:
		return fmt.Errorf("endpoint name %q is the axis's own; choose another", name)
	}
	return nil
}

func notInName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
}

// checkCode wants the canonical text, so that a code has one spelling in the
// registry.
func checkCode(code string) error {
	c, err := agency.Parse(code)
	if err != nil {
		return err
	}
	if string(c) != code {
		return fmt.Errorf("code %q must be written in full; write %s", code, c)
	}
	return nil
}

// checkWords bounds free text and keeps it to one line of one spelling.
func checkWords(what, text string) error {
	switch {
	case !utf8.ValidString(text):
		return fmt.Errorf("%s is not UTF-8; save it as UTF-8", what)
	case utf8.RuneCountInString(text) > maxWords:
		return fmt.Errorf("%s is longer than %d characters; shorten it", what, maxWords)
	case strings.ContainsFunc(text, unicode.IsControl):
		return fmt.Errorf("%s has a line break or another control character; take it out", what)
	case !norm.NFC.IsNormalString(text):
		return fmt.Errorf("%s is not in Unicode form NFC; normalise it", what)
	}
	return nil
}

// known resolves a code or alias to the code of its agency.
func (d *draft) known(code string) (string, error) {
	if own := d.names.get(code); own != "" {
		return own, nil
	}
	if _, err := agency.Parse(code); err != nil {
		return "", err
	}
	return "", fmt.Errorf("no agency has the code %s; add the agency first", quote(code))
}

// knownOnce resolves codes that may not repeat.
func (d *draft) knownOnce(codes []string) ([]string, error) {
	seen := set[string]{}
	var own []string
	for _, code := range codes {
		c, err := d.known(code)
		if err != nil {
			return nil, err
		}
		if _, twice := seen[c]; twice {
			return nil, fmt.Errorf("agency %s is named twice; name it once", c)
		}
		seen[c] = struct{}{}
		own = append(own, c)
	}
	return own, nil
}

// resolved is knownOnce for what passed Check already; what is unknown is left
// out.
func (d *draft) resolved(codes []string) []string {
	var own []string
	for _, code := range codes {
		if c := d.names.get(code); c != "" {
			own = append(own, c)
		}
	}
	return own
}

func (d *draft) name(code string) string {
	if a := d.agencies.get(code); a != nil {
		return fmt.Sprintf("%s (%s)", a.Name, code)
	}
	return code
}

func parseCertificate(what string, der []byte) (*x509.Certificate, error) {
	const most = 64 << 10
	if len(der) > most {
		return nil, fmt.Errorf("%s has %d bytes, more than any certificate; give one certificate, DER", what, len(der))
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%s is no X.509 certificate (%w); give it as DER", what, err)
	}
	return cert, nil
}

// moment reads Unix milliseconds; 0 is the zero time.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func quote(s string) string {
	const most = 60
	if len(s) > most {
		return fmt.Sprintf("%q…", s[:most])
	}
	return fmt.Sprintf("%q", s)
}

func day(t time.Time) string { return t.UTC().Format(time.RFC3339) }
