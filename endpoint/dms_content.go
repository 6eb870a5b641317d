package endpoint

import (
	"errors"
	"io"
	"os"

	"go.etcd.io/bbolt"

	"docaxis/edxml"
	"docaxis/endpoint/directory"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
	"docaxis/endpoint/vxp"
	"docaxis/internal/envelope"
)

// open gives a received document as a package: the very bytes that were sent where it
// was sent as one, else one composed of it.
func (x exchange) open(r *Received) (vxp.Content, error) {
	if r.Envelope.Document.Body == envelope.BodyEdXML {
		f, err := r.File(0)
		if err != nil {
			return vxp.Content{}, err
		}
		return sized(f)
	}
	return x.compose(func(w io.Writer) error { return x.writePackage(w, r) })
}

// contentFile is an open file; what must be removed afterwards is.
type contentFile struct {
	*os.File
	remove bool
}

// Close closes the file.
func (f contentFile) Close() error {
	err := f.File.Close()
	if f.remove {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

func sized(f *os.File) (vxp.Content, error) {
	info, err := f.Stat()
	if err != nil {
		return vxp.Content{}, errors.Join(err, f.Close())
	}
	return vxp.Content{ReadSeekCloser: contentFile{File: f}, Bytes: info.Size()}, nil
}

// compose gives what is written as a content. It lies in the folder of temporary files
// while it is read: its size is known only then, and it may be large.
func (x exchange) compose(write func(io.Writer) error) (vxp.Content, error) {
	f, err := x.a.files.Scratch()
	if err != nil {
		return vxp.Content{}, err
	}
	c := contentFile{File: f, remove: true}
	err = write(&guardedWriter{w: f, guard: x.a.disk.contents})
	var size int64
	if err == nil {
		size, err = f.Seek(0, io.SeekCurrent)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return vxp.Content{}, x.a.noRoom(errors.Join(err, c.Close()))
	}
	return vxp.Content{ReadSeekCloser: c, Bytes: size}, nil
}

func (x exchange) writePackage(w io.Writer, r *Received) error {
	doc := r.Envelope.Document
	files := make([]edxml.File, len(doc.Files))
	for i, f := range doc.Files {
		files[i] = edxml.File{Name: f.Title, MimeType: f.Type, Open: func() (io.ReadCloser, error) { return r.File(i) }}
	}
	return envelope.WritePackage(w, doc, envelope.Composition{
		Party: x.party, Known: x.known, Recipient: inbox.ServingOf(r.Entry), Files: files,
	})
}

// party is an agency as the directory has it.
func (x exchange) party(code string) (p edxml.Party) {
	err := x.a.db.View(func(tx *bbolt.Tx) error {
		e, err := directory.In(tx).Lookup(code)
		a := e.GetAgency()
		p = edxml.Party{Name: a.GetName(), Email: a.GetMail(), Telephone: a.GetPhone(), Fax: a.GetFax()}
		return err
	})
	if err != nil {
		return edxml.Party{} // its code is enough
	}
	return p
}

// known gives a document that another refers to, where it was sent from here or
// received.
func (x exchange) known(r envelope.Reference) *envelope.Document {
	var digest []byte
	err := x.a.db.View(func(tx *bbolt.Tx) error {
		e, err := outbox.In(tx).Get(r.ID)
		if err == nil && e.Sender == r.Sender {
			digest = e.EnvelopeDigest
			return nil
		}
		all, err := inbox.In(tx).Document(r.Sender, r.ID)
		if len(all) > 0 {
			digest = all[0].EnvelopeDigest
		}
		return err
	})
	if err != nil || len(digest) == 0 {
		return nil
	}
	env, err := x.a.envelope(digest)
	if err != nil {
		return nil
	}
	return env.Document
}
