package main

import (
	"cmp"

	"collimator/internal/house"
	"collimator/internal/inventory"
	"collimator/internal/phrase"
	"collimator/internal/terminal"
)

type inventorySetCmd struct {
	dataFlags
	Asset     string `arg:"" help:"The system, such as A12."`
	Patched   string `help:"Is the fix in? yes, no, or the day since when (2026-12-31)." placeholder:"ANSWER"`
	Protected string `help:"Is it protected from public access? yes or no." placeholder:"ANSWER" enum:",yes,no" default:""`
	Gate      string `help:"Does it stand behind a gate? yes or no." placeholder:"ANSWER" enum:",yes,no" default:""`
	By        string `help:"Who says so; default: the account that runs the command." placeholder:"NAME"`
	Note      string `help:"Why, or where it is written down."`
}

func (inventorySetCmd) Help() string {
	return "A fix counts for the advisories that were out on its day.\n\n" +
		"Example:\n  collimator inventory set A12 --patched 2026-05-04 --by \"GE service\" --note \"ticket 4711\""
}

func (c *inventorySetCmd) Run(e *env) error {
	answers := inventory.Replies{
		Patched:   c.Patched,
		Protected: c.Protected,
		Gate:      c.Gate,
		Who:       cmp.Or(c.By, house.Operator()),
		Note:      c.Note,
	}

	statements, err := answers.Statements()
	if err != nil {
		return err
	}

	return c.with(e, func(in *house.Installation) error {
		if err := in.AnswerWarning(e.ctx, c.Asset, statements); err != nil {
			return err
		}
		return e.say("%s: %s noted.\n", c.Asset, phrase.Count(len(statements), "answer", "answers"))
	})
}

type inventoryAcceptCmd struct {
	dataFlags
	Issue  string `arg:"" help:"The issue, such as I7."`
	Until  string `help:"Last day, as 2026-12-31." placeholder:"DATE" required:""`
	By     string `help:"Who accepts it." placeholder:"NAME" required:""`
	Reason string `help:"Why." placeholder:"TEXT" required:""`
}

func (inventoryAcceptCmd) Help() string {
	return "After the day the issue is open again by itself.\n\n" +
		"Example:\n  collimator inventory accept I7 --until 2026-12-31 --by \"Dr. Example\" --reason \"replaced in December\""
}

func (c *inventoryAcceptCmd) Run(e *env) error {
	until, err := terminal.ParseDay("--until", c.Until)
	if err != nil {
		return err
	}
	return c.with(e, func(in *house.Installation) error {
		if err := in.AcceptIssue(e.ctx, c.Issue, until, c.By, c.Reason); err != nil {
			return err
		}
		return e.say("%s is accepted until %s.\n", c.Issue, c.Until)
	})
}

type inventoryMergeCmd struct {
	dataFlags
	Into string `arg:"" help:"The system that stays."`
	From string `arg:"" help:"The system that becomes part of it."`
}

func (inventoryMergeCmd) Help() string { return "Example:\n  collimator inventory merge A12 A31" }

func (c *inventoryMergeCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		if err := in.MergeSystems(e.ctx, c.Into, c.From); err != nil {
			return err
		}
		return e.say("%s is part of %s now.\n", c.From, c.Into)
	})
}

type inventorySplitCmd struct {
	dataFlags
	Asset  string `arg:"" help:"The system that is two."`
	Source string `help:"The source whose statements become a system of their own." enum:"typed,csv,nmap,scan,door,refused,gate,capture,json" required:"" placeholder:"SOURCE"`
}

func (inventorySplitCmd) Help() string {
	return "Example:\n  collimator inventory split A12 --source nmap"
}

func (c *inventorySplitCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		made, err := in.SplitSystem(e.ctx, c.Asset, inventory.Source(c.Source))
		if err != nil {
			return err
		}
		return e.say("What %s says about %s is %s now.\n", c.Source, c.Asset, made)
	})
}

type inventoryRemoveCmd struct {
	dataFlags
	Asset string `arg:"" help:"The system."`
}

func (inventoryRemoveCmd) Help() string {
	return "It comes back when somebody sees it again.\n\nExample:\n  collimator inventory remove A12"
}

func (c *inventoryRemoveCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		if err := in.RemoveSystem(e.ctx, c.Asset); err != nil {
			return err
		}
		return e.say("%s is removed.\n", c.Asset)
	})
}
