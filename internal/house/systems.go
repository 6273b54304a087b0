package house

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"time"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/fault"
	"collimator/internal/inventory"
	"collimator/internal/phrase"
	"collimator/internal/posture"
	"collimator/internal/shown"
)

// What people decide about systems is recorded: the functions here change the
// inventory and write the record.

// NoteSystem notes what somebody typed about a system, and says by its id which one
// it is and whether it is new.
func (in *Installation) NoteSystem(ctx context.Context, o inventory.Observation) (id string, isNew bool, err error) {
	o.Source = inventory.Typed
	out, err := in.Inventory.Import(ctx, inventory.Typed, "typed in", []inventory.Observation{o}, false)
	if err != nil {
		return "", false, err
	}
	return out.Assets[0], out.New == 1, in.noteSystem(ctx, audit.Create, out.Assets[0], "typed in")
}

// CheckTyped adds addresses to what somebody typed about a system, and checks them and
// its AE titles.
func CheckTyped(o *inventory.Observation, addresses []string) error {
	for _, s := range addresses {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return fault.Usage("--address: want an IP address")
		}
		o.Addresses = append(o.Addresses, a)
	}
	for _, s := range o.AETitles {
		if !config.ValidAE(s) {
			return fault.Usage("--aet: an AE title has 1 to 16 printable ASCII characters without backslash")
		}
	}
	return nil
}

func (in *Installation) noteSystem(ctx context.Context, action audit.Action, asset, detail string) error {
	return in.Note(ctx, audit.InventoryChanged, action, audit.Object{Device: asset, Detail: detail})
}

// ImportSystems takes a list of systems in. A dry run changes nothing and says what
// would come of it.
func (in *Installation) ImportSystems(ctx context.Context, l *posture.List, dryRun bool) (inventory.Outcome, error) {
	out, err := l.Import(ctx, in.Inventory, dryRun)
	if err != nil || dryRun {
		return out, err
	}
	detail := fmt.Sprintf("%s of a %s list, %d new", phrase.Count(len(l.Systems), "system", "systems"), l.Source, out.New)
	return out, in.noteSystem(ctx, audit.Create, "", detail)
}

// ExportSystems writes the register as csv, or as json with the issues.
func (in *Installation) ExportSystems(ctx context.Context, form string) ([]byte, error) {
	assets, err := in.Inventory.Assets(ctx)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if form != "json" {
		err = inventory.WriteCSV(&b, assets)
		return b.Bytes(), err
	}

	issues, err := in.Inventory.Issues(ctx, "")
	if err != nil {
		return nil, err
	}
	err = inventory.WriteJSON(shown.NewJSON(&b), assets, issues)
	return b.Bytes(), err
}

// AnswerWarning notes answers to the questions of the warning about a system.
func (in *Installation) AnswerWarning(ctx context.Context, asset string, answers []inventory.Statement) error {
	for _, s := range answers {
		if err := in.Inventory.State(ctx, asset, s); err != nil {
			return err
		}
		if err := in.noteSystem(ctx, audit.Update, asset, fmt.Sprintf("%s: %t, says %s", s.Question, s.Answer, s.Who)); err != nil {
			return err
		}
	}
	return nil
}

// AcceptIssue lets the house live with an issue up to and including a day.
func (in *Installation) AcceptIssue(ctx context.Context, issue string, last time.Time, by, reason string) error {
	if err := in.Inventory.Accept(ctx, issue, last.AddDate(0, 0, 1), by, reason); err != nil {
		return err
	}
	detail := fmt.Sprintf("issue %s accepted until %s by %s", issue, last.Format(time.DateOnly), by)
	return in.noteSystem(ctx, audit.Update, "", detail)
}

// MergeSystems makes one system of two that are the same.
func (in *Installation) MergeSystems(ctx context.Context, into, from string) error {
	if err := in.Inventory.Merge(ctx, into, from); err != nil {
		return err
	}
	return in.noteSystem(ctx, audit.Update, into, "merged with "+from)
}

// SplitSystem makes a system of its own of what one source says about another.
func (in *Installation) SplitSystem(ctx context.Context, asset string, source inventory.Source) (made string, err error) {
	if made, err = in.Inventory.Split(ctx, asset, source); err != nil {
		return "", err
	}
	return made, in.noteSystem(ctx, audit.Update, asset, "split; new: "+made)
}

// RemoveSystem takes a system out.
func (in *Installation) RemoveSystem(ctx context.Context, asset string) error {
	if err := in.Inventory.Remove(ctx, asset); err != nil {
		return err
	}
	return in.noteSystem(ctx, audit.Delete, asset, "removed")
}
