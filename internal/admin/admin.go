// Package admin owns how a command talks to the running process that owns the
// files: HTTP on loopback, with a token that only the files' owner can read.
package admin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"docaxis/internal/durable"
	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// fileName is where a running process says how to reach it, inside its folder.
const fileName = "admin.json"

// place is what the file holds.
type place struct {
	Address string `json:"address"`
	Token   string `json:"token"`
}

// Server answers commands.
type Server struct {
	listener net.Listener
	http     *http.Server
	path     string
}

// Listen opens the API of a process that owns dir. The address must be loopback;
// port 0 picks a free one. Every request needs the token of the file admin.json,
// which only its owner may read.
func Listen(dir, address string, handler http.Handler) (*Server, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, lang.Errorf("Địa chỉ quản trị %q không có dạng máy:cổng. Hãy ghi 127.0.0.1:0.",
			"The admin address %q is not host:port. Write 127.0.0.1:0.", address).Because(err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, lang.Errorf("Địa chỉ quản trị %q không nằm trong máy này. Hãy ghi 127.0.0.1:0.",
			"The admin address %q is not of this machine alone. Write 127.0.0.1:0.", address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, lang.Errorf("Không mở được địa chỉ quản trị %s: %v. Hãy ghi 127.0.0.1:0 để máy tự chọn cổng trống.",
			"The admin address %s cannot be opened: %v. Write 127.0.0.1:0 for any free port.", address, err).Because(err)
	}
	p := place{Address: l.Addr().String(), Token: rand.Text()}
	data, err := json.Marshal(p)
	if err == nil {
		err = durable.WriteFile(filepath.Join(dir, fileName), data, 0o600)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("say where the admin API is: %w", err), l.Close())
	}
	return &Server{
		listener: l,
		http:     &http.Server{Handler: guarded(p.Token, handler), ReadHeaderTimeout: 10 * time.Second},
		path:     filepath.Join(dir, fileName),
	}, nil
}

// Run serves until ctx ends, then lets requests finish for two seconds.
func (s *Server) Run(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.http.Serve(s.listener) }()
	select {
	case err := <-done:
		return fmt.Errorf("admin API: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := s.http.Shutdown(stop); err != nil {
		s.http.Close() //nolint:errcheck // what did not finish is cut
	}
	<-done
	return errors.Join(os.Remove(s.path))
}

// guarded asks for the token, so that no page in a browser and no other user of
// the machine can act.
func guarded(token string, next http.Handler) http.Handler {
	want := []byte("Bearer " + token)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// problem is how an error crosses.
type problem struct {
	Message string `json:"message"`
	// Vietnamese is the same, for an error that both languages know.
	Vietnamese string            `json:"vietnamese,omitempty"`
	Code       axispb.ReasonCode `json:"code,omitempty"`
	Args       []string          `json:"args,omitempty"`
	Temporary  bool              `json:"temporary,omitempty"`
}

// Answer writes a value as JSON, or an error so that the client gets the same.
func Answer(w http.ResponseWriter, v any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err == nil {
		json.NewEncoder(w).Encode(v) //nolint:errcheck // the client is gone, then
		return
	}
	p := problem{Message: lang.Say(err, lang.English)}
	if vietnamese := lang.Say(err, lang.Vietnamese); vietnamese != p.Message {
		p.Vietnamese = vietnamese
	}
	var e *reason.Error
	if errors.As(err, &e) {
		p.Code, p.Args, p.Temporary = e.Reason.GetCode(), e.Reason.GetArgs(), e.Temporary()
	}
	w.WriteHeader(http.StatusUnprocessableEntity)
	json.NewEncoder(w).Encode(p) //nolint:errcheck // the client is gone, then
}

// Read reads a request's JSON strictly.
func Read(r *http.Request, into any) error {
	d := json.NewDecoder(io.LimitReader(r.Body, 64<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "request of the admin API").Because(err)
	}
	return nil
}
