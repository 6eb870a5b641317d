package vxp

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// ascii writes JSON so that every character above U+007E is an escape. Outside of its
// texts, JSON has none.
func ascii(raw []byte) []byte {
	if !bytes.ContainsFunc(raw, beyond) {
		return raw
	}
	out := make([]byte, 0, len(raw)+len(raw)/2)
	for len(raw) > 0 {
		r, size := utf8.DecodeRune(raw)
		if beyond(r) {
			out = escape(out, r)
		} else {
			out = append(out, raw[:size]...)
		}
		raw = raw[size:]
	}
	return out
}

func beyond(r rune) bool { return r > '~' }

func escape(out []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return unit(unit(out, high), low)
	}
	return unit(out, r)
}

func unit(out []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	return append(out, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}
