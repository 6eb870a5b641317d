package envelope_test

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/internal/sealtest"
	"docaxis/proto/axispb"
	"docaxis/signing"
	"docaxis/signing/asic"
)

func TestSealAndParse(t *testing.T) {
	seal := sealtest.New(t, sealtest.Root(t, "Root"), "Văn phòng Chính phủ")
	given, files := sampleDocument(), sampleFiles(t)
	raw, err := envelope.Seal(given, files, key(seal))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sampleDocument(), given); diff != "" {
		t.Errorf("Seal changed the document it was given: %s", diff)
	}
	e, err := envelope.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	want := sampleDocument()
	want.Files = []envelope.FileInfo{
		{Name: "files/001.pdf", Title: "Công văn 7816.pdf", Type: "application/pdf", Size: 4},
		{Name: "files/002.bin", Title: "../Phụ lục", Type: "application/pdf", Size: 1<<20 + 1},
		{Name: "files/003.docx", Title: "trống.docx", Type: "application/pdf", Size: 0},
	}
	if diff := cmp.Diff(want, e.Document); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(files, e.Files()); diff != "" {
		t.Error(diff)
	}
	if !bytes.Equal(e.Raw, raw) || e.ManifestDigest != sha256.Sum256(e.Pb.Manifest) {
		t.Error("not the bytes that came")
	}
	if v := e.CheckSeal(pinned(seal)); !v.Passed() || !v.Signer.Equal(seal.Certificate()) {
		t.Errorf("%s/%s: %s", v.Indication, v.SubIndication, v.Detail)
	}
}

// TestSameDocumentSameManifest: a repeated submission must be recognised, even
// where it is sealed anew.
func TestSameDocumentSameManifest(t *testing.T) {
	root := sealtest.Root(t, "Root")
	a, err := envelope.Parse(sealed(t, sealtest.New(t, root, "A")))
	if err != nil {
		t.Fatal(err)
	}
	b, err := envelope.Parse(sealed(t, sealtest.New(t, root, "B")))
	if err != nil {
		t.Fatal(err)
	}
	if a.ManifestDigest != b.ManifestDigest {
		t.Error("another manifest")
	}
}

func TestSealRefuses(t *testing.T) {
	root := sealtest.Root(t, "Root")
	seal, other := sealtest.New(t, root, "Seal"), sealtest.New(t, root, "Other")
	d := sampleDocument()
	d.Priority = 7
	_, err := envelope.Seal(d, nil, key(seal))
	wantReason(t, err, axispb.ReasonCode_REASON_BAD_DOCUMENT, "priority")
	_, err = envelope.Seal(sampleDocument(), make([]envelope.File, 1000), key(seal))
	wantReason(t, err, axispb.ReasonCode_REASON_BAD_DOCUMENT, "files")
	f := file(t, "a.pdf", "content")
	f.Content.Chunks = nil
	_, err = envelope.Seal(sampleDocument(), []envelope.File{f}, key(seal))
	wantReason(t, err, axispb.ReasonCode_REASON_MALFORMED, "0 chunks, not 1")
	var large []envelope.File
	for range 900 {
		large = append(large, file(t, strings.Repeat("x", 400)+".pdf", "content"))
	}
	_, err = envelope.Seal(sampleDocument(), large, key(seal))
	wantReason(t, err, axispb.ReasonCode_REASON_ENVELOPE_TOO_LARGE, " 393216")
	if _, err := envelope.Seal(sampleDocument(), nil, envelope.Key{Signer: seal.Key, Chain: other.Chain}); err == nil {
		t.Error("sealed with a certificate of another key")
	}
}

// TestSealCountsTheSignature: the largest envelope that Seal makes is one that
// Parse reads.
func TestSealCountsTheSignature(t *testing.T) {
	root := sealtest.Root(t, "Root")
	seal := sealtest.New(t, root, "Seal")
	for range 4 {
		seal.Chain = append(seal.Chain, sealtest.New(t, root, "More").Certificate())
	}
	f := file(t, strings.Repeat("x", 400)+".pdf", "content")
	var largest []byte
	sort.Search(envelope.MaxFiles, func(n int) bool {
		raw, err := envelope.Seal(sampleDocument(), slices.Repeat([]envelope.File{f}, n), key(seal))
		if err != nil {
			wantReason(t, err, axispb.ReasonCode_REASON_ENVELOPE_TOO_LARGE, "")
			return true
		}
		if len(raw) > len(largest) {
			largest = raw
		}
		return false
	})
	if n := len(largest); n > envelope.MaxSize || n < envelope.MaxSize*9/10 {
		t.Errorf("the largest has %d bytes", n)
	}
	if _, err := envelope.Parse(largest); err != nil {
		t.Error(err)
	}
}

// TestParseRefuses changes one thing in a good envelope.
func TestParseRefuses(t *testing.T) {
	raw := sealed(t, sealtest.New(t, sealtest.Root(t, "Root"), "Seal"))
	const (
		malformed = axispb.ReasonCode_REASON_MALFORMED
		manifest  = axispb.ReasonCode_REASON_BAD_MANIFEST
		mismatch  = axispb.ReasonCode_REASON_DIGEST_MISMATCH
		document  = axispb.ReasonCode_REASON_BAD_DOCUMENT
	)
	relist := func(change func(*asic.Manifest)) func(*axispb.Envelope) {
		return func(pb *axispb.Envelope) { listing(t, pb, change) }
	}
	tests := []struct {
		name   string
		change func(*axispb.Envelope)
		code   axispb.ReasonCode
		want   string
	}{
		{"version", func(pb *axispb.Envelope) { pb.Version = 2 }, malformed, "version 2"},
		{"no manifest", func(pb *axispb.Envelope) { pb.Manifest = nil }, manifest, "well-formed"},
		{"manifest", func(pb *axispb.Envelope) { pb.Manifest[0] = 'x' }, manifest, "manifest"},
		{"no document", func(pb *axispb.Envelope) { pb.Document = nil }, mismatch, "document.json"},
		{"document changed", func(pb *axispb.Envelope) { pb.Document[len(pb.Document)-3] ^= 1 }, mismatch, "document.json"},
		{"signed document that is none", func(pb *axispb.Envelope) {
			pb.Document = []byte("{}")
			listing(t, pb, nil)
		}, document, "version"},
		{"document listed second", relist(func(m *asic.Manifest) {
			m.References[0], m.References[1] = m.References[1], m.References[0]
		}), manifest, "not listed first"},
		{"document of another type", relist(func(m *asic.Manifest) { m.References[0].MimeType = "text/html" }), manifest, "type text/html"},
		{"file not listed", relist(func(m *asic.Manifest) { m.References = m.References[:3] }), manifest, "2 files are listed"},
		{"file too many", relist(func(m *asic.Manifest) {
			m.References = append(m.References, asic.Reference{URI: "files/004.pdf"})
		}), manifest, "4 files are listed"},
		{"files in another order", relist(func(m *asic.Manifest) {
			m.References[1], m.References[2] = m.References[2], m.References[1]
		}), manifest, "files/002.bin is listed where"},
		{"file of another name", relist(func(m *asic.Manifest) { m.References[1].URI = "files/001.exe" }), manifest, "files/001.exe is listed where"},
		{"file of another type", relist(func(m *asic.Manifest) { m.References[1].MimeType = "text/html" }), manifest, "another type"},
		{"contents missing", func(pb *axispb.Envelope) { pb.Contents = pb.Contents[:2] }, malformed, "contents of 2 files, not 3"},
		{"contents too many", func(pb *axispb.Envelope) { pb.Contents = append(pb.Contents, pb.Contents[0]) }, malformed, "contents of 4 files, not 3"},
		{"contents in another order", func(pb *axispb.Envelope) { slices.Reverse(pb.Contents) }, malformed, "contents[0] is not of files/001.pdf"},
		{"another size", func(pb *axispb.Envelope) { pb.Contents[0].Size++ }, malformed, "size 5, not 4"},
		{"chunk missing", func(pb *axispb.Envelope) { pb.Contents[1].Chunks = pb.Contents[1].Chunks[:1] }, malformed, "1 chunks, not 2"},
		{"chunk of an empty file", func(pb *axispb.Envelope) { pb.Contents[2].Chunks = pb.Contents[0].Chunks }, malformed, "1 chunks, not 0"},
		{"short chunk id", func(pb *axispb.Envelope) { pb.Contents[0].Chunks[0] = []byte("x") }, malformed, "32"},
		{"unknown member of contents", func(pb *axispb.Envelope) {
			pb.Contents[0].ProtoReflect().SetUnknown([]byte{0x78, 1})
		}, malformed, "contents[0] has unknown"},
		{"unknown member", func(pb *axispb.Envelope) { pb.ProtoReflect().SetUnknown([]byte{0x78, 1}) }, malformed, "unknown member 15"},
		{"member of another kind", func(pb *axispb.Envelope) {
			pb.Signature = nil
			pb.ProtoReflect().SetUnknown([]byte{4 << 3, 1})
		}, malformed, "unknown members"},
		{"member twice", func(pb *axispb.Envelope) { pb.ProtoReflect().SetUnknown([]byte{4<<3 | 2, 0}) }, malformed, "member 4 2 times"},
		{"no protobuf", func(pb *axispb.Envelope) { pb.ProtoReflect().SetUnknown([]byte{4<<3 | 2}) }, malformed, "no protobuf"},
		{"flood of contents", func(pb *axispb.Envelope) { pb.Contents = make([]*axispb.FileContent, 1000) }, malformed, "1000 times"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pb := parts(t, raw)
			tt.change(pb)
			e, err := envelope.Parse(marshal(t, pb))
			if e != nil {
				t.Error("gave an envelope")
			}
			wantReason(t, err, tt.code, tt.want)
		})
	}
	_, err := envelope.Parse(make([]byte, envelope.MaxSize+1))
	wantReason(t, err, axispb.ReasonCode_REASON_ENVELOPE_TOO_LARGE, "393217 393216")
}

// TestManifestWithoutTypes: a manifest need not repeat the types.
func TestManifestWithoutTypes(t *testing.T) {
	pb := parts(t, sealed(t, sealtest.New(t, sealtest.Root(t, "Root"), "Seal")))
	listing(t, pb, func(m *asic.Manifest) {
		for i := range m.References {
			m.References[i].MimeType = ""
		}
	})
	if _, err := envelope.Parse(marshal(t, pb)); err != nil {
		t.Error(err)
	}
}

// TestOneByteChanged changes every byte of manifest, document.json and signature
// in turn. Nothing may get through both Parse and CheckSeal, but for changes of
// what the signature does not state (see signing), and those name the same
// signer.
func TestOneByteChanged(t *testing.T) {
	seal := sealtest.New(t, sealtest.Root(t, "Root"), "Seal")
	pb := parts(t, sealed(t, seal))
	for name, tt := range map[string]struct {
		bytes   []byte
		through int
	}{
		"manifest":  {pb.Manifest, 0},
		"document":  {pb.Document, 0},
		"signature": {pb.Signature, 20 + len(seal.Certificate().Raw)},
	} {
		t.Run(name, func(t *testing.T) {
			through := 0
			for i := range tt.bytes {
				tt.bytes[i] ^= 1
				raw := marshal(t, pb)
				tt.bytes[i] ^= 1
				e, err := envelope.Parse(raw)
				if err != nil {
					if reason.Of(err) == nil {
						t.Fatalf("byte %d: %v has no reason", i, err)
					}
					continue
				}
				v := e.CheckSeal(pinned(seal))
				if !v.Passed() {
					wantRefusal(t, v)
					continue
				}
				through++
				if !v.Signer.Equal(seal.Certificate()) {
					t.Fatalf("byte %d: another signer", i)
				}
			}
			if through > tt.through {
				t.Errorf("%d changes got through", through)
			}
		})
	}
}

func wantRefusal(t *testing.T, v signing.Verdict) {
	t.Helper()
	r := envelope.SealRefusal(v)
	if r == nil {
		t.Fatal("no refusal")
	}
	wantReason(t, r, axispb.ReasonCode_REASON_SEAL_FAILED, string(v.Indication)+" "+string(v.SubIndication)+" "+v.Sentence("en"))
}

func TestCheckSeal(t *testing.T) {
	root := sealtest.Root(t, "Root")
	seal, other := sealtest.New(t, root, "Seal"), sealtest.New(t, root, "Other")
	e, err := envelope.Parse(sealed(t, seal))
	if err != nil {
		t.Fatal(err)
	}
	stranger := e.CheckSeal(pinned(other))
	if stranger.SubIndication != signing.NoCertificateChainFound || stranger.SignerDigest() != sha256.Sum256(seal.Certificate().Raw) {
		t.Errorf("by another seal: %s", stranger.SubIndication)
	}
	wantRefusal(t, stranger)
	if v := e.CheckSeal(signing.Options{}); v.SubIndication != signing.NoPOE {
		t.Errorf("without a time: %s", v.SubIndication)
	}
	if r := envelope.SealRefusal(e.CheckSeal(pinned(seal))); r != nil {
		t.Errorf("refused: %v", r)
	}
	e.Pb.Signature = twoSigners(t, e.Pb.Signature)
	if v := e.CheckSeal(pinned(seal)); v.Passed() || v.SubIndication != signing.FormatFailure {
		t.Errorf("two signatures: %s/%s", v.Indication, v.SubIndication)
	}
}

// FuzzParse: hostile envelopes are refused with a reason; accepted ones are
// consistent.
func FuzzParse(f *testing.F) {
	raw := sealed(f, sealtest.New(f, sealtest.Root(f, "Root"), "Seal"))
	f.Add(raw)
	f.Add(raw[:len(raw)/2])
	f.Add(bytes.Repeat([]byte{0x2a, 0}, 2000))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := envelope.Parse(raw)
		if err != nil {
			if reason.Of(err) == nil {
				t.Fatalf("%v has no reason", err)
			}
			return
		}
		if len(e.Files()) != len(e.Document.Files) || e.Manifest.References[0].Digest != sha256.Sum256(e.Pb.Document) {
			t.Fatal("not consistent")
		}
		e.CheckSeal(signing.Options{At: sealtest.At})
	})
}
