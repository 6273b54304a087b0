package posture

import (
	"context"

	"collimator/internal/finding"
	"collimator/internal/inventory"
)

// ArchiveFacts is what is known of the archive itself.
type ArchiveFacts = finding.ArchiveFacts

// selfRecord is the sign by which the archive finds itself in the inventory.
const selfRecord = "collimator:this-archive"

// Refresh notes what is wrong with the archive itself. Like everything else in
// the inventory it can be accepted until a day, and becomes fixed.
func (p *Posture) Refresh(ctx context.Context) error {
	if p.Archive == nil {
		return nil
	}
	facts, err := p.Archive(ctx)
	if err != nil {
		return err
	}

	asset, err := p.Inventory.Observe(ctx, inventory.Observation{
		Source:  inventory.Self,
		Record:  selfRecord,
		Name:    "This archive",
		Vendor:  "Collimator",
		Product: "Collimator",
		Version: p.Version,
	})
	if err != nil {
		return err
	}

	var checks []string
	for _, c := range finding.ArchiveChecks() {
		checks = append(checks, c.ID)
	}

	place := finding.Place{Asset: asset}
	return p.Inventory.Report(ctx, 0, place, checks, finding.JudgeArchive(facts, place))
}
