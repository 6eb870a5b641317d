package vxp

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// paced is a request's body: each read has its own time, so that a slow client is
// served and a silent one is not waited for.
type paced struct {
	body    io.Reader
	control *http.ResponseController
	pause   time.Duration
	// expects: the client sends its body only after it was asked to, which the first
	// read does.
	expects, begun bool
	// err is what the body ended with; a client that was silent once is not waited for
	// again.
	err error
}

func newPaced(w http.ResponseWriter, r *http.Request, pause time.Duration) *paced {
	return &paced{
		body: r.Body, control: http.NewResponseController(w), pause: pause,
		expects: r.Header.Get("Expect") != "",
	}
}

func (p *paced) Read(into []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	p.begun = true
	p.control.SetReadDeadline(time.Now().Add(p.pause)) //nolint:errcheck // a test's recorder has none
	n, err := p.body.Read(into)
	if err != nil {
		p.end(err)
	}
	return n, err
}

// end is called once. After a whole body the connection is read for the sake of noticing
// that the client hangs up, without a bound; of a body that is not whole, net/http would
// wait for the rest before it lets the answer go.
func (p *paced) end(err error) {
	p.err = err
	bound := time.Time{}
	if !errors.Is(err, io.EOF) {
		bound = time.Unix(1, 0)
	}
	p.control.SetReadDeadline(bound) //nolint:errcheck // a test's recorder has none
}

var errEnough = errors.New("more than anybody waits for")

// drain reads what a client still sends, at most so many bytes, for at most so long. A
// client that waits to be asked for its body is not.
func (p *paced) drain(most uint64, long time.Duration) {
	if p.expects && !p.begun {
		return
	}
	end := time.Now().Add(long)
	buffer := make([]byte, 32<<10)
	for most > 0 && time.Now().Before(end) {
		n, err := p.Read(buffer[:min(most, uint64(len(buffer)))])
		if err != nil {
			return
		}
		most -= uint64(n)
	}
	p.end(errEnough)
}

// small reads a body of a few members.
func (p *paced) small() ([]byte, error) {
	const most = 1 << 20
	raw, err := io.ReadAll(io.LimitReader(p, most+1))
	if err != nil {
		return nil, broken(err)
	}
	if len(raw) > most {
		return nil, refuse(413, "Thân yêu cầu lớn hơn %d byte.", "The body has more than %d bytes.", most)
	}
	return raw, nil
}

// broken says why a body could not be read.
func broken(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return refuse(400, "Thân yêu cầu không đến đủ: bên gửi im lặng quá lâu. Hãy gửi lại.",
			"The body did not come: the client was silent for too long. Send again.")
	}
	return refuse(400, "Thân yêu cầu không đọc được trọn vẹn. Hãy gửi lại.", "The body could not be read to its end. Send again.")
}

// file is the body of sendEdoc without the CR LF that the SDK appends to every file.
type file struct {
	from *paced
	left uint64
	// err is why the body could not be read, which counts more than what the Exchange
	// made of it.
	err error
}

func (f *file) Read(into []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	if f.left == 0 {
		return 0, io.EOF
	}
	n, err := f.from.Read(into[:min(uint64(len(into)), f.left)])
	f.left -= uint64(n)
	switch {
	case f.left == 0:
		f.err = f.tail()
	case err != nil:
		f.err = broken(err)
	}
	return n, f.err
}

// tail reads what the SDK appended.
func (f *file) tail() error {
	var end [2]byte
	if _, err := io.ReadFull(f.from, end[:]); err != nil {
		return broken(err)
	}
	if string(end[:]) != "\r\n" {
		return refuse(400, "Thân yêu cầu phải là tệp, tiếp theo là CR LF, như SDK của trục gửi.",
			"The body must be the file followed by CR LF, as the axis's SDK sends it.")
	}
	// Only so net/http notices the end of the body, and the connection can go on.
	f.from.Read(end[:1]) //nolint:errcheck // the end
	return nil
}

// writer passes an answer on, in parts that each have their time.
type writer struct{ c *call }

func (c *call) stream() io.Writer { return writer{c} }

func (s writer) Write(p []byte) (int, error) {
	const part = 64 << 10
	done := 0
	for done < len(p) {
		s.c.extend(s.c.body.pause)
		n, err := s.c.w.Write(p[done:min(done+part, len(p))])
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// extend gives the client so long to take the next part of its answer.
func (c *call) extend(pause time.Duration) {
	c.body.control.SetWriteDeadline(time.Now().Add(pause)) //nolint:errcheck // a test's recorder has none
}
