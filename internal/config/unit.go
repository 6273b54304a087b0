package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// checkKeys finds keys that do not exist, values of another kind than their key
// has, and times without a unit, and says of each where it stands and what is expected.
func checkKeys(file []byte) error {
	var doc yaml.Node
	if err := yaml.Unmarshal(file, &doc); err != nil || len(doc.Content) == 0 {
		return nil // the decoder says what is wrong with it
	}
	return errors.Join(wrongKeys(doc.Content[0], reflect.TypeFor[Config](), "")...)
}

func wrongKeys(n *yaml.Node, t reflect.Type, path string) (faults []error) {
	switch {
	case t == reflect.TypeFor[time.Duration]() && n.Kind == yaml.ScalarNode:
		_, err := time.ParseDuration(n.Value)
		if (err != nil || n.Tag == "!!int") && n.Tag != "!!null" {
			faults = append(faults, fmt.Errorf("config: %s: %q on line %d is not a time; "+
				"want a number with a unit (s, m or h), such as 30m or 1h30m",
				path, n.Value, n.Line))
		}
	case t.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		for i, item := range n.Content {
			faults = append(faults, wrongKeys(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i))...)
		}
	case t.Kind() == reflect.Struct && n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			faults = append(faults, wrongKey(n.Content[i], n.Content[i+1], t, path)...)
		}
	case n.Decode(reflect.New(t).Interface()) != nil:
		faults = append(faults, fmt.Errorf("config: %s on line %d: want %s", path, n.Line, wanted(t)))
	}
	return faults
}

// wanted is what a value of a type looks like in the file.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		return "a list in brackets, such as [a, b]"
	case reflect.Struct, reflect.Map:
		return "keys with their values below it"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number, without a unit"
	default:
		return "one word, in quotes where it has special characters"
	}
}

// mergeKey takes over the keys of another mapping (YAML 1.1): the decoder follows it.
const mergeKey = "<<"

// wrongKey looks at one key of a mapping that stands for t, and what is below it.
func wrongKey(key, value *yaml.Node, t reflect.Type, path string) []error {
	if key.Value == mergeKey {
		return nil
	}

	full := strings.TrimPrefix(path+"."+key.Value, ".")
	f, ok := fieldOf(t, key.Value)
	if !ok {
		return []error{fmt.Errorf("config: %s on line %d is not a setting; 'collimator config show' has those that exist",
			full, key.Line)}
	}

	return wrongKeys(value, f, full)
}

// fieldOf is the type of what stands under a key.
func fieldOf(t reflect.Type, key string) (reflect.Type, bool) {
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name == key {
			return t.Field(i).Type, true
		}
	}
	return nil, false
}
