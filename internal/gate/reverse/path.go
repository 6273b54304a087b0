package reverse

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Bounds of addresses, in bytes and parts.
const (
	pathMost   = 2048
	queryMost  = 8192
	fieldsMost = 128 // of a query
)

var (
	errPath  = errors.New("the path can be read in two ways")
	errQuery = errors.New("the query can be read in two ways")
)

// path is one that every parser reads alike: its segments, decoded. A slash at the end is kept,
// and says nothing to rules.
type path struct {
	segments []string
	slash    bool // stands at the end
}

// parsePath reads the path of a request as it came. What another parser might read in
// another way is refused: a slash or a dot segment that is encoded, what is encoded twice, empty
// segments, parameters, backslashes and control characters.
func parsePath(escaped string) (p path, err error) {
	rest, ok := strings.CutPrefix(escaped, "/")
	if !ok || len(escaped) > pathMost {
		return p, errPath
	}
	if rest == "" {
		return path{slash: true}, nil
	}
	if rest, p.slash = strings.CutSuffix(rest, "/"); rest == "" {
		return p, errPath
	}

	for _, part := range strings.Split(rest, "/") {
		segment, err := url.PathUnescape(part)
		if err != nil || !plain(segment) {
			return path{}, errPath
		}
		p.segments = append(p.segments, segment)
	}
	return p, nil
}

// telling are characters by which somebody takes a path apart.
const telling = `/\;%?#`

// plain reports a segment that means nothing but itself, also where spaces are taken off the end of
// names.
func plain(segment string) bool {
	if strings.Trim(segment, ". ") == "" || !utf8.ValidString(segment) {
		return false
	}
	return !strings.ContainsFunc(segment, func(c rune) bool {
		return c < ' ' || c == 0x7F || c >= 0x80 && c < 0xA0 || strings.ContainsRune(telling, c) || c >= 0x80 && becomesTelling(c)
	})
}

// becomesTelling reports a character that becomes a dot or one that tells where text is mapped to
// another code page: wide dots and slashes, and those that look like them.
func becomesTelling(c rune) bool {
	return strings.ContainsRune("\u2044\u2215\u2216", c) || strings.ContainsAny(norm.NFKC.String(string(c)), "."+telling)
}

// escaped is the path as it goes out.
func (p path) escaped() string {
	var b strings.Builder
	for _, segment := range p.segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(segment))
	}
	if p.slash {
		b.WriteByte('/')
	}
	return b.String()
}

// decoded is the path as net/url has it beside the escaped one.
func (p path) decoded() string {
	text := strings.Join(append([]string{""}, p.segments...), "/")
	if p.slash {
		text += "/"
	}
	return text
}

// overriding are fields of a query by which servers take a request for one with another method, as
// fieldName has them: Orthanc deletes at a GET with _method=DELETE.
var overriding = []string{"_method", "_httpmethod", "_http_method", "method_override", "x_http_method_override", "x_http_method", "x_method_override"}

// fieldName is the name of a field as the most lenient of servers reads it: PHP takes .method and
// _method[] for _method.
func fieldName(name string) string {
	name = strings.TrimSpace(strings.ToLower(name))
	if i := strings.IndexByte(name, '['); i > 0 {
		name = name[:i]
	}
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(" .-[", c) {
			return '_'
		}
		return c
	}, name)
}

// rewriteQuery is a query written anew, its fields in their order.
func rewriteQuery(raw string) (string, error) {
	if raw == "" {
		return "", nil
	}
	if len(raw) > queryMost {
		return "", errQuery
	}

	var out []string
	fields := strings.Split(raw, "&")
	if len(fields) > fieldsMost {
		return "", errQuery
	}
	for _, field := range fields {
		key, value, valued := strings.Cut(field, "=")
		name, err := unescapeField(key)
		if err != nil {
			return "", err
		}
		text, err := unescapeField(value)
		if err != nil || slices.Contains(overriding, fieldName(name)) {
			return "", errQuery
		}

		name = escapeField(name)
		if valued {
			name += "=" + escapeField(text)
		}
		out = append(out, name)
	}
	return strings.Join(out, "&"), nil
}

func unescapeField(text string) (string, error) {
	value, err := url.QueryUnescape(text)
	control := func(c rune) bool { return c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7F }
	if err != nil || strings.ContainsAny(text, `;#\`) || !utf8.ValidString(value) || strings.ContainsFunc(value, control) {
		return "", errQuery
	}
	return value, nil
}

// escapeField writes a space in the one way that is none of a form.
func escapeField(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// localPath is a path with a query on this origin, written anew; an error for what leads
// elsewhere, or may.
func localPath(text string) (string, error) {
	raw, query, _ := strings.Cut(text, "?")
	p, err := parsePath(raw)
	if err != nil {
		return "", err
	}
	if query, err = rewriteQuery(query); err != nil {
		return "", err
	}
	if query != "" {
		query = "?" + query
	}
	return p.escaped() + query, nil
}
