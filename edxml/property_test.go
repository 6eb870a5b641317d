package edxml_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"docaxis/edxml"
)

// text is any text without blanks around it, which writing would trim on reading.
func text() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		s := rapid.StringOfN(rapid.RuneFrom([]rune("aZ9 .,/<>&\"'\n\tăđếĐ€😀]]>")), 0, 20, -1).Draw(t, "text")
		return strings.Trim(s, " \t\r\n")
	})
}

func texts() *rapid.Generator[[]string] {
	return rapid.SliceOfN(text().Filter(func(s string) bool { return s != "" }), 0, 3)
}

func element(depth int) *rapid.Generator[edxml.Element] {
	return rapid.Custom(func(t *rapid.T) edxml.Element {
		e := edxml.Element{
			Space: rapid.SampledFrom([]string{"", "", "urn:a", "urn:b&<"}).Draw(t, "space"),
			Name:  rapid.SampledFrom([]string{"Moi", "La", "Thẻ", "x-1"}).Draw(t, "name"),
			Text:  text().Draw(t, "text"),
		}
		for i := range rapid.IntRange(0, 2).Draw(t, "attributes") {
			e.Attrs = append(e.Attrs, edxml.Attr{
				Space: rapid.SampledFrom([]string{"", "urn:a", "urn:c"}).Draw(t, "space"),
				Name:  []string{"k", "l"}[i], Value: text().Draw(t, "value"),
			})
		}
		if depth > 0 {
			e.Children = rapid.SliceOfN(element(depth-1), 0, 2).Draw(t, "children")
		}
		return e
	})
}

func extra() *rapid.Generator[[]edxml.Element] { return rapid.SliceOfN(element(2), 0, 2) }

func party(t *rapid.T) edxml.Party {
	return edxml.Party{
		OrganID: edxml.OrganID(text().Draw(t, "code")), Name: text().Draw(t, "name"),
		InCharge: text().Draw(t, "in charge"), Website: text().Draw(t, "site"), Extra: extra().Draw(t, "extra"),
	}
}

func document(t *rapid.T) *edxml.Document {
	s := func(name string) string { return text().Draw(t, name) }
	at := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "time"), 0)
	d := &edxml.Document{
		From: party(t), ID: s("id"), Number: edxml.DocumentNumber{Number: s("number"), Notation: s("notation")},
		Promulgation: edxml.Promulgation{Place: s("place"), Date: edxml.NewDate(at)},
		Subject:      s("subject"), Content: s("content"), DueDate: edxml.Date(s("due")),
		Steering: edxml.NewNumber(rapid.IntRange(0, 2).Draw(t, "steering")), Tasks: texts().Draw(t, "tasks"),
		Places: texts().Draw(t, "places"), Extra: extra().Draw(t, "extra"),
		Trace:   []edxml.TraceHeader{{OrganID: "H41", Time: edxml.NewTimestamp(at)}},
		Outside: edxml.Outside{Header: extra().Draw(t, "header"), Body: extra().Draw(t, "body"), Root: extra().Draw(t, "root")},
	}
	d.Other.Appendixes = texts().Draw(t, "appendixes")
	for range rapid.IntRange(0, 3).Draw(t, "recipients") {
		d.To = append(d.To, nonEmpty(party(t)))
	}
	d.Business = edxml.Business{
		Type:         rapid.SampledFrom([]edxml.BusinessType{"", edxml.NewDocument, edxml.Recall, edxml.Update, edxml.Replace}).Draw(t, "type"),
		Replacements: []edxml.Replacement{{DocumentID: s("replaced"), OrganIDs: []edxml.OrganID{"H41"}}},
		Info:         edxml.BusinessInfo{List: []edxml.Receiver{{OrganID: "H41", Type: "1"}}},
	}
	return d
}

// nonEmpty has something in it: an element of nothing is passed over nowhere, but an
// empty list of recipients and a recipient of nothing are not told apart.
func nonEmpty(p edxml.Party) edxml.Party {
	p.OrganID += "H41"
	return p
}

// What is written is read the same, and written the same again.
func TestReadingUndoesWriting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := document(t)
		var files []edxml.File
		var contents [][]byte
		for i := range rapid.IntRange(0, 3).Draw(t, "files") {
			content := rapid.SliceOf(rapid.Byte()).Draw(t, "content")
			contents = append(contents, content)
			files = append(files, edxml.File{
				Name:        []string{"Phụ lục.xlsx", "văn bản.pdf", "TỆP.ZIP"}[i],
				Description: text().Draw(t, "description"),
				Open:        func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
			})
		}
		var first, second bytes.Buffer
		if err := edxml.WriteDocument(&first, d, files...); err != nil {
			t.Fatal(err)
		}
		p, err := edxml.Open(bytes.NewReader(first.Bytes()), int64(first.Len()), edxml.Limits{})
		if err != nil {
			t.Fatalf("%v\n%s", err, first.String())
		}
		if diff := same(d, p.Document); diff != "" {
			t.Fatal(diff)
		}
		for i, a := range p.Attachments {
			c, err := a.Open()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, contents[i]) || a.Name != files[i].Name {
				t.Fatalf("%s: %v", a.Name, err)
			}
		}
		if err := edxml.WriteDocument(&second, p.Document, filesOf(p)...); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("%v\n%s\n%s", err, first.String(), second.String())
		}
	})
}

func TestReadingUndoesWritingOfAStatus(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := func(name string) string { return text().Draw(t, name) }
		status := &edxml.Status{
			From:        party(t),
			ResponseFor: edxml.ResponseFor{OrganID: edxml.OrganID(s("code")), Code: s("number"), DocumentID: s("id")},
			Staff:       edxml.Staff{Department: s("department"), Staff: s("staff"), Extra: extra().Draw(t, "staff extra")},
			Code:        rapid.SampledFrom(edxml.StatusCodes()).Draw(t, "status"),
			Description: s("description"), Time: edxml.NewTimestamp(time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "time"), 0)),
			Extra: extra().Draw(t, "extra"), Outside: edxml.Outside{Envelope: extra().Draw(t, "envelope")},
		}
		var b bytes.Buffer
		if err := edxml.WriteStatus(&b, status); err != nil {
			t.Fatal(err)
		}
		p, err := edxml.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), edxml.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := same(status, p.Status); diff != "" {
			t.Fatal(diff)
		}
	})
}
