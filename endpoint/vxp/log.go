package vxp

import (
	"context"
	"log/slog"
	"time"
)

// logged writes a line about a request: never a secret, a header or a word of a
// document.
func (h *handler) logged(c *call, err error, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("system", c.system), slog.String("operation", c.op.name),
		slog.Int("code", c.code), slog.String("took", class(took)),
	}
	if c.docID != "" {
		attrs = append(attrs, slog.String("docId", short(c.docID)))
	}
	if err != nil {
		attrs = append(attrs, slog.String("why", err.Error()))
	}
	h.Log.LogAttrs(context.Background(), level(c, err), "vxp", attrs...)
}

// level: what nobody has to do anything about, such as clients that look for mail, is
// not said unless somebody wants to hear everything.
func level(c *call, err error) slog.Level {
	switch {
	case c.code == 500:
		return slog.LevelError
	case err != nil:
		return slog.LevelWarn
	case c.docID != "":
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// class of a duration: enough to find what is slow.
func class(took time.Duration) string {
	for _, c := range []struct {
		below time.Duration
		name  string
	}{{10 * time.Millisecond, "<10ms"}, {100 * time.Millisecond, "<100ms"}, {time.Second, "<1s"}, {10 * time.Second, "<10s"}} {
		if took < c.below {
			return c.name
		}
	}
	return ">=10s"
}
