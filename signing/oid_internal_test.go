package signing

import (
	"bytes"
	"encoding/asn1"
	"testing"
)

// TestDecodeOID: as the standard library reads them, but for those that are too
// long.
func TestDecodeOID(t *testing.T) {
	for _, body := range [][]byte{
		{},
		{0},
		{0x2a},
		{0x28},
		{0x50},
		{0x7f},
		{0x80},
		{0x80, 1},
		{0x81},
		{0x88, 0x37},
		{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2},
		{0x2a, 0x80, 1},
		{0x2a, 0x86},
		{0x2a, 0x87, 0xff, 0xff, 0xff, 0x7f},
		{0x2a, 0x88, 0x80, 0x80, 0x80, 0},
		{0x2a, 0xff, 0xff, 0xff, 0xff, 0x7f},
		bytes.Repeat([]byte{1}, 64),
	} {
		var want asn1.ObjectIdentifier
		_, err := asn1.Unmarshal(encode(tagOID, body), &want)
		got, ownErr := decodeOID(body)
		if (err == nil) != (ownErr == nil) || err == nil && !got.Equal(want) {
			t.Errorf("%x: %v (%v), want %v (%v)", body, got, ownErr, want, err)
		}
	}
	if _, err := decodeOID(bytes.Repeat([]byte{1}, 65)); err == nil {
		t.Error("read an object identifier of 65 bytes")
	}
}
