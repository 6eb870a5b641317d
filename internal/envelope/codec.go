package envelope

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"docaxis/signing/asic"
)

// documentPath is what a refusal calls the whole of document.json.
const documentPath = asic.DocumentName

// Marshal writes document.json. The same document always gives the same bytes.
// What ParseDocument would refuse is refused with the same *reason.Error.
func Marshal(d *Document) ([]byte, error) {
	if err := validate(d); err != nil {
		return nil, err
	}
	w := *d
	w.Security = orOrdinary(d.Security)
	w.Created, w.Deadline = utc(d.Created), utc(d.Deadline)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(w); err != nil {
		return nil, fmt.Errorf("write %s: %w", documentPath, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// utc keeps the zero time zero, whatever its zone.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

// ParseDocument reads document.json strictly. Every error is a permanent
// *reason.Error: BAD_DOCUMENT with the path of the member and what is wrong with
// it, or a reason of its own where a code or the recipients are.
func ParseDocument(raw []byte) (*Document, error) {
	if len(raw) > MaxSize {
		return nil, tooLarge(len(raw))
	}
	p := &parser{in: raw}
	d := &Document{}
	p.object(documentPath, p.document(d))
	p.end(documentPath)
	if p.err != nil {
		return nil, p.err
	}
	d.Security = orOrdinary(d.Security)
	if err := validate(d); err != nil {
		return nil, err
	}
	return d, nil
}

func (p *parser) document(d *Document) members {
	return members{
		"version":     p.number(&d.Version),
		"id":          readText(p, &d.ID),
		"sender":      readText(p, &d.Sender),
		"kind":        readText(p, &d.Kind),
		"priority":    p.number(&d.Priority),
		"security":    readText(p, &d.Security),
		"subject":     readText(p, &d.Subject),
		"number":      readText(p, &d.Number),
		"notation":    readText(p, &d.Notation),
		"issued":      readText(p, &d.Issued),
		"body":        readText(p, &d.Body),
		"document_id": readText(p, &d.DocumentID),
		"created":     p.time(&d.Created),
		"deadline":    p.time(&d.Deadline),
		"status":      readText(p, &d.Status),
		"reason":      readText(p, &d.Reason),
		"comment":     readText(p, &d.Comment),
		"to":          list(p, &d.To, MaxRecipients, func(path string, to *string) { *to = p.text(path) }),
		"groups": list(p, &d.Groups, MaxGroups, func(path string, g *Group) {
			p.object(path, members{"under": readText(p, &g.Under), "level": readText(p, &g.Level)})
		}),
		"references": list(p, &d.References, MaxReferences, func(path string, r *Reference) {
			p.object(path, members{
				"sender": readText(p, &r.Sender), "id": readText(p, &r.ID), "relation": readText(p, &r.Relation),
			})
		}),
		"files": list(p, &d.Files, MaxFiles, func(path string, f *FileInfo) {
			p.object(path, members{
				"name": readText(p, &f.Name), "title": readText(p, &f.Title), "type": readText(p, &f.Type),
				"size": func(path string) { f.Size = p.whole(path, maxBytes) },
			})
		}),
	}
}

func readText[T ~string](p *parser, into *T) func(string) {
	return func(path string) { *into = T(p.text(path)) }
}

func (p *parser) number(into *int) func(string) {
	return func(path string) { *into = int(p.whole(path, 1<<31-1)) }
}

func list[T any](p *parser, into *[]T, limit int, read func(path string, item *T)) func(string) {
	return func(path string) {
		p.array(path, limit, func(path string) {
			var item T
			read(path, &item)
			*into = append(*into, item)
		})
	}
}

// time reads the one spelling of a time that Marshal writes: RFC 3339 in UTC.
func (p *parser) time(into *time.Time) func(string) {
	return func(path string) {
		s := p.text(path)
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil || t.UTC().Format(time.RFC3339Nano) != s {
			p.fail(path, "is no time as 2006-01-02T15:04:05Z")
		}
		*into = t.UTC()
	}
}
