package main

import (
	"fmt"
	"log/slog"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/identity"
	"collimator/internal/posture"
	"collimator/internal/terminal"
)

type alarmCmd struct {
	Test alarmTestCmd `cmd:"" help:"Send a test to every channel and say which worked."`
}

type alarmTestCmd struct {
	dataFlags
	outputFlag
}

func (alarmTestCmd) Help() string {
	return "The channels are those of the settings (alarms). Exit code 1 where one did not work.\n\nExample:\n  collimator alarm test"
}

func (c *alarmTestCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		// With the certificate that the server shows: what it is for is tried, too.
		own, err := identity.NewServerCertificate(in.Authority, house.ServerHosts(in.Config))
		if err != nil {
			return err
		}
		teller, err := house.NewTeller(house.NewPosture(in, nil, nil), in, own.Get, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		if teller == nil {
			return fault.Usage("no channel is set: name one under alarms in the settings; docs/alarms.md says how")
		}

		list := teller.Test(e.ctx)
		if err := in.Record(e.ctx, alarmRecord(list)); err != nil {
			return err
		}

		err = terminal.List(e.stdout, c.Output, list, "CHANNEL|WORKED|WHAT TO DO", func(t posture.Tried) []string {
			worked := "no"
			if t.OK {
				worked = "yes"
			}
			return []string{t.Channel, worked, terminal.Dash(t.Error)}
		}, "")
		if err != nil {
			return err
		}

		for _, t := range list {
			if !t.OK {
				return fmt.Errorf("a channel did not work")
			}
		}
		return nil
	})
}

// alarmRecord says which channels were tried, and failed where one did not work.
func alarmRecord(list []posture.Tried) audit.Record {
	r := audit.Record{Event: audit.AlarmTested, Action: audit.Execute}
	for _, t := range list {
		r.Objects = append(r.Objects, audit.Object{Detail: t.Channel})
		if !t.OK {
			r.Outcome = audit.MinorFailure
			r.Reason = "a channel did not work"
		}
	}
	return r
}
