package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"

	"docaxis/internal/admin"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Paths of the API.
const (
	PathStatus   = "/status"
	PathSend     = "/send"
	PathOutbox   = "/outbox"
	PathInbox    = "/inbox"
	PathShow     = "/show"
	PathProofs   = "/proofs"
	PathWait     = "/wait"
	PathContent  = "/content"
	PathConfirm  = "/confirm"
	PathRetry    = "/retry"
	PathAgencies = "/agencies"
	PathClean    = "/clean"
	PathSizes    = "/sizes"
)

// Handler serves a clerk's commands.
func Handler(c Clerk) http.Handler {
	mux := http.NewServeMux()
	get(mux, PathStatus, func(r *http.Request) (any, error) { return c.Status(r.Context()) })
	get(mux, PathOutbox, func(r *http.Request) (any, error) { return c.Outbox(r.Context(), page(r)) })
	get(mux, PathInbox, func(r *http.Request) (any, error) { return c.Inbox(r.Context(), page(r)) })
	get(mux, PathSizes, func(r *http.Request) (any, error) { return c.Sizes(r.Context()) })
	get(mux, PathShow, func(r *http.Request) (any, error) { return c.Show(r.Context(), r.FormValue("id")) })
	get(mux, PathProofs, func(r *http.Request) (any, error) { return c.Prove(r.Context(), r.FormValue("id")) })
	get(mux, PathWait, func(r *http.Request) (any, error) {
		return Sent{ID: r.FormValue("id")}, c.Wait(r.Context(), r.FormValue("id"), r.FormValue("state"))
	})
	get(mux, PathAgencies, func(r *http.Request) (any, error) { return c.Agencies(r.Context(), r.FormValue("search")) })
	giveStore(mux, c)
	serveSystems(mux, c)
	mux.HandleFunc("GET "+PathContent, func(w http.ResponseWriter, r *http.Request) { serveContent(w, r, c) })
	mux.HandleFunc("POST "+PathSend, func(w http.ResponseWriter, r *http.Request) {
		v, err := receive(r, c)
		admin.Answer(w, v, err)
	})
	mux.HandleFunc("POST "+PathConfirm, func(w http.ResponseWriter, r *http.Request) {
		var req Confirm
		if err := admin.Read(r, &req); err != nil {
			admin.Answer(w, nil, err)
			return
		}
		v, err := c.Confirm(r.Context(), req)
		admin.Answer(w, v, err)
	})
	mux.HandleFunc("POST "+PathClean, func(w http.ResponseWriter, r *http.Request) {
		var req Clean
		if err := admin.Read(r, &req); err != nil {
			admin.Answer(w, nil, err)
			return
		}
		v, err := c.Clean(r.Context(), req)
		admin.Answer(w, v, err)
	})
	mux.HandleFunc("POST "+PathRetry, func(w http.ResponseWriter, r *http.Request) {
		var req Sent
		err := admin.Read(r, &req)
		if err == nil {
			err = c.Retry(r.Context(), req.ID)
		}
		admin.Answer(w, req, err)
	})
	return mux
}

func get(mux *http.ServeMux, path string, f func(*http.Request) (any, error)) {
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		v, err := f(r)
		admin.Answer(w, v, err)
	})
}

func serveContent(w http.ResponseWriter, r *http.Request, c Clerk) {
	n, err := strconv.Atoi(r.FormValue("n"))
	if err != nil {
		admin.Answer(w, nil, reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "n"))
		return
	}
	content, err := c.Content(r.Context(), r.FormValue("id"), r.FormValue("code"), n)
	if err != nil {
		admin.Answer(w, nil, err)
		return
	}
	defer content.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	if _, err := io.Copy(w, content); err != nil {
		// The answer has begun: only a cut connection can say that it is not whole.
		panic(http.ErrAbortHandler)
	}
}

// page reads which part of a list is asked for; what makes no sense is the first one.
func page(r *http.Request) Page {
	limit, err := strconv.Atoi(r.FormValue("limit"))
	if err != nil {
		limit = 0
	}
	return Page{After: r.FormValue("after"), Limit: limit, New: r.FormValue("new") == "true"}
}

// receive reads a draft and then its files out of one request, so that nothing
// is held in memory.
func receive(r *http.Request, c Clerk) (Sent, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return Sent{}, malformed(err)
	}
	first, err := parts.NextPart()
	if err != nil {
		return Sent{}, malformed(err)
	}
	var d Draft
	decoder := json.NewDecoder(io.LimitReader(first, 4<<20))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return Sent{}, malformed(err)
	}
	return c.Send(r.Context(), d, files(parts, d.Files))
}

func malformed(err error) error {
	return reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "draft").Because(err)
}

func files(parts *multipart.Reader, infos []FileInfo) []File {
	shared := &sequence{parts: parts}
	all := make([]File, len(infos))
	for i, info := range infos {
		all[i] = File{FileInfo: info, Content: &part{from: shared, n: i}}
	}
	return all
}

// sequence hands out the parts of a request, which come one after the other.
type sequence struct {
	parts   *multipart.Reader
	next    int
	current io.Reader
}

// part is a file that is read when its turn comes.
type part struct {
	from *sequence
	n    int
}

var errOrder = errors.New("the files of a draft are read in their order, each once")

// Read reads the part, going on to it first.
func (p *part) Read(b []byte) (int, error) {
	s := p.from
	if s.next == p.n {
		current, err := s.parts.NextPart()
		if err != nil {
			return 0, fmt.Errorf("file %d of the draft is missing: %w", p.n+1, err)
		}
		s.current, s.next = current, s.next+1
	}
	if s.next != p.n+1 {
		return 0, errOrder
	}
	return s.current.Read(b)
}

// Send writes a draft and its files into one request to a running endpoint.
func Send(ctx context.Context, c *admin.Client, d Draft, open func(n int) (io.ReadCloser, error)) (Sent, error) {
	r, w := io.Pipe()
	m := multipart.NewWriter(w)
	go func() { w.CloseWithError(write(m, d, open)) }()
	defer r.Close()
	var sent Sent
	err := c.Upload(ctx, PathSend, m.FormDataContentType(), r, &sent)
	return sent, err
}

func write(m *multipart.Writer, d Draft, open func(n int) (io.ReadCloser, error)) error {
	p, err := m.CreateFormField("draft")
	if err != nil {
		return err
	}
	if err := json.NewEncoder(p).Encode(d); err != nil {
		return err
	}
	for i := range d.Files {
		if err := writeFile(m, i, open); err != nil {
			return err
		}
	}
	return m.Close()
}

func writeFile(m *multipart.Writer, n int, open func(n int) (io.ReadCloser, error)) error {
	f, err := open(n)
	if err != nil {
		return err
	}
	defer f.Close()
	p, err := m.CreateFormFile("file", strconv.Itoa(n))
	if err != nil {
		return err
	}
	_, err = io.Copy(p, f)
	return err
}
