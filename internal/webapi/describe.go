package webapi

import (
	"fmt"
	"reflect"
	"strings"
)

// Doc is what openapi.json tells of a route beside its address and its parameters. A body or an
// answer of another type than is told here is a fault of ours and is answered so.
type Doc struct {
	does  string
	takes reflect.Type      // of the body; nil: there is none
	form  bool              // the body is a form
	gives []reflect.Type    // of the answers
	none  bool              // 204 is one of them
	files []string          // media types of an answer that is a file
	query map[string]string // parameters, each with what it is
}

// Does begins the description of a route with what it does, in the imperative and without a stop.
func Does(what string) Doc { return Doc{does: what} }

// Takes says of which type the body is: that of a struct, any JSON where like is Any.
func (d Doc) Takes(like any) Doc {
	d.takes = reflect.TypeOf(like)
	return d
}

// TakesForm says that the body is application/x-www-form-urlencoded.
func (d Doc) TakesForm() Doc {
	d.form = true
	return d
}

// Gives says of which type an answer with 200 is. More than one may be told.
func (d Doc) Gives(like ...any) Doc {
	for _, x := range like {
		d.gives = append(d.gives, reflect.TypeOf(x))
	}
	return d
}

// GivesNothing says that the answer may be 204.
func (d Doc) GivesNothing() Doc {
	d.none = true
	return d
}

// GivesFile says that the answer may be a file of one of these media types.
func (d Doc) GivesFile(types ...string) Doc {
	d.files = append(d.files, types...)
	return d
}

// With says what a parameter of the query is.
func (d Doc) With(name, what string) Doc {
	query := map[string]string{name: what}
	for k, v := range d.query {
		query[k] = v
	}
	d.query = query
	return d
}

// Any is JSON of a form that others define: the options and answers of passkeys.
type Any struct{}

// usual are the parameters that mean the same everywhere.
var usual = map[string]string{
	"after": "Where the page before ended: its \"next\".",
	"limit": "The most entries of the answer.",
}

// Describe says what routes do that were registered before. Each is described once, and so is
// each of its parameters.
func (a *API) Describe(docs map[string]Doc) {
	for pattern, d := range docs {
		x := a.routes[pattern]
		if x == nil {
			panic("webapi: " + pattern + " is described and not registered")
		}
		for name := range d.query {
			if !x.takes(name) {
				panic("webapi: " + pattern + " takes no parameter " + name)
			}
		}
		x.doc = &d
	}
}

func (x *route) takes(name string) bool {
	for _, p := range x.parameters {
		if p == name {
			return true
		}
	}
	return false
}

// wantBody is an error of ours where a handler reads the body into another type than is told.
func (x *route) wantBody(to any) error {
	if x == nil || x.doc == nil || x.doc.takes == reflect.TypeOf(to).Elem() || x.doc.takes == anyType {
		return nil
	}
	return fmt.Errorf("webapi: %s reads a %T, and openapi.json tells of another body", x.Pattern, to)
}

// wantAnswer is an error of ours where a handler answers with another type than is told.
func (x *route) wantAnswer(v any) error {
	if x == nil || x.doc == nil {
		return nil
	}
	ok := false
	switch v := v.(type) {
	case nil:
		ok = x.doc.none
	case *File:
		ok = x.doc.tellsFile(v.Type)
	case *Stream:
		ok = x.doc.tellsFile(v.Type)
	case Empty, *TakeOver:
		ok = true
	default:
		for _, t := range x.doc.gives {
			ok = ok || bare(t) == bare(reflect.TypeOf(v)) || t == anyType
		}
	}
	if !ok {
		return fmt.Errorf("webapi: %s answers with a %T, and openapi.json tells of another answer", x.Pattern, v)
	}
	return nil
}

func (d *Doc) tellsFile(kind string) bool {
	kind, _, _ = strings.Cut(kind, ";")
	for _, t := range d.files {
		if t == kind {
			return true
		}
	}
	return false
}

// bare is a type without its pointer: JSON is the same.
func bare(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

var anyType = reflect.TypeFor[Any]()
