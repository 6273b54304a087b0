package reverse

import (
	"errors"
	"slices"
	"strings"

	"collimator/internal/policy"
)

// pattern is the path of a rule: segments, of which * stands for any one.
type pattern struct {
	segments []string
	below    bool // and whatever is below it
}

var errPattern = errors.New("a path begins with a slash, as /studies/* or /app/**; * stands for a whole segment, and ** at the end alone")

func parsePattern(text string) (m pattern, err error) {
	rest, below := strings.CutSuffix(text, "/**")
	m.below = below
	if rest == "" && below {
		return m, nil
	}
	p, err := parsePath(rest)
	if err != nil {
		return m, errPattern
	}
	for _, segment := range p.segments {
		if segment != "*" && strings.Contains(segment, "*") {
			return m, errPattern
		}
	}
	m.segments = p.segments
	return m, nil
}

// matches reports a path that a pattern names.
func (m pattern) matches(p path) bool {
	if len(p.segments) < len(m.segments) || len(p.segments) > len(m.segments) && !m.below {
		return false
	}
	for i, segment := range m.segments {
		if segment != "*" && segment != p.segments[i] {
			return false
		}
	}
	return true
}

// shown is a path as the record may have it: the words that the rule names, and * for others.
func (m pattern) shown(p path) string {
	list := slices.Clone(m.segments)
	if len(p.segments) > len(m.segments) {
		list = append(list, "**")
	}
	return "/" + strings.Join(list, "/")
}

// judge has the rules of a block, taken apart.
type judge struct{ rules []judgeRule }

type judgeRule struct {
	Rule
	patterns []pattern
}

// newJudge takes the rules of a block apart, which was checked.
func newJudge(b *Block) *judge {
	j := &judge{}
	for _, r := range b.rules() {
		x := judgeRule{Rule: r}
		for _, text := range r.Paths {
			if m, err := parsePattern(text); err == nil {
				x.patterns = append(x.patterns, m)
			}
		}
		j.rules = append(j.rules, x)
	}
	return j
}

// naming are the rules that name a method and a path, as policy has them, and how the record shows
// the path. What no rule names is shown as nothing but a place.
func (j *judge) naming(method string, p path) (rules []policy.RouteRule, shown string) {
	shown = "a path that no rule names"
	for _, r := range j.rules {
		i := slices.IndexFunc(r.patterns, func(m pattern) bool { return m.matches(p) })
		if i < 0 || !r.has(method) {
			continue
		}
		if len(rules) == 0 {
			shown = r.patterns[i].shown(p)
		}
		rules = append(rules, policy.RouteRule{Name: r.Name, Roles: rolesOf(r.Roles), Verbs: []policy.Verb{policy.Web}})
	}
	return rules, shown
}

func (r *Rule) has(method string) bool {
	return slices.Contains(r.Methods, method) || method == "HEAD" && slices.Contains(r.Methods, "GET")
}

func rolesOf(words []string) (roles []policy.Role) {
	for _, word := range words {
		roles = append(roles, policy.Role(word))
	}
	return roles
}

// admits reports a role that some rule names: others are told before they come.
func (j *judge) admits(role policy.Role) bool {
	return slices.ContainsFunc(j.rules, func(r judgeRule) bool { return slices.Contains(r.Roles, string(role)) })
}
