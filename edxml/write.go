package edxml

import (
	"fmt"
	"io"
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
