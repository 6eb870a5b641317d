package vxp

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"docaxis/internal/lang"
)

// Options bound what a Handler does. A zero field has the default that it names.
type Options struct {
	// Log gets one line for each request; nil means no log.
	Log *slog.Logger
	// Language of ErrorDesc; Vietnamese.
	Language lang.Language
	// PackageBytes is the largest package that sendEdoc takes; 512 MiB.
	PackageBytes uint64
	// ListLimit is the most entries of a list of deliveries or sendings; 1000.
	ListLimit int
	// AtOnce is how many requests are worked on at the same time, half of them for any
	// one system; 64. More wait for Patience, then they hear that the endpoint is busy.
	AtOnce   int
	Patience time.Duration // 5 s
	// Pause is how long a client may send or take nothing in the middle of a body;
	// 2 min. The SDK writes what it downloads byte by byte, so it takes its time.
	Pause time.Duration
	// Work is how long an operation may take that has no body to pass on; 60 s.
	Work time.Duration
}

func (o Options) complete() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Language == "" {
		o.Language = lang.Vietnamese
	}
	o.PackageBytes = orElse(o.PackageBytes, 512<<20)
	o.ListLimit = orElse(o.ListLimit, 1000)
	o.AtOnce = orElse(o.AtOnce, 64)
	o.Patience = orElse(o.Patience, 5*time.Second)
	o.Pause = orElse(o.Pause, 2*time.Minute)
	o.Work = orElse(o.Work, time.Minute)
	return o
}

func orElse[T comparable](value, otherwise T) T {
	var none T
	if value == none {
		return otherwise
	}
	return value
}

type handler struct {
	exchange Exchange
	Options
	gate *gate
}

// Handler serves every operation of the SDK. Whatever happens, a client gets an answer
// of the protocol's form, with HTTP status 200; only downloadEdoc is refused by a status
// and an empty body, because the SDK saves whatever body it gets as the document.
func Handler(e Exchange, o Options) http.Handler {
	o = o.complete()
	return &handler{exchange: e, Options: o, gate: newGate(o.AtOnce, o.Patience)}
}

// call is one request on its way.
type call struct {
	w    http.ResponseWriter
	r    *http.Request
	op   operation
	body *paced

	// system is set once the signature was good.
	system string
	params params
	// docID and code are for the log.
	docID string
	code  int
	// begun: an answer is on its way, nothing else can be said.
	begun bool
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	taken(r.Context())
	begin := time.Now()
	c := &call{w: w, r: r, body: newPaced(w, r, h.Pause)}
	// A deadline of the connection's request before this one must not cut this answer.
	c.extend(h.Pause)
	err := h.guarded(c)
	if err != nil && !c.begun {
		h.refuse(c, err)
	}
	h.logged(c, err, time.Since(begin))
}

var errPanicked = errors.New("the handler panicked")

// guarded serves a call, and makes a panic an error: the connection of a client that
// gets no answer is tried again by the SDK, and then its program crashes.
func (h *handler) guarded(c *call) (err error) {
	defer func() {
		if p := recover(); p != nil {
			h.Log.Error("vxp: panic", "operation", c.op.name, "panic", p, "stack", string(debug.Stack()))
			err = errPanicked
		}
	}()
	return h.serve(c)
}

func (h *handler) serve(c *call) error {
	c.op = operationAt(c.r.URL.Path)
	if c.op.run == nil {
		return refuse(404, "Không có thao tác này: %s. Hãy kiểm tra service.endpoint và tên thao tác.",
			"There is no such operation: %s. Check service.endpoint and the operation's name.", short(c.r.URL.Path))
	}
	if c.r.Method != c.op.method {
		return refuse(405, "%s phải được gọi bằng %s.", "%s must be called by %s.", c.op.name, c.op.method)
	}
	var err error
	if c.system, c.params, err = h.authenticate(c.r.Header); err != nil {
		return err
	}
	if !c.op.takesBody {
		// {} or nothing, and a client that waits to be asked for it.
		if _, err := c.body.small(); err != nil {
			return err
		}
	}
	leave, err := h.gate.enter(c.r.Context(), c.system)
	if err != nil {
		return err
	}
	defer leave()
	return h.work(c)
}

func (h *handler) work(c *call) error {
	if c.op.streams {
		return c.op.run(h, c)
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), h.Work)
	defer cancel()
	c.r = c.r.WithContext(ctx)
	return c.op.run(h, c)
}

// short is a client's text in a message or a log.
func short(text string) string {
	const most = 100
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
