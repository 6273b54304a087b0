package house

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"collimator/dicomweb"
	"collimator/internal/api"
	"collimator/internal/backup"
	"collimator/internal/config"
	"collimator/internal/console"
	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/gate/face"
	"collimator/internal/gate/maintenance"
	"collimator/internal/gate/reverse"
	"collimator/internal/httpsec"
	"collimator/internal/places"
	"collimator/internal/policy"
	"collimator/internal/recovery"
	"collimator/internal/signin"
	"collimator/internal/state"
	"collimator/web"
)

// quietLog drops what net/http would log of strangers' handshakes and requests:
// it quotes what they sent.
func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }

// WebRoot is where DICOMweb is found.
const WebRoot = "/dicom-web"

// Handler is DICOMweb and the JSON API behind the guard. Beside them this
// machine may ask whether the server lives; everything else is for the API to
// refuse, which tells nobody without credentials which addresses exist.
func (s *Server) Handler() http.Handler {
	data := s.SignIn.NewAPI()
	s.Services().Register(data)
	s.meter.register(data)

	mux := http.NewServeMux()
	images := s.images(httpsec.API.Wrap(data))
	mux.Handle(WebRoot+"/", images)
	mux.Handle(face.Path+"/", images)
	mux.Handle(console.SharePath+"/", httpsec.Page.Wrap(console.NewShare(s.SignIn.OpenShare, images, s.shownAt, data)))

	app, missing := web.Console()
	setup := httpsec.Page.Wrap(console.NewSetup(missing == nil, data))
	mux.Handle(console.SetupPath+"/", setup)
	mux.Handle("GET "+signin.CallbackPath, setup)
	mux.Handle(reverse.ConsolePath+"/", httpsec.Page.Wrap(console.NewPages(reverse.ConsolePath, data)))

	mux.Handle(console.LightPath+"/", httpsec.Light.Wrap(console.NewLight(images, webRootOf, data)))

	viewer, why := web.Viewer()
	mux.Handle(console.ViewerPath+"/", console.NewViewer(viewer, why, data))
	mux.Handle(console.ConsolePath+"/", console.NewConsole(app, missing, data))

	mux.Handle("/", console.Front(missing == nil, httpsec.API.Wrap(data)))
	mux.Handle("/healthz", httpsec.API.Wrap(s.health(data)))
	return places.NewRequests(webRequests).Bound(redirects(mux, httpsec.API.Wrap(data)), http.HandlerFunc(httpsec.Busy))
}

// images is DICOMweb: that of the archive, and that of each route of the gate which has it. Where there
// is no archive and one such route, viewers find that at the address of the archive.
func (s *Server) images(other http.Handler) http.Handler {
	options := webOptions(s.in.Config)
	guarded := func(h http.Handler) http.Handler {
		return httpsec.Images.Wrap(httpsec.Pace{}.Wrap(s.Guard.Cuttable(h)))
	}
	routes := face.NewHandler(s.faces, s.Guard.InterceptWebAt, options, other)

	mux := http.NewServeMux()
	mux.Handle(face.Path+"/", guarded(routes))
	if s.in.Config.Only == "" {
		mux.Handle(WebRoot+"/", guarded(dicomweb.NewHandler(s.webArchive(), s.Guard.InterceptWeb, options)))
	} else {
		mux.Handle(WebRoot+"/", guarded(routes.Only(WebRoot)))
	}
	return mux
}

// shownAt is the root of DICOMweb at which the study is that the pages of links show: that of the
// link, or the one that was granted.
func (s *Server) shownAt(r *http.Request) string {
	c, err := s.Guard.Authenticate(r.Context(), r)
	if err != nil {
		return WebRoot
	}
	if granted := c.Principal().Studies; len(granted) == 1 {
		if route, _ := policy.PlaceOf(granted[0]); route != "" {
			return face.Root(route)
		}
	}
	return WebRoot
}

// studyAt looks for a study of a route.
func (s *Server) studyAt(ctx context.Context, route, study string) (patient, issuer string, err error) {
	routes := s.gate.Routes()
	i := slices.IndexFunc(routes, func(r gate.Route) bool { return r.Name == route && r.DICOMweb && !r.Closed })
	if i < 0 {
		return "", "", fault.New(fault.NotFound, "house: there is no such route, or people do not reach it by DICOMweb")
	}
	return routes[i].Study(ctx, study)
}

// webOptions are those of DICOMweb. Links name the address of the settings that
// the client used; where the settings name none, only the path.
func webOptions(c config.Config) dicomweb.Options {
	o := dicomweb.Options{Root: WebRoot, AllowDelete: true, CompressFrames: c.CompressFrames, Origins: origins(c)}
	if len(c.SignIn.Origins) > 0 || len(c.Hosts) > 0 {
		o.Origin = BestOrigin(c)
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

// Services are what the JSON API is a face of.
func (s *Server) Services() *api.Services {
	return &api.Services{
		Registry:     s.in.Registry,
		Trail:        s.in.Trail,
		Archive:      s.Archive,
		Posture:      s.Posture,
		Doors:        s.Doors,
		EnterDoor:    s.enterDoor,
		EnterPages:   s.enterPages,
		DoorCode:     func() (maintenance.Code, error) { return DoorCode(s.in.Config, "", "") },
		Log:          s.log,
		Proofs:       s.in.Ledger,
		DB:           s.in.DB,
		LedgerKey:    s.in.LedgerKey.Public,
		Registers:    s.in.Registers,
		DICOMweb:     BestOrigin(s.in.Config) + "/dicom-web",
		AETitle:      s.in.Config.AE,
		May:          s.Guard.May,
		Authority:    s.in.Authority,
		Sessions:     s.Guard.Sessions,
		Connection:   s.connection(),
		EchoDevice:   s.echoDevice,
		LastAdmitted: s.Guard.LastAdmitted,
		House:        overseer{s},
		Gate:         gateDesk{s.in},
		Ledger:       ledgerDesk{s.in},
		Held:         heldDesk{s},
		Bell:         s.bell,
		Sends:        s.sends,
		StudyAt:      s.studyAt,
		Links:        LinkAddress(s.in.Config),
		ShareLinks:   ShareAddress(s.in.Config),
		Objects:      s.webArchive(),
		Spool:        s.discs(),
	}
}

// health answers this machine alone.
func (s *Server) health(refuse http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !local(r) {
			refuse.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := s.in.DB.Ping(r.Context()); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, `{"status":"unavailable"}`)
			return
		}
		fmt.Fprintf(w, `{"status":%q,"indexLogBytes":%d,%s,"states":%s}`+"\n", s.status(), s.in.DB.LogBytes(),
			backupHealth(s.in.Config.Data), s.statesJSON())
	})
}

// status is "ok" while everything does what it is for, else the worst of the
// states: a server that is degraded goes on.
func (s *Server) status() string {
	if worst := s.States.Worst(); worst > state.Well {
		return worst.String()
	}
	return "ok"
}

func (s *Server) statesJSON() []byte {
	b, _ := json.Marshal(s.States.All()) // words and times always encode
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

// webRootOf is the path of DICOMweb of a route of the gate, and of the archive for the empty name.
func webRootOf(route string) string {
	if route == "" {
		return WebRoot
	}
	return face.Root(route)
}
