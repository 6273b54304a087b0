package dicomweb

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// parameters reads the query of a URL. Parameters stand between ampersands
// (PS3.18 8.3.1); a semicolon, a plus sign and a slash are characters like any
// other in a query (RFC 3986 3.4), which media types are full of. In other
// values a plus sign is a blank, as forms and most libraries write one.
func parameters(raw string) (url.Values, error) {
	out := url.Values{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}

		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, err
		}

		if name == "accept" || name == "contentType" {
			value, err = mediaParameter(value)
		} else {
			value, err = url.QueryUnescape(value)
		}
		if err != nil {
			return nil, err
		}

		out[name] = append(out[name], value)
	}
	return out, nil
}

// mediaParameter reads a list of media types. A plus sign is one, as in
// application/dicom+json, but where a blank may stand and a plus sign may not.
func mediaParameter(s string) (string, error) {
	s, err := url.PathUnescape(s)
	if err != nil {
		return "", err
	}
	for _, separator := range []string{";", ","} {
		for strings.Contains(s, separator+"+") {
			s = strings.ReplaceAll(s, separator+"+", separator)
		}
	}
	return strings.Trim(s, "+ "), nil
}

// query is the parameters of a request that was decoded.
func query(r *http.Request) url.Values {
	q, _ := parameters(r.URL.RawQuery) // one that cannot be read was refused
	return q
}

// ignore notes a parameter that is not known. It takes part in nothing, and the
// answer says so (PS3.18 8.3.4).
func (c *Call) ignore(name string) {
	if !plainName(name) {
		c.unnamed++
		return
	}
	if !slices.Contains(c.ignored, name) {
		c.ignored = append(c.ignored, name)
	}
}

// ignoreBut notes every parameter but those that are known.
func (c *Call) ignoreBut(raw string, known ...string) {
	q, _ := parameters(raw) // one that cannot be read was refused
	for name := range q {
		if !slices.Contains(known, name) {
			c.ignore(name)
		}
	}
}

// mostIgnored is how many names a Warning holds.
const mostIgnored = 16

// warn puts what was ignored into the header of an answer (PS3.18 8.3.4). Names
// that are not identifiers are counted: they may be a value that slipped out of
// its place.
func (x *exchange) warn() {
	if x.call == nil {
		return
	}
	names := slices.Clone(x.call.ignored)
	slices.Sort(names)
	more := x.call.unnamed + max(0, len(names)-mostIgnored)
	names = names[:min(len(names), mostIgnored)]

	text := strings.Join(names, ", ")
	switch {
	case text != "" && more > 0:
		text += " and " + strconv.Itoa(more) + " more"
	case more > 0:
		text = strconv.Itoa(more) + " whose names are not keywords"
	case text == "":
		return
	}
	x.w.Header().Add("Warning", `299 dicomweb "The following parameters are not known and were ignored: `+text+`"`)
}

// plainName reports a name that is an identifier.
func plainName(name string) bool {
	return len(name) <= 64 && name != "" && strings.IndexFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_')
	}) < 0
}
