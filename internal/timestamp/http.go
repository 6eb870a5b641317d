package timestamp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/big"
	"net/http"

	"docaxis/internal/lang"
	"docaxis/signing"
)

// The types of RFC 3161 section 3.4.
const (
	queryType = "application/timestamp-query"
	replyType = "application/timestamp-reply"
)

// post sends a request and reads an answer that is no larger than a time-stamp may
// be.
func (c *Client) post(ctx context.Context, url string, request []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", queryType)
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("HTTP %s", answer.Status)
	}
	response, err := io.ReadAll(io.LimitReader(answer.Body, signing.MaxSize+1))
	if err == nil && len(response) > signing.MaxSize {
		err = fmt.Errorf("an answer of more than %d bytes", signing.MaxSize)
	}
	return response, err
}

// check judges a token at the time of now.
func (c *Client) check(a Authority, token, content []byte, nonce *big.Int) error {
	now := c.config.Now()
	v, err := signing.VerifyTimestamp(token, bytes.NewReader(content), signing.TimestampOptions{
		At: now, Source: signing.TimeNow, Trust: c.config.Trust, Policies: a.Policies, Nonce: nonce,
	})
	if err != nil {
		return err
	}
	if !v.Passed() {
		return fmt.Errorf("%s %s: %s", v.Indication, v.SubIndication, v.Detail)
	}
	if d := v.Token.Time.Sub(now).Abs(); d > maxDifference {
		return lang.Errorf("đồng hồ của đơn vị cấp dấu thời gian lệch %v so với máy này; đề nghị kiểm tra đồng hồ",
			"the authority's clock is %v from this machine's; check this machine's clock", d)
	}
	return nil
}

// Handler serves an authority over HTTP, for tests and demonstrations
// (signingtest.TimestampAuthority.Respond).
func Handler(respond func(request []byte) []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, err := io.ReadAll(http.MaxBytesReader(w, r.Body, signing.MaxSize))
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != queryType {
			http.Error(w, "a request for a time-stamp is needed", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", replyType)
		_, _ = w.Write(respond(request)) // whoever has gone does not need it
	})
}
