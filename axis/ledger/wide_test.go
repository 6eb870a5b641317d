package ledger

import (
	"fmt"
	"testing"
	"time"
)

// everybody is how many agencies a document may have to reach.
const everybody = 11_400

// wideDocument goes to so many agencies, each with an endpoint of its own.
func wideDocument(id string, n int) *Document {
	d := document(id)
	for i := range n {
		code := fmt.Sprintf("H%02d.%02d.%02d", i/10000+10, i/100%100, i%100)
		d.Rows = append(d.Rows, Row{Code: code, Serving: code, Endpoint: fmt.Sprintf("h%05d-k3qd", i)})
	}
	return d
}

// bytes is the size of the ledger's file.
func (b *book) bytes() (n int64) {
	b.t.Helper()
	var pages, free, size int64
	for pragma, into := range map[string]*int64{"page_count": &pages, "freelist_count": &free, "page_size": &size} {
		if err := b.l.write.QueryRowContext(b.t.Context(), "PRAGMA "+pragma).Scan(into); err != nil {
			b.t.Fatal(err)
		}
	}
	return (pages - free) * size
}

func TestADocumentToEverybody(t *testing.T) {
	b := openBook(t)
	b.apply(Record{Document: wideDocument("first", everybody)}) // names the endpoints
	for i := range 3 {
		before, begun := b.bytes(), time.Now()
		b.apply(Record{Document: wideDocument(fmt.Sprint("then", i), everybody)})
		each := (b.bytes() - before) / everybody
		t.Logf("applied in %v, %d bytes a recipient", time.Since(begun), each)
		if each > 64 {
			t.Errorf("%d bytes a recipient, more than the schema needs", each)
		}
	}
}
