package gate

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"collimator/internal/fault"
	"collimator/internal/gate/kind"
)

// file is the whole of the file.
type file struct {
	Routes []Route `yaml:"routes"`
}

// Load reads the routes of a file; none where there is no file. What cannot be
// understood is fault.Invalid: its sentence names the route, the rule and the field, and
// no value that may be of a patient.
func Load(path string) ([]Route, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return parseFile(path, text)
}

// readFile is the text of the file; empty where there is none.
func readFile(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &fault.Error{Kind: fault.Unavailable, Text: "gate: the routes cannot be read: " + err.Error()}
	}
	return text, nil
}

func parseFile(path string, text []byte) ([]Route, error) {
	routes, err := Parse(text)
	if err != nil {
		return nil, fault.Newf(fault.Invalid, "gate: %s: %v", path, err)
	}
	return routes, nil
}

// Parse reads the text of a file.
func Parse(text []byte) ([]Route, error) {
	f, err := decodeFile(text)
	if err != nil {
		return nil, err
	}
	if len(f.Routes) > routesMost {
		return nil, fmt.Errorf("%d routes; at most %d", len(f.Routes), routesMost)
	}

	seen := map[string]bool{}
	for i, r := range f.Routes {
		if err := r.Check(); err != nil {
			return nil, fmt.Errorf("route %d (%s): %w", i+1, r.Name, err)
		}
		if seen[r.Name] {
			return nil, fmt.Errorf("route %d: the name %s is taken by another route", i+1, r.Name)
		}
		if other := takesAs(f.Routes[:i], r); other != "" {
			return nil, fmt.Errorf("route %d (%s): %s takes %s already", i+1, r.Name, other, r.takes())
		}
		seen[r.Name] = true
	}
	return f.Routes, nil
}

// ruleFile is rules of one route in a file of their own.
type ruleFile struct {
	Rules []Rule `yaml:"rules"`
}

// ParseRules reads the text of a file with the rules of one route.
func ParseRules(text []byte) ([]Rule, error) {
	var f ruleFile
	if err := decodeText(text, &f); err != nil {
		return nil, fault.Newf(fault.Invalid, "gate: %v", err)
	}
	return f.Rules, nil
}

func decodeFile(text []byte) (f file, err error) {
	err = decodeText(text, &f)
	return f, err
}

// decodeText refuses what is no file of this kind, and what stands behind one: whoever
// wrote it there takes it for being in force.
func decodeText(text []byte, into any) error {
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if dec.Decode(new(yaml.Node)) != io.EOF {
		return fmt.Errorf("there is a second document (---): write all of them below one '%s'", exampleOf(into))
	}

	top := doc.Content[0]
	if top.Kind == yaml.ScalarNode && top.Tag == "!!null" { // comments alone
		return nil
	}
	return decodeFields(top, into, "")
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (r *Route) UnmarshalYAML(n *yaml.Node) error {
	type fields Route
	return decodeFields(n, (*fields)(r), "route "+nameIn(n))
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (r *Rule) UnmarshalYAML(n *yaml.Node) error {
	type fields Rule
	return decodeFields(n, (*fields)(r), "rule "+nameIn(n))
}

// nameIn is the name of a route or rule, as far as it has one.
func nameIn(n *yaml.Node) string {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == "name" && n.Content[i+1].Kind == yaml.ScalarNode {
				return n.Content[i+1].Value
			}
		}
	}
	return fmt.Sprintf("on line %d", n.Line)
}

// misfit is what stands in the file where something else belongs. The decoder's own words
// repeat the value, which may be of a patient.
type misfit struct{ text string }

// Error implements error.
func (m *misfit) Error() string { return m.text }

func newMisfit(format string, args ...any) error { return &misfit{fmt.Sprintf(format, args...)} }

// decodeFields reads the keys of a mapping into the fields of a struct. where is what has
// them; empty for the file itself.
func decodeFields(n *yaml.Node, into any, where string) error {
	if n.Kind != yaml.MappingNode {
		return newMisfit("%s: want keys with their values, such as %s", cmp.Or(where, fmt.Sprintf("line %d", n.Line)), exampleOf(into))
	}
	if where != "" {
		where += ": "
	}

	fields := fieldsOf(into)
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		field, ok := fields.named(key.Value)
		switch {
		case !ok:
			return newMisfit("%s%q on line %d is not a field; there are %s", where, key.Value, key.Line, strings.Join(fields.names, ", "))
		case seen[key.Value]:
			return newMisfit("%s%s stands there twice, again on line %d", where, key.Value, key.Line)
		}
		seen[key.Value] = true

		err := decodeField(n.Content[i+1], field, key.Value)
		if inner, ok := errors.AsType[*misfit](err); ok { // of a route in the file, of a rule in a route
			return newMisfit("%s%s", where, inner.text)
		}
		if err != nil {
			return newMisfit("%s%s on line %d: want %s", where, key.Value, key.Line, wanted(field.Type()))
		}
	}
	return nil
}

// decodeField reads one value. An error that is no misfit says only that it is one.
func decodeField(n *yaml.Node, field reflect.Value, key string) error {
	if block, ok := newBlock(field); ok {
		field.Set(reflect.ValueOf(block))
		return decodeFields(n, block, key)
	}
	if kind := field.Type(); kind.Kind() == reflect.Slice && kind.Elem().Kind() == reflect.Struct && !unmarshals(kind.Elem()) {
		return decodeList(n, field, key)
	}
	if field.Type() != reflect.TypeFor[time.Duration]() {
		return n.Decode(field.Addr().Interface())
	}

	// The decoder takes a number without a unit for nanoseconds.
	d, err := time.ParseDuration(n.Value)
	field.SetInt(int64(d))
	return err
}

// unmarshals reports a type that reads itself.
func unmarshals(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[yaml.Unmarshaler]())
}

// decodeList reads a list of structs of a kind.
func decodeList(n *yaml.Node, field reflect.Value, key string) error {
	if n.Kind != yaml.SequenceNode {
		return newMisfit("%s on line %d: want %s", key, n.Line, wanted(field.Type()))
	}

	list := reflect.MakeSlice(field.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		if err := decodeFields(item, list.Index(i).Addr().Interface(), key+": "+nameIn(item)); err != nil {
			return err
		}
	}
	field.Set(list)
	return nil
}

// newBlock is an empty block of a kind for a field that has one.
func newBlock(field reflect.Value) (kind.Block, bool) {
	if field.Kind() != reflect.Pointer {
		return nil, false
	}
	block, ok := reflect.New(field.Type().Elem()).Interface().(kind.Block)
	return block, ok
}

// wanted is what a value of a type looks like in the file.
func wanted(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "a time with its unit, such as 30s"
	case t == reflect.TypeFor[time.Time]():
		return "a point in time, such as 2026-12-13T08:00:00Z"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String:
		return "a list in brackets, such as [a, b]"
	case t.Kind() == reflect.Slice:
		return "a list, each with a dash in front"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Int:
		return "a whole number"
	}
	return "one word, in quotes where it has signs"
}

// structFields are the fields of a struct, by their keys in the file.
type structFields struct {
	of    reflect.Value
	names []string // in the order of the fields
}

func fieldsOf(into any) structFields {
	f := structFields{of: reflect.ValueOf(into).Elem()}
	for field := range f.of.Type().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		f.names = append(f.names, name)
	}
	return f
}

func (f structFields) named(key string) (reflect.Value, bool) {
	i := slices.Index(f.names, key)
	if i < 0 {
		return reflect.Value{}, false
	}
	return f.of.Field(i), true
}

// exampleOf is a line of the struct that into points to.
func exampleOf(into any) string {
	switch into := into.(type) {
	case kind.Block:
		return into.Example()
	case *file:
		return "routes:"
	case *ruleFile:
		return "rules:"
	}
	return "name: PACS"
}
