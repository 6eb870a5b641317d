package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// ErrNotRunning says that no process owns the folder: start it first. The error is
// a *NotRunning, which has the folder.
var ErrNotRunning = errors.New("not running")

// NotRunning is ErrNotRunning with its circumstances.
type NotRunning struct {
	Dir   string
	Cause error
}

// Error is for logs; commands say it in the user's language.
func (e *NotRunning) Error() string {
	return fmt.Sprintf("no process runs on %s: %v", e.Dir, e.Cause)
}

// Is makes it ErrNotRunning.
func (e *NotRunning) Is(target error) bool { return target == ErrNotRunning }

// Unwrap gives what was met.
func (e *NotRunning) Unwrap() error { return e.Cause }

// Client talks to the process that owns a folder.
type Client struct {
	dir  string
	at   place
	http *http.Client
}

// Open reads how to reach the process that owns dir; ErrNotRunning where none does.
func Open(dir string) (*Client, error) {
	data, err := os.ReadFile(filepath.Join(dir, fileName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, &NotRunning{Dir: dir, Cause: err}
	}
	if err != nil {
		return nil, fmt.Errorf("find the running process: %w", err)
	}
	// Whoever asks many things side by side does not connect anew for each.
	transport := &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute}
	c := &Client{dir: dir, http: &http.Client{Transport: transport}}
	if err := json.Unmarshal(data, &c.at); err != nil {
		return nil, fmt.Errorf("read %s: %w", fileName, err)
	}
	return c, nil
}

// Ask asks the process that runs over a folder, and reads its JSON answer.
func Ask(ctx context.Context, dir, path string, query url.Values, into any) error {
	c, err := Open(dir)
	if err != nil {
		return err
	}
	return c.Get(ctx, path, query, into)
}

// Act sends JSON to the process that runs over a folder, and reads its JSON answer.
func Act(ctx context.Context, dir, path string, v, into any) error {
	c, err := Open(dir)
	if err != nil {
		return err
	}
	return c.Post(ctx, path, v, into)
}

// Get asks and reads a JSON answer.
func (c *Client) Get(ctx context.Context, path string, query url.Values, into any) error {
	answer, err := c.Download(ctx, path, query)
	return read(answer, err, into)
}

// Post sends JSON and reads a JSON answer; nil values are left out.
func (c *Client) Post(ctx context.Context, path string, v, into any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("marshal a request: %w", err)
	}
	return c.Upload(ctx, path, "application/json", bytes.NewReader(body), into)
}

// Upload sends a body of any length and reads a JSON answer.
func (c *Client) Upload(ctx context.Context, path, contentType string, body io.Reader, into any) error {
	answer, err := c.open(ctx, http.MethodPost, path, nil, contentType, body)
	return read(answer, err, into)
}

func read(answer io.ReadCloser, err error, into any) error {
	if err != nil {
		return err
	}
	defer answer.Close()
	if into == nil {
		_, err := io.Copy(io.Discard, answer)
		return err
	}
	if err := json.NewDecoder(answer).Decode(into); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}

// Download asks and gives the answer's bytes, which the caller closes.
func (c *Client) Download(ctx context.Context, path string, query url.Values) (io.ReadCloser, error) {
	return c.open(ctx, http.MethodGet, path, query, "", nil)
}

func (c *Client) open(ctx context.Context, method, path string, query url.Values, contentType string, body io.Reader) (io.ReadCloser, error) {
	u := url.URL{Scheme: "http", Host: c.at.Address, Path: path, RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.at.Token)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &NotRunning{Dir: c.dir, Cause: err}
	}
	if res.StatusCode != http.StatusOK {
		defer res.Body.Close()
		return nil, failure(res)
	}
	return res.Body, nil
}

func failure(res *http.Response) error {
	if res.StatusCode == http.StatusUnauthorized {
		return lang.Errorf("Tiến trình đang chạy không nhận lệnh này: nó vừa khởi động lại, hoặc do người dùng khác chạy. Hãy chạy lại lệnh, với cùng người dùng.",
			"The running process does not take this command: it was just started anew, or by another user. Run the command again, as the same user.")
	}
	var p problem
	if err := json.NewDecoder(res.Body).Decode(&p); err != nil {
		return fmt.Errorf("the running process answered %s", res.Status)
	}
	switch {
	case p.Code == axispb.ReasonCode_REASON_UNSPECIFIED:
		if p.Vietnamese == "" {
			return errors.New(p.Message)
		}
		return &lang.Error{Vietnamese: p.Vietnamese, English: p.Message}
	case p.Temporary:
		return reason.Temporary(p.Code, p.Args...)
	}
	return reason.Permanent(p.Code, p.Args...)
}
