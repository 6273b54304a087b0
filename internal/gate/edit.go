package gate

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"collimator/internal/durable"
	"collimator/internal/fault"
)

// Add writes a route behind those that stand in the file, and makes the file where there
// is none. A name that is taken is fault.Conflict.
func Add(path string, r Route) error {
	if err := r.Check(); err != nil {
		return fault.Newf(fault.Invalid, "gate: %v", err)
	}
	block, err := blockOf(r)
	if err != nil {
		return err
	}

	return edit(path, func(list *yaml.Node, now []Route) ([]Route, error) {
		if err := Fits(now, r); err != nil {
			return nil, err
		}
		list.Content = append(list.Content, block)

		return append(now, r), nil
	})
}

// Remove takes a route out of the file. One that is not there is fault.NotFound.
func Remove(path, name string) error {
	return edit(path, func(list *yaml.Node, now []Route) ([]Route, error) {
		i, err := position(now, name)
		if err != nil {
			return nil, err
		}
		list.Content = slices.Delete(list.Content, i, i+1)

		return slices.Delete(now, i, i+1), nil
	})
}

// SetClosed closes a route or opens it again; changed is false where it was so before.
func SetClosed(path, name string, closed bool) (changed bool, err error) {
	err = edit(path, func(list *yaml.Node, now []Route) ([]Route, error) {
		i, err := position(now, name)
		if err != nil {
			return nil, err
		}
		if changed = now[i].Closed != closed; !changed {
			return now, nil
		}
		now[i].Closed = closed

		return now, setField(list.Content[i], "closed", closed)
	})
	return changed && err == nil, err
}

// setField writes a field of a block behind those that say what it is of.
func setField(block *yaml.Node, name string, to any) error {
	if i := fieldIn(block, name); i >= 0 {
		return block.Content[i+1].Encode(to)
	}

	key, value := &yaml.Node{}, &yaml.Node{}
	at := fieldIn(block, "rules")
	if at < 0 {
		at = len(block.Content)
	}
	block.Content = slices.Insert(block.Content, at, key, value)
	return errors.Join(key.Encode(name), value.Encode(to))
}

// dropField takes a field out of a block, if it is there.
func dropField(block *yaml.Node, name string) error {
	if i := fieldIn(block, name); i >= 0 {
		block.Content = slices.Delete(block.Content, i, i+2)
	}
	return nil
}

// fieldIn is where the key of a field stands in a block; -1 where it does not.
func fieldIn(block *yaml.Node, name string) int {
	for i := 0; i+1 < len(block.Content); i += 2 {
		if block.Content[i].Value == name {
			return i
		}
	}
	return -1
}

// setRules writes the rules of a block. One that was there before keeps its place in the
// tree, and with it its comments.
func setRules(block *yaml.Node, before, rules []Rule) error {
	at := fieldIn(block, "rules")
	if at < 0 {
		key := &yaml.Node{}
		if err := key.Encode("rules"); err != nil {
			return fmt.Errorf("gate: write a route: %w", err)
		}
		block.Content = append(block.Content, key, &yaml.Node{Kind: yaml.SequenceNode})
		at = len(block.Content) - 2
	}

	list := block.Content[at+1]
	var nodes []*yaml.Node
	for _, rule := range rules {
		i := slices.IndexFunc(before, func(old Rule) bool { return reflect.DeepEqual(old, rule) })
		if i >= 0 && list.Kind == yaml.SequenceNode && len(list.Content) == len(before) {
			nodes = append(nodes, list.Content[i])
			continue
		}
		n := &yaml.Node{}
		if err := n.Encode(rule); err != nil {
			return fmt.Errorf("gate: write a rule: %w", err)
		}
		inBrackets(n)
		nodes = append(nodes, n)
	}
	instead(list, yaml.Node{Kind: yaml.SequenceNode, Content: nodes})
	return nil
}

// RulesBlock is rules as a file of their own, which ParseRules reads.
func RulesBlock(rules []Rule) (string, error) {
	n := &yaml.Node{}
	if err := n.Encode(ruleFile{rules}); err != nil {
		return "", fmt.Errorf("gate: write rules: %w", err)
	}
	inBrackets(n)
	text, err := encode(n)
	return string(text), err
}

// Block is a route as it stands in the file.
func Block(r Route) (string, error) {
	block, err := blockOf(r)
	if err != nil {
		return "", err
	}

	text, err := encode(&yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{block}})
	return string(text), err
}

// blockOf is a route with its lists in brackets, but for that of the rules.
func blockOf(r Route) (*yaml.Node, error) {
	n := &yaml.Node{}
	if err := n.Encode(r); err != nil {
		return nil, fmt.Errorf("gate: write a route: %w", err)
	}
	inBrackets(n)
	return n, nil
}

func inBrackets(n *yaml.Node) {
	words := n.Kind == yaml.SequenceNode
	for _, child := range n.Content {
		inBrackets(child)
		words = words && child.Kind == yaml.ScalarNode
	}
	if words {
		n.Style |= yaml.FlowStyle
	}
}

func indexOf(routes []Route, name string) int {
	return slices.IndexFunc(routes, func(r Route) bool { return r.Name == name })
}

// Find is the route of a name; fault.NotFound where none has it.
func Find(routes []Route, name string) (r Route, err error) {
	i, err := position(routes, name)
	if err != nil {
		return r, err
	}
	return routes[i], nil
}

// Fits fails with fault.Conflict where a route cannot stand beside others: its name is taken, or what is
// for it is for one of them.
func Fits(routes []Route, r Route) error {
	if indexOf(routes, r.Name) >= 0 {
		return fault.Newf(fault.Conflict,
			"gate: there is a route %[1]s already; see 'collimator gate show %[1]s', and remove it first or take another name", r.Name)
	}
	if other := takesAs(routes, r); other != "" {
		return fault.Newf(fault.Conflict, "gate: the route %s takes %s already", other, r.takes())
	}
	return nil
}

func position(routes []Route, name string) (int, error) {
	if i := indexOf(routes, name); i >= 0 {
		return i, nil
	}
	return -1, fault.Newf(fault.NotFound, "gate: there is no route %s; 'collimator gate list' shows which there are", name)
}

// head stands above the first route of a new file.
const head = `# Routes of the gate: docs/gate.md. 'collimator config check' explains them, and a server
# that runs takes a change up within two seconds.
`

// edit changes the file. change is given the list of its routes, as it stands there and as
// it is read, and gives what is to be read then: where anything else would come out,
// nothing is written. Comments and order stay; blank lines do not.
func edit(path string, change func(list *yaml.Node, now []Route) ([]Route, error)) (err error) {
	unlock, err := lock(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()

	text, err := readFile(path)
	if err != nil {
		return err
	}
	now, err := parseFile(path, text)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		text = []byte(head)
	}

	doc, list, err := routesIn(text)
	if err != nil {
		return err
	}
	want, err := change(list, now)
	if err != nil {
		return err
	}
	if len(list.Content) == 0 { // the encoder breaks an empty list behind a comment
		instead(list, yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"})
	}

	changed, err := encode(doc)
	if err != nil {
		return err
	}
	if err := sameRoutes(changed, want); err != nil {
		return err
	}
	return write(path, changed)
}

// lock keeps other commands off the file meanwhile: of two that read and write it, one
// would be lost.
func lock(dir string) (unlock func() error, err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "gate: open the data directory")
	}
	for began := time.Now(); durable.Lock(d) != nil; time.Sleep(lockPause) {
		if time.Since(began) > lockMost {
			return nil, errors.Join(fault.New(fault.Busy, "gate: another command is changing the routes; try again"), d.Close())
		}
	}
	return d.Close, nil
}

// A change takes milliseconds: who closes a route in an emergency waits for another's.
const (
	lockMost  = 2 * time.Second
	lockPause = 5 * time.Millisecond
)

// routesIn is the text as a tree, and the list of routes in it.
func routesIn(text []byte) (doc, list *yaml.Node, err error) {
	doc = &yaml.Node{}
	if err := yaml.Unmarshal(text, doc); err != nil {
		return nil, nil, fmt.Errorf("gate: %w", err)
	}
	if doc.Kind == 0 { // comments alone are no document for the decoder
		doc = &yaml.Node{Kind: yaml.DocumentNode, HeadComment: string(bytes.TrimSpace(text))}
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		doc.Content = []*yaml.Node{{Kind: yaml.MappingNode}}
	}

	top := doc.Content[0]
	if len(top.Content) == 0 {
		top.Content = []*yaml.Node{{Kind: yaml.ScalarNode, Value: "routes"}, {Kind: yaml.SequenceNode}}
	}
	list = top.Content[1]
	if len(list.Content) == 0 {
		instead(list, yaml.Node{Kind: yaml.SequenceNode})
	}
	return doc, list, nil
}

// instead puts another value in the place of one, whose comments stay.
func instead(of *yaml.Node, other yaml.Node) {
	other.HeadComment = of.HeadComment
	other.LineComment = of.LineComment
	other.FootComment = of.FootComment
	*of = other
}

func encode(n *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(n), enc.Close()); err != nil {
		return nil, fmt.Errorf("gate: write the routes: %w", err)
	}
	return b.Bytes(), nil
}

// sameRoutes fails where a text is not read as routes: a block that stands there by an
// anchor cannot be changed without another.
func sameRoutes(text []byte, want []Route) error {
	got, err := Parse(text)
	if err == nil && (len(got)+len(want) == 0 || reflect.DeepEqual(got, want)) {
		return nil
	}

	return &fault.Error{Kind: fault.Unsupported, Err: err,
		Text: "gate: the file is written in a way that this command cannot change without changing more; " +
			"nothing was changed: edit it by hand"}
}

// write puts the text in the place of the file, or of what a link of that name leads to.
func write(path string, text []byte) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}

	return fault.Wrap(fault.Unavailable, durable.Whole(path, text, mode), "gate: write the routes")
}
