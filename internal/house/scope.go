package house

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"collimator/internal/api"
	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/scan"
)

// Scope implements api.House.
func (o overseer) Scope() (api.Scope, error) {
	x := api.Scope{Ranges: []string{}, Exclude: []string{}, Zones: []string{}, Own: ownNetworks()}
	s, err := declaredScope(o.s.in.Config.Data)
	if err != nil {
		return x, err
	}
	for _, r := range s.Ranges {
		x.Ranges = append(x.Ranges, r.Range.String())
	}
	for _, p := range s.Exclude {
		x.Exclude = append(x.Exclude, p.String())
	}
	for _, p := range s.Zones {
		x.Zones = append(x.Zones, p.String())
	}
	return x, nil
}

// Own implements api.House: the range comes to those of the scope file of the data directory. What stands
// there already stays as it is, with its comments; public addresses need the hand of somebody.
func (o overseer) Own(prefix string) error {
	p, err := scan.ParsePrefix(prefix)
	if err != nil {
		return fault.New(fault.Invalid, "house: want an address or a range such as 10.1.0.0/16")
	}

	o.s.scopeFile.Lock() // two that declare must not lose one another's
	defer o.s.scopeFile.Unlock()
	if p.Addr().IsLoopback() {
		return nil // it is in scope by itself
	}
	s, err := declaredScope(o.s.in.Config.Data)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(s.Ranges, func(r scan.Range) bool { return r.Range.Prefix == p }) {
		return nil
	}
	if err := s.Own(p); err != nil {
		return fault.New(fault.Invalid,
			"house: this range holds public addresses: they are declared in the file scope.yaml, with who confirmed it (docs/scan.md)")
	}

	path := filepath.Join(o.s.in.Config.Data, scopeFile)
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("house: scope file: %w", err)
	}
	now, err := withRange(old, p)
	if err != nil {
		return err
	}
	return durable.Whole(path, now, 0o600)
}

// withRange is a scope file with one more range.
func withRange(old []byte, p netip.Prefix) ([]byte, error) {
	var file yaml.Node
	if err := yaml.Unmarshal(old, &file); err != nil {
		return nil, fmt.Errorf("house: scope file: %w", err)
	}
	if file.Kind == 0 {
		if err := yaml.Unmarshal([]byte("ranges: []\n"), &file); err != nil {
			return nil, err
		}
		file.Content[0].Content[1].Style = 0
	}

	entry := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
		scalar("range"), scalar(p.String()), scalar("owned"), {Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"},
	}}
	root := file.Content[0]
	ranges := valueAt(root, "ranges")
	if ranges == nil {
		ranges = &yaml.Node{Kind: yaml.SequenceNode}
		root.Content = append(root.Content, scalar("ranges"), ranges)
	}
	ranges.Content = append(ranges.Content, entry)

	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(&file); err != nil {
		return nil, fmt.Errorf("house: scope file: %w", err)
	}
	_, err := scan.ReadScope(bytes.NewReader(out.Bytes()))
	return out.Bytes(), err
}

func scalar(text string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: text} }

// valueAt is the value of a key in a mapping; nil where it is missing.
func valueAt(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// ownNetworks are the private networks in which this machine stands, none larger than 256 addresses: what
// somebody is likely to mean by their network.
func ownNetworks() []string {
	list := []string{}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return list
	}
	for _, a := range addresses {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		ip, ok := netip.AddrFromSlice(n.IP)
		if ip = ip.Unmap(); !ok || !ip.Is4() || !ip.IsPrivate() {
			continue
		}
		bits, _ := n.Mask.Size()
		p := netip.PrefixFrom(ip, max(bits, 24)).Masked().String()
		if !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}
