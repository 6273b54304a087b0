package gate

import (
	"fmt"
	"os"
	"strings"
	"time"

	"collimator/internal/fault"
	"collimator/internal/terminal"
)

// Granted says in words who may do what at a route.
func (r *Route) Granted() string {
	if b := r.block(); b != nil {
		return b.Granted()
	}

	var rules []string
	for _, rule := range r.Rules {
		if rule.Registered {
			rules = append(rules, "registered devices: as granted")
			continue
		}
		rules = append(rules, strings.Join(rule.Who, ",")+": "+strings.Join(rule.Allow, ","))
	}
	if r.DICOMweb {
		rules = append(rules, "people: by role")
	}
	if r.Web != nil {
		rules = append(rules, "pages: by role")
	}
	return strings.Join(rules, "; ")
}

// State says in words whether a route is open, and whether it learns.
func (r *Route) State(now time.Time) string {
	switch {
	case r.Closed:
		return "CLOSED"
	case r.Learning(now):
		return "LEARNING until " + terminal.Minute(r.LearnUntil)
	case !r.LearnUntil.IsZero():
		return "open, learning has ended"
	}
	return "open"
}

// LearningText says whether a route learns: what stands in front of what went through.
func (r *Route) LearningText(now time.Time) string {
	switch {
	case r.LearnUntil.IsZero():
		return fmt.Sprintf("%[1]s does not learn; 'collimator gate learn %[1]s --days 14' begins it. "+
			"What went through in the last 60 days:", r.Name)
	case r.Learning(now):
		return fmt.Sprintf("%s learns until %s. What went through so far:", r.Name, terminal.Minute(r.LearnUntil))
	}
	return fmt.Sprintf("%s learned until %s. What went through:", r.Name, terminal.Minute(r.LearnUntil))
}

// ReadRules reads a file with the rules of one route. One that cannot be read, or holds
// no rule, ends as fault.Misused.
func ReadRules(path string) ([]Rule, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Usage("--rules: %w", err)
	}
	rules, err := ParseRules(text)
	if err != nil {
		return nil, fault.Usage("--rules %s: %w", path, err)
	}
	if len(rules) == 0 {
		return nil, fault.Usage("--rules %s: there is no rule in it", path)
	}
	return rules, nil
}
