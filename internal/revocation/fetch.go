package revocation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"docaxis/internal/lang"
)

// unreachable is a failure of the authority rather than of one of its answers:
// nothing else is asked of it for a while.
type unreachable struct{ error }

func (u unreachable) Unwrap() error { return u.error }

// errTwice says that the authority gave what is there already.
var errTwice = errors.New("revocation: nothing newer")

// fetcher makes requests. Its methods may be used by several goroutines.
type fetcher struct {
	cfg    *Config
	dir    string
	client *http.Client
	// judging bounds the memory for reading lists: one at a time.
	judging chan struct{}
}

func newFetcher(dir string, cfg *Config) *fetcher {
	return &fetcher{
		cfg:     cfg,
		dir:     dir,
		client:  &http.Client{Transport: cfg.Transport, CheckRedirect: checkRedirect},
		judging: make(chan struct{}, 1),
	}
}

// fetch asks one address. The answer is judged against what is there, which may be
// nil; errTwice says that it is the same. The caller keeps or discards what it
// gets.
func (f *fetcher) fetch(ctx context.Context, t target, url string, old *description) (*received, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout(t.kind))
	defer cancel()
	body, err := f.ask(ctx, t, url)
	if err != nil {
		return nil, err
	}
	r, err := f.receive(body, f.limit(t.kind))
	if err = errors.Join(err, body.Close()); err != nil {
		if r != nil {
			r.discard()
		}
		return nil, err
	}
	r.url = url
	if err := f.judge(r, t, old); err != nil {
		r.discard()
		return nil, err
	}
	return r, nil
}

func (f *fetcher) timeout(k Kind) time.Duration {
	if k == OCSP {
		return f.cfg.OCSPTimeout
	}
	return f.cfg.CRLTimeout
}

func (f *fetcher) limit(k Kind) int64 {
	if k == OCSP {
		return maxOCSP
	}
	return f.cfg.MaxCRL
}

// ask sends the request and gives the body of a good answer.
func (f *fetcher) ask(ctx context.Context, t target, url string) (io.ReadCloser, error) {
	if _, err := readURL(url); err != nil {
		return nil, err
	}
	request, err := t.httpRequest(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	response, err := f.client.Do(request)
	var own *lang.Error
	switch {
	case errors.As(err, &own):
		return nil, own
	case err != nil:
		return nil, unreachable{lang.Errorf("không liên hệ được %s", "%s cannot be reached", clip(request.URL.Host)).Because(err)}
	}
	if err := f.refuse(response, t.kind); err != nil {
		return nil, errors.Join(err, response.Body.Close())
	}
	return response.Body, nil
}

func (t target) httpRequest(ctx context.Context, url string) (r *http.Request, err error) {
	if t.kind == OCSP {
		var body []byte
		if body, err = t.request(); err != nil {
			return nil, err
		}
		if r, err = http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body)); err != nil {
			return nil, err
		}
		r.Header.Set("Content-Type", "application/ocsp-request")
	} else if r, err = http.NewRequestWithContext(ctx, http.MethodGet, url, nil); err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "docaxis")
	return r, nil
}

// refuse looks at what an answer says before its body.
func (f *fetcher) refuse(r *http.Response, k Kind) error {
	encoding := r.Header.Get("Content-Encoding")
	switch {
	case r.StatusCode >= 500 || r.StatusCode == http.StatusTooManyRequests:
		return unreachable{lang.Errorf("%s trả lời HTTP %d", "%s answers with HTTP %d", clip(r.Request.URL.Host), r.StatusCode)}
	case r.StatusCode != http.StatusOK:
		return lang.Errorf("%s trả lời HTTP %d", "%s answers with HTTP %d", clip(r.Request.URL.Host), r.StatusCode)
	case encoding != "" && encoding != "identity":
		return lang.Errorf("trả lời bị nén (%q), không được hỗ trợ", "the answer is compressed (%q), which is not supported", clip(encoding))
	case r.ContentLength > f.limit(k):
		return tooLarge(f.limit(k))
	}
	return nil
}

func tooLarge(limit int64) error {
	return lang.Errorf("trả lời lớn hơn %d byte", "the answer is larger than %d bytes", limit)
}

// receive writes the body to a temporary file while it comes.
func (f *fetcher) receive(body io.Reader, limit int64) (*received, error) {
	file, err := os.CreateTemp(f.dir, ".tmp-*")
	if err != nil {
		return nil, onDisk(err)
	}
	r := &received{file: file, sum: sha256.New()}
	return r, r.fill(body, limit)
}

func (r *received) fill(body io.Reader, limit int64) (err error) {
	to := &diskWriter{w: io.MultiWriter(r.file, r.sum)}
	r.size, err = io.Copy(to, io.LimitReader(body, limit+1))
	switch {
	case to.err != nil:
		err = onDisk(to.err)
	case err != nil:
		err = unreachable{lang.Errorf("trả lời bị đứt giữa chừng", "the answer broke off").Because(err)}
	case r.size > limit:
		err = tooLarge(limit)
	}
	return err
}

// diskWriter remembers whether it was the disk that failed.
type diskWriter struct {
	w   io.Writer
	err error
}

func (d *diskWriter) Write(b []byte) (n int, err error) {
	n, d.err = d.w.Write(b)
	return n, d.err
}

func onDisk(err error) error {
	return lang.Errorf("không ghi được vào thư mục lưu; hãy xem đĩa còn chỗ không", "what was fetched cannot be written; see whether the disk has room").Because(err)
}

// judge checks what is in the temporary file.
func (f *fetcher) judge(r *received, t target, old *description) error {
	if old != nil && r.digest() == old.Digest {
		if err := old.Answer.timely(f.cfg.Now()); err != nil {
			return err
		}
		return errTwice
	}
	f.judging <- struct{}{}
	defer func() { <-f.judging }()
	raw := make([]byte, r.size)
	if _, err := r.file.ReadAt(raw, 0); err != nil {
		return onDisk(err)
	}
	a, err := judge(raw, t)
	if err == nil {
		err = usable(raw, t.kind)
	}
	if err != nil {
		return err
	}
	r.answer = a
	if err := a.timely(f.cfg.Now()); err != nil || old == nil {
		return err
	}
	return a.follows(&old.Answer)
}

func judge(raw []byte, t target) (*answer, error) {
	if t.kind == OCSP {
		return judgeOCSP(raw, t)
	}
	return judgeCRL(raw, t)
}
