package main

import (
	"fmt"

	"collimator/internal/config"
	"collimator/internal/fault"
	"collimator/internal/house"
)

// dataFlags are the flags of every command that works on a data directory.
type dataFlags struct {
	Data   string `help:"Data directory. Default: $$COLLIMATOR_DATA, then the service's state directory, then ./data." placeholder:"DIR"`
	Config string `help:"Settings file. Default: collimator.yaml in the data directory, where it exists." placeholder:"FILE"`
}

func (f dataFlags) load() (config.Config, error) {
	c, err := config.Load(f.Config, f.Data)
	if err != nil {
		return c, fault.Ended(fault.Misused, err)
	}
	return c, nil
}

// loadChecked also refuses settings that make no sense.
func (f dataFlags) loadChecked() (config.Config, error) {
	c, err := f.load()
	if err != nil {
		return c, err
	}
	if err := c.Check(); err != nil {
		return c, fault.Ended(fault.Misused, err)
	}
	return c, nil
}

type configCmd struct {
	Show  configShowCmd  `cmd:"" help:"Print the settings in force, in the form of the file."`
	Check configCheckCmd `cmd:"" help:"Say what is wrong with the settings."`
}

type configShowCmd struct{ dataFlags }

func (configShowCmd) Help() string {
	return "Example:\n  collimator config show --data ./data > collimator.new.yaml"
}

func (c *configShowCmd) Run(e *env) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	out, err := cfg.YAML()
	if err != nil {
		return err
	}
	_, err = e.stdout.Write(out)
	return err
}

type configCheckCmd struct{ dataFlags }

func (configCheckCmd) Help() string {
	return `Exit code 0 when the settings are good, 2 when not. Says what each route of the gate lets through, too.

Example:
  collimator config check --config /etc/collimator.yaml`
}

func (c *configCheckCmd) Run(e *env) error {
	cfg, err := c.loadChecked()
	if err != nil {
		return err
	}
	if err := house.CheckOutside(cfg); err != nil {
		return fault.Ended(fault.Misused, err)
	}
	routes, err := house.ExplainRoutes(e.ctx, cfg)
	if err != nil {
		return fault.Misuse(err)
	}
	if _, err := fmt.Fprintln(e.stdout, "The settings are good."); err != nil {
		return err
	}
	for _, r := range routes {
		if err := r.Print(e.stdout); err != nil {
			return err
		}
	}
	return nil
}
