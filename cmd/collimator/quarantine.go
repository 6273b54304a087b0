package main

import (
	"fmt"

	"collimator/dicom/uid"
	"collimator/internal/archive"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/shown"
	"collimator/internal/terminal"
)

type quarantineCmd struct {
	List    quarantineListCmd    `cmd:"" help:"List what is held back."`
	Show    quarantineShowCmd    `cmd:"" help:"Show an entry, or write its file."`
	Release quarantineReleaseCmd `cmd:"" help:"Take an entry into the archive after all."`
	Destroy quarantineDestroyCmd `cmd:"" help:"Remove an entry and its file."`
}

type quarantineListCmd struct {
	dataFlags
	outputFlag
	Limit int `help:"How many, the newest first." default:"100" bounds:"1 to 100000"`
}

func (quarantineListCmd) Help() string { return "Example:\n  collimator quarantine list" }

func (c *quarantineListCmd) Run(e *env) error {
	return c.withArchive(e, func(_ *house.Installation, a *archive.Archive) error {
		list, err := a.Quarantine(e.ctx, 0, c.Limit)
		if err != nil {
			return err
		}
		return terminal.List(e.stdout, c.Output, list, "NUMBER|WHY|FROM|ADDRESS|SOP CLASS|SIZE|RECEIVED|TIMES",
			quarantineRow, "Nothing is held back.")
	})
}

func quarantineRow(q archive.QuarantineEntry) []string {
	return []string{fmt.Sprint(q.ID), string(q.Reason), shown.Text(house.SentBy(q.Source)), q.Source.Address,
		uid.Name(q.Instance.SOPClassUID), terminal.Size(q.Instance.Size), terminal.Minute(q.LastReceived), fmt.Sprint(q.Times)}
}

type quarantineShowCmd struct {
	dataFlags
	ID  int64  `arg:"" name:"number" help:"Number from 'quarantine list'."`
	Out string `help:"Write the file here, to look into it; it is not what the archive trusts." placeholder:"FILE"`
}

func (quarantineShowCmd) Help() string {
	return "Example:\n  collimator quarantine show 7 --out suspect.dcm"
}

func (c *quarantineShowCmd) Run(e *env) error {
	return c.withArchive(e, func(in *house.Installation, a *archive.Archive) error {
		q, err := a.Quarantined(e.ctx, c.ID)
		if err != nil {
			return err
		}

		found, err := house.HeldFor(e.ctx, a, q, in.Config.Inspect)
		if err != nil {
			return err
		}
		if err := house.PrintHeld(e.stdout, q, found); err != nil {
			return err
		}

		if c.Out == "" {
			return nil
		}
		if err := house.WriteHeld(e.ctx, a, c.ID, c.Out); err != nil {
			return err
		}
		return e.say("Wrote %s.\n", c.Out)
	})
}

type quarantineReleaseCmd struct {
	dataFlags
	heldFlags
}

func (quarantineReleaseCmd) Help() string {
	return `Where another content is stored under the UID, the two change places: what was stored is held
back as replaced, and nothing is lost. With --study, what gave way before stays held back.
What came for a route of the gate goes through when its device sends it again.

Examples:
  collimator quarantine release 7
  collimator quarantine release --study 1.2.3`
}

func (c *quarantineReleaseCmd) Run(e *env) error {
	return c.decide(e, c.dataFlags, func(a *archive.Archive, list []archive.QuarantineEntry) error {
		released := map[int64]string{}
		for _, q := range list {
			released[q.ID] = house.Released(q)
		}

		return house.ReleaseHeld(e.ctx, a, list, c.Study != "", func(number int64) error {
			return e.say("%s\n", released[number])
		})
	})
}

type quarantineDestroyCmd struct {
	dataFlags
	heldFlags
}

func (quarantineDestroyCmd) Help() string {
	return `Its digest stays in the ledger; the file is gone.

Examples:
  collimator quarantine destroy 7
  collimator quarantine destroy --study 1.2.3`
}

func (c *quarantineDestroyCmd) Run(e *env) error {
	return c.decide(e, c.dataFlags, func(a *archive.Archive, list []archive.QuarantineEntry) error {
		return house.DestroyHeld(e.ctx, a, list, func(number int64) error { return e.say("Number %d is destroyed.\n", number) })
	})
}

// heldFlags name one entry or those of a study.
type heldFlags struct {
	ID    int64  `arg:"" name:"number" optional:"" help:"Number from 'quarantine list'."`
	Study string `help:"All entries of this Study Instance UID instead of one." placeholder:"UID"`
}

// decide opens the archive and decides about the entries.
func (h *heldFlags) decide(e *env, d dataFlags, do func(*archive.Archive, []archive.QuarantineEntry) error) error {
	if (h.ID == 0) == (h.Study == "") {
		return fault.Usage("name a number from 'quarantine list', or a study with --study")
	}
	return d.withArchive(e, func(_ *house.Installation, a *archive.Archive) error {
		list, err := house.HeldOf(e.ctx, a, h.ID, h.Study)
		if err != nil {
			return err
		}
		return do(a, list)
	})
}
