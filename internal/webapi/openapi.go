package webapi

import (
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Document is openapi.json: a description of the API by OpenAPI 3.1.
type Document struct {
	OpenAPI    string                           `json:"openapi"`
	Info       documentInfo                     `json:"info"`
	Paths      map[string]map[string]*operation `json:"paths"`
	Components components                       `json:"components"`
}

type documentInfo struct {
	Title   string `json:"title"`
	Version string `json:"version"`
	Summary string `json:"summary"`
}

type components struct {
	Schemas         map[string]*schema        `json:"schemas"`
	SecuritySchemes map[string]securityScheme `json:"securitySchemes"`
}

type securityScheme struct {
	Type   string `json:"type"`
	Scheme string `json:"scheme,omitempty"`
	In     string `json:"in,omitempty"`
	Name   string `json:"name,omitempty"`
}

// operation is one route.
type operation struct {
	ID         string                `json:"operationId"`
	Summary    string                `json:"summary"`
	Verb       string                `json:"x-verb,omitempty"` // that policy judges
	Proven     bool                  `json:"x-second-factor-again,omitempty"`
	Parameters []parameter           `json:"parameters,omitempty"`
	Body       *body                 `json:"requestBody,omitempty"`
	Responses  map[string]response   `json:"responses"`
	Security   []map[string][]string `json:"security"`
}

type parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Required    bool    `json:"required,omitempty"`
	Description string  `json:"description,omitempty"`
	Schema      *schema `json:"schema"`
}

type body struct {
	Required bool             `json:"required"`
	Content  map[string]media `json:"content"`
}

type response struct {
	Description string           `json:"description"`
	Content     map[string]media `json:"content,omitempty"`
}

type media struct {
	Schema *schema `json:"schema,omitempty"`
}

// Document describes every route. A route that is not described, or a parameter of one, is a
// fault of the program: it panics.
func (a *API) Document() *Document {
	s := newSchemas()
	d := &Document{
		OpenAPI: "3.1.1",
		Info:    documentInfo{Title: "Collimator", Version: "1", Summary: "What the console and the commands ask of a server"},
		Paths:   map[string]map[string]*operation{},
		Components: components{SecuritySchemes: map[string]securityScheme{
			"session": {Type: "apiKey", In: "cookie", Name: "__Host-session"},
			"token":   {Type: "http", Scheme: "bearer"},
		}},
	}

	problems := s.of(reflect.TypeFor[problem]())
	for pattern, x := range a.routes {
		method, at, _ := strings.Cut(pattern, " ")
		at = strings.ReplaceAll(at, "...}", "}")
		if d.Paths[at] == nil {
			d.Paths[at] = map[string]*operation{}
		}
		d.Paths[at][strings.ToLower(method)] = x.operation(s, method, at, problems)
	}
	d.Components.Schemas = s.components()
	return d
}

// placeholder is a part of a path that a request fills in.
var placeholder = regexp.MustCompile(`\{(\w+)(?:\.\.\.)?\}`)

func (x *route) operation(s *schemas, method, at string, problems *schema) *operation {
	if x.doc == nil {
		panic("webapi: " + x.Pattern + " is not described")
	}
	o := &operation{
		ID: operationID(method, at), Summary: x.doc.does + ".", Verb: string(x.Verb), Proven: x.Proven,
		Parameters: x.described(), Body: x.doc.body(s), Responses: x.doc.responses(s, problems),
		Security: []map[string][]string{{"session": {}}},
	}
	switch {
	case x.Open:
		o.Security = []map[string][]string{}
	case x.Verb != "" || x.Anybody:
		o.Security = append(o.Security, map[string][]string{"token": {}})
	}
	return o
}

// operationID is a name for programs: that of the method and of the parts of the path.
func operationID(method, at string) string {
	id := strings.ToLower(method)
	at = strings.TrimPrefix(at, "/api/v1")
	for _, part := range strings.FieldsFunc(at, func(r rune) bool { return r == '/' || r == '-' || r == '.' || r == '{' || r == '}' }) {
		id += strings.ToUpper(part[:1]) + part[1:]
	}
	return id
}

// described are the parameters of a route, of its path and of its query.
func (x *route) described() []parameter {
	var list []parameter
	for _, m := range placeholder.FindAllStringSubmatch(x.Pattern, -1) {
		list = append(list, parameter{Name: m[1], In: "path", Required: true, Schema: &schema{Type: "string"}})
	}
	for _, name := range slices.Sorted(slices.Values(x.parameters)) {
		what := x.doc.query[name]
		if what == "" {
			what = usual[name]
		}
		if name == AnyParameter {
			continue
		}
		if what == "" {
			panic("webapi: the parameter " + name + " of " + x.Pattern + " is not described")
		}
		list = append(list, parameter{Name: name, In: "query", Description: what, Schema: &schema{Type: "string"}})
	}
	return list
}

func (d *Doc) body(s *schemas) *body {
	switch {
	case d.form:
		return &body{Required: true, Content: map[string]media{"application/x-www-form-urlencoded": {}}}
	case d.takes == nil:
		return nil
	}
	return &body{Required: true, Content: map[string]media{"application/json": {s.of(d.takes)}}}
}

// responses are what a route answers. Every refusal is a problem document (RFC 9457).
func (d *Doc) responses(s *schemas, problems *schema) map[string]response {
	all := map[string]response{"default": {
		Description: "A refusal: what is wrong, with a code",
		Content:     map[string]media{"application/problem+json": {problems}},
	}}
	if d.none {
		all["204"] = response{Description: http.StatusText(http.StatusNoContent)}
	}

	content := map[string]media{}
	switch len(d.gives) {
	case 0:
	case 1:
		content["application/json"] = media{s.of(d.gives[0])}
	default:
		one := &schema{}
		for _, t := range d.gives {
			one.Alternative = append(one.Alternative, s.of(t))
		}
		content["application/json"] = media{one}
	}
	for _, kind := range d.files {
		content[kind] = media{}
	}
	if len(content) > 0 || !d.none {
		all["200"] = response{Description: http.StatusText(http.StatusOK), Content: content}
	}
	return all
}
