package config

import (
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"
)

// Item is one setting in force.
type Item struct {
	Key   string // with points between its parts, as signin.idle
	Value string
	Line  int // of the file; 0: standard, or a flag of the command
}

// List gives all settings in force, in the order of the file that 'config show' prints. A list is one value.
// Secrets stand in files of their own, which are named here alone.
func (c Config) List() ([]Item, error) {
	b, err := c.YAML()
	if err != nil {
		return nil, err
	}
	var inForce yaml.Node
	if err := yaml.Unmarshal(b, &inForce); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}

	lines := map[string]int{}
	if c.From != "" {
		b, err := os.ReadFile(c.From)
		if err != nil {
			return nil, fmt.Errorf("config: %w", err)
		}
		var file yaml.Node
		if err := yaml.Unmarshal(b, &file); err != nil {
			return nil, fmt.Errorf("config: %s: %w", c.From, err)
		}
		leaves(&file, "", func(key string, n *yaml.Node) { lines[key] = n.Line })
	}

	var list []Item
	leaves(&inForce, "", func(key string, n *yaml.Node) {
		list = append(list, Item{Key: key, Value: valueOf(n), Line: lines[key]})
	})
	return list, nil
}

// leaves gives what is no mapping, by its key.
func leaves(n *yaml.Node, key string, give func(key string, n *yaml.Node)) {
	switch n.Kind {
	case yaml.DocumentNode:
		for _, x := range n.Content {
			leaves(x, key, give)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			below := n.Content[i].Value
			if key != "" {
				below = key + "." + below
			}
			leaves(n.Content[i+1], below, give)
		}
	default:
		give(key, n)
	}
}

// valueOf is a value on one line.
func valueOf(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return n.Value
	}
	flat := *n
	flat.Style = yaml.FlowStyle
	b, err := yaml.Marshal(&flat)
	if err != nil {
		return ""
	}
	if len(b) > 0 && b[len(b)-1] == '\n' {
		b = b[:len(b)-1]
	}
	return string(b)
}
