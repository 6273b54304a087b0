package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"golang.org/x/term"
)

// quietLog drops what net/http would log of strangers' handshakes and requests:
// it quotes what they sent.
func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }

// webHandler answers whether the server lives, and refuses everything else:
// nobody can sign in yet.
func (s *server) webHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		headers(w)
		if err := s.in.db.Ping(r.Context()); err != nil {
			http.Error(w, `{"status":"unavailable"}`, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, `{"status":"ok"}`)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		headers(w)
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintln(w, `{"title":"Not signed in","status":401,"detail":"This server takes images over DICOM; see 'collimator serve --help'."}`)
	})
	return mux
}

func headers(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Strict-Transport-Security", "max-age=63072000")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
}

// welcome says where the server listens and what to do next.
func (s *server) welcome(e *env, dicom net.Addr, web *webListener) {
	cfg := s.in.config
	fmt.Fprintf(e.stdout, "Collimator %s\n", version())
	fmt.Fprintf(e.stdout, "  DICOM (TLS)  %s, AE title %s\n", dicom, cfg.AE)
	if web != nil {
		fmt.Fprintf(e.stdout, "  HTTPS        https://%s/healthz\n", web.ln.Addr())
	}
	fmt.Fprintf(e.stdout, "  Data         %s\n", cfg.Data)
	devices, err := s.in.registry.Devices(e.ctx)
	if err == nil && len(devices) == 0 {
		fmt.Fprintf(e.stdout, "\nNo device may come in yet. In another terminal:\n  %s device add WS1 --data %s --allow echo,store,query,retrieve,commit --out ./ws1\n", os.Args[0], cfg.Data)
	}
	if f, ok := e.stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintln(e.stdout, "\nStop with Ctrl-C.")
	}
}
