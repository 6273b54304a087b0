package main

import (
	"context"
	"errors"
	"fmt"

	"collimator/dicom"
	"collimator/dimse"
	"collimator/internal/fetch"
	"collimator/internal/sender"
	"collimator/internal/shown"
)

type getCmd struct {
	connectFlags
	nameFlags
	Out    string   `help:"Directory for the files." default:"." placeholder:"DIR"`
	Syntax []string `help:"Transfer syntax UIDs to accept, best first. Default: whatever the objects are stored in." placeholder:"UID"`
}

func (getCmd) Help() string {
	return `Files are named STUDY/SERIES/INSTANCE.dcm by their UIDs. One that is there already is replaced only
when the new one is complete. What is printed counts the files that were written. Exit code 3: some
failed, the retrieval broke off, or the peer's own count is another.

Example:
  collimator get COLLIMATOR@127.0.0.1:2762 --as ./ws1 --study 1.2.3 --out ./study`
}

func (c *getCmd) Run(e *env) error {
	if _, err := c.identifier(); err != nil {
		return err
	}
	d, err := c.dialer()
	if err != nil {
		return err
	}

	p := newProgress(e, "received", 0)
	r := fetch.Run(e.ctx, fetch.Names(c.nameFlags), fetch.Options{
		Dial: d.dial, Dir: c.Out, Syntaxes: c.Syntax, Progress: p.set,
		Find: func(_ context.Context, keys *dicom.DataSet, yield func(*dicom.DataSet)) error {
			return (&findCmd{Root: "study"}).query(e, d, keys, func(match *dicom.DataSet) error {
				yield(match)
				return nil
			})
		},
	})
	p.end()
	return errors.Join(c.report(e, d, r), r.DiskErr)
}

// report prints what is on disk and makes the exit code of it.
func (c *getCmd) report(e *env, d *dialer, r fetch.Result) error {
	n := r.Written
	fmt.Fprintf(e.stdout, "%d received in %s, %d failed.\n", n, c.Out, r.Failed)
	for _, u := range r.FailedUIDs {
		fmt.Fprintf(e.stdout, "failed: %s\n", shown.Text(u))
	}
	if r.Crowded {
		fmt.Fprintln(e.stdout, "The studies have more SOP Classes than fit into one association in every transfer syntax. "+
			"Get their series one at a time.")
	}

	status, refused := errors.AsType[*dimse.StatusError](r.Err)
	switch {
	case e.ctx.Err() != nil:
		return &exitError{exitPartial, errors.New("stopped before everything was received")}
	case refused && n > 0:
		return &exitError{exitPartial, fmt.Errorf("%s: %w%s", d.address, r.Err, sender.Remark(status.Status))}
	case r.Err != nil && n > 0:
		return &exitError{exitPartial, fmt.Errorf("%w; what came before is on disk", d.explain(r.Err))}
	case r.Err != nil:
		return d.explain(r.Err)
	case r.Counted && r.Sent != n:
		return &exitError{exitPartial, fmt.Errorf("the peer counts %d sent; %d were written", r.Sent, n)}
	case r.Failed > 0:
		return &exitError{exitPartial, fmt.Errorf("%d of the instances failed", r.Failed)}
	case n == 0:
		return errors.New("nothing matches; 'collimator find' lists what is there")
	}
	return nil
}
