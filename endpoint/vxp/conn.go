package vxp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"docaxis/internal/lang"
)

// conn is a client's connection. net/http refuses what it cannot read, such as a
// control character in a header, by a page of plain text before any handler hears of
// it; from such a page SDK 2.0.1 tells its caller that there are no documents. conn puts
// an answer of the protocol in its place.
type conn struct {
	net.Conn
	language lang.Language
	close    func()

	mu sync.Mutex
	// taken: a handler has the request, and what is written is its answer.
	taken bool
	// head is the beginning of a request that no handler has yet.
	head []byte
	// refused: an answer stands where net/http's would.
	refused bool
}

const headBytes = 4

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.saw(p[:n], len(p) == 1)
	var wrong tls.RecordHeaderError
	if errors.As(err, &wrong) && wrong.Conn != nil {
		c.plain(wrong)
	}
	return n, err
}

// saw keeps how a request begins. While a handler works, net/http reads the one byte
// that may be the beginning of the next.
func (c *conn) saw(p []byte, one bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.taken && one && len(p) == 1:
		c.head = []byte{p[0]}
	case !c.taken && len(c.head) < headBytes:
		c.head = append(c.head, p[:min(len(p), headBytes-len(c.head))]...)
	}
}

func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	taken, again, get := c.taken, c.refused, bytes.HasPrefix(c.head, []byte("G"))
	c.refused = c.refused || !taken
	c.mu.Unlock()
	if taken {
		return c.Conn.Write(p)
	}
	if again {
		return len(p), nil
	}
	// A deadline of the answer before must not cut this one.
	c.SetWriteDeadline(time.Now().Add(lingering)) //nolint:errcheck // then the write fails
	if _, err := c.Conn.Write(unread(get, c.language)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// unread refuses a request of which nothing is known but how it begins.
func unread(get bool, l lang.Language) []byte {
	if get {
		return []byte("HTTP/1.1 400 Bad Request\r\nContent-Type: application/octet-stream\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	}
	says := l.Pick("Yêu cầu không đọc được. Hãy chỉ dùng chữ ASCII trong filePath và các tham số khác, và giữ các tham số ngắn hơn 1 MB.",
		"The request cannot be read. Keep filePath and other parameters in ASCII, and shorter than 1 MB.")
	return page(failure(anything, 400, says))
}

// page is a whole answer with its head.
func page(a answer) []byte {
	body, err := a.text()
	if err != nil {
		return nil
	}
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", len(body))
	return append([]byte(head), body...)
}

// plain answers a client that speaks http where https is spoken.
func (c *conn) plain(wrong tls.RecordHeaderError) {
	says := c.language.Pick("Địa chỉ này dùng https. Hãy sửa service.endpoint thành https://.",
		"This address speaks https. Write https:// in service.endpoint.")
	switch string(wrong.RecordHeader[:]) {
	case "POST ":
		wrong.Conn.Write(page(failure(anything, 400, says))) //nolint:errcheck // it is closed next
	case "GET /":
		wrong.Conn.Write(unread(true, c.language)) //nolint:errcheck // it is closed next
	}
}

// lingering is how long a refused client may take to read its answer.
const lingering = 2 * time.Second

// Close closes the connection. A refused client may still be sending; if its bytes were
// met by a reset, the answer would be lost with them.
func (c *conn) Close() error {
	c.mu.Lock()
	refused := c.refused
	c.refused = false
	c.mu.Unlock()
	if refused {
		c.CloseWrite()                               //nolint:errcheck // it is closed next
		c.SetReadDeadline(time.Now().Add(lingering)) //nolint:errcheck // it is closed next
		discard(c.Conn, 1<<20)
	}
	defer c.close()
	return c.Conn.Close()
}

func discard(from net.Conn, most int) {
	buffer := make([]byte, 8<<10)
	for most > 0 {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		most -= n
	}
}

// CloseWrite ends what is written, for net/http.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

type connKey struct{}

// withConn lets the handler find its connection.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// taken says that a handler has the connection's request now.
func taken(ctx context.Context) {
	if c, ok := ctx.Value(connKey{}).(*conn); ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.taken, c.head = true, nil
	}
}

// idle says that the answer is out, and the next request is nobody's yet.
func idle(nc net.Conn, state http.ConnState) {
	if c, ok := nc.(*conn); ok && state == http.StateIdle {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.taken = false
	}
}
