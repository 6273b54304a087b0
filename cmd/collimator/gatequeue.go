package main

import (
	"fmt"
	"slices"
	"time"

	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/outbox"
	"collimator/internal/phrase"
	"collimator/internal/terminal"
)

type gateQueueCmd struct {
	List  gateQueueListCmd  `cmd:"" help:"List what waits to be sent elsewhere, and why."`
	Retry gateQueueRetryCmd `cmd:"" help:"Send what waits, or was set aside, now."`
	Drop  gateQueueDropCmd  `cmd:"" help:"Remove objects that have not arrived."`
}

type gateQueueListCmd struct {
	dataFlags
	outputFlag
	Route string `arg:"" optional:"" help:"List the objects of this route, in order; without it the routes." completes:"gate list -o names"`
	Limit int    `help:"The most objects to list." default:"100" bounds:"1 to 100000"`
}

func (gateQueueListCmd) Help() string {
	return `States: waiting (to be sent), sent (stored there; the report that it is kept is awaited), aside
(refused for good: see the reason, mend it, and retry). Routes that were removed stand here, too, while something of
theirs waits. TRIES of a route count how often its target was not reached since it was reached last, those of an
object how often it was sent. Exit code 1 for a name that is no route and for which nothing waits.

Examples:
  collimator gate queue list
  collimator gate queue list CT2 -o json`
}

func (c *gateQueueListCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		if c.Route == "" {
			list, err := in.Queue(e.ctx, "")
			if err != nil {
				return err
			}
			return terminal.List(e.stdout, c.Output, list, "ROUTE|TARGET|WAITING|SENT|ASIDE|SIZE|OLDEST|TRIES|LAST TRY|NEXT TRY|WHY",
				summaryRow,
				"Nothing waits.")
		}

		list, err := outbox.List(e.ctx, in.DB, c.Route, c.Limit)
		if err != nil {
			return err
		}
		if err := c.whether(e, in, len(list) > 0); err != nil {
			return err
		}
		return terminal.List(e.stdout, c.Output, list, "NUMBER|STATE|STUDY|INSTANCE|SIZE|QUEUED|TRIES|WHY", itemRow,
			"Nothing waits for "+c.Route+".")
	})
}

// whether says how often the target of a route was tried in vain. A name for which nothing waits has to
// be that of a route that keeps something.
func (c *gateQueueListCmd) whether(e *env, in *house.Installation, waits bool) error {
	if !waits {
		return in.Keeps(e.ctx, c.Route)
	}
	list, err := in.Queue(e.ctx, c.Route)
	at := slices.IndexFunc(list, func(s outbox.Summary) bool { return s.Tries > 0 })
	if err != nil || c.Output != "table" || at < 0 {
		return err
	}
	s := list[at]
	return e.say("%s is not reached: %s\nTried %s, last at %s; next at %s.\n\n",
		s.Target, s.Reason, phrase.Count(int64(s.Tries), "time", "times"), terminal.MinuteOr(s.Tried, "-"), terminal.MinuteOr(s.Due, "-"))
}

func summaryRow(s outbox.Summary) []string {
	return []string{s.Destination, terminal.Dash(s.Target), fmt.Sprint(s.Waiting), fmt.Sprint(s.Sent), fmt.Sprint(s.Aside),
		terminal.Size(s.Bytes),
		terminal.MinuteOr(s.Oldest, "-"), fmt.Sprint(s.Tries), terminal.MinuteOr(s.Tried, "-"), terminal.MinuteOr(s.Due, "-"),
		terminal.Dash(s.Reason)}
}

func itemRow(i outbox.Item) []string {
	return []string{fmt.Sprint(i.ID), string(i.State), i.Study, i.SOPInstanceUID, terminal.Size(i.Size), terminal.Minute(i.Queued),
		fmt.Sprint(i.Tries), terminal.Dash(i.Reason)}
}

type gateQueueRetryCmd struct {
	dataFlags
	Route    string `arg:"" help:"Name of the route." completes:"gate list -o names"`
	Redirect bool   `help:"Send what waits for a target that the route had before to the one it has now, and nothing else."`
}

func (gateQueueRetryCmd) Help() string {
	return `What was set aside is sent again, too. What came while the route led elsewhere is not sent to where it leads now,
because that is somebody else's, perhaps: --redirect says that it is right. Exit code 1 where nothing can be sent.

Examples:
  collimator gate queue retry CT2
  collimator gate queue retry CT2 --redirect`
}

func (c *gateQueueRetryCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		again := in.RetryQueue
		if c.Redirect {
			again = in.RedirectQueue
		}
		n, elsewhere, err := again(e.ctx, c.Route)
		if err != nil {
			return err
		}
		if elsewhere > 0 {
			e.hint(fmt.Sprintf("not among them, because the route led elsewhere before: %s; 'collimator gate queue retry %s --redirect' "+
				"sends it to where the route leads now", phrase.Count(elsewhere, "object", "objects"), c.Route))
		}
		return e.say("%s for %s: a server that runs sends within ten seconds. See 'collimator gate queue list %[2]s'.\n",
			phrase.Count(n, "object waits", "objects wait"), c.Route)
	})
}

type gateQueueDropCmd struct {
	dataFlags
	Numbers []int64 `arg:"" help:"Numbers, as 'gate queue list ROUTE' shows them." placeholder:"NUMBER"`
	Reason  string  `help:"Why, in 5 to 200 characters; it stands in the audit trail." required:"" placeholder:"TEXT"`
	Yes     bool    `help:"Do not ask."`
}

func (gateQueueDropCmd) Help() string {
	return `The target does not get them, and the modality was told that they are safe: what it has deleted since is gone. Look first
whether somebody has them. Exit code 2 without a reason; nothing is dropped then.

Example:
  collimator gate queue drop 17 --reason "test image, request 4711"`
}

func (c *gateQueueDropCmd) Run(e *env) error {
	if err := house.CheckReason(c.Reason); err != nil {
		return fault.Misuse(err)
	}
	return c.with(e, func(in *house.Installation) error {
		var list []outbox.Item
		for _, n := range c.Numbers {
			i, err := outbox.Find(e.ctx, in.DB, n)
			if err != nil {
				return err
			}
			list = append(list, i)
		}

		if err := c.confirm(e, list); err != nil {
			return err
		}
		for done, i := range list {
			if err := in.DropQueued(e.ctx, i, c.Reason); err != nil {
				return fmt.Errorf("number %d: %w; %d dropped before it", i.ID, err, done)
			}
		}
		return e.say("%s. The record is in the audit trail.\n", phrase.Count(len(list), "object is dropped", "objects are dropped"))
	})
}

// confirm asks at a terminal; elsewhere --yes has to say it.
func (c *gateQueueDropCmd) confirm(e *env, list []outbox.Item) error {
	if c.Yes {
		return nil
	}
	if !terminal.Attended(e.stdin) {
		return fault.Usage("it is not undone: give --yes to drop %s", phrase.Count(len(list), "object", "objects"))
	}
	for _, i := range list {
		queued := i.Queued.Local().Format(time.DateTime)
		if err := e.say("%d  %s  %s  queued %s\n", i.ID, i.Destination, i.SOPInstanceUID, queued); err != nil {
			return err
		}
	}
	return e.confirm("Drop them?", fault.New(fault.Canceled, "nothing was dropped"))
}
