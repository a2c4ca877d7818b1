package web

import (
	"io"
	"net/http"
)

// MountHealth serves /livez, which answers for as long as the process can, and
// /readyz, which is ready while the reason that notReady gives is empty. The
// reason is one line that can be shown.
func MountHealth(mux *http.ServeMux, notReady func() string) {
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		say(w, http.StatusOK, "alive")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if reason := notReady(); reason != "" {
			say(w, http.StatusServiceUnavailable, "not ready: "+reason)
			return
		}
		say(w, http.StatusOK, "ready")
	})
}

func say(w http.ResponseWriter, status int, line string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, line+"\n") // Whoever left does not need it.
}
