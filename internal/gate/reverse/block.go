package reverse

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"collimator/internal/gate/kind"
	"collimator/internal/policy"
)

// Block is what a route says of the pages of the system behind it.
type Block struct {
	// To is where its pages are: http://HOST:PORT, or https:// with CA, a file with who
	// vouches for it, or Fingerprint, sha256: and the hash of its certificate.
	To          string `yaml:"to" json:"to"`
	CA          string `yaml:"ca,omitempty" json:"ca,omitempty"`
	Fingerprint string `yaml:"fingerprint,omitempty" json:"fingerprint,omitempty"`
	// At is where browsers find them: https://HOST:PORT, an origin of its own.
	At string `yaml:"at" json:"at"`
	// Listen is the address and port of this machine for that; empty: the port of At, at the
	// address where the server's own pages are.
	Listen string `yaml:"listen,omitempty" json:"listen,omitempty"`
	// Product has ready-made rules to look: orthanc; empty: none.
	Product string `yaml:"product,omitempty" json:"product,omitempty"`
	// Allow says who may do what besides. What no rule grants is refused.
	Allow []Rule `yaml:"allow,omitempty" json:"allow,omitempty"`
	// Requests is how many the system bears at a time; 0 means 16.
	Requests int `yaml:"requests,omitempty" json:"requests,omitempty"`
	// Wait is how long it may take for the first byte of an answer; 0 means 30 s.
	Wait time.Duration `yaml:"wait,omitempty" json:"wait,omitempty"`
	// UploadMiB is the longest body of a request, in MiB; 0 means 1.
	UploadMiB int `yaml:"upload_mib,omitempty" json:"uploadMiB,omitempty"`
	// WebSocket lets a page open connections of RFC 6455.
	WebSocket bool `yaml:"websocket,omitempty" json:"websocket,omitempty"`
}

// Rule grants roles some methods below some paths.
type Rule struct {
	Name string `yaml:"name" json:"name"`
	// Roles are those of people.
	Roles []string `yaml:"roles" json:"roles"`
	// Methods are those of HTTP; GET grants HEAD, too.
	Methods []string `yaml:"methods" json:"methods"`
	// Paths are those of the system: * is one segment whatever it is, /** at the end all
	// below.
	Paths []string `yaml:"paths" json:"paths"`
}

var _ kind.Block = (*Block)(nil)

// Route is a block under the name of its route.
type Route struct {
	Block
	Name   string
	Closed bool
	// Patches says of patches by name whether they are in force.
	Patches map[string]bool
}

// Bounds of a block.
const (
	requestsUsual = 16
	requestsMost  = 256
	waitUsual     = 30 * time.Second
	waitMost      = 10 * time.Minute
	uploadUsual   = 1     // MiB
	uploadMost    = 65536 // MiB
	rulesMost     = 256
	pathsMost     = 256 // of a rule
)

// methods are those that a rule can name.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}

// Check implements kind.Block.
func (b *Block) Check() error {
	to, err := originOf(b.To)
	if err != nil {
		return fmt.Errorf("to: %w, such as http://10.0.0.5:8042", err)
	}
	at, err := originOf(b.At)
	if err != nil || at.Scheme != "https" {
		return errors.New("at: want https://HOST:PORT, such as https://pacs.hospital.example:8444, and nothing behind it")
	}
	if !isHost(at.Hostname()) {
		return errors.New("at: a host has letters, digits, dots and hyphens, or is an IP address")
	}
	if b.Listen != "" {
		if l, err := netip.ParseAddrPort(b.Listen); err != nil || l.Port() == 0 {
			return errors.New("listen: want an address of this machine and a port, such as 192.168.1.10:8444")
		}
	}

	switch {
	case to.Scheme == "http" && (b.CA != "" || b.Fingerprint != ""):
		return errors.New("to: ca and fingerprint are for https")
	case to.Scheme == "https" && (b.CA == "") == (b.Fingerprint == ""):
		return errors.New("to: https needs one of ca and fingerprint, by which the system behind is known")
	case b.Fingerprint != "" && b.pin() == "":
		return errors.New("fingerprint: want sha256: and 64 hexadecimal digits")
	case b.Requests < 0 || b.Requests > requestsMost:
		return fmt.Errorf("requests: want 1 to %d", requestsMost)
	case b.Wait < 0 || b.Wait > waitMost:
		return fmt.Errorf("wait: want up to %s", waitMost)
	case b.UploadMiB < 0 || b.UploadMiB > uploadMost:
		return fmt.Errorf("upload_mib: want 1 to %d", uploadMost)
	}
	return b.checkRules()
}

// originOf reads scheme://HOST:PORT and nothing more.
func originOf(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil ||
		u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(text, "?#") || u.Path != "" && u.Path != "/" {
		return nil, fmt.Errorf("want http://HOST:PORT or https://HOST:PORT and nothing behind it")
	}
	if text := u.Port(); text != "" {
		if port, err := strconv.ParseUint(text, 10, 16); err != nil || port == 0 {
			return nil, errors.New("the port is none")
		}
	}
	u.Host = strings.ToLower(u.Host)
	u.Path = ""
	return u, nil
}

// isHost reports a host name or an IP address.
func isHost(text string) bool {
	if ip, err := netip.ParseAddr(text); err == nil {
		return ip.Zone() == ""
	}
	name := strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
	return name && !strings.HasPrefix(text, ".") && !strings.Contains(text, "..")
}

func (b *Block) checkRules() error {
	if b.Product != "" && productRules(b.Product) == nil {
		return fmt.Errorf("product: there are ready-made rules for %s alone", kind.Listed(Products()))
	}
	if len(b.Allow) > rulesMost {
		return fmt.Errorf("allow: at most %d rules", rulesMost)
	}
	seen := map[string]bool{}
	for i, r := range b.rules() {
		if err := r.check(); err != nil {
			return fmt.Errorf("rule %d (%s): %w", i+1, r.Name, err)
		}
		if seen[r.Name] {
			return fmt.Errorf("rule %d: the name %q is taken by another rule", i+1, r.Name)
		}
		seen[r.Name] = true
	}
	return nil
}

func (r *Rule) check() error {
	switch {
	case r.Name == "" || len(r.Name) > 64 || strings.ContainsFunc(r.Name, func(c rune) bool { return c < ' ' || c > '~' }):
		return errors.New("name: want 1 to 64 characters of ASCII: the record names the rule by it")
	case len(r.Roles) == 0 || len(r.Methods) == 0 || len(r.Paths) == 0:
		return errors.New("roles, methods and paths are needed: a rule without them grants nothing")
	case len(r.Paths) > pathsMost:
		return fmt.Errorf("paths: at most %d", pathsMost)
	}

	for _, word := range r.Roles {
		if !slices.Contains(policy.Roles(), policy.Role(word)) {
			return fmt.Errorf("roles: %q is none", word)
		}
	}
	for _, word := range r.Methods {
		if !slices.Contains(methods, word) {
			return fmt.Errorf("methods: %q is none of %s", word, strings.Join(methods, ", "))
		}
	}
	for _, text := range r.Paths {
		if _, err := parsePattern(text); err != nil {
			return fmt.Errorf("paths: %w", err)
		}
	}
	return nil
}

// rules are those of the product and those that stand in the block.
func (b *Block) rules() []Rule { return slices.Concat(productRules(b.Product), b.Allow) }

const sha256Prefix = "sha256:"

// pin is the fingerprint as tlsprofile has it; empty where it is none.
func (b *Block) pin() string {
	hash, ok := strings.CutPrefix(strings.ToLower(b.Fingerprint), sha256Prefix)
	hash = strings.ReplaceAll(hash, ":", "")
	if !ok || len(hash) != 64 || strings.Trim(hash, "0123456789abcdef") != "" {
		return ""
	}
	return hash
}

func (b *Block) requests() int       { return cmp.Or(b.Requests, requestsUsual) }
func (b *Block) wait() time.Duration { return cmp.Or(b.Wait, waitUsual) }
func (b *Block) upload() int64       { return int64(cmp.Or(b.UploadMiB, uploadUsual)) << 20 }

// Behind implements kind.Block. The block was checked.
func (b *Block) Behind() string { return hostPort(b.To) }

// Origin is where the pages are, with the port: that for which a password is set. The block was
// checked.
func (b *Block) Origin() string {
	u, err := originOf(b.To)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + b.Behind()
}

// Guards implements kind.Block.
func (b *Block) Guards() []string { return []string{b.Behind()} }

// Listens implements kind.Block: where the block does not say at which address, at any.
func (b *Block) Listens() string { return cmp.Or(b.Listen, "0.0.0.0:"+b.Port()) }

// Host is the host by which browsers come.
func (b *Block) Host() string {
	u, err := originOf(b.At)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// Port is the port at which the gate listens for them; empty where there is none.
func (b *Block) Port() string {
	_, port, _ := net.SplitHostPort(cmp.Or(b.Listen, hostPort(b.At)))
	return port
}

// hostPort is the host and port of an origin.
func hostPort(origin string) string {
	u, err := originOf(origin)
	if err != nil {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
