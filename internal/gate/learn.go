package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"collimator/internal/fault"
	"collimator/internal/gate/kind"
	"collimator/internal/state"
	"collimator/internal/terminal"
)

// LearnMost is how long a route may learn from now on, unless its block says otherwise.
const LearnMost = 60 * 24 * time.Hour

// learning is the name of the rule by which a route lets everybody through who is
// registered.
const learning = "learning"

// Learning reports a route that lets every registered device do everything now.
func (r *Route) Learning(now time.Time) bool { return now.Before(r.LearnUntil) }

// explainLearning says what a route lets through besides its rules.
func explainLearning(e *Explanation, r Route, now time.Time) {
	switch {
	case r.LearnUntil.IsZero():
		return
	case r.Learning(now):
		text := fmt.Sprintf("LEARNING until %s: every registered device may do everything. Then ", terminal.Minute(r.LearnUntil))
		if len(r.Rules) == 0 {
			text += "nobody may do anything: it has no rules."
		} else {
			text += "its rules alone count."
		}
		e.Says = append(e.Says, text)

		e.Remark(kind.Unsafe, "every registered device may do everything until %s; 'collimator gate enforce %s' makes rules of what it saw",
			terminal.Minute(r.LearnUntil), r.Name)
		if r.LearnUntil.Sub(now) > LearnMost {
			e.Remark(kind.Unsafe, "learn_until is more than 60 days away")
		}
	case len(r.Rules) == 0:
		e.Says = append(e.Says, fmt.Sprintf("Learning ended on %s, and there are no rules: nobody may do anything.",
			terminal.Minute(r.LearnUntil)))
		e.Remark(kind.Never, "it lets nobody through: 'collimator gate enforce %s' makes rules of what was learned", r.Name)
	default:
		e.Says = append(e.Says, fmt.Sprintf("Learning ended on %s: its rules alone count.", terminal.Minute(r.LearnUntil)))
		e.Remark(kind.Note, "what was learned is in no rule yet: 'collimator gate enforce %s' makes rules of it", r.Name)
	}
}

// LearningPart is the state of the routes that learn.
const LearningPart = "gate.learning"

// TellLearning says which routes learn, and which have stopped and wait for rules.
func TellLearning(states *state.Register, routes []Route, now time.Time) {
	var running, over, shut []string
	soon := false
	for _, r := range routes {
		switch {
		case r.LearnUntil.IsZero():
		case r.Learning(now):
			running = append(running, fmt.Sprintf("%s until %s", r.Name, terminal.Minute(r.LearnUntil)))
			soon = soon || r.LearnUntil.Sub(now) <= 24*time.Hour
		case len(r.Rules) == 0:
			shut = append(shut, r.Name)
		default:
			over = append(over, r.Name)
		}
	}

	var says []string
	if len(shut) > 0 {
		says = append(says, "learning has ended without rules, so that nobody is let through "+kind.Listed(shut))
	}
	if len(over) > 0 {
		says = append(says, "learning has ended, and the rules from before count alone, at "+kind.Listed(over))
	}
	if len(running) > 0 {
		says = append(says, "every registered device may do everything at "+kind.Listed(running))
	}
	if soon {
		says = append(says, "that ends within a day")
	}
	text := strings.Join(says, "; ")

	switch name := learner(routes, now); {
	case name == "":
		states.Forget(LearningPart)
	case len(shut) > 0:
		states.Failing(LearningPart, text, readLearned(name))
	default:
		states.Degraded(LearningPart, text, readLearned(name))
	}
}

// learner is the route that somebody has to look at first; empty where none learns.
func learner(routes []Route, now time.Time) string {
	list := slices.DeleteFunc(slices.Clone(routes), func(r Route) bool { return r.LearnUntil.IsZero() })
	if len(list) == 0 {
		return ""
	}
	urgent := func(r Route) int {
		switch {
		case r.Learning(now):
			return 2
		case len(r.Rules) > 0:
			return 1
		}
		return 0
	}
	return slices.MinFunc(list, func(a, b Route) int { return urgent(a) - urgent(b) }).Name
}

func readLearned(name string) string {
	return fmt.Sprintf("read what was learned: 'collimator gate learn %[1]s', then 'collimator gate enforce %[1]s'", name)
}

// Learn has a route let every registered device do everything until a time.
func Learn(path, name string, until, now time.Time) error {
	until = until.UTC().Truncate(time.Second)
	switch {
	case !until.After(now):
		return fault.New(fault.Invalid, "gate: learning would end before it begins: give a time to come")
	case until.Sub(now) > LearnMost:
		return fault.New(fault.Invalid, "gate: a route learns for 60 days at most: meanwhile every registered device may do everything")
	}

	return edit(path, func(list *yaml.Node, routes []Route) ([]Route, error) {
		i, err := position(routes, name)
		if err != nil {
			return nil, err
		}
		if err := routes[i].Ruled(); err != nil {
			return nil, err
		}
		routes[i].LearnUntil = until

		return routes, setField(list.Content[i], "learn_until", until)
	})
}

// Enforce puts rules in the place of those of a route, which learns no more. A rule that
// stays as it is keeps its comments.
func Enforce(path, name string, rules []Rule) error {
	rules, err := asRead(rules)
	if err != nil {
		return err
	}
	return edit(path, func(list *yaml.Node, routes []Route) ([]Route, error) {
		i, err := position(routes, name)
		if err != nil {
			return nil, err
		}
		if err := routes[i].Ruled(); err != nil {
			return nil, err
		}
		block, before := list.Content[i], routes[i].Rules
		routes[i].Rules = rules
		routes[i].LearnUntil = time.Time{}
		if err := routes[i].Check(); err != nil {
			return nil, fault.Newf(fault.Invalid, "gate: %v", err)
		}

		if at := fieldIn(block, "learn_until"); at >= 0 {
			block.Content = slices.Delete(block.Content, at, at+2)
		}
		return routes, setRules(block, before, rules)
	})
}

// asRead is rules as they are read after they were written: an empty list and none are
// alike then.
func asRead(rules []Rule) ([]Rule, error) {
	text, err := RulesBlock(rules)
	if err != nil {
		return nil, err
	}
	return ParseRules([]byte(text))
}
