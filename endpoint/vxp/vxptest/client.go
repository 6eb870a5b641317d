package vxptest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Client is a service object of the SDK. Like it, a Client is for one call at a time.
type Client struct {
	// Version of the SDK that it behaves as; V201.
	Version Version
	// Attempts at a call whose connection breaks: client.max-error-retry; 3. sendEdoc
	// has two whatever is set, the JDK's own.
	Attempts int
	// TLS is how certificates are checked; nil means the system's way.
	TLS *tls.Config
	// Leave keeps the connection of each list and download open until Close, as the
	// SDK does.
	Leave bool

	endpoint, system, secret string
	params                   []Param
	left                     []net.Conn
	mu                       sync.Mutex // guards left
}

// New makes a service object. All its requests bear the time of now: the SDK takes it
// once.
func New(endpoint, system, secret string) *Client {
	now := time.Now()
	stamp := now.Format("02012006T150405") + fmt.Sprintf("+%04d", now.Nanosecond()/1e6)
	return &Client{
		Version: V201, Attempts: 3, endpoint: endpoint, system: system, secret: secret,
		params: []Param{{"timestamp", stamp}, {"systemid", system}},
	}
}

// Close closes connections that were left.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.left {
		l.Close() //nolint:errcheck // it is over
	}
	c.left = nil
}

// Answer is what came back, and what the SDK makes of it.
type Answer struct {
	Outcome
	// HTTP status; the SDK ignores it.
	HTTP   int
	Header http.Header
	Body   []byte
}

// Lists are called with these.
func mail(class string) []Param {
	return []Param{{"servicetype", "eDoc"}, {"messagetype", class}}
}

// Agencies calls getAgenciesList, AgenciesQD20 getAgenciesListQD20, Units
// getSynchronizeUnit.
func (c *Client) Agencies(ctx context.Context) (Answer, error) {
	return c.Call(ctx, "getAgenciesList", nil, nil)
}

// AgenciesQD20 calls getAgenciesListQD20.
func (c *Client) AgenciesQD20(ctx context.Context) (Answer, error) {
	return c.Call(ctx, "getAgenciesListQD20", []Param{{"level", "1"}}, nil)
}

// Units calls getSynchronizeUnit.
func (c *Client) Units(ctx context.Context) (Answer, error) {
	return c.Call(ctx, "getSynchronizeUnit", nil, nil)
}

// RegisterAgency sends the caller's JSON as it is.
func (c *Client) RegisterAgency(ctx context.Context, body string) (Answer, error) {
	return c.Call(ctx, "registerAgency", nil, []byte(body))
}

// DeleteAgency closes an agency.
func (c *Client) DeleteAgency(ctx context.Context, code string) (Answer, error) {
	return c.Call(ctx, "deleteAgency", []Param{{"AgencyCode", code}}, []byte("{}"))
}

// SendEdoc sends a file of a class: edoc or status.
func (c *Client) SendEdoc(ctx context.Context, from, class string, file []byte) (Answer, error) {
	return c.Call(ctx, "sendEdoc", append(mail(class), Param{"from", from}), file)
}

// Received lists what waits; Sent what was sent, one document where docID names it.
func (c *Client) Received(ctx context.Context, class string) (Answer, error) {
	return c.Call(ctx, "getReceivedEdocList", mail(class), nil)
}

// Sent calls getSentEdocList.
func (c *Client) Sent(ctx context.Context, class, docID string) (Answer, error) {
	params := mail(class)
	if docID != "" {
		params = append(params, Param{"docId", docID})
	}
	return c.Call(ctx, "getSentEdocList", params, nil)
}

// Count calls countReceiveEdoc or countReceiveStatus.
func (c *Client) Count(ctx context.Context, class string) (Answer, error) {
	return c.Call(ctx, map[string]string{"edoc": "countReceiveEdoc", "status": "countReceiveStatus"}[class], mail(class), []byte("{}"))
}

// GetEdoc fetches a delivery in base64.
func (c *Client) GetEdoc(ctx context.Context, docID string) (Answer, error) {
	return c.Call(ctx, "getEdoc", []Param{{"docId", docID}, {"filePath", "xml"}}, []byte("{}"))
}

// DownloadEdoc fetches a delivery as it is.
func (c *Client) DownloadEdoc(ctx context.Context, docID string) (Answer, error) {
	return c.Call(ctx, "downloadEdoc", []Param{{"docId", docID}, {"filePath", "xml"}}, nil)
}

// UpdateStatus confirms a delivery, by docid as programs do.
func (c *Client) UpdateStatus(ctx context.Context, docID, status string) (Answer, error) {
	return c.Call(ctx, "updateStatus", []Param{{"docid", docID}, {"status", status}}, []byte("{}"))
}

// Call makes a request of any operation. Its parameters stay for the calls after it. A
// connection that breaks is tried again; the error says that the last one broke, too.
func (c *Client) Call(ctx context.Context, operation string, params []Param, body []byte) (Answer, error) {
	attempts, contentType := c.Attempts, "application/json"
	if operation == "sendEdoc" {
		attempts, contentType = 2, "application/octet-stream"
		c.params = set(c.params, "hash-file", HashFile(body))
		body = append(bytes.Clone(body), '\r', '\n')
	}
	c.params = set(c.params, "Content-Type", contentType)
	for _, p := range params {
		c.params = set(c.params, p[0], p[1])
	}
	var err error
	for range attempts {
		var a Answer
		if a, err = c.once(ctx, operation, contentType, body); err == nil {
			a.Outcome = Read(c.Version, operation, a.Body, true)
			return a, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return Answer{}, fmt.Errorf("%s: %w", operation, err)
}

func (c *Client) once(ctx context.Context, operation, contentType string, body []byte) (Answer, error) {
	u, err := url.Parse(c.endpoint)
	if err != nil {
		return Answer{}, err
	}
	conn, err := c.dial(ctx, u)
	if err != nil {
		return Answer{}, err
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) }) //nolint:errcheck // it is broken off
	defer stop()
	answer, err := c.exchange(conn, u, operation, contentType, body)
	if c.Leave && leaves(operation) && err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.left = append(c.left, conn)
		return answer, nil
	}
	conn.Close() //nolint:errcheck // the answer is read
	return answer, err
}

func leaves(operation string) bool {
	return itemFields(V201, operation) != nil || operation == "downloadEdoc"
}

func (c *Client) dial(ctx context.Context, u *url.URL) (net.Conn, error) {
	port := u.Port()
	if u.Scheme != "https" {
		var d net.Dialer
		if port == "" {
			port = "80"
		}
		return d.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	}
	if port == "" {
		port = "443"
	}
	d := tls.Dialer{Config: c.TLS}
	return d.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
}

// head is a request's head as it goes over the wire.
func (c *Client) head(u *url.URL, operation, contentType string, body []byte) string {
	path, method := u.Path+"/"+operation, "POST"
	if operation == "downloadEdoc" {
		method = "GET"
	}
	byHTTPClient := operation != "sendEdoc"
	if byHTTPClient {
		path = "/" + strings.TrimLeft(strings.ReplaceAll(path, "//", "/"), "/")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nContent-Type: %s\r\n", method, path, contentType)
	for _, h := range Sign(c.secret, c.params) {
		value := h[1]
		if byHTTPClient && u.Port() != "" {
			value = lowBytes(value)
		}
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], value)
	}
	fmt.Fprintf(&b, "User-Agent: JAVASDKAgent/1.0.0 XRoad/VPCP\r\nXroadVnpt-version: 3.0.201608\r\nHost: %s\r\nConnection: Keep-Alive\r\n", u.Host)
	if method == "POST" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	if byHTTPClient {
		b.WriteString("Accept-Encoding: gzip,deflate\r\n")
	}
	if byHTTPClient && len(body) > 0 {
		b.WriteString("Expect: 100-continue\r\n")
	}
	return b.String() + "\r\n"
}

func (c *Client) exchange(conn net.Conn, u *url.URL, operation, contentType string, body []byte) (Answer, error) {
	if _, err := io.WriteString(conn, c.head(u, operation, contentType, body)); err != nil {
		return Answer{}, err
	}
	from := bufio.NewReader(conn)
	if operation == "sendEdoc" || len(body) == 0 {
		if _, err := conn.Write(body); err != nil {
			return Answer{}, err
		}
		return ReadAnswer(from)
	}
	// Expect: 100-continue. What comes first is either the permission or the answer.
	answer, err := ReadAnswer(from)
	if !errors.Is(err, errContinue) {
		return answer, err
	}
	if _, err := conn.Write(body); err != nil {
		return Answer{}, err
	}
	return ReadAnswer(from)
}

var errContinue = errors.New("100 Continue")

// ReadAnswer reads an answer off a connection; its Outcome is empty. Interim answers are
// an error.
func ReadAnswer(from *bufio.Reader) (Answer, error) {
	resp, err := http.ReadResponse(from, nil)
	if err != nil {
		return Answer{}, err
	}
	if resp.StatusCode == http.StatusContinue {
		return Answer{}, errContinue
	}
	defer resp.Body.Close() //nolint:errcheck // it is read
	var body io.Reader = resp.Body
	if resp.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			return Answer{}, err
		}
	}
	raw, err := io.ReadAll(body)
	return Answer{HTTP: resp.StatusCode, Header: resp.Header, Body: raw}, err
}
