package edxml

import (
	"encoding/base64"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"
)

// Attachment is a file in a package. Its content stays where it is until Open.
type Attachment struct {
	// ContentID without cid:, which joins it to the manifest.
	ContentID string
	// Name as it was sent; FileName is the one to save under.
	Name, Description, FieldName, MimeType, ContentType string
	// Packed: the content is the one file in a ZIP archive, and Open gives that file.
	Packed bool
	Extra  []Element

	src    io.ReaderAt
	unit   unit
	span   span
	limits Limits
	at     string
	// listed is what the manifest says of it beyond the known.
	listed []Element
}

// Path of the element in the package.
func (a *Attachment) Path() string { return a.at }

// EncodedBytes is how much of the package its content takes.
func (a *Attachment) EncodedBytes() int64 { return a.span.to - a.span.from }

// FileName is the last part of Name, without characters that no file name has.
func (a *Attachment) FileName() string { return fileName(a.Name) }

func fileName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	}, name)
}

// leaves says whether a name would lead out of the folder it is saved in.
func leaves(name string) bool {
	for _, part := range strings.FieldsFunc(name, isSlash) {
		if strings.Trim(part, " .") == "" && strings.Contains(part, "..") {
			return true
		}
	}
	base := fileName(name)
	return base == "." || base == ".." || base == "/" || strings.ContainsRune(name, 0)
}

func isSlash(r rune) bool { return r == '/' || r == '\\' }

func (a *Attachment) fields(m *mapper) {
	id := ""
	if m.out != nil && a.ContentID != "" {
		id = cidPrefix + a.ContentID
	}
	field(m, "ContentId", &id)
	if m.in != nil {
		a.ContentID = stripCID(m, id)
	}
	field(m, "AttachmentName", &a.Name)
	field(m, "Description", &a.Description)
	field(m, "FieldName", &a.FieldName)
	field(m, "MimeType", &a.MimeType)
	field(m, "ContentType", &a.ContentType)
	if m.in != nil {
		a.takeContent(m)
	}
	m.extra(&a.Extra)
}

func (a *Attachment) takeContent(m *mapper) {
	for _, k := range m.take("ContentTransferEncoded", true) {
		if k.content == nil || a.span.to > 0 {
			continue
		}
		k.used = true
		a.span = *k.content
	}
}

func (p *Package) readAttachments(u unit) error {
	if p.layout.attachments == nil {
		return nil
	}
	ids := make(map[string]bool)
	m := p.mapper(p.layout.attachments)
	for _, k := range m.take("Attachment", false) {
		k.used = true
		if len(k.kids) == 0 {
			p.notes.add(EmptyAttachment, k.path, "")
			continue
		}
		if len(p.Attachments) == p.limits.Attachments {
			return refuse(TooManyAttachments, k.path(), fmt.Sprintf("> %d", p.limits.Attachments))
		}
		a := &Attachment{src: p.src, unit: u, limits: p.limits, at: k.path()}
		a.fields(&mapper{in: k, notes: p.notes})
		m.attributes(k)
		if err := p.admit(a, ids); err != nil {
			return err
		}
		p.Attachments = append(p.Attachments, a)
	}
	m.extra(&p.outside().Attachments)
	p.compareManifest()
	return nil
}

// admit judges one attachment as far as that is possible without reading it.
func (p *Package) admit(a *Attachment, ids map[string]bool) error {
	here := func() string { return a.at + "/AttachmentName" }
	switch {
	case a.Name == "":
		p.refuse(refuse(AttachmentNameAbsent, here(), ""))
	case leaves(a.Name):
		p.refuse(refuse(NameLeavesFolder, here(), a.Name))
	case strings.ContainsFunc(a.Name, isSlash):
		p.notes.add(PathInName, here, a.Name)
	}
	if a.span.to == 0 {
		p.refuse(refuse(NoContent, a.at, a.Name))
		return nil
	}
	if ids[a.ContentID] {
		p.refuse(refuse(RepeatedContentID, a.at+"/ContentId", a.ContentID))
	}
	ids[a.ContentID] = true
	magic, err := a.magic()
	if err != nil {
		return fmt.Errorf("read the package: %w", err)
	}
	if kind := a.packing(magic); kind != "" {
		p.notes.add(kind, func() string { return a.at + "/ContentType" }, a.ContentType+", "+a.Name)
	}
	return nil
}

// compareManifest refuses what the manifest does not name: it is what the sender
// listed, and a content that nobody listed is nobody's.
func (p *Package) compareManifest() {
	named, extra := make(map[string]int), make(map[string][]Element)
	for i, r := range p.Manifest {
		extra[r.ContentID] = append(extra[r.ContentID], r.Extra...)
		if named[r.ContentID]++; named[r.ContentID] == 2 {
			p.refuse(refuse(RepeatedContentID, fmt.Sprintf("%s/edXMLManifest/Reference[%d]/ContentId", p.layout.body.path(), i+1), r.ContentID))
		}
	}
	for _, a := range p.Attachments {
		a.listed = extra[a.ContentID]
		if named[a.ContentID] == 0 {
			p.refuse(refuse(NotInManifest, a.at+"/ContentId", a.ContentID))
		}
	}
}

const zipType = "application/zip"

func extension(name string) string {
	return strings.TrimPrefix(path.Ext(name), ".")
}

// packing decides as the systems in the field do: by the type, the extension and the
// first bytes. What deviates is named.
func (a *Attachment) packing(magic bool) ToleranceKind {
	ext := extension(a.Name)
	if !strings.EqualFold(a.ContentType, zipType) {
		a.Packed = magic && neverZip[strings.ToLower(ext)]
		if a.Packed {
			return NotNamedZip
		}
		return ""
	}
	switch {
	case ext == "zip":
		return ""
	case strings.EqualFold(ext, "zip"):
		return ZipInCapitals
	case !magic:
		return ZipThatIsNone
	}
	a.Packed = true
	return ""
}

// neverZip are the extensions of files that never begin as a ZIP archive does.
var neverZip = map[string]bool{
	"pdf": true, "doc": true, "xls": true, "ppt": true, "txt": true, "rtf": true, "csv": true, "xml": true,
	"png": true, "jpg": true, "jpeg": true, "gif": true, "tif": true, "tiff": true, "bmp": true, "html": true,
}

// magic says whether the content begins as a ZIP archive does.
func (a *Attachment) magic() (bool, error) {
	raw := make([]byte, min(a.EncodedBytes(), 256))
	if _, err := a.src.ReadAt(raw, a.span.from); err != nil && err != io.EOF {
		return false, err
	}
	d := newBase64(nil, a.unit, len(raw))
	clean, err := d.clean(raw)
	if err != nil || len(clean) < 8 {
		return false, nil // reading it will say so
	}
	var head [6]byte
	if _, err := base64.StdEncoding.Decode(head[:], clean[:8]); err != nil {
		return false, nil
	}
	return string(head[:4]) == "PK\x03\x04" || string(head[:4]) == "PK\x05\x06", nil
}
