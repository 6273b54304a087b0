package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"reflect"
	"time"

	"golang.org/x/term"

	"collimator/dicomweb"
	"collimator/internal/api"
	"collimator/internal/backup"
	"collimator/internal/config"
	"collimator/internal/console"
	"collimator/internal/httpsec"
	"collimator/internal/places"
	"collimator/internal/recovery"
	"collimator/internal/state"
)

// quietLog drops what net/http would log of strangers' handshakes and requests:
// it quotes what they sent.
func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }

// webRoot is where DICOMweb is found.
const webRoot = "/dicom-web"

// webHandler is DICOMweb and the JSON API behind the guard. Beside them this
// machine may ask whether the server lives; everything else is for the API to
// refuse, which tells nobody without credentials which addresses exist.
func (s *server) webHandler() http.Handler {
	images := dicomweb.NewHandler(s.webArchive(), s.guard.InterceptWeb, webOptions(s.in.config))
	pictures := httpsec.Images.Wrap(httpsec.Pace{}.Wrap(s.guard.Cuttable(images)))
	data := s.guard.NewAPI()
	s.services().Register(data)
	s.meter.register(data)
	mux := http.NewServeMux()
	mux.Handle(webRoot+"/", pictures)
	mux.Handle(console.SharePath+"/", httpsec.Page.Wrap(console.NewShare(s.openShare, pictures, webRoot, data)))
	mux.Handle(console.SetupPath+"/", httpsec.Page.Wrap(console.NewSetup(data)))
	mux.Handle("/", console.Front(httpsec.API.Wrap(data)))
	mux.Handle("/healthz", httpsec.API.Wrap(s.health(data)))
	return places.NewRequests(webRequests).Bound(redirects(mux, httpsec.API.Wrap(data)), http.HandlerFunc(httpsec.Busy))
}

// webOptions are those of DICOMweb. Links name the address of the settings that
// the client used; where the settings name none, only the path.
func webOptions(c config.Config) dicomweb.Options {
	o := dicomweb.Options{Root: webRoot, AllowDelete: true, Origins: origins(c)}
	if len(c.SignIn.Origins) > 0 || len(c.Hosts) > 0 {
		o.Origin = bestOrigin(c)
	}
	return o
}

// redirects puts the headers on what the multiplexer answers by itself: where
// an address is, that was written in another way. A CONNECT and a question about
// the whole server (OPTIONS *) have no path and are the API's to refuse.
func redirects(mux *http.ServeMux, refuse http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect || r.RequestURI == "*" {
			refuse.ServeHTTP(w, r)
			return
		}
		h, _ := mux.Handler(r)
		if reflect.TypeOf(h) == redirectType {
			h = httpsec.API.Wrap(h)
			h.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// redirectType is that of the multiplexer's own redirects.
var redirectType = reflect.TypeOf(http.RedirectHandler("/", http.StatusTemporaryRedirect))

// openShare signs a browser in with a link.
func (s *server) openShare(w http.ResponseWriter, r *http.Request, secret, password string) error {
	_, err := s.guard.OpenShare(w, r, secret, password)
	return err
}

// services are what the JSON API is a face of.
func (s *server) services() *api.Services {
	return &api.Services{Registry: s.in.registry, Trail: s.in.trail, Archive: s.archive, Posture: s.posture, Log: s.log, Links: linkAddress(s.in.config), ShareLinks: shareAddress(s.in.config)}
}

// health answers this machine alone.
func (s *server) health(refuse http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !local(r) {
			refuse.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := s.in.db.Ping(r.Context()); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, `{"status":"unavailable"}`)
			return
		}
		fmt.Fprintf(w, `{"status":%q,"indexLogBytes":%d,%s,"states":%s}`+"\n", s.status(), s.in.db.LogBytes(), backupHealth(s.in.config.Data), s.statesJSON())
	})
}

// status is "ok" while everything does what it is for, else the worst of the
// states: a server that is degraded goes on.
func (s *server) status() string {
	if worst := s.states.Worst(); worst > state.Well {
		return worst.String()
	}
	return "ok"
}

func (s *server) statesJSON() []byte {
	b, _ := json.Marshal(s.states.All()) // words and times always encode
	return b
}

// backupHealth says when the last backup was made and whether the recovery key is
// known to be kept. Neither keeps the server from being well.
func backupHealth(data string) string {
	last := "never"
	key := "unconfirmed"
	if b, err := backup.LoadRecord(data); err == nil && b.Last != nil {
		last = b.Last.Time.UTC().Format(time.RFC3339)
	}
	if k, err := recovery.Load(data); err == nil && !k.Confirmed.IsZero() {
		key = "confirmed"
	}

	return fmt.Sprintf(`"lastBackup":%q,"recoveryKey":%q`, last, key)
}

// local reports a request of this machine: from a loopback address, or from the
// very address at which it arrived.
func local(r *http.Request) bool {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	from := at.Addr().Unmap()
	own, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return from.IsLoopback() || ok && own.AddrPort().Addr().Unmap() == from
}

// welcome says where the server listens and what to do next.
func (s *server) welcome(e *env, dicom net.Addr, web *webListener) {
	cfg := s.in.config
	fmt.Fprintf(e.stdout, "Collimator %s\n", version())
	fmt.Fprintf(e.stdout, "  DICOM (TLS)  %s, AE title %s\n", dicom, cfg.AE)
	if web != nil {
		fmt.Fprintf(e.stdout, "  DICOMweb     https://%s%s\n", web.ln.Addr(), webRoot)
	}
	fmt.Fprintf(e.stdout, "  Data         %s\n", cfg.Data)
	devices, err := s.in.registry.Devices(e.ctx)
	if err == nil && len(devices) == 0 {
		fmt.Fprintf(e.stdout, "\nNo device may come in yet. In another terminal:\n  %s device add WS1 --data %s --allow echo,store,query,retrieve,commit --out ./ws1\n", os.Args[0], cfg.Data)
	}
	s.offerFirstLink(e, e.stdout)
	if err := firstRecovery(e, s.in); err != nil {
		s.log.Error("recovery key not made", "error", err)
	}
	if f, ok := e.stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintln(e.stdout, "\nStop with Ctrl-C.")
	}
}
