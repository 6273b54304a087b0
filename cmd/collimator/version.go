package main

import (
	"fmt"

	"collimator/internal/house"
)

type versionCmd struct{}

func (versionCmd) Help() string { return "Example:\n  collimator version" }

func (versionCmd) Run(e *env) error {
	_, err := fmt.Fprintln(e.stdout, "collimator", house.Version())
	return err
}
