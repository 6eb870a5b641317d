package envelope_test

import (
	"bytes"
	"testing"

	"docaxis/edxml"
	"docaxis/internal/envelope"
	"docaxis/internal/vectors"
)

// Whatever package comes is refused for good with a reason, or gives a document that
// can be sealed and composed again; and it never speaks for anybody but its From.
func FuzzFromPackage(f *testing.F) {
	list, err := vectors.EdXMLFiles()
	if err != nil {
		f.Fatal(err)
	}
	for _, one := range list {
		f.Add(vectors.EdXML(one.Name), true)
	}
	for _, kind := range []envelope.Kind{"document", "recall", "reply"} {
		var b bytes.Buffer
		if err := envelope.WritePackage(&b, clerks(kind, map[bool]envelope.Relation{true: "related", false: "target"}[kind == "document"]), envelope.Composition{}); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes(), false)
	}
	f.Fuzz(func(t *testing.T, raw []byte, known bool) {
		p, err := edxml.Open(bytes.NewReader(raw), int64(len(raw)), edxml.Limits{})
		if err != nil {
			return
		}
		r := reading(nil)
		if known {
			r.Resolve = func(string, string) (string, error) { return id2, nil }
		}
		d, err := envelope.FromPackage(p, r)
		if err != nil {
			aboutThePackage(t, err)
			return
		}
		sealable(t, d)
		from := edxml.Party{}
		if p.Status != nil {
			from = p.Status.From
		} else {
			from = p.Document.From
		}
		if code, err := from.OrganID.Agency(); err != nil || string(code) != d.Sender || len(d.Groups) > 0 || !d.Deadline.IsZero() {
			t.Fatalf("%+v", d)
		}
		d.Body = ""
		again := composed(t, d, envelope.Composition{})
		r.Own = true
		if back, err := envelope.FromPackage(again, r); err != nil || back.ID != d.ID || back.Body != "" {
			t.Fatalf("%v: %+v", err, back)
		}
	})
}
