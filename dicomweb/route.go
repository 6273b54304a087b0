package dicomweb

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"collimator/dicom/uid"
)

// decode reads what a request wants (PS3.18 10.1). The call is there also where
// there is an error, as far as it was understood.
func (h *Handler) decode(r *http.Request) (*Call, action, error) {
	call := &Call{Request: r}
	path, ok := strings.CutPrefix(r.URL.Path, h.o.Root)
	if !ok || path != "" && path[0] != '/' {
		return call, nil, errNotFound
	}

	q, err := parameters(r.URL.RawQuery)
	if err != nil {
		return call, nil, problemf(http.StatusBadRequest, "The query of the URL cannot be read. Percent-encode its parameters.")
	}

	path = strings.Trim(path, "/")
	if path == "wado" || path == "" && q.Has("requestType") {
		return h.decodeURI(r, call)
	}
	if path == "" {
		call.Verb = Capabilities
		return call, (*exchange).capabilities, methods(r, http.MethodOptions)
	}

	methods, err := h.resource(call, strings.Split(path, "/"), r)
	if err != nil {
		return call, nil, err
	}
	return h.method(r, call, methods)
}

// methods refuses what is neither GET nor one of those.
func methods(r *http.Request, more ...string) error {
	allowed := append([]string{http.MethodGet, http.MethodHead}, more...)
	if slices.Contains(allowed, r.Method) {
		return nil
	}
	return notAllowed(allowed)
}

func notAllowed(allowed []string) *Error {
	list := strings.Join(allowed, ", ")
	return &Error{Status: http.StatusMethodNotAllowed, Detail: "Use " + list + " here.", Header: http.Header{"Allow": {list}}}
}

// verbs are the actions of a resource by method.
type verbs struct {
	get, post, remove action
	verb              Verb // of get
}

// method chooses the action of a resource by the method of the request, and sets the
// verb of the call. Any other method is answered with those that are allowed.
func (h *Handler) method(r *http.Request, call *Call, v verbs) (*Call, action, error) {
	allowed := []string{http.MethodGet, http.MethodHead, http.MethodOptions}
	if v.get == nil {
		allowed = allowed[2:]
	}
	if v.post != nil {
		allowed = append(allowed, http.MethodPost)
	}
	if v.remove != nil && h.o.AllowDelete {
		allowed = append(allowed, http.MethodDelete)
	}

	switch {
	case r.Method == http.MethodOptions:
		call.Verb = Capabilities
		return call, func(x *exchange) error {
			x.w.Header().Set("Allow", strings.Join(allowed, ", "))
			x.start(http.StatusNoContent, "")
			return nil
		}, nil
	case v.get != nil && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		call.Verb = v.verb
		if v.verb == Searching {
			q, err := h.parseQuery(call, r.URL.RawQuery)
			call.Query = q
			return call, v.get, err
		}
		if v.verb == Retrieving {
			call.ignoreBut(r.URL.RawQuery, "accept", "charset")
		}
		return call, v.get, nil
	case v.post != nil && r.Method == http.MethodPost:
		call.Verb = Storing
		return call, v.post, nil
	case v.remove != nil && h.o.AllowDelete && r.Method == http.MethodDelete:
		call.Verb = Deleting
		return call, v.remove, nil
	}
	return call, nil, notAllowed(allowed)
}

// resource reads the path of a resource into the call, one level after the other. A
// malformed UID is answered with 400, a path that leads nowhere with 404.
func (h *Handler) resource(call *Call, seg []string, r *http.Request) (verbs, error) {
	for _, level := range []struct {
		name string
		to   *string
		is   Level
	}{
		{"studies", &call.StudyUID, StudyLevel},
		{"series", &call.SeriesUID, SeriesLevel},
		{"instances", &call.SOPInstanceUID, InstanceLevel},
	} {
		if len(seg) == 0 || seg[0] != level.name {
			continue
		}
		if len(seg) == 1 {
			call.Level = level.is
			v := verbs{get: (*exchange).search, verb: Searching}
			if level.is == StudyLevel {
				v.post = (*exchange).store
			}
			return v, nil
		}

		above := *level.to != "" || level.is > StudyLevel && call.StudyUID == "" || level.is == InstanceLevel && call.SeriesUID == ""
		if above {
			return verbs{}, errNotFound
		}
		if !uid.Tolerable(seg[1]) {
			return verbs{}, problemf(http.StatusBadRequest,
				"The UID after /%s/ is invalid: it has digits and dots, at most 64 characters (PS3.5 9.1).", level.name)
		}
		*level.to = seg[1]
		call.Level = level.is
		if seg = seg[2:]; len(seg) == 0 {
			return whole(level.is), nil
		}
	}
	return h.part(call, seg)
}

// whole is what can be done with a study, series or instance.
func whole(l Level) verbs {
	v := verbs{get: (*exchange).retrieve, remove: (*exchange).remove, verb: Retrieving}
	if l == StudyLevel {
		v.post = (*exchange).store
	}
	return v
}

// part reads the rest of a path after a study, series or instance.
func (h *Handler) part(call *Call, seg []string) (verbs, error) {
	if call.StudyUID == "" {
		return verbs{}, errNotFound
	}

	call.Part = Part(seg[0])
	last := len(seg) == 1
	switch {
	case call.Part == MetadataPart && last:
		return verbs{get: (*exchange).metadata, verb: Retrieving}, nil
	case (call.Part == RenderedPart || call.Part == ThumbnailPart) && last:
		return verbs{get: (*exchange).rendered, verb: Rendering}, nil
	case call.Part == BulkDataPart && (last || call.Level == InstanceLevel):
		return verbs{get: bulkData(seg[1:]), verb: Retrieving}, nil
	case call.Part == FramesPart && call.Level == InstanceLevel && !last && len(seg) <= 3:
		frames, err := parseFrames(seg[1], h.limits.Frames)
		call.Frames = frames
		if err != nil {
			return verbs{}, err
		}

		if len(seg) == 2 {
			return verbs{get: (*exchange).frames, verb: Retrieving}, nil
		}
		if p := Part(seg[2]); p == RenderedPart || p == ThumbnailPart {
			call.Part = p
			return verbs{get: (*exchange).rendered, verb: Rendering}, nil
		}
	}

	call.Part = WholePart
	return verbs{}, errNotFound
}

// parseFrames reads a list of frame numbers (PS3.18 10.1.1).
func parseFrames(s string, most int) ([]int, error) {
	list := strings.Split(s, ",")
	if len(list) > most {
		return nil, problemf(http.StatusBadRequest, "The list names more than %d frames. Ask for fewer at a time.", most)
	}

	out := make([]int, 0, len(list))
	seen := make(map[int]bool, len(list))
	for _, v := range list {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return nil, problemf(http.StatusBadRequest, "A frame list is numbers from 1 on, joined by commas.")
		}
		if seen[n] {
			return nil, problemf(http.StatusBadRequest, "A frame list names no frame twice.")
		}

		seen[n] = true
		out = append(out, n)
	}
	return out, nil
}
