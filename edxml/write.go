package edxml

import (
	"archive/zip"
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

// File is an attachment to be written.
type File struct {
	// ContentID without cid:; where it is empty the files are A1, A2 and so on.
	ContentID         string
	Name, Description string
	// Open gives the file; it is read once, while the package is written, and closed.
	Open func() (io.ReadCloser, error)

	FieldName, MimeType   string
	Extra, ReferenceExtra []Element

	sent *Attachment // its content goes over as it is
}

// File makes an attachment of an opened package one of another: its content goes over
// packed as it is.
func (a *Attachment) File() File {
	return File{
		ContentID: a.ContentID, Name: a.Name, Description: a.Description,
		FieldName: a.FieldName, MimeType: a.MimeType, Extra: a.Extra, ReferenceExtra: a.listed, sent: a,
	}
}

// WriteDocument composes a package. It is written while the files are read, so that
// what was written before an error is to be thrown away. The error is Refusals where
// a reader would refuse the package; nothing was written then.
func WriteDocument(w io.Writer, d *Document, files ...File) error {
	files = numbered(files)
	c := &composer{document: d, files: files}
	root := c.head()
	if err := c.refused(root); err != nil {
		return err
	}
	e := newEmitter(w)
	e.w.WriteString(declaration + "\r\n")
	e.open("edXML" + ` xmlns="` + Namespace + `"`)
	e.all(root.kids)
	if err := c.attachments(e); err != nil {
		return err
	}
	e.all(strangers(d.Outside.Root, true))
	e.shut("edXML")
	return e.w.Flush()
}

// WriteStatus composes a status message; its errors are those of WriteDocument.
func WriteStatus(w io.Writer, s *Status) error {
	root := &node{name: "edXML"}
	header := root.add("edXMLEnvelope").add("edXMLHeader")
	s.message(&mapper{out: header.add("MessageHeader")})
	header.kids = append(header.kids, strangers(s.Outside.Header, false)...)
	root.kids[0].kids = append(root.kids[0].kids, strangers(s.Outside.Envelope, false)...)
	root.kids = append(root.kids, strangers(s.Outside.Root, true)...)
	if r := forbidden(root); r != nil {
		return Refusals{r}
	}
	e := newEmitter(w)
	e.w.WriteString(declaration + "\r\n")
	e.open("edXML" + ` xmlns="` + Namespace + `"`)
	e.all(root.kids)
	e.shut("edXML")
	return e.w.Flush()
}

func numbered(files []File) []File {
	out := make([]File, len(files))
	for i, f := range files {
		if f.ContentID == "" {
			f.ContentID = fmt.Sprintf("A%d", i+1)
		}
		out[i] = f
	}
	return out
}

func strangers(all []Element, plain bool) []*node {
	parent := &node{plain: plain}
	nodes := make([]*node, len(all))
	for i, e := range all {
		nodes[i] = e.node(parent)
	}
	return nodes
}

type composer struct {
	document *Document
	files    []File
}

// head is the whole package without its attachments.
func (c *composer) head() *node {
	d, root := c.document, &node{name: "edXML"}
	envelope := root.add("edXMLEnvelope")
	header := envelope.add("edXMLHeader")
	d.message(&mapper{out: header.add("MessageHeader")})
	(&mapper{out: header}).group("TraceHeaderList", d.trace)
	if d.Signature != nil {
		header.kids = append(header.kids, d.Signature.node(&node{plain: true, parent: header}))
	}
	header.kids = append(header.kids, strangers(d.Outside.Header, false)...)
	body := envelope.add("edXMLBody")
	manifest := body.add("edXMLManifest")
	manifest.attrs = []Attr{{Name: "version", Value: "1.0"}}
	for _, f := range c.files {
		r := Reference{ContentID: f.ContentID, ContentType: zipType, Description: f.Description, Name: f.Name, Extra: f.ReferenceExtra}
		r.fields(&mapper{out: manifest.add("Reference")})
	}
	manifest.kids = append(manifest.kids, strangers(d.Outside.Manifest, false)...)
	body.kids = append(body.kids, strangers(d.Outside.Body, false)...)
	envelope.kids = append(envelope.kids, strangers(d.Outside.Envelope, false)...)
	return root
}

// refused is what a reader would refuse.
func (c *composer) refused(root *node) error {
	var all Refusals
	if r := forbidden(root); r != nil {
		all = append(all, r)
	}
	if s := c.document.Steering; s != "" {
		if _, ok := s.Int(); !ok {
			all = append(all, refuse(SteeringNotANumber, "MessageHeader/SteeringType", string(s)))
		}
	}
	ids := make(map[string]bool)
	for i, f := range c.files {
		at := fmt.Sprintf("Attachment[%d]", i+1)
		switch {
		case f.Name == "":
			all = append(all, refuse(AttachmentNameAbsent, at+"/AttachmentName", ""))
		case leaves(f.Name):
			all = append(all, refuse(NameLeavesFolder, at+"/AttachmentName", f.Name))
		case ids[f.ContentID]:
			all = append(all, refuse(RepeatedContentID, at+"/ContentId", f.ContentID))
		}
		if r := forbidden(f.node("")); r != nil {
			all = append(all, r)
		}
		ids[f.ContentID] = true
	}
	if len(all) > 0 {
		return all
	}
	return nil
}

func (c *composer) attachments(e *emitter) error {
	rest := strangers(c.document.Outside.Attachments, true)
	if len(c.files)+len(rest) == 0 {
		e.line("<AttachmentEncoded />")
		return nil
	}
	e.open("AttachmentEncoded")
	for _, f := range c.files {
		if err := f.write(e); err != nil {
			return fmt.Errorf("write %s: %w", f.Name, err)
		}
	}
	e.all(rest)
	e.shut("AttachmentEncoded")
	return nil
}

// contentType says how the content is packed, and so how readers unpack it: a name in
// X.ZIP with application/zip would be unpacked by them though nothing packed it, and so
// would a PDF that is an archive in truth.
func (f File) contentType(magic bool) (typ string, packed bool) {
	ext := extension(f.Name)
	if f.sent != nil {
		return f.sentType(), false
	}
	if magic && neverZip[strings.ToLower(ext)] {
		return zipType, true
	}
	switch lower := strings.ToLower(ext); {
	case ext == "zip":
		return zipType, false
	case lower == "zip":
		return "application/octet-stream", false
	case lower == "pdf" || lower == "doc" || lower == "docx":
		return "application/" + ext, false
	default:
		return zipType, true
	}
}

func (f File) sentType() string {
	switch {
	case f.sent.Packed:
		return zipType
	case f.sent.ContentType == "" || strings.EqualFold(f.sent.ContentType, zipType) && extension(f.Name) != "zip":
		return "application/octet-stream"
	default:
		return f.sent.ContentType
	}
}

func (f File) node(contentType string) *node {
	a := Attachment{
		ContentID: f.ContentID, Name: f.Name, Description: f.Description,
		FieldName: f.FieldName, MimeType: f.MimeType, ContentType: contentType,
	}
	n := &node{name: "Attachment", plain: true}
	a.fields(&mapper{out: n})
	n.kids = append(n.kids, strangers(f.Extra, true)...)
	return n
}

func (f File) write(e *emitter) error {
	body, closer, err := f.body()
	if err != nil {
		return err
	}
	defer closer.Close()
	contentType, packed := f.contentType(isZip(body))
	n := f.node(contentType)
	extra := n.kids[len(n.kids)-len(f.Extra):]
	e.open("Attachment")
	e.all(n.kids[:len(n.kids)-len(f.Extra)])
	for range e.depth {
		e.w.WriteString("  ")
	}
	const tag = Prefix + ":ContentTransferEncoded"
	e.w.WriteString("<" + tag + " xmlns:" + Prefix + `="` + Namespace + `">`)
	if err := f.encode(e.w, body, packed); err != nil {
		return err
	}
	e.w.WriteString("</" + tag + ">\r\n")
	e.all(extra)
	e.shut("Attachment")
	return nil
}

// body is what is to be encoded.
func (f File) body() (*bufio.Reader, io.Closer, error) {
	if f.sent != nil {
		return bufio.NewReader(f.sent.packedContent()), io.NopCloser(nil), nil
	}
	body, err := f.Open()
	if err != nil {
		return nil, nil, err
	}
	return bufio.NewReader(body), body, nil
}

func isZip(r *bufio.Reader) bool {
	start, err := r.Peek(4)
	return err == nil && (string(start) == "PK\x03\x04" || string(start) == "PK\x05\x06")
}

// encode writes the content as one line of base64.
func (f File) encode(w io.Writer, body io.Reader, packed bool) error {
	text := base64.NewEncoder(base64.StdEncoding, w)
	var err error
	if packed {
		err = pack(text, f.entryName(), body)
	} else {
		_, err = io.Copy(text, body)
	}
	if err != nil {
		return err
	}
	return text.Close()
}

func pack(w io.Writer, name string, body io.Reader) error {
	z := zip.NewWriter(w)
	entry, err := z.Create(name)
	if err != nil {
		return err
	}
	if _, err := io.Copy(entry, body); err != nil {
		return err
	}
	return z.Close()
}

// entryName is a UUID with the file's extension, which is what the systems in the
// field write and ignore; here the same package gives the same bytes (RFC 9562
// version 8).
func (f File) entryName() string {
	sum := sha256.Sum256([]byte(f.ContentID + "\x00" + f.Name))
	sum[6], sum[8] = sum[6]&0x0F|0x80, sum[8]&0x3F|0x80
	id := hex.EncodeToString(sum[:16])
	name := strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
	if ext := extension(f.Name); isName(ext) {
		name += "." + ext
	}
	return name
}
