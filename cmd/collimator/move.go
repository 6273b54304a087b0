package main

import (
	"errors"

	"collimator/internal/fetch"
	"collimator/internal/terminal"
)

// nameFlags say what to retrieve by unique keys.
type nameFlags struct {
	Study    []string `help:"Study Instance UIDs." placeholder:"UID"`
	Series   []string `help:"Series Instance UIDs; one --study is needed too." placeholder:"UID"`
	Instance []string `help:"SOP Instance UIDs; one --study and one --series are needed too." placeholder:"UID"`
}

type moveCmd struct {
	connectFlags
	nameFlags
	To string `required:"" help:"AE title of the destination, as the peer knows it." placeholder:"AET"`
}

func (moveCmd) Help() string {
	return "Example:\n  collimator move COLLIMATOR@127.0.0.1:2762 --as ./ws1 --study 1.2.3 --to WS2"
}

func (c *moveCmd) Run(e *env) error {
	keys, err := fetch.Names(c.nameFlags).Identifier()
	if err != nil {
		return err
	}
	d, err := c.peer()
	if err != nil {
		return err
	}

	p := terminal.NewProgress(e.stderr, "moved", 0)
	r, err := fetch.Move(e.ctx, d, keys, c.To, p.Set)
	p.End()
	if err != nil {
		return err
	}

	return errors.Join(r.Print(e.stdout, c.To), r.Verdict(e.ctx, d))
}
