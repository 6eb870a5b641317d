package edxml_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"
	"time"

	"docaxis/edxml"
	"docaxis/internal/vectors"
)

// Reading a package: what it says, what was forgiven, and its files.
func ExampleOpen() {
	file := bytes.NewReader(vectors.EdXML("variants/wrapped-base64.edxml"))
	p, err := edxml.Open(file, file.Size(), edxml.Limits{})
	if err != nil {
		log.Fatal(err) // a *Refusal says in both languages what to mend
	}
	fmt.Println(p.Document.ID, p.Document.Subject)
	for _, a := range p.Attachments {
		content, err := a.Open()
		if err != nil {
			log.Fatal(err)
		}
		n, err := io.Copy(io.Discard, content) // an os.File, say
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(a.FileName(), n, content.Tolerances()[0].Kind)
	}
	// Output:
	// 000.00.00.X90,2026/03/02,101/CQA-VP V/v kết nối, liên thông văn bản
	// cong-van.pdf 362 wrapped-base64
}

// What cannot be taken is said to people in their language.
func ExampleRefusal() {
	file := bytes.NewReader(vectors.EdXML("variants/doctype.edxml"))
	_, err := edxml.Open(file, file.Size(), edxml.Limits{})
	var refusal *edxml.Refusal
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Reason)
		fmt.Println(refusal.Say(edxml.English))
	}
	// Output:
	// doctype
	// /: The package has a DOCTYPE. Found: DOCTYPE x [<!ENTITY a "EXPANDED">]. Remove it: it would let files of the recipient be read.
}

// A recall, and the documents that it may be about: the recipient takes the first
// that it knows.
func ExampleDocument_Targets() {
	file := bytes.NewReader(vectors.EdXML("revocation.edxml"))
	p, err := edxml.Open(file, file.Size(), edxml.Limits{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Document.Business.Type == edxml.Recall)
	for _, id := range p.Document.Targets() {
		fmt.Println(id)
	}
	// Output:
	// true
	// 000.00.00.X90,2026/03/06,105/CQA-VP
	// 000.00.00.X90,2026/03/02,101/CQA-VP
}

// The files of a package go on in another as they were packed.
func ExampleAttachment_File() {
	file := bytes.NewReader(vectors.EdXML("new-3-attachments-signed.edxml"))
	p, err := edxml.Open(file, file.Size(), edxml.Limits{})
	if err != nil {
		log.Fatal(err)
	}
	var files []edxml.File
	for _, a := range p.Attachments {
		files = append(files, a.File())
	}
	var b bytes.Buffer
	if err := edxml.WriteDocument(&b, &edxml.Document{
		From: edxml.Party{OrganID: "H27"}, To: []edxml.Party{{OrganID: "H41.11"}}, ID: "H27,2026/03/05,12/VP", Subject: "Chuyển văn bản",
	}, files...); err != nil {
		log.Fatal(err)
	}
	again, err := edxml.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), edxml.Limits{})
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range again.Attachments {
		fmt.Println(a.FileName(), a.Packed)
	}
	// Output:
	// cong-van.pdf false
	// Phụ lục số 1.xlsx true
	// ghi-chu.txt true
}

// Composing a status message.
func ExampleWriteStatus() {
	at := time.Date(2026, 3, 2, 2, 15, 0, 0, time.UTC)
	err := edxml.WriteStatus(io.Discard, &edxml.Status{
		From:        edxml.Party{OrganID: "H41.11", Name: "Cơ quan nhận"},
		ResponseFor: edxml.ResponseFor{OrganID: "H27", Code: "101/VP", DocumentID: "H27,2026/03/02,101/VP", PromulgationDate: edxml.NewDate(at)},
		Code:        edxml.Accepted,
		Description: edxml.Accepted.Name(edxml.Vietnamese),
		Time:        edxml.NewTimestamp(at),
	})
	fmt.Println(err)
	// Output: <nil>
}

// Composing a document with a file, which is read while the package is written.
func ExampleWriteDocument() {
	d := &edxml.Document{
		From: edxml.Party{OrganID: "H27", Name: "Cơ quan gửi"}, To: []edxml.Party{{OrganID: "H41.11"}},
		ID: "H27,2026/03/02,101/VP", Number: edxml.DocumentNumber{Number: "101", Notation: "VP"},
		Promulgation: edxml.Promulgation{Date: "2026/03/02"}, Subject: "V/v mẫu",
		Business: edxml.Business{Type: edxml.NewDocument},
	}
	file := edxml.File{Name: "mau.txt", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("xin chào")), nil // os.Open, say
	}}
	var b bytes.Buffer
	if err := edxml.WriteDocument(&b, d, file); err != nil {
		log.Fatal(err)
	}
	report, err := edxml.Check(bytes.NewReader(b.Bytes()), int64(b.Len()), edxml.Limits{}, time.Now())
	fmt.Println(report.Conforms(), len(report.Findings), err)
	// Output: true 0 <nil>
}

// Judging a package.
func ExampleCheck() {
	file := bytes.NewReader(vectors.EdXML("variants/bad-priority.edxml"))
	report, err := edxml.Check(file, file.Size(), edxml.Limits{}, time.Now())
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range report.Findings {
		if f.Severity == edxml.Error {
			fmt.Println(f.Say(edxml.Vietnamese))
		}
	}
	// Output: edXML/edXMLEnvelope/edXMLHeader/MessageHeader/OtherInfo/Priority: Giá trị phải là số nguyên. Đã thấy: x. Cho phép: 0, 1, 2, 3, 4. Hãy ghi số nguyên, hoặc bỏ hẳn thẻ khi không có giá trị.
}
