package archive

// Course folds the ledger's statements about one file into what became of it.
// A file can be stored and held back at the same time, so the last statement
// alone does not tell. The zero Course knows of nothing.
type Course struct {
	stored bool
	held   map[Reason]bool
	last   EventKind
}

// Add takes the next statement about the file, oldest first.
func (c *Course) Add(s Statement) {
	if c.held == nil {
		c.held = map[Reason]bool{}
	}

	c.last = s.Event
	switch s.Event {
	case Stored:
		c.stored = true
	case Deleted:
		c.stored = false
	case Quarantined:
		c.held[s.Reason] = true
		if s.Reason == Replaced {
			c.stored = false // it gave way
		}
	case Released, Destroyed:
		delete(c.held, s.Reason)
		if s.Reason == Unneeded {
			c.stored = false // somebody looked and removed it
		}
	}
}

// End is Stored or Quarantined for a file that must be there; Deleted, Destroyed
// or Released for one that need not; Refused for one that was not kept; and
// empty for one of which the ledger knows nothing.
func (c *Course) End() EventKind {
	switch {
	case c.stored:
		return Stored
	case len(c.held) > 0:
		return Quarantined
	}

	return c.last
}
