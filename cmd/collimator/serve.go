package main

import (
	"errors"

	"collimator/internal/config"
	"collimator/internal/fault"
	"collimator/internal/house"
)

type serveCmd struct {
	dataFlags
	HTTP       *string `name:"http" help:"Address of the HTTPS listener; empty turns it off." placeholder:"HOST:PORT"`
	DICOM      *string `name:"dicom" help:"Address of the TLS listener for associations." placeholder:"HOST:PORT"`
	PlainDICOM *string `name:"plain-dicom" help:"Address of the listener without TLS; open only while a device has an exception, or there is a route of the gate." placeholder:"HOST:PORT"`
	AE         *string `name:"ae" help:"The server's AE title." placeholder:"AET"`
	Only       *string `name:"only" help:"gate: run the routes of the gate without the archive." placeholder:"gate"`
}

func (serveCmd) Help() string {
	return `Makes the data directory and its keys at the first start. Listens on loopback until told
otherwise. Ends in order on SIGINT and SIGTERM: associations that are open may finish first.

Example:
  collimator serve --data ./data --dicom 192.168.1.10:2762 --ae ARCHIVE`
}

func (c *serveCmd) Run(e *env) error {
	cfg, err := c.settings()
	if err != nil {
		return err
	}
	log, err := house.NewLog(e.stderr, cfg.Log)
	if err != nil {
		return err
	}
	in, err := e.open(cfg, true)
	if err != nil {
		return err
	}

	lock, err := house.LockData(cfg.Data)
	if err != nil {
		return errors.Join(err, in.Close())
	}
	defer lock.Close()

	if in.Copied != "" {
		log.Info(house.CopiedText(in.Copied))
	}
	house.BoundMemory(cfg.Limits)

	s, err := house.NewServer(in, log)
	if err != nil {
		return errors.Join(err, in.Close())
	}
	report, end := indexing(e)
	err = s.Prepare(e.ctx, report)
	end()
	if err != nil {
		return errors.Join(err, s.Close(), in.Close())
	}

	hello := house.Greeting{In: in, W: e.stdout, Log: log}
	welcome := func(at house.Listening) { hello.Welcome(e.ctx, at) }

	return errors.Join(s.Run(e.ctx, welcome), s.Close(), in.Close())
}

// settings lays the flags over the file.
func (c *serveCmd) settings() (config.Config, error) {
	cfg, err := c.load()
	if err != nil {
		return cfg, err
	}
	for _, f := range []struct{ from, to *string }{
		{c.HTTP, &cfg.HTTP},
		{c.DICOM, &cfg.DICOM},
		{c.PlainDICOM, &cfg.PlainDICOM},
		{c.AE, &cfg.AE},
		{c.Only, &cfg.Only},
	} {
		if f.from != nil {
			*f.to = *f.from
		}
	}

	if err := cfg.Check(); err != nil {
		return cfg, fault.Ended(fault.Misused, err)
	}
	return cfg, nil
}
