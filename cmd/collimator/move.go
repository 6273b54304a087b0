package main

import (
	"errors"
	"fmt"

	"collimator/dicom"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/fetch"
	"collimator/internal/sender"
	"collimator/internal/shown"
)

// nameFlags say what to retrieve by unique keys.
type nameFlags struct {
	Study    []string `help:"Study Instance UIDs." placeholder:"UID"`
	Series   []string `help:"Series Instance UIDs; one --study is needed too." placeholder:"UID"`
	Instance []string `help:"SOP Instance UIDs; one --study and one --series are needed too." placeholder:"UID"`
}

// identifier makes the identifier of C-GET and C-MOVE of the flags.
func (n *nameFlags) identifier() (*dicom.DataSet, error) {
	switch {
	case len(n.Study) == 0:
		return nil, usageError("say which study with --study UID; 'collimator find' lists them")
	case len(n.Instance) > 0 && (len(n.Series) != 1 || len(n.Study) != 1):
		return nil, usageError("--instance needs one --study and one --series")
	case len(n.Series) > 0 && len(n.Study) != 1:
		return nil, usageError("--series needs one --study")
	}
	return fetch.Names(*n).Identifier()
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
	keys, err := c.identifier()
	if err != nil {
		return err
	}
	d, err := c.dialer()
	if err != nil {
		return err
	}

	a, err := d.dial(e.ctx, dimse.Propose([]string{uid.StudyRootMove}, []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian}, false), nil)
	if err != nil {
		return err
	}

	p := newProgress(e, "moved", 0)
	var last dimse.RetrieveResult
	result, err := a.Move(e.ctx, dimse.MoveRequest{
		SOPClassUID: uid.StudyRootMove, Identifier: keys, MoveDestination: c.To,
		Progress: func(r dimse.RetrieveResult) {
			last = r
			showRetrieve(p, r)
		},
	})
	p.end()
	if err == nil {
		err = a.Release(e.ctx)
	} else {
		a.Abort()
	}

	// Where the end did not come, the last word counts.
	if err != nil && !result.Counted {
		result.SubOperations = last.SubOperations
		result.Counted = last.Counted
	}
	return c.report(e, d, result, err)
}

func showRetrieve(p *progress, r dimse.RetrieveResult) {
	n := r.SubOperations
	done := int(n.Completed) + int(n.Failed) + int(n.Warning)
	p.set(done, int(n.Failed), done+int(n.Remaining))
}

// report prints the counts of the peer and makes the exit code of them. A final
// response need not have any (PS3.7 9.1.4).
func (c *moveCmd) report(e *env, d *dialer, r dimse.RetrieveResult, err error) error {
	n := r.SubOperations
	moved := int(n.Completed) + int(n.Warning)
	switch {
	case r.Counted:
		fmt.Fprintf(e.stdout, "%d moved to %s, %d failed.\n", moved, c.To, n.Failed)
	case err == nil:
		fmt.Fprintf(e.stdout, "Moving to %s is done; the peer gives no numbers.\n", c.To)
	}
	for _, u := range r.FailedSOPInstanceUIDs {
		fmt.Fprintf(e.stdout, "failed: %s\n", shown.Text(u))
	}

	status, refused := errors.AsType[*dimse.StatusError](err)
	switch {
	case e.ctx.Err() != nil:
		return &exitError{exitPartial, errors.New("stopped before everything was moved")}
	case refused && moved > 0:
		return &exitError{exitPartial, fmt.Errorf("%s: %w%s", d.address, err, sender.Remark(status.Status))}
	case err != nil:
		return d.explain(err)
	case n.Failed > 0:
		return &exitError{exitPartial, fmt.Errorf("%d of the instances failed", n.Failed)}
	case r.Counted && moved == 0:
		return errors.New("nothing matches; 'collimator find' lists what is there")
	}
	return nil
}
