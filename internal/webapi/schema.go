package webapi

import (
	"encoding"
	"encoding/json"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"
)

// schema is one of JSON Schema (2020-12), as far as OpenAPI 3.1 needs it here.
type schema struct {
	Ref         string             `json:"$ref,omitempty"`
	Type        string             `json:"type,omitempty"`
	Format      string             `json:"format,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Items       *schema            `json:"items,omitempty"`
	Properties  map[string]*schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Values      *schema            `json:"additionalProperties,omitempty"`
	Alternative []*schema          `json:"oneOf,omitempty"`
}

// schemas makes schemas of types of Go as encoding/json writes them. Each struct with a name
// stands among the components once.
type schemas struct {
	objects map[reflect.Type]*schema
	refs    map[*schema]reflect.Type // those that point to one of them, by components
}

func newSchemas() *schemas {
	return &schemas{objects: map[reflect.Type]*schema{}, refs: map[*schema]reflect.Type{}}
}

// components gives each struct its name: its own, and in front of it that of its package where
// two packages have one of that name.
func (s *schemas) components() map[string]*schema {
	by := map[string][]reflect.Type{}
	for t := range s.objects {
		by[nameOf(t)] = append(by[nameOf(t)], t)
	}

	named, names := map[string]*schema{}, map[reflect.Type]string{}
	for name, types := range by {
		for _, t := range types {
			if len(types) > 1 {
				names[t] = capital(path.Base(t.PkgPath())) + name
			} else {
				names[t] = name
			}
			named[names[t]] = s.objects[t]
		}
	}
	for ref, t := range s.refs {
		ref.Ref = "#/components/schemas/" + names[t]
	}
	return named
}

func capital(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

var (
	timeType   = reflect.TypeFor[time.Time]()
	rawType    = reflect.TypeFor[json.RawMessage]()
	bytesType  = reflect.TypeFor[[]byte]()
	textType   = reflect.TypeFor[encoding.TextMarshaler]()
	jsonType   = reflect.TypeFor[json.Marshaler]()
	wordsType  = reflect.TypeFor[interface{ Words() []string }]()
	shownAsIts = reflect.TypeFor[interface{ JSONLike() any }]()
)

// of is the schema of a type.
func (s *schemas) of(t reflect.Type) *schema {
	switch {
	case t.Kind() == reflect.Pointer:
		return s.of(t.Elem())
	case t == timeType:
		return &schema{Type: "string", Format: "date-time"}
	case t == anyType, t == rawType, t.Kind() == reflect.Interface:
		return &schema{}
	case t == bytesType:
		return &schema{Type: "string", Format: "byte"}
	case t.Implements(shownAsIts):
		return s.of(reflect.TypeOf(reflect.Zero(t).Interface().(interface{ JSONLike() any }).JSONLike()))
	case t.Implements(wordsType):
		return &schema{Type: "string", Enum: reflect.Zero(t).Interface().(interface{ Words() []string }).Words()}
	case t.Implements(textType):
		return &schema{Type: "string"}
	case t.Implements(jsonType):
		panic("webapi: " + t.String() + " writes its own JSON: give it a method JSONLike, whose result has the same form")
	}
	return s.ofKind(t)
}

func (s *schemas) ofKind(t reflect.Type) *schema {
	switch t.Kind() {
	case reflect.Bool:
		return &schema{Type: "boolean"}
	case reflect.String:
		return &schema{Type: "string"}
	case reflect.Float32, reflect.Float64:
		return &schema{Type: "number"}
	case reflect.Slice, reflect.Array:
		return &schema{Type: "array", Items: s.of(t.Elem())}
	case reflect.Map:
		return &schema{Type: "object", Values: s.of(t.Elem())}
	case reflect.Struct:
		return s.object(t)
	}
	return &schema{Type: "integer"}
}

// object is a struct: by its name where it has one.
func (s *schemas) object(t reflect.Type) *schema {
	if t.Name() == "" {
		x := &schema{Type: "object", Properties: map[string]*schema{}}
		s.fields(x, t)
		return x
	}

	if s.objects[t] == nil {
		x := &schema{Type: "object", Properties: map[string]*schema{}}
		s.objects[t] = x // before its fields: a type may hold itself
		s.fields(x, t)
	}
	ref := &schema{}
	s.refs[ref] = t
	return ref
}

// fields puts those of a struct into its schema, those of embedded structs among them.
func (s *schemas) fields(x *schema, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		embedded := f.Type
		if embedded.Kind() == reflect.Pointer {
			embedded = embedded.Elem()
		}
		if f.Anonymous && tag == "" && embedded.Kind() == reflect.Struct {
			s.fields(x, embedded)
			continue
		}
		if !f.IsExported() || tag == "-" {
			continue
		}

		if tag == "" {
			panic("webapi: the field " + f.Name + " of " + t.String() + " has no name in JSON")
		}
		x.Properties[tag] = s.of(f.Type)
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") && !slices.Contains(x.Required, tag) {
			x.Required = append(x.Required, tag)
		}
	}
}

// nameOf is the name of a type among the components: its own with a capital, that of a generic
// type with those of what it is made of (List[Person] is PersonList).
func nameOf(t reflect.Type) string {
	name, of, generic := strings.Cut(t.Name(), "[")
	name = capital(name)
	if !generic {
		return name
	}
	of = path.Base(strings.TrimSuffix(of, "]"))
	of = of[strings.LastIndex(of, ".")+1:]
	return capital(of) + name
}
