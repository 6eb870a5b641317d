package envelope

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"fmt"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/chunk"
	"docaxis/proto/axispb"
	"docaxis/signing"
	"docaxis/signing/asic"
)

const documentType = "application/json"

// File is a file as it is sealed: its true name, its MIME type (may be empty)
// and what chunk.Read found of its content.
type File struct {
	Title, Type string
	Content     chunk.File
}

// Key is the seal of the sending agency: its key, and its certificates, its own
// first (signing.LoadKey).
type Key struct {
	Signer crypto.Signer
	Chain  []*x509.Certificate
}

// Seal makes an envelope: it names the files, writes document.json and the
// manifest, and signs. The document's own Files are not looked at. What Parse
// would refuse is refused, before the key is used, with the same *reason.Error;
// other errors are about the key.
func Seal(doc *Document, files []File, key Key) ([]byte, error) {
	pb, err := prepare(doc, files)
	if err != nil {
		return nil, err
	}
	if pb.Signature, err = signing.Sign(pb.Manifest, key.Signer, key.Chain); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(pb)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if len(raw) > MaxSize {
		return nil, tooLarge(len(raw))
	}
	return raw, nil
}

// prepare makes an envelope that lacks the signature alone.
func prepare(doc *Document, files []File) (*axispb.Envelope, error) {
	d := *doc
	d.Files = nil
	for i, f := range files {
		d.Files = append(d.Files, FileInfo{asic.FileName(i+1, f.Title), f.Title, f.Type, f.Content.Size})
	}
	document, err := Marshal(&d)
	if err != nil {
		return nil, err
	}
	manifest, err := asic.Compose(manifestOf(document, &d, files))
	if err != nil {
		return nil, badManifest("%v", err)
	}
	pb := &axispb.Envelope{Version: version, Manifest: manifest, Document: document}
	for i, f := range files {
		pb.Contents = append(pb.Contents, contentOf(d.Files[i].Name, f.Content))
	}
	raw, err := proto.Marshal(pb)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	_, err = Parse(raw)
	return pb, err
}

func manifestOf(document []byte, d *Document, files []File) asic.Manifest {
	m := asic.Manifest{References: []asic.Reference{{
		URI: asic.DocumentName, MimeType: documentType, Digest: sha256.Sum256(document),
	}}}
	for i, f := range d.Files {
		m.References = append(m.References, asic.Reference{
			URI: f.Name, MimeType: f.Type, Digest: files[i].Content.Digest,
		})
	}
	return m
}

func contentOf(name string, f chunk.File) *axispb.FileContent {
	c := &axispb.FileContent{Name: name, Size: f.Size}
	for _, id := range f.Chunks {
		c.Chunks = append(c.Chunks, id[:])
	}
	return c
}
