package vxp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// prefix of every parameter's name, as a header and in the signed JSON.
const prefix = "XroadVnpt-"

// params are a request's parameters by their exact names, without the prefix: docId and
// docid are two.
type params map[string]string

// authenticate finds the system that signed a request, and what it signed. The secret
// is applied to the header's bytes as they came: nothing is put together again.
// timestamp is not looked at, because a client object sends the one of its making for
// as long as it lives.
func (h *handler) authenticate(header http.Header) (string, params, error) {
	system, text, sum := one(header, "systemid"), one(header, "sign-header"), one(header, "hash-header")
	if system == "" || text == "" || sum == "" {
		return "", nil, refuse(401, "Yêu cầu chưa được ký: thiếu systemid, sign-header hoặc hash-header. Hãy gọi qua SDK của trục.",
			"The request is not signed: systemid, sign-header or hash-header is missing. Call through the axis's SDK.")
	}
	secrets, err := h.exchange.Secrets(system)
	if err != nil {
		return "", nil, err
	}
	if !signedBy(secrets, text, sum) {
		if len(secrets) == 0 {
			return "", nil, refuse(401, "systemid %s không tồn tại. Hãy kiểm tra systemid, hoặc hỏi người quản trị điểm kết nối.",
				"There is no systemid %s. Check the systemid, or ask whoever runs the endpoint.", short(system))
		}
		return "", nil, refuse(401, "Chữ ký không hợp lệ. Hãy kiểm tra secret; nếu secret đúng, hãy chỉ dùng chữ ASCII trong filePath.",
			"The signature is not valid. Check the secret; if it is right, keep filePath in ASCII.")
	}
	p, err := signedParams(text)
	if err != nil || p["systemid"] != system {
		return "", nil, refuse(401, "sign-header không đúng dạng, hoặc nêu systemid khác. Hãy gọi qua SDK của trục.",
			"sign-header is not of the right form, or names another systemid. Call through the axis's SDK.")
	}
	return system, p, nil
}

// one gives a header that came once; two would leave open which of them counts.
func one(header http.Header, name string) string {
	if values := header.Values(prefix + name); len(values) == 1 {
		return values[0]
	}
	return ""
}

// signedBy compares in constant time, with every secret, and takes as long for a system
// that has none.
func signedBy(secrets [][]byte, text, sum string) bool {
	want, err := hex.DecodeString(sum)
	good := false
	if len(secrets) == 0 {
		hmac.Equal(macOf(nil, text), want)
	}
	for _, s := range secrets {
		// An empty key is no secret, whatever store it came from.
		good = hmac.Equal(macOf(s, text), want) && len(s) > 0 || good
	}
	return good && err == nil
}

func macOf(secret []byte, text string) []byte {
	m := hmac.New(sha256.New, secret)
	io.WriteString(m, text) //nolint:errcheck // a hash takes everything
	return m.Sum(nil)
}

var errParams = errors.New("not an object of distinct texts")

// signedParams reads the signed JSON: one object of texts, no name twice.
func signedParams(text string) (params, error) {
	d := json.NewDecoder(strings.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errParams
	}
	p := params{}
	for d.More() {
		key, _ := d.Token()
		value, err := d.Token()
		name, isName := key.(string)
		said, isText := value.(string)
		if err != nil || !isName || !isText {
			return nil, errParams
		}
		name, ours := strings.CutPrefix(name, prefix)
		if _, twice := p[name]; twice {
			return nil, errParams
		}
		if ours {
			p[name] = said
		}
	}
	if t, err := d.Token(); err != nil || t != json.Delim('}') {
		return nil, errParams
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errParams
	}
	return p, nil
}

// either gives the first parameter that is there.
func (p params) either(names ...string) string {
	for _, n := range names {
		if p[n] != "" {
			return p[n]
		}
	}
	return ""
}

// class reads messagetype; a client that names none means documents.
func (p params) class() (Class, error) {
	switch c := Class(p["messagetype"]); c {
	case "":
		return Documents, nil
	case Documents, Statuses:
		return c, nil
	default:
		return "", refuse(400, "messagetype %q không hợp lệ. Hãy ghi edoc hoặc status.",
			"messagetype %q is not known. Write edoc or status.", short(string(c)))
	}
}
