package main

import (
	"errors"
	"fmt"
	"time"

	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/state"
	"collimator/internal/terminal"
)

type doctorCmd struct {
	dataFlags
	Output string `short:"o" help:"text or json." enum:"text,json" default:"text"`
}

func (doctorCmd) Help() string {
	return `Says how each part of the archive is, since when, and what to do: as the running server
knows it, and without one as far as the data directory tells. Ends with 3 where there is something
to do.

Example:
  collimator doctor --data ./data`
}

func (c *doctorCmd) Run(e *env) error {
	var states []state.State
	err := c.with(e, func(in *house.Installation) (err error) {
		states, err = house.StatesOf(e.ctx, in)
		return err
	})
	if err != nil {
		return err
	}

	err = terminal.List(e.stdout, c.Output, states, "PART|LEVEL|SINCE|WHAT|WHAT TO DO", func(s state.State) []string {
		return []string{s.Name, s.Level.String(), s.Since.Local().Format(time.DateTime), s.Text, s.Do}
	}, "")
	for _, s := range states {
		if s.Level > state.Well && err == nil {
			return fault.Partial("something is to be done")
		}
	}
	return err
}

type healthCmd struct{ dataFlags }

func (healthCmd) Help() string {
	return `For containers and watchdogs: ends with 0 while the server answers, else with 1, and prints
its worst state. 'collimator doctor' says which part it is and what to do.

Example:
  collimator health --data ./data`
}

func (c *healthCmd) Run(e *env) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}

	h, err := house.AskHealth(e.ctx, cfg)
	if err != nil {
		return fmt.Errorf("no server answers at %s: %w", cfg.HTTP, err)
	}
	if h.Status == "unavailable" {
		return errors.New("the server cannot read its index; see its log")
	}

	_, err = fmt.Fprintln(e.stdout, h.Status)
	return err
}
