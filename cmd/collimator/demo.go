package main

import (
	"io"
	"log/slog"
	"os/signal"
	"syscall"
	"time"

	"collimator/internal/config"
	"collimator/internal/demo"
	"collimator/internal/house"
)

type demoCmd struct {
	For     time.Duration `name:"for" help:"How long it runs." default:"1h" bounds:"1s to 24h" placeholder:"DURATION"`
	Verbose bool          `help:"Show the log of the archive, too."`
}

func (demoCmd) Help() string {
	return `Runs a hospital on this machine: the archive with its console, an old PACS behind the gate (Debian's Orthanc
where it is installed, else a stand-in that says so), three modalities that send, an unknown device that calls, and a scan.
It prints where to begin and ten things to see. It needs no root, listens on loopback alone, and leaves nothing behind.

Example:
  collimator demo`
}

func (c *demoCmd) Run(e *env) error {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	if c.Verbose {
		var err error
		if log, err = house.NewLog(e.stderr, config.Default().Log); err != nil {
			return err
		}
	}

	// A window that is closed is how many end it: without this nothing would be cleared away.
	ctx, stop := signal.NotifyContext(e.ctx, syscall.SIGHUP)
	defer stop()
	return demo.Run(ctx, demo.Options{For: c.For, Out: e.stdout, Log: log})
}
