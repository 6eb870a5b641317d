package pades

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// maxText is how many characters of a text are kept.
const maxText = 256

// text is a text string (ISO 32000-1 clause 7.9.2.2) as people read it: control
// characters taken out, and not longer than maxText. What is no string is empty.
func (v value) text() string {
	b := v.bytes(8 * maxText)
	switch {
	case len(b) >= 2 && b[0] == 0xfe && b[1] == 0xff:
		units := make([]uint16, len(b)/2-1)
		for i := range units {
			units[i] = uint16(b[2*i+2])<<8 | uint16(b[2*i+3])
		}
		return cut(string(utf16.Decode(units)))
	case len(b) >= 3 && string(b[:3]) == "\xef\xbb\xbf" && utf8.Valid(b[3:]): // ISO 32000-2
		return cut(string(b[3:]))
	}
	// PDFDocEncoding is that of Windows in what texts are made of.
	s, _ := charmap.Windows1252.NewDecoder().Bytes(b)
	return cut(string(s))
}

func cut(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
	for i, n := 0, 0; i < len(s); n++ {
		if n == maxText {
			return s[:i] + "…"
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
	}
	return s
}

// bytes is what a string says, at most so many bytes of it.
func (v value) bytes(most int) []byte {
	switch v.kind {
	case hex:
		return hexBytes(v.raw[1:len(v.raw)-1], most)
	case text:
		return literalBytes(v.raw[1:len(v.raw)-1], most)
	}
	return nil
}

func hexBytes(raw []byte, most int) []byte {
	b := make([]byte, 0, min(most, len(raw)/2+1))
	high := -1
	for _, c := range raw {
		d := hexDigit(c)
		switch {
		case len(b) == most:
			return b
		case d < 0:
		case high < 0:
			high = d
		default:
			b, high = append(b, byte(high<<4|d)), -1
		}
	}
	if high >= 0 {
		b = append(b, byte(high<<4))
	}
	return b
}

// literalBytes undoes the escapes of clause 7.3.4.2.
func literalBytes(raw []byte, most int) (b []byte) {
	for i := 0; i < len(raw) && len(b) < most; i++ {
		c := raw[i]
		if c != '\\' || i+1 == len(raw) {
			b = append(b, c)
			continue
		}
		i++
		switch c = raw[i]; {
		case c >= '0' && c <= '7':
			n := int(c - '0')
			for k := 0; k < 2 && i+1 < len(raw) && raw[i+1] >= '0' && raw[i+1] <= '7'; k++ {
				i++
				n = n*8 + int(raw[i]-'0')
			}
			b = append(b, byte(n))
		case c == '\r' && i+1 < len(raw) && raw[i+1] == '\n':
			i++
		case c == '\r', c == '\n':
		default:
			if k := strings.IndexByte("nrtbf", c); k >= 0 {
				c = "\n\r\t\b\f"[k]
			}
			b = append(b, c)
		}
	}
	return b
}

// date reads "D:20261121090000+07'00'" (clause 7.9.4); zero where it is none.
func date(s string) time.Time {
	s = strings.ReplaceAll(strings.TrimPrefix(s, "D:"), "'", "")
	for _, layout := range []string{"20060102150405-0700", "20060102150405Z0700", "20060102150405", "200601021504", "20060102"} {
		s := s
		if strings.HasSuffix(layout, "Z0700") {
			s = strings.TrimSuffix(s, "0000")
		}
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
