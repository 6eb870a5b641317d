package signer

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"docaxis/internal/lang"
)

// Scheme is how the address of a key in a token begins (RFC 7512).
const Scheme = "pkcs11:"

// maxURI bounds an address, in bytes.
const maxURI = 4 << 10

// URI names one private key in one token (RFC 7512): what it does not name may be
// anything, but only one token and one key may remain.
type URI struct {
	// Module is the path of the PKCS#11 library (module-path).
	Module string
	// Token, Serial, Manufacturer and Model are the token's, as it shows them.
	Token, Serial, Manufacturer, Model string
	// Object is the key's label, ID its CKA_ID.
	Object string
	ID     []byte
	// PinFile has the PIN in its first line (pin-source); empty where the token asks none.
	PinFile string
}

// IsURI reports whether a setting is an address in a token, and not a file.
func IsURI(text string) bool { return strings.HasPrefix(text, Scheme) }

// ParseURI reads an address. An attribute that is not known is refused, since what it
// was to exclude could be signed with; so is a PIN, which belongs into a file.
func ParseURI(text string) (URI, error) {
	var u URI
	rest, ok := strings.CutPrefix(text, Scheme)
	if !ok || len(text) > maxURI {
		return u, lang.Errorf("địa chỉ khóa phải bắt đầu bằng pkcs11: và dài tối đa %d byte", "the key's address must begin with pkcs11: and have at most %d bytes", maxURI)
	}
	path, query, asked := strings.Cut(rest, "?")
	if err := u.read(path, ";", "&", u.pathFields()); err != nil {
		return URI{}, err
	}
	if asked {
		if err := u.read(query, "&", "/?|", u.queryFields()); err != nil {
			return URI{}, err
		}
	}
	return u, u.check()
}

// field takes the value of an attribute.
type field func(value string) error

func into(to *string) field {
	return func(value string) error {
		if !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return lang.Errorf("không phải văn bản UTF-8 một dòng", "it is no line of UTF-8")
		}
		*to = value
		return nil
	}
}

func (u *URI) pathFields() map[string]field {
	return map[string]field{
		"token": into(&u.Token), "serial": into(&u.Serial), "manufacturer": into(&u.Manufacturer), "model": into(&u.Model),
		"object": into(&u.Object),
		"id":     func(v string) error { u.ID = []byte(v); return nil },
		"type": func(v string) error {
			if v != "private" {
				return lang.Errorf("hãy ghi private hoặc bỏ đi", "write private, or leave it out")
			}
			return nil
		},
	}
}

func (u *URI) queryFields() map[string]field {
	return map[string]field{
		"module-path": into(&u.Module),
		"pin-source": func(v string) error {
			if strings.HasPrefix(v, "|") {
				return lang.Errorf("không chạy lệnh nào; hãy nêu một tệp", "no command is run; name a file")
			}
			if v = strings.TrimPrefix(v, "file:"); strings.HasPrefix(v, "//") {
				v = strings.TrimPrefix(v, "//")
			}
			return into(&u.PinFile)(v)
		},
		"pin-value": func(string) error {
			return lang.Errorf("mã PIN không được ghi ở đây; hãy ghi vào một tệp và nêu tệp đó ở pin-source", "a PIN must not stand here; write it into a file and name that as pin-source")
		},
		"module-name": func(string) error {
			return lang.Errorf("hãy nêu đường dẫn của thư viện ở module-path", "name the library's path as module-path")
		},
	}
}

// read reads attributes that stand apart by sep; more are the characters that a value
// may have beside those of both parts (RFC 7512 section 2.3).
func (u *URI) read(part, sep, more string, fields map[string]field) error {
	seen := map[string]bool{}
	if part == "" {
		return nil
	}
	for attribute := range strings.SplitSeq(part, sep) {
		name, raw, ok := strings.Cut(attribute, "=")
		set, known := fields[name]
		switch {
		case !ok || !known:
			return lang.Errorf("không có mục nào tên %q trong địa chỉ khóa", "there is no attribute %q in a key's address", name)
		case seen[name]:
			return lang.Errorf("%s bị ghi hai lần trong địa chỉ khóa", "%s is named twice in the key's address", name)
		}
		seen[name] = true
		value, err := decode(raw, more)
		if err == nil && value == "" {
			err = lang.Errorf("giá trị trống", "it is empty")
		}
		if err == nil {
			err = set(value)
		}
		if err != nil {
			return lang.Errorf("%s trong địa chỉ khóa: %v", "%s in the key's address: %v", name, err)
		}
	}
	return nil
}

// decode reads a value. Whatever is not allowed as it is must be %-encoded.
func decode(raw, more string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '%':
			if i+2 >= len(raw) {
				return "", lang.Errorf("sau %% phải có hai chữ số thập lục phân", "two hexadecimal digits follow a %%")
			}
			one, err := hex.DecodeString(raw[i+1 : i+3])
			if err != nil {
				return "", lang.Errorf("sau %% phải có hai chữ số thập lục phân", "two hexadecimal digits follow a %%")
			}
			b.Write(one)
			i += 2
		case isPlain(c) || strings.IndexByte(more, c) >= 0:
			b.WriteByte(c)
		default:
			return "", lang.Errorf("ký tự %q phải viết là %%%02X", "%q must be written %%%02X", string(rune(c)), c)
		}
	}
	return b.String(), nil
}

// isPlain: unreserved of RFC 3986, and pk11-res-avail.
func isPlain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~:[]@!$'()*+,=", c) >= 0
}

func (u URI) check() error {
	switch {
	case u.Token == "" && u.Serial == "":
		return lang.Errorf("địa chỉ khóa phải nêu thiết bị: token hoặc serial", "the key's address must name the token: token or serial")
	case u.Object == "" && len(u.ID) == 0:
		return lang.Errorf("địa chỉ khóa phải nêu khóa: object hoặc id", "the key's address must name the key: object or id")
	case u.Module == "":
		return lang.Errorf("địa chỉ khóa phải nêu thư viện của thiết bị: ?module-path=…", "the key's address must name the token's library: ?module-path=…")
	}
	return nil
}

// String writes the address so that ParseURI reads it.
func (u URI) String() string {
	var path, query []string
	put := func(to *[]string, name, value, more string) {
		if value != "" {
			*to = append(*to, name+"="+encode(value, more))
		}
	}
	put(&path, "token", u.Token, "")
	put(&path, "serial", u.Serial, "")
	put(&path, "manufacturer", u.Manufacturer, "")
	put(&path, "model", u.Model, "")
	put(&path, "object", u.Object, "")
	if len(u.ID) > 0 {
		var id strings.Builder
		for _, b := range u.ID {
			fmt.Fprintf(&id, "%%%02X", b)
		}
		path = append(path, "id="+id.String())
	}
	put(&query, "module-path", u.Module, "/")
	put(&query, "pin-source", u.PinFile, "/")
	text := Scheme + strings.Join(path, ";")
	if len(query) > 0 {
		text += "?" + strings.Join(query, "&")
	}
	return text
}

func encode(value, more string) string {
	var b strings.Builder
	for i := range len(value) {
		if c := value[i]; isPlain(c) || strings.IndexByte(more, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// args are the arguments of a signer that is to hold this key. There is no PIN among
// them: everybody on the machine can read a command line.
func (u URI) args(memory string) []string {
	all := []string{"serve"}
	put := func(name, value string) {
		if value != "" {
			all = append(all, "--"+name+"="+value)
		}
	}
	put("module", u.Module)
	put("token", u.Token)
	put("serial", u.Serial)
	put("manufacturer", u.Manufacturer)
	put("model", u.Model)
	put("key", u.Object)
	put("id", hex.EncodeToString(u.ID))
	put("pin-file", u.PinFile)
	put("memory", memory)
	return all
}

// within makes a relative path of the PIN's file begin in a folder.
func (u URI) within(folder string) URI {
	if u.PinFile != "" && !filepath.IsAbs(u.PinFile) {
		u.PinFile = filepath.Join(folder, u.PinFile)
	}
	return u
}

// Key says in a few words which key is meant.
func (u URI) Key() string {
	if u.Object != "" {
		return u.Object
	}
	return "id " + hex.EncodeToString(u.ID)
}

// Where says in a few words which token is meant.
func (u URI) Where() string {
	if u.Token != "" {
		return u.Token
	}
	return u.Serial
}
