package vxp

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"docaxis/internal/lang"
)

// answer is the JSON of every operation but downloadEdoc. The SDK loses everything where
// one of the first three is missing or any value is null.
type answer struct {
	Status    string  `json:"status"`
	ErrorCode string  `json:"ErrorCode"`
	ErrorDesc string  `json:"ErrorDesc"`
	DocID     *string `json:"DocId,omitempty"`
	Count     *int    `json:"count,omitempty"`
	Data      any     `json:"data,omitempty"`
}

func success(l lang.Language) answer {
	return answer{Status: "OK", ErrorCode: "0", ErrorDesc: l.Pick("Thành công", "Success")}
}

// failure has the form in which an operation's refusals are read.
func failure(f frame, code int, says string) answer {
	a := answer{Status: "FAIL", ErrorCode: strconv.Itoa(code), ErrorDesc: says}
	empty := ""
	if f == andDocID || f == anything {
		a.DocID = &empty
	}
	if f == andData || f == anything {
		a.Data = empty
	}
	return a
}

// text is an answer as it goes out: ASCII alone, because 2.0.1 reads the answer to
// sendEdoc as US-ASCII and 2.0.0 in the platform's charset.
func (a answer) text() ([]byte, error) {
	raw, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	return ascii(raw), nil
}

// say sends an answer.
func (c *call) say(a answer) error {
	body, err := a.text()
	if err != nil {
		return err
	}
	c.begin(http.StatusOK, "application/json; charset=utf-8", int64(len(body)))
	_, err = c.stream().Write(body)
	return err
}

// begin sends the head of an answer; from here on nothing else can be said.
func (c *call) begin(status int, contentType string, bytes int64) {
	c.begun = true
	h := c.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.FormatInt(bytes, 10))
	h.Set("Cache-Control", "no-store")
	c.w.WriteHeader(status)
}

// refuse answers a call that was not served.
func (h *handler) refuse(c *call, err error) {
	c.code = errorCode(err)
	// Who still sends its body would see a broken connection and not the answer.
	c.body.drain(2*h.PackageBytes, drainTime)
	if c.op.frame == rawBody {
		c.begin(c.code, "application/octet-stream", 0)
		return
	}
	c.say(failure(c.op.frame, c.code, describe(err, h.Language))) //nolint:errcheck // the client is gone, then
}

// drainTime is how long a client may go on sending what is not wanted.
const drainTime = 5 * time.Minute

// moment is a time as the recorded answers write it, in Viet Nam time.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(lang.VietNam()).Format("2006/01/02 15:04:05")
}
