package edxml

import (
	"archive/zip"
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strings"
)

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
