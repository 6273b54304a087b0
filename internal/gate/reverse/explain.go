package reverse

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"collimator/internal/gate/kind"
)

// Leads implements kind.Block.
func (b *Block) Leads() string { return b.To }

// CallsAs implements kind.Block.
func (b *Block) CallsAs() string { return "HTTP" }

// Granted implements kind.Block.
func (b *Block) Granted() string {
	var list []string
	for _, r := range b.rules() {
		list = append(list, strings.Join(r.Roles, ",")+": "+strings.Join(r.Methods, ",")+" "+r.Name)
	}
	return strings.Join(list, "; ")
}

// Takes implements kind.Block.
func (b *Block) Takes() string { return "pages at " + hostPort(b.At) }

// Example implements kind.Block.
func (b *Block) Example() string { return "to: http://10.0.0.5:8042" }

// Explain implements kind.Block.
func (b *Block) Explain(e *kind.Explanation) {
	e.Say("Pages: who is signed in here finds those of %s at %s; %d requests at a time, bodies of up to %d MiB, %s.",
		b.To, b.At, b.requests(), b.upload()>>20, map[bool]string{true: "WebSocket, too", false: "no WebSocket"}[b.WebSocket])
	for _, r := range b.rules() {
		e.Say("%s", r.sentence())
	}

	if len(b.rules()) == 0 {
		e.Remark(kind.Never, "no rule lets anybody see a page: name a product, or rules (allow)")
	}
	for _, r := range b.Allow {
		if r.changes() && slices.Contains(r.Paths, "/**") {
			e.Remark(kind.Unsafe, "rule %q lets through whatever changes something there: name the paths that are needed", r.Name)
		}
		if b.Product == productOrthanc && r.stores() {
			e.Remark(kind.Unsafe, "rule %q takes objects by HTTP, and they are not looked at as those by C-STORE: "+
				"no patch of objects is in force there, and the first write does not win", r.Name)
		}
		for _, role := range r.Roles {
			if !slices.Contains(looking(), role) {
				e.Remark(kind.Unsafe, "rule %q is for a %s, whom the archive shows not all patients, or none: "+
					"a page shows whatever it has", r.Name, role)
			}
		}
	}
	if b.WebSocket {
		e.Remark(kind.Unsafe, "what goes through a WebSocket is not looked at, and no rule says what it may do")
	}
	b.explainWay(e)
}

// explainWay remarks on how the system behind is reached.
func (b *Block) explainWay(e *kind.Explanation) {
	host, _, _ := net.SplitHostPort(b.Behind())
	at, err := netip.ParseAddr(host)
	switch {
	case err == nil && at.IsLoopback(), strings.HasPrefix(b.To, "https:"):
	case err == nil && !at.IsPrivate() && !at.IsLinkLocalUnicast():
		e.Remark(kind.Unsafe, "%s is a public address, and what goes there is not encrypted", host)
	default:
		e.Remark(kind.Note, "between the gate and %s nothing is encrypted, the password neither: "+
			"give them a cable or a network of their own", b.Behind())
	}
}

// changes reports a rule that grants more than to look.
func (r *Rule) changes() bool {
	return slices.ContainsFunc(r.Methods, func(m string) bool { return m != "GET" && m != "HEAD" })
}

// stores reports a rule by which objects get into an Orthanc.
func (r *Rule) stores() bool {
	ways := []path{{segments: []string{"instances"}}, {segments: []string{"dicom-web", "studies"}}}
	return r.has("POST") && slices.ContainsFunc(r.Paths, func(text string) bool {
		m, err := parsePattern(text)
		return err == nil && slices.ContainsFunc(ways, m.matches)
	})
}

// pathsShown is how many paths a sentence names.
const pathsShown = 4

// sentence says what a rule grants.
func (r *Rule) sentence() string {
	paths := slices.Clone(r.Paths)
	if len(paths) > pathsShown {
		paths = append(paths[:pathsShown:pathsShown], fmt.Sprintf("%d more", len(r.Paths)-pathsShown))
	}
	return fmt.Sprintf("Page rule %q: %s may %s %s.", r.Name, kind.Listed(r.Roles), kind.Listed(r.Methods), kind.Listed(paths))
}

// Steps implements kind.Block.
func (b *Block) Steps(p kind.Place) []kind.Step {
	_, port, _ := net.SplitHostPort(b.Behind())
	set := fmt.Sprintf("'collimator gate password %s --user gate'", p.Route)
	return []kind.Step{
		kind.At("name server", b.Host()+" leads to this machine, where browsers open "+b.At),
		kind.At("firewall, for its pages", fmt.Sprintf("nft add rule inet filter input tcp dport %s ip saddr != %s drop", port, p.From)),
		kind.At("Orthanc, for its pages", `"RemoteAccessAllowed": true, "AuthenticationEnabled": true, `+
			`"RegisteredUsers": {"gate": a long password of its own}; then `+set),
		kind.At("any other, for its pages", fmt.Sprintf("take HTTP from %s alone", p.From)),
	}
}
