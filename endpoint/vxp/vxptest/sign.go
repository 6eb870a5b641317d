package vxptest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf16"
)

const prefix = "XroadVnpt-"

// Param is a parameter of a request: its exact name, without the prefix, and its value.
type Param [2]string

// set puts a parameter in its place, or at the end.
func set(params []Param, name, value string) []Param {
	if at := slices.IndexFunc(params, func(p Param) bool { return p[0] == name }); at >= 0 {
		params[at][1] = value
		return params
	}
	return append(params, Param{name, value})
}

// Sign gives the headers of a request: each parameter, and the three that sign them.
func Sign(secret string, params []Param) []Param {
	text := SignedText(params)
	names := make([]string, len(params))
	headers := make([]Param, 0, len(params)+3)
	for i, p := range params {
		names[i] = p[0]
		headers = append(headers, Param{prefix + p[0], p[1]})
	}
	return append(headers,
		Param{prefix + "sign-header-key", strings.Join(names, ";")},
		Param{prefix + "sign-header", text},
		Param{prefix + "hash-header", MAC(secret, text)})
}

// SignedText is the JSON that is signed.
func SignedText(params []Param) string {
	var b strings.Builder
	for i, p := range params {
		b.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		b.WriteString(quoted(prefix + p[0]))
		b.WriteByte(':')
		b.WriteString(quoted(p[1]))
	}
	return b.String() + "}"
}

func quoted(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(text) //nolint:errcheck // a text can be written
	return strings.TrimSuffix(b.String(), "\n")
}

// MAC is hash-header: HMAC-SHA256 of the signed text in lower-case hex.
func MAC(secret, text string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))
}

// HashFile is hash-file as the SDK writes it: hex of SHA-256 in which the leading zero
// of each byte is missing.
func HashFile(file []byte) string {
	var b strings.Builder
	for _, one := range sha256.Sum256(file) {
		b.WriteString(strings.TrimPrefix(hex.EncodeToString([]byte{one}), "0"))
	}
	return b.String()
}

// lowBytes is what HttpClient writes of a text where the endpoint names a port: the low
// byte of each UTF-16 unit.
func lowBytes(text string) string {
	units := utf16.Encode([]rune(text))
	out := make([]byte, len(units))
	for i, u := range units {
		out[i] = byte(u)
	}
	return string(out)
}
