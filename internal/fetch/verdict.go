package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"

	"collimator/dimse"
	"collimator/internal/fault"
	"collimator/internal/sender"
	"collimator/internal/shown"
)

// Verdict says how a retrieval ended; nil where all came that was named. What could
// not be written is DiskErr.
func (r Result) Verdict(ctx context.Context, p *sender.Peer) error {
	status, refused := errors.AsType[*dimse.StatusError](r.Err)
	switch {
	case ctx.Err() != nil:
		return fault.Partial("stopped before everything was received")
	case refused && r.Written > 0:
		return fault.Partial("%s: %w%s", p.Address, r.Err, sender.Remark(status.Status))
	case r.Err != nil && r.Written > 0:
		return fault.Partial("%w; what came before is on disk", p.Explain(r.Err))
	case r.Err != nil:
		return p.Explain(r.Err)
	case r.Counted && r.Sent != r.Written:
		return fault.Partial("the peer counts %d sent; %d were written", r.Sent, r.Written)
	case r.Failed > 0:
		return fault.Partial("%d of the instances failed", r.Failed)
	case r.Written == 0:
		return errors.New("nothing matches; 'collimator find' lists what is there")
	}
	return nil
}

// Print says in words how much is on disk in a directory, and what failed.
func (r Result) Print(w io.Writer, dir string) error {
	_, err := fmt.Fprintf(w, "%d received in %s, %d failed.\n", r.Written, dir, r.Failed)
	for _, u := range r.FailedUIDs {
		fmt.Fprintf(w, "failed: %s\n", shown.Text(u))
	}
	if r.Crowded {
		fmt.Fprintln(w, "The studies have more SOP Classes than fit into one association in every transfer syntax. "+
			"Get their series one at a time.")
	}
	return err
}
