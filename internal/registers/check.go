package registers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"collimator/internal/db"
	"collimator/internal/ledger"
)

// Problem is a row of a register that is not as it was recorded.
type Problem struct {
	Where string // register and key
	What  string
}

// Check repeats what the leaves say of the registers, and holds the rows against
// it. It is for one goroutine.
type Check struct {
	rows   map[string]map[string]row // by register and key
	sealed []string
}

// row is what the last leaf says of one.
type row struct {
	key    []string
	digest string
}

// NewCheck begins before the first leaf.
func NewCheck() *Check { return &Check{rows: map[string]map[string]row{}} }

// Apply takes the next leaf, and says what is wrong with it, or with the row it is
// about; nil means nothing.
func (c *Check) Apply(l ledger.Leaf) *Problem {
	var e Entry
	text := "what it says of a register cannot be read"
	if err := json.Unmarshal([]byte(l.Data), &e); err == nil {
		text = c.apply(e)
	}

	t, known := tableNamed(e.Register)
	switch {
	case e.Foreign && known && text == "":
		return &Problem{
			Where: t.where(e.Key),
			What: fmt.Sprintf("was changed, added or removed from outside before ledger leaf %d recorded another change of it",
				l.Position+1),
		}
	case text == "":
		return nil
	}

	return &Problem{Where: fmt.Sprintf("ledger leaf %d", l.Position), What: text}
}

func (c *Check) apply(e Entry) (problem string) {
	if len(e.Sealed) > 0 {
		return c.seal(e)
	}
	if e.Found && !slices.Contains(c.sealed, e.Register) || e.Register == "" || len(e.Key) == 0 {
		return "what it says of a register makes no sense"
	}

	if c.rows[e.Register] == nil {
		c.rows[e.Register] = map[string]row{}
	}

	k := strings.Join(e.Key, "\x00")
	if e.Digest == "" {
		delete(c.rows[e.Register], k)
	} else {
		c.rows[e.Register][k] = row{key: e.Key, digest: e.Digest}
	}
	return ""
}

// seal begins the coverage of registers; a second time is an attempt to have
// changed rows trusted.
func (c *Check) seal(e Entry) (problem string) {
	for _, name := range e.Sealed {
		if slices.Contains(c.sealed, name) {
			problem = fmt.Sprintf("the register %s was taken as it was found a second time: rows may have been changed before", name)
		}
		c.sealed = append(c.sealed, name)
	}
	return problem
}

// Compare holds the rows that a transaction sees against the leaves that were
// applied.
func (c *Check) Compare(ctx context.Context, tx *db.Tx) (problems []Problem, err error) {
	for _, t := range Tables() {
		entries, err := read(ctx, tx, t, t.selection())
		if err != nil {
			return nil, err
		}
		problems = append(problems, c.compare(t, entries)...)
	}
	return problems, nil
}

func (c *Check) compare(t Table, entries []Entry) (problems []Problem) {
	if !slices.Contains(c.sealed, t.Name) {
		return []Problem{{Where: "register " + t.Name, What: "the ledger does not say when it began to be covered"}}
	}

	seen := map[string]bool{}
	for _, e := range entries {
		k := strings.Join(e.Key, "\x00")
		seen[k] = true
		want, ok := c.rows[t.Name][k]

		switch {
		case !ok:
			problems = append(problems, Problem{Where: t.where(e.Key), What: "nobody recorded it: the row was added from outside"})
		case want.digest != e.Digest:
			problems = append(problems, Problem{
				Where: t.where(e.Key), What: "is not as it was last recorded: the row was changed from outside",
			})
		}
	}

	var missing []Problem
	for k, r := range c.rows[t.Name] {
		if !seen[k] {
			missing = append(missing, Problem{Where: t.where(r.key), What: "is missing: the row was removed from outside"})
		}
	}

	slices.SortFunc(missing, func(a, b Problem) int { return strings.Compare(a.Where, b.Where) })
	return append(problems, missing...)
}

// where names a row for people.
func (t Table) where(key []string) string {
	return t.Word + " " + strings.Join(key, " ")
}
