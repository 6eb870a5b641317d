package envelope_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/chunk"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/internal/sealtest"
	"docaxis/proto/axispb"
	"docaxis/signing"
	"docaxis/signing/asic"
)

const (
	id1 = "01932f2e-7c00-7abc-8def-0123456789ab"
	id2 = "01932f2e-7c00-7abc-8def-0123456789ac"
)

func sampleDocument() *envelope.Document {
	return &envelope.Document{
		Version: 1, ID: id1, Sender: "G22", To: []string{"H41", "000.00.01.H27"},
		Groups: []envelope.Group{{Under: "H41", Level: "commune"}, {}},
		Kind:   envelope.KindDocument, Priority: 2, Security: "ordinary",
		Subject: "V/v kết nối <liên thông> \"trục\"", Number: "7816", Notation: "VPCP-TTĐT", Issued: "2026-11-20",
		Created:    time.Date(2026, 11, 21, 1, 2, 3, 400, time.UTC),
		Deadline:   time.Date(2026, 12, 21, 0, 0, 0, 0, time.UTC),
		References: []envelope.Reference{{Sender: "H41", ID: "000.00.00.G22,2015/09/30,7816/VPCP-TTĐT", Relation: envelope.RelationRelated}},
		Comment:    "dòng 1\ndòng 2",
	}
}

func file(t testing.TB, title, content string) envelope.File {
	t.Helper()
	f, err := chunk.Read(strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return envelope.File{Title: title, Type: "application/pdf", Content: f}
}

func sampleFiles(t testing.TB) []envelope.File {
	return []envelope.File{
		file(t, "Công văn 7816.pdf", "%PDF"),
		file(t, "../Phụ lục", strings.Repeat("x", chunk.Size+1)),
		file(t, "trống.docx", ""),
	}
}

func key(s sealtest.Seal) envelope.Key { return envelope.Key{Signer: s.Key, Chain: s.Chain} }

func sealed(t testing.TB, s sealtest.Seal) []byte {
	t.Helper()
	raw, err := envelope.Seal(sampleDocument(), sampleFiles(t), key(s))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func pinned(s sealtest.Seal) signing.Options {
	o := signing.Options{At: sealtest.At}
	o.Pinned = append(o.Pinned, s.Certificate())
	return o
}

// parts takes an envelope apart without any check.
func parts(t testing.TB, raw []byte) *axispb.Envelope {
	t.Helper()
	pb := &axispb.Envelope{}
	if err := proto.Unmarshal(raw, pb); err != nil {
		t.Fatal(err)
	}
	return pb
}

func marshal(t testing.TB, pb *axispb.Envelope) []byte {
	t.Helper()
	raw, err := proto.Marshal(pb)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// listing makes the manifest of an envelope list what a test wants.
func listing(t testing.TB, pb *axispb.Envelope, change func(*asic.Manifest)) {
	t.Helper()
	m, err := asic.Parse(pb.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&m)
	}
	if i := slices.IndexFunc(m.References, func(r asic.Reference) bool { return r.URI == "document.json" }); i >= 0 {
		m.References[i].Digest = sha256.Sum256(pb.Document)
	}
	if pb.Manifest, err = asic.Compose(m); err != nil {
		t.Fatal(err)
	}
}

// wantReason compares a refusal's code, and some words of its arguments.
func wantReason(t testing.TB, err error, code axispb.ReasonCode, words string) {
	t.Helper()
	if !reason.Is(err, code) {
		t.Errorf("got %v, want %v", err, code)
		return
	}
	if reason.IsTemporary(err) {
		t.Errorf("%v is temporary", err)
	}
	if args := strings.Join(reason.Of(err).GetArgs(), " "); !strings.Contains(args, words) {
		t.Errorf("says %q, want %q", args, words)
	}
}

func mustContain(t testing.TB, raw []byte, old string) {
	t.Helper()
	if !bytes.Contains(raw, []byte(old)) {
		t.Fatalf("%q is not in %s", old, raw)
	}
}

// twoSigners repeats the SignerInfo of a signature. It stands last, so that only
// the lengths around it change.
func twoSigners(t testing.TB, signature []byte) []byte {
	t.Helper()
	var outer, explicit, body, field asn1.RawValue
	unwrap(t, signature, &outer)
	rest := unwrap(t, outer.Bytes, &field) // contentType
	head := field.FullBytes
	unwrap(t, rest, &explicit)
	unwrap(t, explicit.Bytes, &body)
	var fields [][]byte
	for rest = body.Bytes; len(rest) > 0; {
		rest = unwrap(t, rest, &field)
		fields = append(fields, field.FullBytes)
	}
	fields[len(fields)-1] = wrap(t, asn1.ClassUniversal, asn1.TagSet, slices.Concat(field.Bytes, field.Bytes))
	inner := wrap(t, asn1.ClassUniversal, asn1.TagSequence, slices.Concat(fields...))
	return wrap(t, asn1.ClassUniversal, asn1.TagSequence, append(slices.Clone(head), wrap(t, asn1.ClassContextSpecific, 0, inner)...))
}

func unwrap(t testing.TB, der []byte, into *asn1.RawValue) []byte {
	t.Helper()
	rest, err := asn1.Unmarshal(der, into)
	if err != nil {
		t.Fatal(err)
	}
	return rest
}

func wrap(t testing.TB, class, tag int, body []byte) []byte {
	t.Helper()
	der, err := asn1.Marshal(asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: body})
	if err != nil {
		t.Fatal(err)
	}
	return der
}
