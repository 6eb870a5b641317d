package vxp

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
)

// fetched opens what docId names: a client object that has confirmed something, too,
// has its docid from then.
func (h *handler) fetched(c *call) (Content, error) {
	c.docID = c.params.either("docId", "docid")
	if c.docID == "" {
		return Content{}, noDocID()
	}
	return h.exchange.Fetch(c.r.Context(), c.system, c.docID)
}

// firstPart of a package is read before anything is answered: what fails there can still
// be said.
const firstPart = 32 << 10

func first(content Content) (io.Reader, error) {
	buffer := make([]byte, min(firstPart, content.Bytes))
	if _, err := io.ReadFull(content, buffer); err != nil {
		return nil, fmt.Errorf("read the package: %w", err)
	}
	return io.MultiReader(bytes.NewReader(buffer), content), nil
}

// get answers with the package in base64, which is made on the way.
func (h *handler) get(c *call) error {
	content, err := h.fetched(c)
	if err != nil {
		return err
	}
	defer content.Close() //nolint:errcheck // it was read
	from, err := first(content)
	if err != nil {
		return err
	}
	a := success(h.Language)
	a.Data = ""
	head, err := a.text()
	if err != nil {
		return err
	}
	// data is the last member: all but the quote and the brace behind it.
	head, end := head[:len(head)-2], head[len(head)-2:]
	encoding := base64.StdEncoding
	c.begin(http.StatusOK, "application/json; charset=utf-8", int64(len(head))+int64(encoding.EncodedLen(int(content.Bytes)))+2)
	out := c.stream()
	if _, err := out.Write(head); err != nil {
		return err
	}
	encoder := base64.NewEncoder(encoding, out)
	if err := pass(encoder, from, content.Bytes); err != nil {
		return err
	}
	if err := encoder.Close(); err != nil {
		return err
	}
	_, err = out.Write(end)
	return err
}

// download answers with the package itself.
func (h *handler) download(c *call) error {
	content, err := h.fetched(c)
	if err != nil {
		return err
	}
	defer content.Close() //nolint:errcheck // it was read
	from, err := first(content)
	if err != nil {
		return err
	}
	c.begin(http.StatusOK, "application/octet-stream", content.Bytes)
	return pass(c.stream(), from, content.Bytes)
}

// pass copies a package of known length. Where it cannot, the connection is closed
// before its announced length, so that no client takes a part for the whole.
func pass(to io.Writer, from io.Reader, length int64) error {
	_, err := io.CopyBuffer(to, io.LimitReader(from, length), make([]byte, 48<<10))
	return err
}
