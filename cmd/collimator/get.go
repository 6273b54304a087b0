package main

import (
	"errors"

	"collimator/internal/fetch"
	"collimator/internal/terminal"
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
	if _, err := fetch.Names(c.nameFlags).Identifier(); err != nil {
		return err
	}
	d, err := c.peer()
	if err != nil {
		return err
	}

	o := fetch.From(d)
	p := terminal.NewProgress(e.stderr, "received", 0)
	o.Dir = c.Out
	o.Syntaxes = c.Syntax
	o.Progress = p.Set
	r := fetch.Run(e.ctx, fetch.Names(c.nameFlags), o)
	p.End()
	return errors.Join(r.Print(e.stdout, c.Out), r.Verdict(e.ctx, d), r.DiskErr)
}
