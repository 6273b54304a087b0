package main

import (
	"fmt"

	"collimator/internal/audit"
	"collimator/internal/house"
)

// trailRead writes down that somebody reads the trail (PS3.15 A.5.3.2) and by what
// it was asked. Who runs a command on this machine reads the files of the trail
// anyway: where the disk is full, the trail is shown all the same.
func trailRead(e *env, in *house.Installation, selection string) {
	r := audit.Record{Event: audit.LogUsed, Action: audit.Read, Objects: []audit.Object{{Detail: selection}}}
	if err := in.Record(e.ctx, r); err != nil {
		fmt.Fprintf(e.stderr, "collimator: that the trail was read is not recorded: %v\n", err)
	}
}
