package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"collimator/internal/config"
	"collimator/internal/policy"
)

// dataFlags are the flags of every command that works on a data directory.
type dataFlags struct {
	Data   string `help:"Data directory. Default: $$COLLIMATOR_DATA, then the service's state directory, then ./data." placeholder:"DIR"`
	Config string `help:"Settings file. Default: collimator.yaml in the data directory, where it exists." placeholder:"FILE"`
}

func (f dataFlags) load() (config.Config, error) {
	c, err := config.Load(f.Config, f.Data)
	if err != nil {
		return c, &exitError{exitUsage, err}
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
		return c, &exitError{exitUsage, err}
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
	return "Exit code 0 when the settings are good, 2 when not.\n\nExample:\n  collimator config check --config /etc/collimator.yaml"
}

func (c *configCheckCmd) Run(e *env) error {
	cfg, err := c.loadChecked()
	if err != nil {
		return err
	}
	if err := works(cfg); err != nil {
		return &exitError{exitUsage, err}
	}
	_, err = fmt.Fprintln(e.stdout, "The settings are good.")
	return err
}

// works holds settings against what is outside of the file: files that are not
// there, roles that nobody has, a socket that has no place.
func works(c config.Config) error {
	var faults []error
	files := c.Files()
	for _, setting := range slices.Sorted(maps.Keys(files)) {
		f, err := os.Open(files[setting])
		if err != nil {
			faults = append(faults, fmt.Errorf("config: %s: %w", setting, err))
			continue
		}
		f.Close()
	}
	for _, r := range c.SignIn.OIDC.Roles {
		if !slices.Contains(policy.Roles(), policy.Role(r.Role)) {
			faults = append(faults, fmt.Errorf("config: signin.oidc.roles: %q is no role; choose from %s", r.Role, joined(policy.Roles())))
		}
	}
	if at := c.Inspect.Clamd; at != "" && !filepath.IsAbs(at) {
		if _, _, err := net.SplitHostPort(at); err != nil {
			faults = append(faults, fmt.Errorf("config: inspect.clamd: %q is neither a path from the root nor HOST:PORT", at))
		}
	}
	return errors.Join(faults...)
}

func joined[T ~string](list []T) string {
	var words []string
	for _, w := range list {
		words = append(words, string(w))
	}
	return strings.Join(words, ", ")
}
