package admin

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"docaxis/internal/admin"
)

// PathStore gives the store as it is at one moment, for a backup.
const PathStore = "/store"

// Keeper gives a running endpoint's store.
type Keeper interface {
	// Store writes the store's file, as it is at one moment, to what to gives for
	// its size. The endpoint goes on meanwhile.
	Store(ctx context.Context, to func(size int64) io.Writer) error
}

func giveStore(mux *http.ServeMux, k Keeper) {
	mux.HandleFunc("GET "+PathStore, func(w http.ResponseWriter, r *http.Request) {
		begun := false
		err := k.Store(r.Context(), func(size int64) io.Writer {
			begun = true
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
			return w
		})
		if err != nil && !begun {
			admin.Answer(w, nil, err)
			return
		}
		if err != nil {
			// The answer has begun: only a cut connection can say that it is not whole.
			panic(http.ErrAbortHandler)
		}
	})
}
