package house

import (
	"context"
	"errors"
	"time"

	"collimator/internal/ledger"
)

// witness appends checkpoints to the file of the setting ledger.witness: now,
// from time to time, and when the server ends.
func (s *Server) witness(ctx context.Context) {
	if s.in.Config.Ledger.Witness == "" {
		return
	}

	w := ledger.NewWitness(s.in.Ledger, s.in.Registers, s.in.Config.Ledger.Witness)
	tick := time.NewTicker(s.in.Config.Ledger.Every)
	defer tick.Stop()

	for {
		if err := w.Append(context.WithoutCancel(ctx)); err != nil {
			if errors.Is(err, ledger.ErrRemoved) {
				s.log.Error("the witness is shorter than it was", "error", err)
				s.States.Failing("witness", "checkpoints that were written to ledger.witness are gone",
					"find out who removed them: collimator audit verify; then name another file in ledger.witness")
			} else {
				s.log.Error("checkpoint not witnessed; it will be tried again", "error", err)
				s.States.Failing("witness", "checkpoints do not reach ledger.witness",
					"make the file writable for the service; under systemd add ReadWritePaths= (docs/operate.md)")
			}
		} else {
			s.States.Well("witness", "checkpoints are kept there")
		}

		if ctx.Err() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}
