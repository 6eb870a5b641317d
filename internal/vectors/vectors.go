// Package vectors owns the test data of the formats that existing
// document-management systems speak: edXML files and recorded HTTP exchanges.
// edxml/README.md and vxp-http/README.md say what each file is. The bytes are
// never changed.
package vectors

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

//go:embed all:edxml all:vxp-http
var files embed.FS

// FS has the folders edxml (with edxml/variants) and vxp-http.
func FS() fs.FS { return files }

// File is an edXML file as edxml/index.json describes it.
type File struct {
	// Name in the folder edxml.
	Name  string `json:"file"`
	Bytes int    `json:"bytes"`
	// SHA256 in lower-case hex.
	SHA256 string `json:"sha256"`
	// HashFileHeader is what the SDK sends as XroadVnpt-hash-file: hex with the
	// leading zero of each byte dropped.
	HashFileHeader string `json:"hashFileHeader"`
	From           string `json:"from"`
	// Kind is edoc or status.
	Kind string `json:"kind"`

	// An edoc file has these.
	To                 []string     `json:"to"`
	DocumentID         string       `json:"documentId"`
	Code               string       `json:"code"`
	Subject            string       `json:"subject"`
	BusinessDocType    string       `json:"bussinessDocType"`
	BusinessDocumentID string       `json:"bussinessDocumentId"`
	Attachments        []Attachment `json:"attachments"`

	// A status file has these.
	StatusCode            string `json:"statusCode"`
	ResponseForOrganID    string `json:"responseForOrganId"`
	ResponseForDocumentID string `json:"responseForDocumentId"`
	// Timestamp as it stands in the file.
	Timestamp string `json:"timestamp"`
}

// Attachment of a File; Bytes and SHA256 are of its content once decoded and,
// where it was zipped, unzipped.
type Attachment struct {
	ContentID    string `json:"contentId"`
	Name         string `json:"name"`
	ContentType  string `json:"contentType"`
	EncodedBytes int    `json:"encodedBytes"`
	Bytes        int    `json:"bytes"`
	SHA256       string `json:"sha256"`
}

// EdXMLFiles lists the edXML files of the index, without the variants.
func EdXMLFiles() ([]File, error) {
	d := json.NewDecoder(bytes.NewReader(mustRead("edxml/index.json")))
	d.DisallowUnknownFields()
	var list []File
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf("edxml/index.json: %w", err)
	}
	return list, nil
}

// EdXML is an edXML file by its name, such as status-03.edxml or
// variants/bom.edxml. It panics where there is none: the name is the test's own.
func EdXML(name string) []byte { return mustRead(path.Join("edxml", name)) }

// Variant is a changed edXML file and what the SDK's parser made of it.
type Variant struct {
	// Name in the folder edxml/variants.
	Name   string
	Bytes  int
	SHA256 string
	// ReadAs is edoc or status.
	ReadAs string
	// Verdict begins with ok or fail. The SDK's parser is lenient: ok means that
	// a client could read the file, not that it is right.
	Verdict string
}

// Variants lists edxml/variants.
func Variants() ([]Variant, error) {
	rows, err := table("edxml/variants/jar-verdicts.tsv", 5)
	if err != nil {
		return nil, err
	}
	list := make([]Variant, len(rows))
	for i, r := range rows {
		n, err := strconv.Atoi(r[1])
		if err != nil {
			return nil, fmt.Errorf("variant %s: %w", r[0], err)
		}
		list[i] = Variant{Name: r[0], Bytes: n, SHA256: r[2], ReadAs: r[3], Verdict: r[4]}
	}
	return list, nil
}

// Exchange is a recorded HTTP request of the SDK and the answer it took.
type Exchange struct {
	// Name such as 06-sendEdoc-1-attachment.
	Name, Method, Path, SystemID string
	// Signed is whether the request's signature is valid.
	Signed bool
	// Status of the answer, such as 200 OK.
	Status string
	// Request and Response are every byte on the wire.
	Request, Response []byte
}

// Exchanges lists the recorded exchanges in the order they were made.
func Exchanges() ([]Exchange, error) {
	rows, err := table("vxp-http/index.tsv", 8)
	if err != nil {
		return nil, err
	}
	list := make([]Exchange, len(rows))
	for i, r := range rows {
		list[i] = Exchange{
			Name: r[0], Method: r[1], Path: r[2], SystemID: r[3], Signed: r[4] == "yes", Status: r[7],
			Request:  mustRead("vxp-http/" + r[0] + ".request"),
			Response: mustRead("vxp-http/" + r[0] + ".response"),
		}
	}
	return list, nil
}

// table reads a file of tab-separated columns below a heading.
func table(name string, columns int) ([][]string, error) {
	lines := strings.Split(strings.TrimRight(string(mustRead(name)), "\r\n"), "\n")
	var rows [][]string
	for i, line := range lines[1:] {
		row := strings.Split(strings.TrimSuffix(line, "\r"), "\t")
		if len(row) != columns {
			return nil, fmt.Errorf("%s line %d has %d columns, not %d", name, i+2, len(row), columns)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func mustRead(name string) []byte {
	raw, err := files.ReadFile(name)
	if err != nil {
		panic("vectors: " + err.Error())
	}
	return raw
}
