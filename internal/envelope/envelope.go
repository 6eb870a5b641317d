// Package envelope owns what a sender seals and the axis accepts: document.json,
// the manifest over it and the files, and the seal; it makes envelopes and takes
// them apart strictly.
package envelope

import (
	"crypto/sha256"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"docaxis/internal/chunk"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
	"docaxis/signing"
	"docaxis/signing/asic"
)

// MaxSize is the largest envelope, in bytes as marshalled.
const MaxSize = 384 << 10

const version = 1

// Envelope is an envelope that has been taken apart. Everything in it was found
// consistent, but for the seal (CheckSeal) and the content of the files, which
// is elsewhere.
type Envelope struct {
	// Raw are the exact bytes that came. Keep and pass on these.
	Raw []byte
	Pb  *axispb.Envelope
	// ManifestDigest is the SHA-256 of the manifest: two submissions of one id
	// are equal where it is.
	ManifestDigest [sha256.Size]byte
	Document       *Document
	Manifest       asic.Manifest
}

// Parse takes an envelope apart. It makes sure that the manifest lists
// document.json and then exactly the files that document.json names, in that
// order, that document.json has the digest that the manifest gives, and that the
// contents are of these files, of their sizes, with the number of chunks that
// follows. Every error is a permanent *reason.Error.
func Parse(raw []byte) (*Envelope, error) {
	if len(raw) > MaxSize {
		return nil, tooLarge(len(raw))
	}
	pb, err := unmarshal(raw)
	if err != nil {
		return nil, err
	}
	e := &Envelope{Raw: raw, Pb: pb, ManifestDigest: sha256.Sum256(pb.Manifest)}
	if e.Manifest, err = asic.Parse(pb.Manifest); err != nil {
		return nil, badManifest("%v", err)
	}
	if err := e.checkDigest(); err != nil {
		return nil, err
	}
	if e.Document, err = ParseDocument(pb.Document); err != nil {
		return nil, err
	}
	if err := e.checkManifest(); err != nil {
		return nil, err
	}
	if err := e.checkContents(); err != nil {
		return nil, err
	}
	return e, nil
}

// unmarshal reads the outer message. Members that are unknown or repeated are
// refused: nothing signs the outer message, so it must not carry more than is
// looked at.
func unmarshal(raw []byte) (*axispb.Envelope, error) {
	if err := prescan(raw); err != nil {
		return nil, err
	}
	pb := &axispb.Envelope{}
	if err := proto.Unmarshal(raw, pb); err != nil {
		return nil, malformed("envelope is no protobuf message").Because(err)
	}
	if len(pb.ProtoReflect().GetUnknown()) > 0 {
		return nil, malformed("envelope has unknown members")
	}
	if pb.Version != version {
		return nil, malformed("envelope of version %d", pb.Version)
	}
	for i, c := range pb.Contents {
		if len(c.ProtoReflect().GetUnknown()) > 0 {
			return nil, malformed("contents[%d] has unknown members", i)
		}
	}
	return pb, nil
}

// prescan counts members before they cost memory.
func prescan(raw []byte) error {
	const contents = 5
	var count [contents + 1]int
	for len(raw) > 0 {
		number, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return malformed("envelope is no protobuf message")
		}
		m := protowire.ConsumeFieldValue(number, kind, raw[n:])
		if m < 0 {
			return malformed("envelope is no protobuf message")
		}
		if number > contents {
			return malformed("envelope has unknown member %d", number)
		}
		count[number]++
		if count[number] > 1 && number != contents || count[number] > MaxFiles {
			return malformed("envelope has member %d %d times", number, count[number])
		}
		raw = raw[n+m:]
	}
	return nil
}

// checkDigest comes before document.json is read, so that what was not signed is
// never interpreted.
func (e *Envelope) checkDigest() error {
	first := e.Manifest.References[0]
	if first.URI != asic.DocumentName {
		return badManifest("%s is not listed first", asic.DocumentName)
	}
	if first.Digest != sha256.Sum256(e.Pb.Document) {
		return reason.Permanent(axispb.ReasonCode_REASON_DIGEST_MISMATCH, asic.DocumentName)
	}
	return nil
}

func (e *Envelope) checkManifest() error {
	refs, files := e.Manifest.References, e.Document.Files
	if t := refs[0].MimeType; t != "" && t != documentType {
		return badManifest("%s has type %s", asic.DocumentName, t)
	}
	if len(refs)-1 != len(files) {
		return badManifest("%d files are listed, %s has %d", len(refs)-1, asic.DocumentName, len(files))
	}
	for i, f := range files {
		ref := refs[i+1]
		if ref.URI != f.Name {
			return badManifest("%s is listed where %s has %s", ref.URI, asic.DocumentName, f.Name)
		}
		if ref.MimeType != "" && ref.MimeType != f.Type {
			return badManifest("%s has another type than in %s", f.Name, asic.DocumentName)
		}
	}
	return nil
}

func (e *Envelope) checkContents() error {
	files, contents := e.Document.Files, e.Pb.Contents
	if len(contents) != len(files) {
		return malformed("contents of %d files, not %d", len(contents), len(files))
	}
	for i, f := range files {
		c := contents[i]
		switch {
		case c.Name != f.Name:
			return malformed("contents[%d] is not of %s", i, f.Name)
		case c.Size != f.Size:
			return malformed("contents of %s have size %d, not %d", f.Name, c.Size, f.Size)
		case uint64(len(c.Chunks)) != chunk.Count(f.Size):
			return malformed("contents of %s have %d chunks, not %d", f.Name, len(c.Chunks), chunk.Count(f.Size))
		}
		for _, id := range c.Chunks {
			if _, err := chunk.ParseID(id); err != nil {
				return malformed("contents of %s: %v", f.Name, err)
			}
		}
	}
	return nil
}

// CheckSeal judges the seal over the manifest. A seal is one signature: an
// envelope with several is refused, since nothing says which of them counts.
func (e *Envelope) CheckSeal(o signing.Options) signing.Verdict {
	o.DER = true // docs/protocol.md, The seal
	verdicts, err := signing.Verify(e.Pb.Signature, e.Pb.Manifest, o)
	if err != nil {
		return signing.Verdict{
			Indication: signing.Indeterminate, SubIndication: signing.NoPOE, Detail: err.Error(),
		}
	}
	v := verdicts[0]
	if n := len(verdicts); n > 1 {
		v.Indication, v.SubIndication = signing.TotalFailed, signing.FormatFailure
		v.Detail, v.Chain, v.Pinned = fmt.Sprintf("%d signatures; a seal is one", n), nil, false
	}
	return v
}

// SealRefusal is the refusal that a verdict asks for, nil where the seal passed.
// Its sentence travels in English, as every phrase does; reason.Sentence says it in
// the reader's language.
func SealRefusal(v signing.Verdict) *reason.Error {
	if v.Passed() {
		return nil
	}
	return reason.Permanent(axispb.ReasonCode_REASON_SEAL_FAILED,
		string(v.Indication), string(v.SubIndication), v.Sentence("en"))
}

// Files are the files with their content, as they went into Seal.
func (e *Envelope) Files() []File {
	files := make([]File, len(e.Document.Files))
	for i, f := range e.Document.Files {
		content := chunk.File{Digest: e.Manifest.References[i+1].Digest, Size: f.Size}
		for _, id := range e.Pb.Contents[i].Chunks {
			content.Chunks = append(content.Chunks, chunk.ID(id))
		}
		files[i] = File{Title: f.Title, Type: f.Type, Content: content}
	}
	return files
}

func tooLarge(size int) *reason.Error {
	return reason.Permanent(axispb.ReasonCode_REASON_ENVELOPE_TOO_LARGE, strconv.Itoa(size), strconv.Itoa(MaxSize))
}

func malformed(format string, args ...any) *reason.Error {
	return reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, fmt.Sprintf(format, args...))
}

func badManifest(format string, args ...any) *reason.Error {
	return reason.Permanent(axispb.ReasonCode_REASON_BAD_MANIFEST, fmt.Sprintf(format, args...))
}

func badDocument(path, what string) *reason.Error {
	return reason.Permanent(axispb.ReasonCode_REASON_BAD_DOCUMENT, path, what)
}
