package face

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"collimator/dicomweb"
	"collimator/internal/gate"
	"collimator/internal/guard"
)

// Path is under which the faces are: Path/NAME/dicom-web/...
const Path = "/routes"

// webRoot is the last part of the root of each.
const webRoot = "/dicom-web"

// Root is the path of DICOMweb of a route.
func Root(route string) string { return Path + "/" + route + webRoot }

// Handler serves the faces, each at its Root. Safe for concurrent use.
type Handler struct {
	faces *Faces
	door  func(*guard.Service) dicomweb.Interceptor
	web   dicomweb.Options
	other http.Handler

	mu  sync.Mutex
	all map[[2]string]*dicomweb.Handler // by route and root; each has turns of its own for rendering
}

// NewHandler makes one over a door, with options that count for all of them but for Root. What is no
// address of a route goes to other.
func NewHandler(f *Faces, door func(*guard.Service) dicomweb.Interceptor, web dicomweb.Options, other http.Handler) *Handler {
	web.AllowDelete = false
	return &Handler{faces: f, door: door, web: web, other: other, all: map[[2]string]*dicomweb.Handler{}}
}

// ServeHTTP implements http.Handler. A route that is not there is refused behind the door, so that
// nobody learns without credentials which there are.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, ok := strings.CutPrefix(r.URL.Path, Path+"/")
	name, rest, more := strings.Cut(rest, "/")
	root := rest == webRoot[1:] || strings.HasPrefix(rest, webRoot[1:]+"/")
	if !ok || !more || !root || !gate.Addressable(name) {
		h.other.ServeHTTP(w, r)
		return
	}
	h.at(name, Root(name)).ServeHTTP(w, r)
}

// Only serves the one face there is, at a root of its own; with none, or several, what else there is.
func (h *Handler) Only(root string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		names := h.faces.Gate.Faces()
		if len(names) != 1 {
			h.other.ServeHTTP(w, r)
			return
		}
		h.at(names[0], root).ServeHTTP(w, r)
	})
}

// at is DICOMweb of a route at a root. Of one that is not there nothing is kept: names come from
// anywhere.
func (h *Handler) at(name, root string) http.Handler {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := [2]string{name, root}
	if known := h.all[key]; known != nil {
		return known
	}

	web := h.web
	web.Root = root
	one := dicomweb.NewHandler(h.faces.Backend(name), h.door(h.faces.Gate.Face(name).Service()), web)
	if slices.Contains(h.faces.Gate.Faces(), name) {
		h.all[key] = one
	}
	return one
}
