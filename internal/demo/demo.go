// Package demo runs a hospital on loopback for a while: an archive, an old PACS behind a gate, three
// modalities that send, an unknown device that calls, and a scan. All of it is in a directory that goes
// away at the end. Nothing in it is of a patient: what is sent is drawn by a program and marked TEST.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/enrolment"
	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/house"
	"collimator/internal/policy"
	"collimator/internal/posture"
)

// Options say how long the hospital runs, and where it tells of itself.
type Options struct {
	For time.Duration
	Out io.Writer
	Log *slog.Logger
	// Pause is between two studies of a modality; 0: half a minute.
	Pause time.Duration
}

// hospital is one that runs.
type hospital struct {
	Options
	dir    string
	in     *house.Installation
	server *house.Server
	behind *behind
	at     house.Listening
}

// pacsTitle is the AE title of the old PACS, and oldPACS the route of the gate in front of it.
const (
	pacsTitle = "OLDPACS"
	route     = "OLDPACS"
)

// Run runs it until its time is over or the context ends, and leaves nothing behind.
func Run(ctx context.Context, o Options) (err error) {
	if o.Pause == 0 {
		o.Pause = 30 * time.Second
	}
	dir, err := os.MkdirTemp("", "collimator-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	h := &hospital{Options: o, dir: dir}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	ctx, end := context.WithTimeout(ctx, o.For)
	defer end()
	if h.behind, err = openBehind(ctx, filepath.Join(dir, "pacs")); err != nil {
		return err
	}
	defer h.behind.close()
	if err := h.open(ctx); err != nil {
		return err
	}
	err = h.run(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		fmt.Fprintln(o.Out, "\nIts time is over. Nothing of it is left.")
	}
	return errors.Join(err, h.server.Close(), h.in.Close())
}

// settings are the usual ones, at ports of this machine that are free.
func (h *hospital) settings() (config.Config, error) {
	c := config.Default()
	c.Data = filepath.Join(h.dir, "data")
	for _, at := range []*string{&c.HTTP, &c.DICOM, &c.PlainDICOM} {
		free, err := freeAddress(*at)
		if err != nil {
			return c, err
		}
		*at = free
	}
	return c, c.Check()
}

// freeAddress is an address where nobody listens, or the same with another port.
func freeAddress(usual string) (string, error) {
	for _, at := range []string{usual, "127.0.0.1:0"} {
		ln, err := net.Listen("tcp", at)
		if err != nil {
			continue
		}
		found := ln.Addr().String()
		if err := ln.Close(); err != nil {
			return "", fmt.Errorf("demo: %w", err)
		}
		return found, nil
	}
	return "", fault.New(fault.Unavailable, "demo: no port of this machine is free")
}

// open makes the archive with its devices and the route to the old PACS.
func (h *hospital) open(ctx context.Context) error {
	c, err := h.settings()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if h.in, err = house.Open(ctx, c, true); err != nil {
		return err
	}
	if err := h.furnish(ctx); err != nil {
		return errors.Join(err, h.in.Close())
	}
	if h.server, err = house.NewServer(h.in, h.Log); err != nil {
		return errors.Join(err, h.in.Close())
	}
	if err := h.server.Prepare(ctx, func(int64, int64) {}); err != nil {
		return errors.Join(err, h.server.Close(), h.in.Close())
	}
	return nil
}

// keyDays is for how long the certificates are valid: so long that nobody is told that they end.
const keyDays = 365

// furnish registers the modalities, and puts the gate in front of the old PACS.
func (h *hospital) furnish(ctx context.Context) error {
	for _, m := range modalities {
		w := house.Enrolling{AETitle: m.title, Out: h.keysOf(m.title), Days: keyDays}
		if _, _, err := h.in.Enrol(ctx, w); err != nil {
			return err
		}
	}
	all := "echo,store,query,retrieve"
	w := house.Enrolling{AETitle: "WS1", Out: h.keysOf("WS1"), Days: keyDays, Grant: enrolment.Grant{Allow: &all}}
	if _, _, err := h.in.Enrol(ctx, w); err != nil {
		return err
	}

	rules, err := gate.RulesOf([]string{"CT1,MR1,US1:echo,store", "WS1:echo,query"})
	if err != nil {
		return err
	}
	return h.in.AddRoute(ctx, gate.Route{Name: route, Protect: pacsTitle + "@" + h.behind.address, Rules: rules})
}

func (h *hospital) keysOf(title string) string { return filepath.Join(h.dir, "keys", title) }

// run serves, and has everybody do what they do.
func (h *hospital) run(ctx context.Context) error {
	_, secret, err := h.in.Registry.FirstLink(ctx)
	if err != nil {
		return err
	}

	var wg sync.WaitGroup
	defer wg.Wait()
	return h.server.Run(ctx, func(at house.Listening) {
		h.at = at
		wg.Go(func() { // it ends with ctx
			for n, m := range modalities {
				wg.Go(func() { h.examine(ctx, m, uint64(n)) })
			}
			h.call(ctx)
			h.scan(ctx)
			h.tour(house.LinkAddress(h.in.Config) + secret)
		})
	})
}

// scan looks at the old PACS from outside of its gate.
func (h *hospital) scan(ctx context.Context) {
	_, port, err := net.SplitHostPort(h.behind.address)
	if err != nil {
		return
	}
	_, err = h.server.Posture.Start(ctx, posture.Order{
		Targets: []string{"127.0.0.1"}, Ports: port, CalledAETitle: pacsTitle,
		Kind: string(policy.Person), By: "demo", Door: audit.DoorCommand,
	})
	if err != nil {
		h.Log.Warn("the scan did not begin", "error", err)
	}
}
