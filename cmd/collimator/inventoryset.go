package main

import (
	"cmp"
	"fmt"
	"time"

	"collimator/internal/audit"
	"collimator/internal/inventory"
	"collimator/internal/phrase"
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
	return "A fix counts for the advisories that were out on its day.\n\nExample:\n  collimator inventory set A12 --patched 2026-05-04 --by \"GE service\" --note \"ticket 4711\""
}

func (c *inventorySetCmd) Run(e *env) error {
	statements, err := c.statements()
	if err != nil {
		return err
	}
	return c.with(e, func(in *installation) error {
		for _, s := range statements {
			if err := in.inventory.State(e.ctx, c.Asset, s); err != nil {
				return err
			}
			if err := in.noteInventory(e, audit.Update, c.Asset, fmt.Sprintf("%s: %t, says %s", s.Question, s.Answer, s.Who)); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintf(e.stdout, "%s: %s noted.\n", c.Asset, phrase.Count(len(statements), "answer", "answers"))
		return err
	})
}

func (c *inventorySetCmd) statements() ([]inventory.Statement, error) {
	who := cmp.Or(c.By, operator())
	var out []inventory.Statement
	if c.Patched != "" {
		s := inventory.Statement{Question: inventory.Patched, Answer: c.Patched != "no", Who: who, Note: c.Note}
		switch c.Patched {
		case "no":
		case "yes":
			s.Since = time.Now()
		default:
			since, err := parseDay("--patched", c.Patched)
			if err != nil {
				return nil, err
			}
			if since.After(time.Now()) {
				return nil, usageError("--patched: %s is not yet over", c.Patched)
			}
			// The whole day counts, and a day is the same everywhere.
			s.Since = time.Date(since.Year(), since.Month(), since.Day(), 12, 0, 0, 0, time.UTC)
		}
		out = append(out, s)
	}
	for _, q := range []struct {
		question inventory.Question
		answer   string
	}{{inventory.Protected, c.Protected}, {inventory.Gated, c.Gate}} {
		if q.answer != "" {
			out = append(out, inventory.Statement{Question: q.question, Answer: q.answer == "yes", Who: who, Note: c.Note})
		}
	}
	if len(out) == 0 {
		return nil, usageError("answer at least one question: --patched, --protected or --gate")
	}
	return out, nil
}

type inventoryAcceptCmd struct {
	dataFlags
	Issue  string `arg:"" help:"The issue, such as I7."`
	Until  string `help:"Last day, as 2026-12-31." placeholder:"DATE" required:""`
	By     string `help:"Who accepts it." placeholder:"NAME" required:""`
	Reason string `help:"Why." placeholder:"TEXT" required:""`
}

func (inventoryAcceptCmd) Help() string {
	return "After the day the issue is open again by itself.\n\nExample:\n  collimator inventory accept I7 --until 2026-12-31 --by \"Dr. Example\" --reason \"replaced in December\""
}

func (c *inventoryAcceptCmd) Run(e *env) error {
	until, err := parseDay("--until", c.Until)
	if err != nil {
		return err
	}
	return c.with(e, func(in *installation) error {
		if err := in.inventory.Accept(e.ctx, c.Issue, until.AddDate(0, 0, 1), c.By, c.Reason); err != nil {
			return err
		}
		if err := in.noteInventory(e, audit.Update, "", fmt.Sprintf("issue %s accepted until %s by %s", c.Issue, c.Until, c.By)); err != nil {
			return err
		}
		_, err := fmt.Fprintf(e.stdout, "%s is accepted until %s.\n", c.Issue, c.Until)
		return err
	})
}

type inventoryMergeCmd struct {
	dataFlags
	Into string `arg:"" help:"The system that stays."`
	From string `arg:"" help:"The system that becomes part of it."`
}

func (inventoryMergeCmd) Help() string { return "Example:\n  collimator inventory merge A12 A31" }

func (c *inventoryMergeCmd) Run(e *env) error {
	return c.with(e, func(in *installation) error {
		if err := in.inventory.Merge(e.ctx, c.Into, c.From); err != nil {
			return err
		}
		if err := in.noteInventory(e, audit.Update, c.Into, "merged with "+c.From); err != nil {
			return err
		}
		_, err := fmt.Fprintf(e.stdout, "%s is part of %s now.\n", c.From, c.Into)
		return err
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
	return c.with(e, func(in *installation) error {
		made, err := in.inventory.Split(e.ctx, c.Asset, inventory.Source(c.Source))
		if err != nil {
			return err
		}
		if err := in.noteInventory(e, audit.Update, c.Asset, "split; new: "+made); err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "What %s says about %s is %s now.\n", c.Source, c.Asset, made)
		return err
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
	return c.with(e, func(in *installation) error {
		if err := in.inventory.Remove(e.ctx, c.Asset); err != nil {
			return err
		}
		if err := in.noteInventory(e, audit.Delete, c.Asset, "removed"); err != nil {
			return err
		}
		_, err := fmt.Fprintf(e.stdout, "%s is removed.\n", c.Asset)
		return err
	})
}
