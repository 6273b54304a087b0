package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// checkTimes finds times that are written without a unit, or in a way that is no
// time, and says what is expected.
func checkTimes(file []byte) error {
	var doc yaml.Node
	if err := yaml.Unmarshal(file, &doc); err != nil || len(doc.Content) == 0 {
		return nil // the decoder says what is wrong with it
	}
	return errors.Join(wrongTimes(doc.Content[0], reflect.TypeFor[Config](), "")...)
}

func wrongTimes(n *yaml.Node, t reflect.Type, path string) (faults []error) {
	switch {
	case t == reflect.TypeFor[time.Duration]() && n.Kind == yaml.ScalarNode:
		_, err := time.ParseDuration(n.Value)
		if (err != nil || n.Tag == "!!int") && n.Tag != "!!null" {
			faults = append(faults, fmt.Errorf("config: %s: %q on line %d is no time; want a number with a unit (s, m or h), such as 30m or 1h30m",
				path, n.Value, n.Line))
		}
	case t.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		for i, item := range n.Content {
			faults = append(faults, wrongTimes(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i))...)
		}
	case t.Kind() == reflect.Struct && n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if f, ok := fieldOf(t, key); ok {
				faults = append(faults, wrongTimes(n.Content[i+1], f, strings.TrimPrefix(path+"."+key, "."))...)
			}
		}
	}
	return faults
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
