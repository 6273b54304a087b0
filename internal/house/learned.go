package house

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"collimator/dicom/uid"
	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/terminal"
)

// learnedRoute is what was learned, for programs.
type learnedRoute struct {
	Route string      `json:"route"`
	Until time.Time   `json:"learnUntil,omitzero"`
	Seen  []gate.Seen `json:"seen"`
	Gone  []string    `json:"notRegistered,omitempty"`
	Rules []gate.Rule `json:"rules"`
}

// Show prints what was learned: as "json", as "table" with the rules that are proposed,
// or as "rules" alone, which is an error where there are none.
func (l Learned) Show(w io.Writer, form string) error {
	if form == "json" {
		rules := append([]gate.Rule{}, l.Rules...)
		return terminal.JSON(w, learnedRoute{l.Route.Name, l.Route.LearnUntil, gate.Summary(l.Flows), l.Gone, rules})
	}

	block, err := gate.RulesBlock(l.Rules)
	if err != nil {
		return err
	}
	if form == "rules" {
		if len(l.Rules) == 0 {
			return nothingLearned(l.Route.Name)
		}
		_, err := io.WriteString(w, block)
		return err
	}
	return l.print(w, block)
}

func (l Learned) print(w io.Writer, block string) error {
	if _, err := fmt.Fprintln(w, l.Route.LearningText(time.Now())); err != nil {
		return err
	}
	err := terminal.List(w, "table", gate.Summary(l.Flows), "CALLER|VERB|CLASS|SYNTAX|TIMES|VOLUME|WHEN|LAST", seenRow,
		"Nothing went through it that could be learned from.")
	if err != nil || len(l.Rules) == 0 {
		return err
	}
	_, err = fmt.Fprintf(w, "\n'collimator gate enforce %s' would write:\n\n%s", l.Route.Name, block)
	return err
}

func seenRow(s gate.Seen) []string {
	syntax := ""
	if s.Syntax != "" {
		syntax = uid.Name(s.Syntax)
	}
	return []string{s.Device, string(s.Verb), uid.Name(s.Class), terminal.Dash(syntax), fmt.Sprint(s.Requests),
		terminal.Size(s.Bytes), s.When(), s.Last.Format(time.DateOnly)}
}

// LeftOut names the devices of which nothing is learned; empty for none.
func (l Learned) LeftOut() string {
	if len(l.Gone) == 0 {
		return ""
	}
	return fmt.Sprintf("left out, as it is not registered any more: %s", strings.Join(l.Gone, ", "))
}

func nothingLearned(name string) error {
	return fault.Newf(fault.NotFound, "nothing went through %s that rules could be made of; "+
		"give --rules FILE to 'gate enforce', or let it learn with 'collimator gate learn %s --days 14'", name, name)
}

// ProposedRules are the rules that what went through a route leads to, as they would
// stand in a file. It is an error where there are none.
func (in *Installation) ProposedRules(ctx context.Context, name string) (l Learned, block string, err error) {
	if l, err = in.Learned(ctx, name); err != nil {
		return l, "", err
	}
	if len(l.Rules) == 0 {
		return l, "", nothingLearned(name)
	}
	block, err = gate.RulesBlock(l.Rules)
	return l, block, err
}
