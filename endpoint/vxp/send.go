package vxp

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
)

var errUnread = errors.New("the package was accepted without its hash being checked")

// send takes a package. Where it goes is the package's own word: the parameter to may
// be that of the document before.
func (h *handler) send(c *call) error {
	class, err := c.params.class()
	if err != nil {
		return err
	}
	want := c.params["hash-file"]
	if want == "" {
		return refuse(400, "Thiếu tham số hash-file.", "The parameter hash-file is missing.")
	}
	length, err := h.length(c.r.ContentLength)
	if err != nil {
		return err
	}
	body, checked := &file{from: c.body, left: length}, false
	// The client may break off after its last byte and send the package again: what was
	// begun is finished, and the second gets the first one's answer.
	sent, err := h.exchange.Send(context.WithoutCancel(c.r.Context()), c.system, Package{
		From: c.params["from"], Class: class, Body: body, Bytes: length,
		Check: func(digest [32]byte) error {
			checked = sameHash(digest, want)
			if !checked {
				return refuse(400, "Mã băm của tệp không khớp hash-file. Tệp bị hỏng trên đường; hãy gửi lại.",
					"The file's hash is not that of hash-file. It was damaged on the way; send it again.")
			}
			return nil
		},
	})
	switch {
	case body.err != nil:
		return body.err
	case err != nil:
		return err
	case !checked || body.left > 0:
		return errUnread
	}
	c.docID = sent.DocID
	a := success(h.Language)
	a.DocID = &sent.DocID
	if sent.Waiting != "" {
		a.ErrorDesc = sent.Waiting
	}
	return c.say(a)
}

// length is that of the file, from that of the body.
func (h *handler) length(body int64) (uint64, error) {
	switch {
	case body < 2:
		return 0, refuse(400, "Yêu cầu phải có Content-Length: độ dài của tệp cộng CR LF ở cuối.",
			"The request needs a Content-Length: that of the file and the CR LF after it.")
	case uint64(body)-2 > h.PackageBytes:
		return 0, refuse(413, "Gói tin có %d byte; lớn nhất được nhận là %d byte. Hãy giảm dung lượng tệp kèm theo.",
			"The package has %d bytes; the most that is taken is %d. Send smaller attachments.", body-2, h.PackageBytes)
	}
	return uint64(body) - 2, nil
}

// sameHash compares a digest with hash-file. The SDK drops the leading zero of each
// byte, so its text cannot be decoded; the whole form is taken, too.
func sameHash(digest [32]byte, text string) bool {
	text = strings.ToLower(text)
	return text == hex.EncodeToString(digest[:]) || text == unpadded(digest)
}

func unpadded(digest [32]byte) string {
	var b strings.Builder
	for _, one := range digest {
		b.WriteString(strings.TrimPrefix(hex.EncodeToString([]byte{one}), "0"))
	}
	return b.String()
}
