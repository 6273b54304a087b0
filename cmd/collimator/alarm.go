package main

import (
	"fmt"

	"collimator/internal/house"
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
		list, err := in.TestAlarms(e.ctx)
		if err != nil {
			return err
		}

		err = terminal.List(e.stdout, c.Output, list, "CHANNEL|WORKED|WHAT TO DO", func(t posture.Tried) []string {
			return []string{t.Channel, terminal.YesNo(t.OK), terminal.Dash(t.Error)}
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
