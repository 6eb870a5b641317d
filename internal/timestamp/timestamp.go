// Package timestamp owns asking time-stamping authorities (RFC 3161 over HTTP):
// several of them, one after the other until one answers, and each answer checked
// before it is believed. Authorities in use were seen to take from two seconds to
// more than two minutes, so never ask while somebody waits.
package timestamp

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"sync"
	"time"

	"docaxis/internal/lang"
	"docaxis/signing"
)

const (
	// defaultTimeout is for one authority: the slowest answer that was seen, and a
	// third more.
	defaultTimeout = 180 * time.Second
	// restAfterFailure is how long an authority that failed is asked last.
	restAfterFailure = 5 * time.Minute
	// maxDifference is how far the clock of an authority may be from ours. Beyond
	// it one of the two is wrong, and nobody can tell which.
	maxDifference = 10 * time.Minute
)

// ErrNoAuthority says that none is configured. Name one, or do without
// time-stamps.
var ErrNoAuthority = errors.New("timestamp: no time-stamping authority is configured")

// Authority is one that may be asked.
type Authority struct {
	// URL takes requests by POST.
	URL string
	// Policies are those accepted; any where it is empty.
	Policies []asn1.ObjectIdentifier
}

// Config says whom to ask and whom to believe.
type Config struct {
	// Authorities in the order of preference.
	Authorities []Authority
	// Trust is whom to believe about time.
	Trust *signing.Trust
	// Timeout is for one authority; zero means 180 seconds.
	Timeout time.Duration
	// Now, Random and Transport may be nil: the machine's.
	Now       func() time.Time
	Random    io.Reader
	Transport http.RoundTripper
}

// Client asks authorities. It may be used by several goroutines at once.
type Client struct {
	config Config
	http   *http.Client

	mu    sync.Mutex
	rests map[string]time.Time // by URL, until when it is asked last; guarded by mu
}

// New makes a client.
func New(c Config) (*Client, error) {
	if len(c.Authorities) == 0 {
		return nil, ErrNoAuthority
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	// An authority that sends elsewhere could send to a service within our walls.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{
		config: c,
		http:   &http.Client{Transport: c.Transport, CheckRedirect: stay},
		rests:  map[string]time.Time{},
	}, nil
}

// Signature adds a time-stamp to one signer of a signature (signing.AddTimestamp).
func (c *Client) Signature(ctx context.Context, signature []byte, signer int) ([]byte, error) {
	return signing.AddTimestamp(signature, signer, func(value []byte) ([]byte, error) { return c.Stamp(ctx, value) })
}

// Stamp gives a time-stamp of content, by SHA-256, from the first authority that
// gives a good one. The error names every authority and what was wrong; all of it
// is worth another try later, unless ctx has ended.
func (c *Client) Stamp(ctx context.Context, content []byte) ([]byte, error) {
	var failures []error
	for _, a := range c.order() {
		token, err := c.ask(ctx, a, content)
		if err == nil {
			c.rest(a, time.Time{})
			return token, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		c.rest(a, c.config.Now().Add(restAfterFailure))
		failures = append(failures, fmt.Errorf("%s: %w", a.URL, err))
	}
	all := errors.Join(failures...)
	return nil, lang.Errorf("không lấy được dấu thời gian; đề nghị thử lại sau: %v", "no time-stamp to be had; try again later: %v", all).Because(all)
}

// order puts those that failed lately last.
func (c *Client) order() []Authority {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ready, resting []Authority
	for _, a := range c.config.Authorities {
		if c.config.Now().Before(c.rests[a.URL]) {
			resting = append(resting, a)
		} else {
			ready = append(ready, a)
		}
	}
	return append(ready, resting...)
}

func (c *Client) rest(a Authority, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rests[a.URL] = until
}

// ask asks one authority, and believes nothing that it did not check.
func (c *Client) ask(ctx context.Context, a Authority, content []byte) ([]byte, error) {
	nonce, err := rand.Int(c.config.Random, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(content)
	request, err := signing.TimestampRequest(crypto.SHA256, digest[:], nonce)
	if err != nil {
		return nil, err
	}
	response, err := c.post(ctx, a.URL, request)
	if err != nil {
		return nil, err
	}
	token, err := signing.ReadTimestampResponse(response)
	if err != nil {
		return nil, err
	}
	return token, c.check(a, token, content, nonce)
}
